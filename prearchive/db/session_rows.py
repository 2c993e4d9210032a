"""All rows of one session as plain data: read for a manifest, put back from one, replaced after archiving.

The data name other tables by what outlives a database: associations by their random id, scripts by SHA-256.
Reservations and leases (open key, archive key, work) are not part of it: they belong to the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from prearchive.db import queries
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
from prearchive.states import SessionState


@dataclass(slots=True)
class InstanceRow:
    """A stored instance. Columns are explained in `models.Instance`."""

    sop_instance_uid: str
    sop_class_uid: str
    modality: str | None
    transfer_syntax_uid: str
    file_name: str
    size_bytes: int
    digest: str
    received_sop_key: str
    received_digest: str
    received_at: datetime
    association: str | None  # Association.association_id
    site_script: str | None  # ScriptVersion.sha256
    project_script: str | None


@dataclass(slots=True)
class ScanRows:
    """A scan and its instances, in the order they came."""

    label: str
    series_uid: str | None
    series_key: str
    modality: str | None
    scan_type: str | None
    instances: list[InstanceRow] = field(default_factory=list)


@dataclass(slots=True)
class SenderRow:
    """An association that brought instances of the session."""

    association_id: str
    calling_ae_title: str
    called_ae_title: str
    peer: str
    started_at: datetime


@dataclass(slots=True)
class ScriptRow:
    """A script that ran on instances of the session."""

    sha256: str
    name: str
    language: str
    script_text: str
    first_used_at: datetime


@dataclass(slots=True)
class DiscardedRow:
    """An instance of the session that left no file. Columns are explained in `models.DiscardedInstance`."""

    outcome: str
    reason: str
    status: int
    at: datetime
    received_sop_key: str | None
    study_key: str | None
    hashed_sop_instance_uid: str | None
    received_digest: str | None
    size_bytes: int
    script_line: int | None
    script_column: int | None
    association: str | None
    script: str | None


@dataclass(slots=True)
class EventRow:
    """An entry of the history."""

    at: datetime
    who: str
    action: str
    from_state: SessionState | None
    to_state: SessionState | None
    text: str


@dataclass(slots=True)
class WarningRow:
    """A warning."""

    code: str
    text: str
    at: datetime


# Columns of the session table that outlive the moment.
LASTING_COLUMNS = (
    "id", "project", "subject", "label", "timestamp", "folder", "path", "state", "study_uid", "study_key",
    "session_type", "modality_label", "scan_date", "scan_time", "uploaded_at", "modified_at",
    "last_received_at", "quiet_seconds", "instance_count", "size_bytes", "anonymize", "auto_archive",
    "subject_source", "label_source", "pinned", "confirmed_at", "confirmed_by", "deleted_from",
)  # fmt: skip


@dataclass(slots=True)
class SessionRows:
    """Everything the database knows about one session."""

    session: dict[str, Any]  # LASTING_COLUMNS
    scans: list[ScanRows] = field(default_factory=list)
    senders: list[SenderRow] = field(default_factory=list)
    scripts: list[ScriptRow] = field(default_factory=list)
    discarded: list[DiscardedRow] = field(default_factory=list)
    history: list[EventRow] = field(default_factory=list)
    warnings: list[WarningRow] = field(default_factory=list)

    def instances(self) -> list[tuple[ScanRows, InstanceRow]]:
        """All instances with their scans."""
        return [(scan, instance) for scan in self.scans for instance in scan.instances]

    def count(self) -> None:
        """Bring the counts of the session row up to date with the instances."""
        sizes = [instance.size_bytes for _, instance in self.instances()]
        self.session["instance_count"], self.session["size_bytes"] = len(sizes), sum(sizes)


def read_rows(connection: Connection, session_id: int) -> SessionRows | None:
    """Everything about a session, None when there is no such session."""
    columns = [getattr(Session, name) for name in LASTING_COLUMNS]
    found = connection.execute(select(*columns).where(Session.id == session_id)).mappings().first()
    if found is None:
        return None
    scans, association_ids, script_ids = _read_scans(connection, session_id)
    discarded = _read_discarded(connection, session_id, association_ids, script_ids)
    return SessionRows(
        session=dict(found),
        scans=scans,
        senders=[
            SenderRow(*row)
            for row in connection.execute(
                select(*_columns(Association, SenderRow)).where(Association.id.in_(association_ids))
                .order_by(Association.id)
            )
        ],
        scripts=[
            ScriptRow(*row)
            for row in connection.execute(
                select(*_columns(ScriptVersion, ScriptRow)).where(ScriptVersion.id.in_(script_ids))
                .order_by(ScriptVersion.id)
            )
        ],
        discarded=discarded,
        history=[
            EventRow(*row)
            for row in connection.execute(
                select(*_columns(SessionEvent, EventRow)).where(SessionEvent.session_id == session_id)
                .order_by(SessionEvent.id)
            )
        ],
        warnings=[
            WarningRow(*row)
            for row in connection.execute(
                select(*_columns(SessionWarning, WarningRow)).where(SessionWarning.session_id == session_id)
                .order_by(SessionWarning.id)
            )
        ],
    )  # fmt: skip


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


def script_id(connection: Connection, script: ScriptRow) -> int:
    """The row id of a script text, inserted at its first use."""
    return _script_ids(connection, [script])[script.sha256]


def _read_scans(connection: Connection, session_id: int) -> tuple[list[ScanRows], set[int], set[int]]:
    scans = {
        row.id: ScanRows(row.label, row.series_uid, row.series_key, row.modality, row.scan_type)
        for row in connection.execute(
            select(Scan.id, Scan.label, Scan.series_uid, Scan.series_key, Scan.modality, Scan.scan_type)
            .where(Scan.session_id == session_id)
            .order_by(Scan.id)
        )
    }
    plain = [column.name for column in fields(InstanceRow)][:-3]
    statement = (
        select(
            Instance.scan_id,
            Instance.association_id,
            Instance.site_script_id,
            Instance.project_script_id,
            *(getattr(Instance, name) for name in plain),
        )
        .where(Instance.session_id == session_id)
        .order_by(Instance.id)
    )
    found = connection.execute(statement).all()
    association_ids = {row[1] for row in found if row[1] is not None}
    script_ids = {key for row in found for key in (row[2], row[3]) if key is not None}
    associations = _names(connection, Association.id, Association.association_id, association_ids)
    scripts = _names(connection, ScriptVersion.id, ScriptVersion.sha256, script_ids)
    for row in found:
        scans[row[0]].instances.append(
            InstanceRow(*[*row[4:], associations.get(row[1]), scripts.get(row[2]), scripts.get(row[3])])
        )
    return list(scans.values()), association_ids, script_ids


def _read_discarded(
    connection: Connection, session_id: int, association_ids: set[int], script_ids: set[int]
) -> list[DiscardedRow]:
    plain = [column.name for column in fields(DiscardedRow)][:-2]
    found = connection.execute(
        select(
            DiscardedInstance.association_id,
            DiscardedInstance.script_id,
            *(getattr(DiscardedInstance, name) for name in plain),
        )
        .where(DiscardedInstance.session_id == session_id)
        .order_by(DiscardedInstance.id)
    ).all()
    association_ids |= {row[0] for row in found if row[0] is not None}
    script_ids |= {row[1] for row in found if row[1] is not None}
    associations = _names(connection, Association.id, Association.association_id, association_ids)
    scripts = _names(connection, ScriptVersion.id, ScriptVersion.sha256, script_ids)
    return [DiscardedRow(*[*row[2:], associations.get(row[0]), scripts.get(row[1])]) for row in found]


def _names(connection: Connection, key: Any, name: Any, keys: set[int]) -> dict[int, str]:
    if not keys:
        return {}
    return {row[0]: row[1] for row in connection.execute(select(key, name).where(key.in_(keys)))}


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


def _columns(table: Any, shape: type[Any]) -> list[Any]:
    return [getattr(table, column.name) for column in fields(shape)]


def has_path(connection: Connection, path: str) -> bool:
    """Whether a session's row names this folder."""
    return connection.execute(select(Session.id).where(Session.path == path)).first() is not None


def free_open_key(connection: Connection, session: Mapping[str, Any]) -> str | None:
    """The open key of a session that instances may join again; None while another session has it."""
    key = queries.open_key(session["project"], session["study_key"], anonymize=session["anonymize"])
    taken = connection.execute(select(Session.id).where(Session.open_key == key)).first()
    return None if taken is not None else key
