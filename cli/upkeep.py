"""What happens by itself while a server runs: changed settings, silent sessions, archiving, heartbeat."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from prearchive.site import Site
    from receiver.scp import ListeningAddress

TICK_SECONDS = 0.5
HEARTBEAT_SECONDS = 5.0
COMPLAIN_AGAIN_SECONDS = 60.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Chore:
    """Something done again and again; when it fails the server goes on and tries it again."""

    name: str
    act: Callable[[], object]
    every_seconds: float
    next_at: float = field(default=0.0)
    quiet_until: float = field(default=0.0)

    def do_when_due(self, now: float) -> None:
        """Do it if it is time. `now` counts seconds from anywhere."""
        if now < self.next_at:
            return
        try:
            self.act()
        except Exception as error:
            # The text of an exception may hold anything; class and chore are enough to find it in the code.
            if now >= self.quiet_until:
                log.error("server_chore_failed", action=self.name, error=type(error).__name__)
                self.quiet_until = now + COMPLAIN_AGAIN_SECONDS
        self.next_at = now + self.every_seconds


class Upkeep:
    """The chores of one server. Archiving has a thread of its own: it may take long."""

    def __init__(self, site: Site, stopping: threading.Event, addresses: Sequence[ListeningAddress]) -> None:
        self._site = site
        self._stopping = stopping
        self._addresses = addresses
        self._told_problems: list[str] = []
        self._last_told: object = None
        self._archiver: threading.Thread | None = None

    def run(self) -> None:
        """Do the chores until the server is to stop; `finish` comes when it lets nobody in any more."""
        from prearchive.archive import auto_archive_ready
        from prearchive.joining import join_all_waiting
        from prearchive.recovery import repair_broken_off
        from prearchive.settle import close_quiet_sessions

        site = self._site
        archiving = Chore("auto_archive", lambda: auto_archive_ready(site), 2.0)
        self._archiver = threading.Thread(
            target=self._repeat, args=([archiving],), name="archiver", daemon=True
        )
        self._archiver.start()
        try:
            self._repeat(
                [
                    Chore("refresh", self._refresh, 1.0),
                    Chore("settle", lambda: close_quiet_sessions(site, site.clock()), TICK_SECONDS),
                    Chore("join", lambda: join_all_waiting(site), 2.0),
                    Chore("repair", lambda: repair_broken_off(site), 10.0),
                    Chore("heartbeat", self.beat, HEARTBEAT_SECONDS),
                ]
            )
        finally:
            self._stopping.set()

    def finish(self) -> None:
        """Wait for an archive step that began, which is finished and not cut; then sign off."""
        from prearchive.status import sign_off

        if self._archiver is not None:
            self._archiver.join()
        Chore("sign_off", lambda: sign_off(self._site), 0.0).do_when_due(time.monotonic())

    def _repeat(self, chores: Sequence[Chore]) -> None:
        while not self._stopping.is_set():
            for chore in chores:
                chore.do_when_due(time.monotonic())
            self._stopping.wait(TICK_SECONDS)

    def _refresh(self) -> None:
        """Take over changed settings and scripts, and say so once when the new ones are wrong."""
        from prearchive.script_history import note_all

        self._site.refresh()
        problems = self._site.problems
        for problem in problems:
            if problem not in self._told_problems:
                about_script = problem in self._site.scripts.problems
                log.error("script_refused" if about_script else "server_settings_refused", reason=problem)
        self._told_problems = problems
        in_force = {loaded.name: loaded.sha256 for loaded in self._site.scripts.in_force()}
        if (problems, in_force) != self._last_told:
            note_all(self._site)
            self.beat()  # `prearc status` and `prearc check` need not wait for the next one
            self._last_told = (problems, in_force)

    def beat(self) -> None:
        """Say that this server lives."""
        from prearchive.status import beat

        beat(self._site, self._addresses)
