"""The rows of a session written back: from a manifest, or in the place of others after archiving."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from prearchive.db.models import (
    Association,
    DiscardedInstance,
    Instance,
    Scan,
    ScriptVersion,
    Session,
    SessionEvent,
    SessionWarning,
)
from prearchive.db.session_rows import (
    DiscardedRow,
    EventRow,
    InstanceRow,
    ScriptRow,
    SenderRow,
    SessionRows,
    WarningRow,
)


def insert_session(connection: Connection, rows: SessionRows, reservations: dict[str, Any]) -> int:
    """Insert a session and everything it holds; its former number is kept if it is free.

    Args:
        connection: in a writing transaction.
        rows: what to insert.
        reservations: `open_key` and the like, which a manifest does not hold.
    """
    values = {**rows.session, **reservations}
    taken = connection.execute(select(Session.id).where(Session.id == values["id"])).first()
    if taken is not None:
        del values["id"]
    session_id = _new_key(connection, Session, values)
    insert_contents(connection, session_id, rows)
    _insert_many(connection, SessionEvent, rows.history, EventRow, session_id)
    _insert_many(connection, SessionWarning, rows.warnings, WarningRow, session_id)
    insert_discarded(connection, session_id, rows)
    return session_id


def replace_contents(connection: Connection, session_id: int, rows: SessionRows) -> None:
    """Put new scans and instances in the place of a session's present ones."""
    remove_contents(connection, session_id)
    insert_contents(connection, session_id, rows)


def remove_contents(connection: Connection, session_id: int) -> None:
    """Forget a session's scans and instances; the caller has put them elsewhere."""
    connection.execute(delete(Instance).where(Instance.session_id == session_id))
    connection.execute(delete(Scan).where(Scan.session_id == session_id))


def insert_contents(connection: Connection, session_id: int, rows: SessionRows) -> None:
    """Insert scans and instances below an existing session."""
    associations = _association_ids(connection, rows.senders)
    scripts = _script_ids(connection, rows.scripts)
    for scan in rows.scans:
        scan_id = _new_key(
            connection,
            Scan,
            {
                "session_id": session_id,
                "label": scan.label,
                "series_uid": scan.series_uid,
                "series_key": scan.series_key,
                "modality": scan.modality,
                "scan_type": scan.scan_type,
            },
        )
        if not scan.instances:
            continue
        values = []
        for instance in scan.instances:
            columns = {name.name: getattr(instance, name.name) for name in fields(InstanceRow)}
            columns["association_id"] = associations.get(columns.pop("association"))
            columns["site_script_id"] = scripts.get(columns.pop("site_script"))
            columns["project_script_id"] = scripts.get(columns.pop("project_script"))
            values.append({**columns, "session_id": session_id, "scan_id": scan_id})
        connection.execute(insert(Instance), values)


def insert_discarded(connection: Connection, session_id: int, rows: SessionRows) -> None:
    """Insert audit rows of instances that left no file."""
    if not rows.discarded:
        return
    associations = _association_ids(connection, rows.senders)
    scripts = _script_ids(connection, rows.scripts)
    values = []
    for discarded in rows.discarded:
        columns = {name.name: getattr(discarded, name.name) for name in fields(DiscardedRow)}
        columns["association_id"] = associations.get(columns.pop("association"))
        columns["script_id"] = scripts.get(columns.pop("script"))
        values.append({**columns, "session_id": session_id})
    connection.execute(insert(DiscardedInstance), values)


def insert_new_discarded(connection: Connection, session_id: int, rows: SessionRows) -> None:
    """Insert those audit rows that the session does not have yet; may be repeated."""
    known = {
        tuple(row)
        for row in connection.execute(
            select(
                DiscardedInstance.outcome,
                DiscardedInstance.reason,
                DiscardedInstance.received_sop_key,
                DiscardedInstance.at,
            ).where(DiscardedInstance.session_id == session_id)
        )
    }
    new = [
        row for row in rows.discarded if (row.outcome, row.reason, row.received_sop_key, row.at) not in known
    ]
    insert_discarded(connection, session_id, replace(rows, discarded=new))


def give_discarded(connection: Connection, source_id: int, target_id: int) -> None:
    """Let the audit rows of a session that was merged count for the one it was merged into."""
    connection.execute(
        update(DiscardedInstance)
        .where(DiscardedInstance.session_id == source_id)
        .values(session_id=target_id)
    )


def _association_ids(connection: Connection, senders: Iterable[SenderRow]) -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for sender in senders:
        key = connection.execute(
            select(Association.id).where(Association.association_id == sender.association_id)
        ).scalar()
        values = {column.name: getattr(sender, column.name) for column in fields(SenderRow)}
        found[sender.association_id] = key if key is not None else _new_key(connection, Association, values)
    return found


def _script_ids(connection: Connection, scripts: Iterable[ScriptRow]) -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for script in scripts:
        key = connection.execute(
            select(ScriptVersion.id).where(ScriptVersion.sha256 == script.sha256)
        ).scalar()
        values = {column.name: getattr(script, column.name) for column in fields(ScriptRow)}
        found[script.sha256] = key if key is not None else _new_key(connection, ScriptVersion, values)
    return found


def _insert_many(
    connection: Connection, table: Any, entries: Iterable[Any], shape: type[Any], key: int
) -> None:
    values = [
        {"session_id": key, **{column.name: getattr(entry, column.name) for column in fields(shape)}}
        for entry in entries
    ]
    if values:
        connection.execute(insert(table), values)


def _new_key(connection: Connection, table: Any, values: dict[str, Any]) -> int:
    inserted = connection.execute(insert(table).values(**values)).inserted_primary_key
    if inserted is None:
        raise AssertionError("every table has a key")
    return int(inserted[0])
