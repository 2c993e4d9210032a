"""The state of a site in one look, and how a running server says that it lives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from prearchive.db import script_changes, upkeep
from prearchive.db.upkeep import DiscardedKind, ServerRecord, Trouble
from prearchive.errors import PrearchiveError
from prearchive.scripts import SITE_SCRIPT_NAME, LoadedScript, ScriptShelf

if TYPE_CHECKING:
    from config.settings import Settings
    from prearchive.site import Site

_MOST_TROUBLES = 10


@dataclass(frozen=True, slots=True)
class ReceiverStatus:
    """A configured receiver; `listening`: a running server said that it listens there."""

    ae_title: str
    host: str
    port: int
    enabled: bool
    anonymize: bool
    listening: bool


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A running server, or one that went away without signing off (not `alive`)."""

    owner: str
    started_at: datetime
    heartbeat_at: datetime
    alive: bool
    listening: list[str]


@dataclass(frozen=True, slots=True)
class StateStatus:
    """Sessions in one state; `oldest` is when the first of them was opened."""

    status: str
    sessions: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class ScriptStatus:
    """A script that is switched on.

    Attributes:
        name: `site.das`, `projects/P4.das`.
        sha256: of the file as it is now, None when it cannot be used.
        language: the version of DicomEdit.
        in_force: what the running servers use: the SHA-256 of each, usually one.
        problem: why the newest version is not in force.
        version: of the file in the script's history; None: it is not in there yet.
    """

    name: str
    sha256: str | None
    language: str | None
    in_force: list[str]
    problem: str | None
    version: int | None


@dataclass(frozen=True, slots=True)
class DiskStatus:
    """Room on the disk of the storage root, and the reserve below which nothing is taken."""

    free_bytes: int
    reserve_bytes: int
    enough: bool


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """What `prearc status` shows; `switched_off` are the scripts that the settings keep from running."""

    running: bool
    receivers: list[ReceiverStatus]
    servers: list[ServerStatus]
    sessions: list[StateStatus]
    discarded: list[DiscardedKind]
    errors: list[Trouble]
    scripts: list[ScriptStatus]
    switched_off: list[str]
    problems: list[str]
    disk: DiskStatus | None


def site_status(site: Site) -> SiteStatus:
    """Look at a site: receivers, sessions by state, what was discarded, last errors, scripts, disk."""
    now = site.clock()
    with site.read_engine.begin() as connection:
        servers = upkeep.servers(connection)
        states = upkeep.count_states(connection)
        discarded = upkeep.count_discarded(connection, now)
        errors = upkeep.last_troubles(connection, _MOST_TROUBLES)
        versions = script_changes.last_versions(connection)
    alive = [server for server in servers if server.is_alive(now)]
    reported = [problem for server in alive for problem in server.scripts.get("problems", [])]
    return SiteStatus(
        running=bool(alive),
        receivers=_receivers(site.settings, alive),
        servers=[_server(server, now) for server in servers],
        sessions=[StateStatus(state.state.value, state.sessions, state.oldest) for state in states],
        discarded=discarded,
        errors=errors,
        scripts=_scripts(site.scripts, alive, versions),
        switched_off=_switched_off(site.settings),
        problems=list(dict.fromkeys([*reported, *site.problems])),
        disk=_disk(site),
    )


def new_site_status(settings: Settings) -> SiteStatus:
    """Look at a site on which `serve` never ran: it has settings and scripts, and nothing else."""
    return SiteStatus(
        running=False,
        receivers=_receivers(settings, []),
        servers=[],
        sessions=[],
        discarded=[],
        errors=[],
        scripts=_scripts(ScriptShelf(settings), [], {}),
        switched_off=_switched_off(settings),
        problems=[],
        disk=None,
    )


class Listening(Protocol):
    """An address where a server listens, and the AE titles it answers to there."""

    @property
    def host(self) -> str:
        """Name or address."""

    @property
    def port(self) -> int:
        """The port, also where any free one was asked for."""

    @property
    def ae_titles(self) -> Sequence[str]:
        """Called AE titles."""


def beat(site: Site, addresses: Sequence[Listening]) -> None:
    """Say that this server lives, where it listens and which scripts are in force; every few seconds."""
    listening = [
        f"{title}@{address.host}:{address.port}" for address in addresses for title in address.ae_titles
    ]
    in_force = {loaded.name: loaded.sha256 for loaded in site.scripts.in_force()}
    with site.engine.begin() as connection:
        upkeep.record_heartbeat(
            connection,
            site.owner,
            now=site.clock(),
            receivers={"listening": listening},
            scripts={"in_force": in_force, "problems": site.problems},
        )


def sign_off(site: Site) -> None:
    """This server stops."""
    with site.engine.begin() as connection:
        upkeep.remove_server(connection, site.owner)


def _receivers(settings: Settings, alive: Sequence[ServerRecord]) -> list[ReceiverStatus]:
    listening = [text for server in alive for text in server.receivers.get("listening", [])]
    named = {(text.partition("@")[0], text.rpartition(":")[2]) for text in listening}
    named |= {(title, "0") for title, _ in named}  # port 0 asks for any free one
    return [
        ReceiverStatus(
            receiver.ae_title,
            receiver.host,
            receiver.port,
            receiver.enabled,
            receiver.anonymize,
            (receiver.ae_title, str(receiver.port)) in named,
        )
        for receiver in settings.receivers
    ]


def _server(server: ServerRecord, now: datetime) -> ServerStatus:
    return ServerStatus(
        server.owner,
        server.started_at,
        server.heartbeat_at,
        server.is_alive(now),
        list(server.receivers.get("listening", [])),
    )


def _scripts(
    scripts: ScriptShelf, alive: Sequence[ServerRecord], versions: Mapping[tuple[str, str], int]
) -> list[ScriptStatus]:
    shown = []
    for name, loaded in scripts.newest().items():
        used = [server.scripts.get("in_force", {}).get(name) for server in alive]
        in_force = sorted({sha256 for sha256 in used if sha256})
        if isinstance(loaded, LoadedScript):
            version = versions.get((name, loaded.sha256))
            shown.append(ScriptStatus(name, loaded.sha256, loaded.language, in_force, None, version))
        else:
            shown.append(ScriptStatus(name, None, None, in_force, str(loaded), None))
    return shown


def _switched_off(settings: Settings) -> list[str]:
    projects = [
        f"projects/{name}.das"
        for name, project in settings.projects.items()
        if not project.anonymize and settings.project_script_path(name).exists()
    ]
    return projects if settings.anonymization.site_enabled else [SITE_SCRIPT_NAME, *projects]


def _disk(site: Site) -> DiskStatus | None:
    reserve = site.settings.limits.min_free_bytes
    try:
        free = site.files.free_bytes()
    except (OSError, PrearchiveError):
        return None
    return DiskStatus(free, reserve, free >= reserve)
