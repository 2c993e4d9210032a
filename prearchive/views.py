"""The tables people see: lists of sessions, details of one, its files; in prearchive and archive alike.

Rows are ready for output: `as_json` gives exactly the keys and the order of `prearc --json`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from config.settings import UNASSIGNED
from prearchive.db import views as db_views
from prearchive.db.views import EventRecord, ListedSession, SessionFilter, SessionRecord, Warned
from prearchive.errors import NotFoundError
from prearchive.references import SCOPES, Scope
from prearchive.script_runs import ScriptsOfFile, UsedScript, scripts_of_files, scripts_of_session
from prearchive.session_row import SessionRow as SessionRow
from prearchive.session_row import WarningRow as WarningRow
from prearchive.session_row import local_text as local_text
from prearchive.states import TRANSITIONS, SessionEvent, SessionState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site


@dataclass(frozen=True, slots=True)
class ScanRow:
    """One scan of a session."""

    id: str
    series_uid: str | None
    modality: str | None
    type: str | None
    files: int


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One entry of a session's history."""

    at: str
    who: str
    action: str
    text: str


@dataclass(frozen=True, slots=True)
class DiscardedRow:
    """Instances that left no file: filtered, rejected, failed or duplicate."""

    outcome: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class SessionDetails(SessionRow):
    """What `prearc show` shows: the row's keys first, then the details."""

    session_type: str | None
    scans: list[ScanRow]
    history: list[HistoryRow]
    discarded: list[DiscardedRow]
    modality_label: str | None
    size_bytes: int
    anonymize: bool  # False: no script ever runs on this session
    auto_archive: str | None
    confirmed_at: str | None
    confirmed_by: str | None
    waiting_for: int | None  # arrived while that session was busy, joins it afterwards
    path: str
    proposed_label: str | None  # that the project's script makes, while a label can be given
    scripts: list[UsedScript]

    @property
    def row(self) -> SessionRow:
        """The session's line of the list."""
        return self


@dataclass(frozen=True, slots=True)
class FileRow:
    """One stored file; `path` is relative to the storage root."""

    path: str
    size: int
    digest: str
    sop_instance_uid: str
    scan: str

    def as_json(self) -> dict[str, Any]:
        """The row as `prearc files --json` prints it."""
        return asdict(self)


def list_sessions(
    site: Site,
    scope: Scope = "prearchive",
    *,
    project: str | None = None,
    status: str | None = None,
    subject: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[SessionRow]:
    """The sessions of the prearchive, the archive or the trash, newest first.

    Args:
        site: whose.
        scope: which part.
        project: only this project, by id or alias; `Unassigned` for those without one.
        status: only this status, in any case.
        subject: only this subject, in any case.
        since: only those whose first instance came then or later.
        limit: at most so many.
        offset: leave out so many of the newest.

    Raises:
        NotFoundError: there is no such status.
    """
    states = SCOPES[scope]
    if status is not None:
        wanted_state = get_state(status)
        states = tuple(state for state in states if state is wanted_state)
    if project is not None:
        project = "" if project == UNASSIGNED else site.settings.resolve_project(project) or project
    narrowed = SessionFilter(states, project, subject, since, limit, offset)
    with site.read_engine.begin() as connection:
        records = db_views.find_sessions(connection, narrowed)
        warnings = db_views.warnings_of(connection, [record.id for record in records])
    return [session_row(record, warnings.get(record.id, ())) for record in records]


def get_state(text: str) -> SessionState:
    """The state that a word names, in any case.

    Raises:
        NotFoundError: none.
    """
    try:
        return SessionState(text.strip().upper())
    except ValueError:
        words = ", ".join(state.value for state in SessionState)
        raise NotFoundError(f"there is no status {text!r}: {words}") from None


def get_row(site: Site, session_id: int) -> SessionRow:
    """One session's row.

    Raises:
        NotFoundError: no such session.
    """
    with site.read_engine.begin() as connection:
        record = _get_record(db_views.find_session(connection, session_id), session_id)
        warnings = db_views.warnings_of(connection, [session_id])
    return session_row(record, warnings.get(session_id, ()))


def show_session(site: Site, session_id: int) -> SessionDetails:
    """Everything about one session: scans, warnings, history and what was discarded.

    Raises:
        NotFoundError: no such session.
    """
    with site.read_engine.begin() as connection:
        record = _get_record(db_views.find_session(connection, session_id), session_id)
        warnings = db_views.warnings_of(connection, [session_id])
        scans = db_views.scans_of(connection, session_id)
        history = db_views.history_of(connection, session_id)
        discarded = db_views.discarded_of(connection, session_id, record.study_key)
        proposed = _proposed_label(site, connection, record)
        scripts = scripts_of_session(connection, session_id, record.project)
    row = session_row(record, warnings.get(session_id, ()))
    return SessionDetails(
        **{column.name: getattr(row, column.name) for column in fields(SessionRow)},
        session_type=record.session_type,
        scans=[
            ScanRow(scan.label, scan.series_uid, scan.modality, scan.scan_type, scan.files)
            for scan in sorted(scans, key=lambda scan: natural_key(scan.label))
        ],
        history=[_history_row(event) for event in history],
        discarded=[DiscardedRow(found.outcome, found.reason, found.count) for found in discarded],
        modality_label=record.modality_label,
        size_bytes=record.size_bytes,
        anonymize=record.anonymize,
        auto_archive=record.auto_archive,
        confirmed_at=None if record.confirmed_at is None else local_text(record.confirmed_at),
        confirmed_by=record.confirmed_by,
        waiting_for=record.waits_for_id,
        path=record.path,
        proposed_label=proposed,
        scripts=scripts,
    )


def list_files(site: Site, session_id: int) -> list[FileRow]:
    """The stored files of a session, by scan.

    Raises:
        NotFoundError: no such session.
    """
    with site.read_engine.begin() as connection:
        _get_record(db_views.find_session(connection, session_id), session_id)
        files = db_views.files_of(connection, session_id)
    files.sort(key=lambda stored: natural_key(stored.scan_label))  # stable: order of arrival inside a scan
    return [
        FileRow(stored.path, stored.size_bytes, stored.digest, stored.sop_instance_uid, stored.scan_label)
        for stored in files
    ]


def list_scripts_of_files(site: Site, session_id: int) -> dict[str, ScriptsOfFile]:
    """The versions of the scripts that ran on each stored file of a session, by its path as in `list_files`.

    Raises:
        NotFoundError: no such session.
    """
    with site.read_engine.begin() as connection:
        record = _get_record(db_views.find_session(connection, session_id), session_id)
        return scripts_of_files(connection, session_id, record.project)


def session_row(record: SessionRecord | ListedSession, warnings: list[Warned] | tuple[()] = ()) -> SessionRow:
    """A database row in the shape people see."""
    return SessionRow(
        id=record.id,
        ref=db_views.session_ref(record.project, record.timestamp, record.folder),
        project=record.project or UNASSIGNED,
        subject=record.subject,
        session=record.label,
        status=record.state.value,
        scan_date=record.scan_date,
        scan_time=record.scan_time,
        uploaded=local_text(record.uploaded_at),
        last_modified=local_text(record.modified_at),
        study_uid=record.study_uid,
        instances=record.instance_count,
        warnings=[WarningRow(warned.code, warned.text) for warned in warnings],
    )


def natural_key(text: str) -> list[tuple[int, str]]:
    """Sorts scan ids as people count: 2 before 10, 3 before 3-MR1."""
    return [
        (int(part), "") if part.isdigit() and part.isascii() else (-1, part)
        for part in re.split(r"([0-9]+)", text)
        if part
    ]


def _proposed_label(site: Site, connection: Connection, record: SessionRecord) -> str | None:
    if record.project is None or (record.state, SessionEvent.LABEL) not in TRANSITIONS:
        return None
    # Not for every view: with it comes the engine, which takes longer to load than all the rest.
    from prearchive.label_proposal import find_label

    return find_label(site, connection, record, record.project)


def _history_row(event: EventRecord) -> HistoryRow:
    text = event.text
    if not text and event.from_state is not event.to_state and event.to_state is not None:
        text = f"{event.from_state or 'new'} -> {event.to_state}"
    return HistoryRow(local_text(event.at), event.who, event.action, text)


def _get_record(record: SessionRecord | None, session_id: int) -> SessionRecord:
    if record is None:
        raise NotFoundError(f"there is no session {session_id}")
    return record
