"""Statements for what happens by itself and for looking after a site: closing sessions, check, status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from prearchive.db.models import DiscardedInstance, Instance, Scan, Server, Session, SessionEvent
from prearchive.states import SessionState

SERVER_SILENT_AFTER = timedelta(seconds=60)
_FORGOTTEN_AFTER = timedelta(days=1)
_RETRY_AFTER = timedelta(seconds=60)
BUILD_FAILED = "build_failed"


# -- closing sessions


def find_quiet_sessions(connection: Connection, now: datetime) -> list[int]:
    """Return the sessions that got nothing for as long as they may: those RECEIVING, oldest first.

    Also those in CONFLICT that were never closed since their last instance: the second version of an instance
    puts a session into CONFLICT at once, but its types and its manifest are made when it is closed.
    """
    of_session = SessionEvent.session_id == Session.id
    closed = sa.exists().where(
        of_session,
        SessionEvent.from_state == SessionState.BUILDING,
        SessionEvent.action != BUILD_FAILED,
        SessionEvent.at >= Session.last_received_at,
    )
    # Trouble of the disk would fill the history otherwise.
    just_failed = sa.exists().where(
        of_session, SessionEvent.action == BUILD_FAILED, SessionEvent.at > now - _RETRY_AFTER
    )
    rows = connection.execute(
        sa.select(Session.id, Session.last_received_at, Session.quiet_seconds)
        .where(
            Session.waits_for_id.is_(None),
            Session.instance_count > 0,  # opened just now: its first instance is being written
            ~just_failed,
            sa.or_(
                Session.state == SessionState.RECEIVING,
                sa.and_(Session.state == SessionState.CONFLICT, ~closed),
            ),
        )
        .order_by(Session.last_received_at)
    )
    return [row.id for row in rows if is_quiet(row.last_received_at, row.quiet_seconds, now)]


def is_quiet(last_received_at: datetime, quiet_seconds: int, now: datetime) -> bool:
    """Whether nothing came for `quiet_seconds`.

    A time that lies further ahead says that the clock was put back, and that nothing came since.
    """
    return abs(now - last_received_at) >= timedelta(seconds=quiet_seconds)


class ScanKind(NamedTuple):
    """One kind of instances in a scan."""

    scan_id: int
    sop_class_uid: str
    modality: str | None
    instances: int
    size_bytes: int


def kinds_of(connection: Connection, session_id: int) -> list[ScanKind]:
    """Return which kinds of instances a session's scans hold, and how many."""
    rows = connection.execute(
        sa.select(
            Instance.scan_id,
            Instance.sop_class_uid,
            Instance.modality,
            sa.func.count(Instance.id),
            sa.func.sum(Instance.size_bytes),
        )
        .where(Instance.session_id == session_id)
        .group_by(Instance.scan_id, Instance.sop_class_uid, Instance.modality)
        .order_by(Instance.scan_id)
    )
    return [
        ScanKind(scan, sop_class, modality, count, int(size))
        for scan, sop_class, modality, count, size in rows
    ]


def scan_labels(connection: Connection, session_id: int) -> dict[int, str]:
    """Return the scan ids of a session by row."""
    rows = connection.execute(sa.select(Scan.id, Scan.label).where(Scan.session_id == session_id))
    return {row.id: row.label for row in rows}


def set_scan_kind(connection: Connection, scan_id: int, *, scan_type: str, modality: str) -> None:
    """Note what kind of scan it is."""
    connection.execute(
        sa.update(Scan).where(Scan.id == scan_id).values(scan_type=scan_type, modality=modality)
    )


def count_conflicting(connection: Connection, session_id: int) -> int:
    """Return of how many instances a session holds more than one version."""
    several = (
        sa.select(Instance.received_sop_key)
        .where(Instance.session_id == session_id)
        .group_by(Instance.received_sop_key)
        .having(sa.func.count() > 1)
        .subquery()
    )
    return connection.scalar(sa.select(sa.func.count()).select_from(several)) or 0


# -- check


class SessionPlace(NamedTuple):
    """What `check` needs of a session."""

    id: int
    state: SessionState
    path: str
    project: str | None
    subject: str | None
    label: str
    instance_count: int
    size_bytes: int
    merged_into_id: int | None
    lease_owner: str | None
    lease_expires_at: datetime | None


class InstancePlace(NamedTuple):
    """What a row says about a stored file."""

    id: int
    scan_label: str
    file_name: str
    size_bytes: int
    digest: str


_PLACE = sa.select(*(getattr(Session, name) for name in SessionPlace._fields))


def session_places(connection: Connection) -> list[SessionPlace]:
    """Return all sessions: of the prearchive, of the archive, of the trash."""
    return [SessionPlace(*row) for row in connection.execute(_PLACE.order_by(Session.id))]


def find_session_place(connection: Connection, session_id: int) -> SessionPlace | None:
    """Return one session as it is now."""
    row = connection.execute(_PLACE.where(Session.id == session_id)).one_or_none()
    return None if row is None else SessionPlace(*row)


def instance_places(connection: Connection, session_id: int) -> list[InstancePlace]:
    """Return the files that a session's rows name."""
    rows = connection.execute(
        sa.select(Instance.id, Scan.label, Instance.file_name, Instance.size_bytes, Instance.digest)
        .join(Scan, Scan.id == Instance.scan_id)
        .where(Instance.session_id == session_id)
        .order_by(Instance.id)
    )
    return [InstancePlace(*row) for row in rows]


class Unfinished(NamedTuple):
    """A session that somebody works on, or was working on when he died."""

    id: int
    state: SessionState
    lease_owner: str | None
    paths: frozenset[str]  # folders that the work is about


def unfinished_work(connection: Connection) -> list[Unfinished]:
    """Return the sessions with work that is not ended; archived ones too while the source is not removed."""
    rows = connection.execute(
        sa.select(Session.id, Session.state, Session.lease_owner, Session.work)
        .where(Session.work.is_not(None))
        .order_by(Session.id)
    )
    return [Unfinished(row.id, row.state, row.lease_owner, _paths_in(row.work)) for row in rows if row.work]


def _paths_in(work: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(
        value for name, value in work.items() if name.endswith("_path") and isinstance(value, str)
    )


def count_instances(connection: Connection) -> int:
    """Return how many instances are stored."""
    return connection.scalar(sa.select(sa.func.count()).select_from(Instance)) or 0


# -- status


class StateCount(NamedTuple):
    """How many sessions are in a state, and since when the oldest is there."""

    state: SessionState
    sessions: int
    oldest: datetime


def count_states(connection: Connection) -> list[StateCount]:
    """Return the sessions by state, as lists show them; the age is that of the upload."""
    rows = connection.execute(
        sa.select(
            Session.state, sa.func.count(), sa.func.min(Session.uploaded_at, type_=Session.uploaded_at.type)
        )
        .where(Session.merged_into_id.is_(None))
        .group_by(Session.state)
        .order_by(Session.state)
    )
    return [StateCount(*row) for row in rows]


class DiscardedKind(NamedTuple):
    """How many instances were discarded in one way."""

    outcome: str
    reason: str
    last_24_hours: int
    total: int


def count_discarded(connection: Connection, now: datetime) -> list[DiscardedKind]:
    """Return the discarded instances by outcome and reason."""
    recent = sa.case((DiscardedInstance.at > now - timedelta(days=1), 1), else_=0)
    rows = connection.execute(
        sa.select(DiscardedInstance.outcome, DiscardedInstance.reason, sa.func.sum(recent), sa.func.count())
        .group_by(DiscardedInstance.outcome, DiscardedInstance.reason)
        .order_by(DiscardedInstance.outcome, DiscardedInstance.reason)
    )
    return [DiscardedKind(outcome, reason, int(last), total) for outcome, reason, last, total in rows]


class Trouble(NamedTuple):
    """Something that went wrong: with an instance, or with a session. No text from anywhere else."""

    at: datetime
    code: str
    session: int | None
    script_line: int | None = None
    script_column: int | None = None
    hashed_sop_instance_uid: str | None = None


def last_troubles(connection: Connection, most: int) -> list[Trouble]:
    """Return what went wrong last, newest first: failed instances and sessions that went into ERROR."""
    failed = connection.execute(
        sa.select(
            DiscardedInstance.at,
            DiscardedInstance.reason,
            DiscardedInstance.session_id,
            DiscardedInstance.script_line,
            DiscardedInstance.script_column,
            DiscardedInstance.hashed_sop_instance_uid,
        )
        .where(DiscardedInstance.outcome == "failed")
        .order_by(DiscardedInstance.at.desc(), DiscardedInstance.id.desc())
        .limit(most)
    )
    spoiled = connection.execute(
        sa.select(SessionEvent.at, SessionEvent.action, SessionEvent.session_id)
        .where(SessionEvent.to_state == SessionState.ERROR)
        .order_by(SessionEvent.id.desc())
        .limit(most)
    )
    found = [Trouble(*row) for row in failed] + [Trouble(*row) for row in spoiled]
    return sorted(found, key=lambda trouble: trouble.at, reverse=True)[:most]


# -- running servers


class ServerRecord(NamedTuple):
    """A running `prearc serve`, as it announced itself."""

    owner: str
    started_at: datetime
    heartbeat_at: datetime
    receivers: dict[str, Any]
    scripts: dict[str, Any]

    def is_alive(self, now: datetime) -> bool:
        """Whether it was heard of lately."""
        return abs(now - self.heartbeat_at) < SERVER_SILENT_AFTER  # the clock may have been put back


def servers(connection: Connection) -> list[ServerRecord]:
    """Return the servers that announced themselves and did not sign off, newest first."""
    columns = [getattr(Server, name) for name in ServerRecord._fields]
    rows = connection.execute(sa.select(*columns).order_by(Server.started_at.desc(), Server.id.desc()))
    return [ServerRecord(*row) for row in rows]


def record_heartbeat(
    connection: Connection,
    owner: str,
    *,
    now: datetime,
    receivers: Mapping[str, Any],
    scripts: Mapping[str, Any],
) -> None:
    """Say that a server lives and what it runs; rows of servers that have been silent for a day go."""
    values = {"heartbeat_at": now, "receivers": dict(receivers), "scripts": dict(scripts)}
    found = connection.execute(sa.update(Server).where(Server.owner == owner).values(**values))
    if found.rowcount == 0:
        connection.execute(sa.insert(Server).values(owner=owner, started_at=now, **values))
        connection.execute(sa.delete(Server).where(Server.heartbeat_at < now - _FORGOTTEN_AFTER))


def remove_server(connection: Connection, owner: str) -> None:
    """A server signs off."""
    connection.execute(sa.delete(Server).where(Server.owner == owner))
