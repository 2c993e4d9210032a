"""What is read for people: the table's rows, details of a session, its files, what a reference may mean.

Only reading; each function runs in the transaction it is given. Lists never touch files, and a page costs two
statements however many sessions it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, and_, exists, func, or_, select

from prearchive.db.models import DiscardedInstance, Instance, Scan, Session, SessionEvent, SessionWarning
from prearchive.states import SessionState

_MANY = 500  # values in one IN list: below what every database allows


def session_ref(project: str | None, timestamp: str, folder: str) -> str:
    """`PROJECT/TIMESTAMP/FOLDER`."""
    return f"{project or 'Unassigned'}/{timestamp}/{folder}"


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A row of the session table, as it was when it was read. Columns are explained in `models.Session`."""

    id: int
    project: str | None
    subject: str | None
    label: str
    timestamp: str
    folder: str
    path: str
    state: SessionState
    study_uid: str | None
    study_key: str
    open_key: str | None
    archived_key: str | None
    waits_for_id: int | None
    merged_into_id: int | None
    session_type: str | None
    modality_label: str | None
    scan_date: str | None
    scan_time: str | None
    uploaded_at: datetime
    modified_at: datetime
    last_received_at: datetime
    quiet_seconds: int
    instance_count: int
    size_bytes: int
    anonymize: bool
    auto_archive: str | None
    subject_source: str
    label_source: str
    pinned: bool
    confirmed_at: datetime | None
    confirmed_by: str | None
    lease_owner: str | None
    lease_expires_at: datetime | None
    work: dict[str, Any] | None
    deleted_from: dict[str, Any] | None

    @property
    def ref(self) -> str:
        """`PROJECT/TIMESTAMP/FOLDER`, the name of a session that does not change with its labels."""
        return session_ref(self.project, self.timestamp, self.folder)


SESSION_COLUMNS = [getattr(Session, column.name) for column in fields(SessionRecord)]


class ListedSession(NamedTuple):
    """The columns of a session that a list shows."""

    id: int
    project: str | None
    subject: str | None
    label: str
    timestamp: str
    folder: str
    state: SessionState
    scan_date: str | None
    scan_time: str | None
    uploaded_at: datetime
    modified_at: datetime
    study_uid: str | None
    instance_count: int


LISTED_COLUMNS = [getattr(Session, name) for name in ListedSession._fields]


class Warned(NamedTuple):
    """A warning of a session."""

    code: str
    text: str


class ScanRecord(NamedTuple):
    """A scan with the number of its files."""

    id: int
    label: str
    series_uid: str | None
    modality: str | None
    scan_type: str | None
    files: int


class EventRecord(NamedTuple):
    """An entry of a session's history."""

    at: datetime
    who: str
    action: str
    from_state: SessionState | None
    to_state: SessionState | None
    text: str


@dataclass(frozen=True, slots=True)
class DiscardedCount:
    """How many instances were discarded for one reason."""

    outcome: str
    reason: str
    count: int


class StoredFile(NamedTuple):
    """A stored instance; `path` is relative to the storage root."""

    path: str
    size_bytes: int
    digest: str
    sop_instance_uid: str
    scan_label: str


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """What a list is narrowed to; None narrows nothing. `project` "" means sessions without a project."""

    states: Sequence[SessionState]
    project: str | None = None
    subject: str | None = None
    since: datetime | None = None
    limit: int | None = None
    offset: int = 0


def find_sessions(connection: Connection, wanted: SessionFilter) -> list[ListedSession]:
    """The sessions of a list, newest first."""
    statement = select(*LISTED_COLUMNS).where(
        Session.state.in_(wanted.states), Session.merged_into_id.is_(None)
    )
    if wanted.project is not None:
        statement = statement.where(
            Session.project == wanted.project if wanted.project else Session.project.is_(None)
        )
    if wanted.subject is not None:
        statement = statement.where(func.lower(Session.subject) == wanted.subject.lower())
    if wanted.since is not None:
        statement = statement.where(Session.uploaded_at >= wanted.since)
    statement = statement.order_by(Session.uploaded_at.desc(), Session.id.desc())
    if wanted.limit is not None:
        statement = statement.limit(wanted.limit)
    if wanted.offset:
        statement = statement.offset(wanted.offset)
    return [ListedSession(*row) for row in connection.execute(statement)]


def find_session(connection: Connection, session_id: int) -> SessionRecord | None:
    """One session by number, whatever its state."""
    found = _records(connection, select(*SESSION_COLUMNS).where(Session.id == session_id))
    return found[0] if found else None


def find_sessions_at(
    connection: Connection, project: str | None, timestamp: str, folder: str
) -> list[SessionRecord]:
    """The sessions that `PROJECT/TIMESTAMP/FOLDER` names."""
    return _records(
        connection,
        select(*SESSION_COLUMNS)
        .where(Session.project == project if project is not None else Session.project.is_(None))
        .where(Session.timestamp == timestamp, Session.folder == folder)
        .order_by(Session.id),
    )


def find_sessions_labelled(
    connection: Connection, label: str, *, project: str | None = None, subject: str | None = None
) -> list[SessionRecord]:
    """The sessions with this label; with `project` and `subject` those of that place in the archive."""
    statement = select(*SESSION_COLUMNS).where(Session.label == label)
    if project is not None:
        statement = statement.where(Session.project == project)
    if subject is not None:
        statement = statement.where(func.lower(Session.subject) == subject.lower())
    return _records(connection, statement.order_by(Session.id))


def find_sessions_of_study(connection: Connection, study_uid: str, study_key: str) -> list[SessionRecord]:
    """The sessions of a Study Instance UID: as stored, or as received by its keyed hash."""
    return _records(
        connection,
        select(*SESSION_COLUMNS)
        .where(or_(Session.study_uid == study_uid, Session.study_key == study_key))
        .order_by(Session.id),
    )


def find_archived(connection: Connection, archived_key: str) -> SessionRecord | None:
    """The session that holds, or has reserved, a place in the archive."""
    found = _records(connection, select(*SESSION_COLUMNS).where(Session.archived_key == archived_key))
    return found[0] if found else None


def find_archived_subject(connection: Connection, project: str, subject: str) -> str | None:
    """How a subject of the project's archive is written, compared without regard to case (XNAT-2865)."""
    found: str | None = connection.execute(
        select(Session.subject)
        .where(Session.project == project, Session.state == SessionState.ARCHIVED)
        .where(func.lower(Session.subject) == subject.lower())
        .order_by(Session.id)
        .limit(1)
    ).scalar()
    return found


def find_for_policy(
    connection: Connection, projects: Sequence[str], *, tried_before: datetime
) -> list[SessionRecord]:
    """READY sessions in nobody's hands that a policy archives: their own, or that of one of `projects`.

    One that could not be archived since `tried_before`, and is READY still, is left out.
    """
    just_tried = (
        exists()
        .where(SessionEvent.session_id == Session.id)
        .where(SessionEvent.from_state == SessionState.ARCHIVING)
        .where(SessionEvent.to_state == SessionState.READY)
        .where(SessionEvent.at > tried_before)
    )
    return _records(
        connection,
        select(*SESSION_COLUMNS)
        .where(~just_tried)
        .where(Session.state == SessionState.READY, Session.pinned.is_(False), Session.project.is_not(None))
        .where(
            or_(
                Session.auto_archive.in_(("auto", "overwrite")),
                and_(Session.auto_archive.is_(None), Session.project.in_(projects)),
            )
        )
        .order_by(Session.id),
    )


def warnings_of(connection: Connection, session_ids: Sequence[int]) -> dict[int, list[Warned]]:
    """The warnings of many sessions, in the order they were found."""
    found: dict[int, list[Warned]] = {}
    for some in _slices(session_ids):
        rows = connection.execute(
            select(SessionWarning.session_id, SessionWarning.code, SessionWarning.text)
            .where(SessionWarning.session_id.in_(some))
            .order_by(SessionWarning.id)
        )
        for session_id, code, text in rows:
            found.setdefault(session_id, []).append(Warned(code, text))
    return found


def scans_of(connection: Connection, session_id: int) -> list[ScanRecord]:
    """The scans of a session with their number of files, in no particular order."""
    counted = (
        select(Instance.scan_id, func.count().label("files"))
        .where(Instance.session_id == session_id)
        .group_by(Instance.scan_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            Scan.id,
            Scan.label,
            Scan.series_uid,
            Scan.modality,
            Scan.scan_type,
            func.coalesce(counted.c.files, 0),
        )
        .join(counted, counted.c.scan_id == Scan.id, isouter=True)
        .where(Scan.session_id == session_id)
        .order_by(Scan.id)
    )
    return [ScanRecord(*row) for row in rows]


def history_of(connection: Connection, session_id: int) -> list[EventRecord]:
    """What happened to a session, oldest first."""
    rows = connection.execute(
        select(
            SessionEvent.at,
            SessionEvent.who,
            SessionEvent.action,
            SessionEvent.from_state,
            SessionEvent.to_state,
            SessionEvent.text,
        )
        .where(SessionEvent.session_id == session_id)
        .order_by(SessionEvent.id)
    )
    return [EventRecord(*row) for row in rows]


def discarded_of(connection: Connection, session_id: int, study_key: str) -> list[DiscardedCount]:
    """What was discarded: of the session, and of its study where no session existed yet."""
    rows = connection.execute(
        select(DiscardedInstance.outcome, DiscardedInstance.reason, func.count())
        .where(
            or_(
                DiscardedInstance.session_id == session_id,
                and_(DiscardedInstance.session_id.is_(None), DiscardedInstance.study_key == study_key),
            )
        )
        .group_by(DiscardedInstance.outcome, DiscardedInstance.reason)
        .order_by(DiscardedInstance.outcome, DiscardedInstance.reason)
    )
    return [DiscardedCount(*row) for row in rows]


def files_of(
    connection: Connection,
    session_id: int,
    *,
    scan_label: str | None = None,
    sop_instance_uid: str | None = None,
    limit: int | None = None,
) -> list[StoredFile]:
    """The stored files of a session in the order they came, narrowed to a scan or an instance."""
    statement = (
        select(
            Session.path,
            Scan.label,
            Instance.file_name,
            Instance.size_bytes,
            Instance.digest,
            Instance.sop_instance_uid,
        )
        .join(Session, Session.id == Instance.session_id)
        .join(Scan, Scan.id == Instance.scan_id)
        .where(Instance.session_id == session_id)
        .order_by(Scan.id, Instance.id)
    )
    if scan_label is not None:
        statement = statement.where(Scan.label == scan_label)
    if sop_instance_uid is not None:
        statement = statement.where(Instance.sop_instance_uid == sop_instance_uid)
    if limit is not None:
        statement = statement.limit(limit)
    return [
        StoredFile(f"{path}/SCANS/{label}/DICOM/{file_name}", size_bytes, digest, stored_uid, label)
        for path, label, file_name, size_bytes, digest, stored_uid in connection.execute(statement)
    ]


def has_scan(connection: Connection, session_id: int, scan_label: str) -> bool:
    """Whether the session has a scan of this id."""
    return (
        connection.execute(
            select(Scan.id).where(Scan.session_id == session_id, Scan.label == scan_label)
        ).first()
        is not None
    )


def _records(connection: Connection, statement: Select[Any]) -> list[SessionRecord]:
    return [_record(row) for row in connection.execute(statement).mappings()]


def _record(row: RowMapping) -> SessionRecord:
    return SessionRecord(**row)


def _slices(values: Sequence[int]) -> Iterator[Iterable[int]]:
    for start in range(0, len(values), _MANY):
        yield values[start : start + _MANY]
