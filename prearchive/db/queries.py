"""Statements of the way in: sessions, scans, instances, their audit rows and history.

Every function runs inside the caller's transaction and never commits. Rows are written with Core statements
that SQLAlchemy compiles once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from prearchive.db import models
from prearchive.states import SessionState

SESSION = cast(Table, models.Session.__table__)
SCAN = cast(Table, models.Scan.__table__)
INSTANCE = cast(Table, models.Instance.__table__)
ASSOCIATION = cast(Table, models.Association.__table__)
SCRIPT_VERSION = cast(Table, models.ScriptVersion.__table__)
DISCARDED = cast(Table, models.DiscardedInstance.__table__)
EVENT = cast(Table, models.SessionEvent.__table__)
WARNING = cast(Table, models.SessionWarning.__table__)

OPEN_STATES = (SessionState.RECEIVING, SessionState.READY, SessionState.CONFLICT, SessionState.ERROR)
BUSY_STATES = (SessionState.BUILDING, SessionState.ARCHIVING, SessionState.MOVING, SessionState.DELETING)


class KnownSession(NamedTuple):
    """What the way in needs of a session that is in the prearchive."""

    id: int
    project: str | None
    subject: str | None
    label: str
    subject_source: str
    label_source: str
    path: str
    state: SessionState
    study_uid: str | None
    pinned: bool
    waits_for_id: int | None
    confirmed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether new instances may join it now."""
        return self.state in OPEN_STATES


class KnownScan(NamedTuple):
    """A scan of a session."""

    id: int
    label: str


class StudySession(NamedTuple):
    """A session of an instance's study, and what it has of the instance.

    Attributes:
        session: which.
        scan: of the instance's series; None: not there yet.
        copies: digests, as received, of the instances with the same SOP Instance UID as received.
    """

    session: KnownSession
    scan: KnownScan | None
    copies: list[str]


_KNOWN_SESSION = sa.select(*(SESSION.c[name] for name in KnownSession._fields))
_SAME_INSTANCE = sa.and_(
    INSTANCE.c.session_id == SESSION.c.id, INSTANCE.c.received_sop_key == sa.bindparam("received_sop_key")
)
_SAME_SERIES = sa.and_(SCAN.c.session_id == SESSION.c.id, SCAN.c.series_key == sa.bindparam("series_key"))
_SESSIONS_OF_STUDY = (
    sa.select(*_KNOWN_SESSION.selected_columns, SCAN.c.id, SCAN.c.label, INSTANCE.c.received_digest)
    .select_from(SESSION.outerjoin(SCAN, _SAME_SERIES).outerjoin(INSTANCE, _SAME_INSTANCE))
    .where(
        SESSION.c.study_key == sa.bindparam("study_key"),
        SESSION.c.anonymize == sa.bindparam("anonymize"),
        # All but these are open or busy; a list of states would be expanded anew for each instance.
        SESSION.c.state != SessionState.ARCHIVED,
        SESSION.c.state != SessionState.DELETED,
    )
    .order_by(SESSION.c.open_key.is_(None), SESSION.c.id)
)
_SESSION_WITH_COPIES = (
    sa.select(*_KNOWN_SESSION.selected_columns, INSTANCE.c.received_digest)
    .select_from(SESSION.outerjoin(INSTANCE, _SAME_INSTANCE))
    .where(SESSION.c.id == sa.bindparam("known_id"))
    .with_for_update(of=SESSION)
)
_SESSION_BY_ID = _KNOWN_SESSION.where(SESSION.c.id == sa.bindparam("session_id"))
_SESSION_LOCKED = _SESSION_BY_ID.with_for_update()
_SCAN_OF_SERIES = sa.select(SCAN.c.id, SCAN.c.label).where(
    SCAN.c.session_id == sa.bindparam("session_id"), SCAN.c.series_key == sa.bindparam("series_key")
)
_ARRIVAL = (
    SESSION.update()
    .where(SESSION.c.id == sa.bindparam("known_id"))
    .values(
        state=sa.bindparam("new_state"),
        instance_count=SESSION.c.instance_count + 1,
        size_bytes=SESSION.c.size_bytes + sa.bindparam("added_bytes"),
        last_received_at=sa.bindparam("now"),
        modified_at=sa.bindparam("now"),
        confirmed_at=None,
        confirmed_by=None,
    )
)


def open_key(
    project: str | None, study_key: str, *, anonymize: bool = True, waits_for_id: int | None = None
) -> str:
    """Return the value of `session.open_key`: one open session a project and study.

    Data that no script may touch have sessions of their own, and so has what arrives while a session is busy.
    """
    raw = "" if anonymize else "raw"
    waits = "" if waits_for_id is None else f"|waits{waits_for_id}"
    return f"{project or ''}|{study_key}|{raw}{waits}"


# Reading


def sessions_of_study(
    connection: Connection, study_key: str, *, anonymize: bool, series_key: str, received_sop_key: str
) -> list[StudySession]:
    """Sessions of a study that are in the prearchive, open and busy ones.

    Those that hold the study's place come first, before one that was moved or restored beside them; then the
    oldest.
    """
    rows = connection.execute(
        _SESSIONS_OF_STUDY,
        {
            "study_key": study_key,
            "anonymize": anonymize,
            "series_key": series_key,
            "received_sop_key": received_sop_key,
        },
    )
    found: dict[int, StudySession] = {}
    for *columns, scan_id, scan_label, received_digest in rows:
        session = KnownSession(*columns)
        scan = None if scan_id is None else KnownScan(scan_id, scan_label)
        known = found.setdefault(session.id, StudySession(session, scan, []))
        if received_digest is not None:
            known.copies.append(received_digest)
    return list(found.values())


def lock_session(
    connection: Connection, session_id: int, received_sop_key: str
) -> tuple[KnownSession, list[str]] | None:
    """Keep other writers from a session; return it with the `StudySession.copies` of an instance."""
    rows = connection.execute(
        _SESSION_WITH_COPIES, {"known_id": session_id, "received_sop_key": received_sop_key}
    ).all()
    if not rows:
        return None
    return KnownSession(*rows[0][:-1]), [row[-1] for row in rows if row[-1] is not None]


def find_session(connection: Connection, session_id: int, *, for_update: bool = False) -> KnownSession | None:
    """Return a session; `for_update` keeps other writers from it until the end of the transaction."""
    statement = _SESSION_LOCKED if for_update else _SESSION_BY_ID
    row = connection.execute(statement, {"session_id": session_id}).one_or_none()
    return None if row is None else KnownSession(*row)


def find_scan(connection: Connection, session_id: int, series_key: str) -> KnownScan | None:
    """Return the scan of a series in a session."""
    row = connection.execute(
        _SCAN_OF_SERIES, {"session_id": session_id, "series_key": series_key}
    ).one_or_none()
    return None if row is None else KnownScan(*row)


def scan_labels(connection: Connection, session_id: int) -> set[str]:
    """Scan ids that are taken in a session."""
    return set(connection.scalars(sa.select(SCAN.c.label).where(SCAN.c.session_id == session_id)))


def has_any_instance(connection: Connection) -> bool:
    """Whether anything was ever received: then the site key must not be made anew."""
    return any(
        connection.execute(sa.select(table.c.id).limit(1)).first() for table in (SESSION, INSTANCE, DISCARDED)
    )


# Writing


def insert(connection: Connection, table: Table, values: dict[str, Any]) -> int:
    """Insert one row and return its id."""
    key = connection.execute(table.insert(), values).inserted_primary_key
    assert key is not None
    return cast(int, key[0])


def record_arrival(
    connection: Connection, session_id: int, *, state: SessionState, size_bytes: int, now: datetime
) -> None:
    """Count an instance that joined a session. What a person had confirmed must be confirmed again."""
    connection.execute(
        _ARRIVAL, {"known_id": session_id, "new_state": state, "added_bytes": size_bytes, "now": now}
    )


def touch_receiving(connection: Connection, session_id: int, now: datetime) -> None:
    """A sender repeats instances: a session that is still received goes on waiting for new ones."""
    connection.execute(
        SESSION.update()
        .where(SESSION.c.id == session_id, SESSION.c.state == SessionState.RECEIVING)
        .values(last_received_at=now)
    )


def change_state(
    connection: Connection,
    session_id: int,
    from_states: Iterable[SessionState],
    to_state: SessionState,
    **columns: Any,
) -> bool:
    """Change a session's state if it still is one of `from_states`; False: someone was faster.

    `columns` are set in the same statement (open_key, lease_owner, lease_expires_at, work ...). The event row
    is the caller's, by `add_event`.
    """
    result = connection.execute(
        SESSION.update()
        .where(SESSION.c.id == session_id, SESSION.c.state.in_(list(from_states)))
        .values(state=to_state, **columns)
    )
    return result.rowcount == 1


def add_event(
    connection: Connection,
    session_id: int,
    *,
    at: datetime,
    who: str,
    action: str,
    from_state: SessionState | None = None,
    to_state: SessionState | None = None,
    text: str = "",
) -> None:
    """Write a line of a session's history."""
    connection.execute(
        EVENT.insert(),
        {
            "session_id": session_id,
            "at": at,
            "who": who[:128],
            "action": action,
            "from_state": from_state,
            "to_state": to_state,
            "text": text,
        },
    )


def add_warning(connection: Connection, session_id: int, code: str, text: str, at: datetime) -> bool:
    """Add a warning unless the session has it already; return whether it is new."""
    known = connection.execute(
        sa.select(WARNING.c.id).where(
            WARNING.c.session_id == session_id, WARNING.c.code == code, WARNING.c.text == text
        )
    ).first()
    if known is not None:
        return False
    connection.execute(WARNING.insert(), {"session_id": session_id, "code": code, "text": text, "at": at})
    return True


def warning_texts(connection: Connection, session_id: int, code: str) -> set[str]:
    """The texts of a session's warnings with this code."""
    return set(
        connection.scalars(
            sa.select(WARNING.c.text).where(WARNING.c.session_id == session_id, WARNING.c.code == code)
        )
    )


def add_scan(
    connection: Connection,
    session_id: int,
    *,
    label: str,
    suffix: str,
    series_key: str,
    series_uid: str | None,
    modality: str | None,
    scan_type: str | None,
) -> KnownScan:
    """Allot a scan id to a series: `label`, or `<label>-<suffix><n>` when another series has it."""
    taken = scan_labels(connection, session_id)
    allotted, number = label, 0
    while allotted in taken:
        number += 1
        ending = f"-{suffix}{number}"
        allotted = f"{label[: 64 - len(ending)]}{ending}"
    scan_id = insert(
        connection,
        SCAN,
        {
            "session_id": session_id,
            "label": allotted,
            "series_key": series_key,
            "series_uid": series_uid,
            "modality": modality,
            "scan_type": scan_type,
        },
    )
    return KnownScan(scan_id, allotted)


def delete_if_empty(connection: Connection, session_id: int) -> str | None:
    """Delete an open session that never got an instance; return its path, None when it stays."""
    row = connection.execute(
        sa.select(SESSION.c.path)
        .where(
            SESSION.c.id == session_id,
            SESSION.c.state.in_(OPEN_STATES),
            ~sa.exists().where(INSTANCE.c.session_id == session_id),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    connection.execute(SESSION.delete().where(SESSION.c.id == session_id))
    return cast(str, row.path)


def association_row(connection: Connection, values: dict[str, Any]) -> int:
    """Return the row of an association, made when it is new."""
    known = connection.scalar(
        sa.select(ASSOCIATION.c.id).where(ASSOCIATION.c.association_id == values["association_id"])
    )
    return cast(int, known) if known is not None else insert(connection, ASSOCIATION, values)


def script_row(connection: Connection, values: dict[str, Any]) -> int:
    """Return the row of a script version, made when this text never ran before."""
    known = connection.scalar(
        sa.select(SCRIPT_VERSION.c.id).where(SCRIPT_VERSION.c.sha256 == values["sha256"])
    )
    return cast(int, known) if known is not None else insert(connection, SCRIPT_VERSION, values)


# Waiting sessions, recovery


def waiting_sessions(connection: Connection) -> Sequence[tuple[int, int]]:
    """Pairs of a session that waits and the one it waits for."""
    rows = connection.execute(
        sa.select(SESSION.c.id, SESSION.c.waits_for_id)
        .where(SESSION.c.waits_for_id.is_not(None), SESSION.c.state != SessionState.DELETED)
        .order_by(SESSION.c.id)
    )
    return [(row.id, row.waits_for_id) for row in rows]
