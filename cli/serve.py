"""`prearc serve`: run the receivers, and everything that happens by itself while they run."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import typer

from cli.context import Invocation, get_invocation
from cli.exits import SomeFailedError, UsageError, exit_code
from cli.output import print_document, say

if TYPE_CHECKING:
    from config.settings import Settings
    from prearchive.site import Site
    from receiver.scp import ListeningAddress


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("serve")(serve)


def serve(context: typer.Context) -> None:
    """Receive DICOM until it is stopped. Prints a line that begins with `ready` once it listens."""
    invocation = get_invocation(context)
    settings = invocation.load_settings()
    if not settings.receivers:
        raise UsageError(f"{settings.config_path}: there is no receiver to listen for")
    with _stopped_by_signals() as stopping:
        _run(invocation, settings, stopping)


def _run(invocation: Invocation, settings: Settings, stopping: threading.Event) -> None:
    from cli import logs
    from cli.upkeep import Upkeep

    logs.configure(settings, verbose=invocation.verbose, serving=True)
    from prearchive.db.migrations import migrate
    from prearchive.intake import Intake
    from prearchive.recovery import recover
    from prearchive.script_history import note_all
    from prearchive.site import Site
    from receiver.scp import Server
    from receiver.status import for_outcome

    migrate(settings)
    site = Site.open(settings, create=True, reload=invocation.load_settings)
    try:
        _require_scripts(site)
        intake = Intake(site, for_outcome)
        server = Server(settings, intake, current_settings=lambda: _newest_settings(site))
        server.bind()  # a port in use ends here, before recovery changes anything
        try:
            recover(site)
            note_all(site)
            server.start()
            upkeep = Upkeep(site, stopping, server.addresses)
            upkeep.beat()
            _tell_ready(invocation, server.addresses)
            upkeep.run()
            _notify_systemd("STOPPING=1")
        finally:
            server.stop()
            intake.shut_down()
        upkeep.finish()  # last: archiving may take long, and no sender must wait for it
    finally:
        site.close()


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and Ctrl-C set."""
    stopping = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _newest_settings(site: Site) -> Settings:
    """Return the settings for the next association; a change of the file counts from there on."""
    site.refresh()
    return site.settings


def _require_scripts(site: Site) -> None:
    """Compile every script that is switched on; mistakes in any stop the start, all of them drawn.

    Raises:
        SomeFailedError: with exit code 3, or 2 where a file is missing.
    """
    from prearchive.scripts import explain, script_path

    found = site.scripts.newest()
    mistakes = {name: error for name, error in found.items() if isinstance(error, Exception)}
    for name, error in mistakes.items():
        say(f"{explain(error, script_path(site.settings, name))}\n", stream=sys.stderr)
    if mistakes:
        raise SomeFailedError(max(exit_code(error) for error in mistakes.values()))
    site.scripts.load_all()


def _tell_ready(invocation: Invocation, addresses: list[ListeningAddress]) -> None:
    names = [
        f"{title}@{f'[{address.host}]' if ':' in address.host else address.host}:{address.port}"
        for address in addresses
        for title in address.ae_titles
    ]
    if invocation.as_json:
        print_document({"ready": names}, one_line=True)
    else:
        say("ready " + " ".join(names))
    _notify_systemd("READY=1")


def _notify_systemd(message: str) -> None:
    """Tell systemd (Type=notify) how far we are; the protocol is one datagram, sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notification:
        notification.sendto(message.encode("ascii"), address.replace("@", "\0", 1))
