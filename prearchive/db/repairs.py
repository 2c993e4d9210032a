"""Statements of joining and of recovery: rows that change their session, rows and files that must agree.

Every function runs inside the caller's transaction and never commits.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from prearchive.db import queries
from prearchive.db.queries import BUSY_STATES, DISCARDED, INSTANCE, SCAN, SESSION, WARNING
from prearchive.states import SessionState


class Place(NamedTuple):
    """What decides which instances join a session."""

    project: str | None
    study_key: str
    anonymize: bool
    waits_for_id: int | None


class CarriedScan(NamedTuple):
    """A scan of a session that waits."""

    label: str
    series_key: str
    series_uid: str | None
    modality: str | None
    scan_type: str | None


class CarriedInstance(NamedTuple):
    """An instance of a session that waits."""

    id: int
    file_name: str
    size_bytes: int
    received_sop_key: str
    received_digest: str
    scan: CarriedScan


class BusySession(NamedTuple):
    """A session that somebody works on."""

    id: int
    lease_owner: str | None
    work: dict[str, Any] | None


# Joining


def place_of(connection: Connection, session_id: int) -> Place:
    """Return what decides which instances join a session."""
    row = connection.execute(
        sa.select(*(SESSION.c[name] for name in Place._fields)).where(SESSION.c.id == session_id)
    ).one()
    return Place(*row)


def find_holder(connection: Connection, open_key: str) -> int | None:
    """Return the session that instances with this key join."""
    return connection.scalar(sa.select(SESSION.c.id).where(SESSION.c.open_key == open_key))


def find_merged_into(connection: Connection, session_id: int) -> int | None:
    """Return the session that another one was merged into."""
    return connection.scalar(sa.select(SESSION.c.merged_into_id).where(SESSION.c.id == session_id))


def instances_to_carry(connection: Connection, session_id: int) -> list[CarriedInstance]:
    """The instances of a session that waits, in the order they came."""
    scans = {
        row.id: CarriedScan(row.label, row.series_key, row.series_uid, row.modality, row.scan_type)
        for row in connection.execute(sa.select(SCAN).where(SCAN.c.session_id == session_id))
    }
    rows = connection.execute(
        sa.select(INSTANCE).where(INSTANCE.c.session_id == session_id).order_by(INSTANCE.c.id)
    )
    return [
        CarriedInstance(
            row.id,
            row.file_name,
            row.size_bytes,
            row.received_sop_key,
            row.received_digest,
            scans[row.scan_id],
        )
        for row in rows
    ]


def rebook_instance(
    connection: Connection, instance_id: int, *, session_id: int, scan_id: int, file_name: str
) -> None:
    """Give an instance to another session."""
    connection.execute(
        INSTANCE.update()
        .where(INSTANCE.c.id == instance_id)
        .values(session_id=session_id, scan_id=scan_id, file_name=file_name)
    )


def turn_into_duplicate(connection: Connection, instance_id: int, *, session_id: int, at: datetime) -> None:
    """Replace the row of an instance that a session has already by an audit row of that session."""
    row = connection.execute(sa.select(INSTANCE).where(INSTANCE.c.id == instance_id)).one()
    connection.execute(
        DISCARDED.insert(),
        {
            "session_id": session_id,
            "outcome": "duplicate",
            "reason": "duplicate",
            "status": 0,  # what the sender was told: it was stored
            "at": at,
            "association_id": row.association_id,
            "received_sop_key": row.received_sop_key,
            "received_digest": row.received_digest,
            "size_bytes": row.size_bytes,
            "script_id": row.site_script_id,
        },
    )
    connection.execute(INSTANCE.delete().where(INSTANCE.c.id == instance_id))


def copy_remarks(connection: Connection, from_id: int, to_id: int) -> None:
    """Warnings and discarded instances of a session that waited belong to the other one now."""
    for warning in connection.execute(sa.select(WARNING).where(WARNING.c.session_id == from_id)).all():
        queries.add_warning(connection, to_id, warning.code, warning.text, warning.at)
    connection.execute(DISCARDED.update().where(DISCARDED.c.session_id == from_id).values(session_id=to_id))


# Recovery


def busy_sessions(connection: Connection) -> list[BusySession]:
    """Sessions that somebody works on, or did when it crashed."""
    rows = connection.execute(
        sa.select(SESSION.c.id, SESSION.c.lease_owner, SESSION.c.work)
        .where(SESSION.c.state.in_(BUSY_STATES))
        .order_by(SESSION.c.id)
    )
    return [BusySession(*row) for row in rows]


def names_file(connection: Connection, session_path: str, scan_label: str, file_name: str) -> bool:
    """Whether an instance's row names this file."""
    statement = (
        sa.select(INSTANCE.c.id)
        .join(SCAN, INSTANCE.c.scan_id == SCAN.c.id)
        .join(SESSION, INSTANCE.c.session_id == SESSION.c.id)
        .where(
            SESSION.c.path == session_path,
            SCAN.c.label == scan_label,
            INSTANCE.c.file_name == file_name,
        )
    )
    return connection.execute(statement).first() is not None


def files_named(connection: Connection, session_id: int) -> set[tuple[str, str]]:
    """Scan id and file name of every instance of a session."""
    rows = connection.execute(
        sa.select(SCAN.c.label, INSTANCE.c.file_name)
        .join(INSTANCE, INSTANCE.c.scan_id == SCAN.c.id)
        .where(INSTANCE.c.session_id == session_id)
    )
    return {(row.label, row.file_name) for row in rows}


def receiving_sessions(connection: Connection) -> list[tuple[int, str]]:
    """Number and path of every session that is being received."""
    rows = connection.execute(
        sa.select(SESSION.c.id, SESSION.c.path).where(SESSION.c.state == SessionState.RECEIVING)
    )
    return [(row.id, row.path) for row in rows]


def never_filled_sessions(connection: Connection, changed_before: datetime | None) -> list[int]:
    """Sessions that were opened and got no instance, with a time: only those unchanged since then."""
    statement = sa.select(SESSION.c.id).where(
        SESSION.c.state == SessionState.RECEIVING,
        SESSION.c.instance_count == 0,
        ~sa.exists().where(INSTANCE.c.session_id == SESSION.c.id),
    )
    if changed_before is not None:
        statement = statement.where(SESSION.c.modified_at < changed_before)
    return list(connection.scalars(statement))


def delete_empty_scans(connection: Connection) -> None:
    """Delete scans without instances from sessions that are being received."""
    receiving = sa.select(SESSION.c.id).where(SESSION.c.state == SessionState.RECEIVING)
    connection.execute(
        SCAN.delete().where(
            SCAN.c.session_id.in_(receiving), ~sa.exists().where(INSTANCE.c.scan_id == SCAN.c.id)
        )
    )


def session_paths(connection: Connection) -> set[str]:
    """The folders of all sessions."""
    return set(connection.scalars(sa.select(SESSION.c.path)))
