"""All rows of one session as plain data: read for a manifest, put back from one, replaced after archiving.

The data name other tables by what outlives a database: associations by their random id, scripts by SHA-256.
Reservations and leases (open key, archive key, work) are not part of it: they belong to the moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

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
    status: int | None
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
