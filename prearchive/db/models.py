"""The tables. What a row holds, and nothing about how it got there.

Rules that hold for every column: no value that the site script removes or changes is ever stored, except
as a keyed hash (columns named `*_key`); UIDs without that suffix are the stored ones, after the site script.
Times are aware and in UTC. Paths are relative to the storage root and use `/`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from prearchive.states import SessionState

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
BIG_KEY = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored in UTC; SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone must not reach the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class StateColumn(TypeDecorator[SessionState]):
    """A SessionState, stored as its word."""

    impl = String(16)
    cache_ok = True

    def process_bind_param(self, value: SessionState | None, dialect: Dialect) -> str | None:
        """Store the word."""
        return None if value is None else SessionState(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> SessionState | None:
        """Give the enum back."""
        return None if value is None else SessionState(value)


class Base(DeclarativeBase):
    """Common base: naming of constraints, so that migrations can name them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON(none_as_null=True)}  # noqa: RUF012


class Session(Base):
    """One study under one project: a row of the prearchive, of the archive, or of the trash."""

    __tablename__ = "session"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    project: Mapped[str | None] = mapped_column(String(64))  # None: Unassigned
    subject: Mapped[str | None] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(64))  # XNAT's session label
    timestamp: Mapped[str] = mapped_column(String(18))  # yyyyMMdd_HHmmssSSS, local time
    folder: Mapped[str] = mapped_column(String(80))
    path: Mapped[str] = mapped_column(Text)  # the session's folder, relative to the storage root
    state: Mapped[SessionState] = mapped_column(StateColumn())

    study_uid: Mapped[str | None] = mapped_column(String(64))  # as stored; None when the data have none
    study_key: Mapped[str] = mapped_column(String(32))  # keyed hash of the Study Instance UID as received
    # "<project>|<study_key>" while new instances join this session, else None: one open session a study and
    # project.
    open_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    # "<project>|<label in lower case>" while ARCHIVED: labels are unique within a project.
    archived_key: Mapped[str | None] = mapped_column(String(140), unique=True)
    waits_for_id: Mapped[int | None] = mapped_column(
        ForeignKey("session.id")
    )  # arrived while that one was busy
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("session.id"))

    session_type: Mapped[str | None] = mapped_column(String(40))  # xnat:mrSessionData ...
    modality_label: Mapped[str | None] = mapped_column(String(16))  # MR, PET, PETMR ...
    scan_date: Mapped[str | None] = mapped_column(String(10))  # YYYY-MM-DD, from the stored Study Date
    scan_time: Mapped[str | None] = mapped_column(String(8))  # HH:MM:SS
    uploaded_at: Mapped[datetime]
    modified_at: Mapped[datetime]
    last_received_at: Mapped[datetime]
    quiet_seconds: Mapped[int]  # the receiver's, at the first instance
    instance_count: Mapped[int] = mapped_column(default=0)
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)

    anonymize: Mapped[bool] = mapped_column(Boolean)  # False: no script ever runs on this session
    auto_archive: Mapped[str | None] = mapped_column(
        String(9)
    )  # manual, auto, overwrite (AA: or the project's)
    subject_source: Mapped[str] = mapped_column(String(16))  # see identify.LabelSource
    label_source: Mapped[str] = mapped_column(String(16))
    pinned: Mapped[bool] = mapped_column(Boolean, default=False)  # a person moved or labelled it
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None] = mapped_column(String(128))

    lease_owner: Mapped[str | None] = mapped_column(String(64))  # who works on a busy session
    lease_expires_at: Mapped[datetime | None]
    # What the busy worker is doing, enough to finish or undo it: {"action", "target_path", "archive_id", ...}
    work: Mapped[dict[str, Any] | None]
    # In the trash: state and path to go back to.
    deleted_from: Mapped[dict[str, Any] | None]

    __table_args__ = (
        Index("ix_session_study_key", "study_key"),
        Index("ix_session_study_uid", "study_uid"),
        Index("ix_session_waits_for_id", "waits_for_id"),
        Index("ix_session_state_uploaded_at", "state", "uploaded_at"),
        Index("ix_session_project_label", "project", "label"),
    )


class Scan(Base):
    """One series inside a session; its id is allotted once per Series Instance UID."""

    __tablename__ = "scan"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(64))  # the scan id: "3", "3-MR1"
    series_uid: Mapped[str | None] = mapped_column(String(64))
    series_key: Mapped[str] = mapped_column(String(32))  # keyed hash of the Series Instance UID as received
    modality: Mapped[str | None] = mapped_column(String(16))
    scan_type: Mapped[str | None] = mapped_column(String(40))  # xnat:mrScanData ...

    __table_args__ = (
        Index("uq_scan_session_id_label", "session_id", "label", unique=True),
        Index("uq_scan_session_id_series_key", "session_id", "series_key", unique=True),
    )


class Association(Base):
    """Who sent: one row an association (or one import)."""

    __tablename__ = "association"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    association_id: Mapped[str] = mapped_column(String(32), unique=True)  # random, also in the logs
    calling_ae_title: Mapped[str] = mapped_column(String(16))
    called_ae_title: Mapped[str] = mapped_column(String(16))
    peer: Mapped[str] = mapped_column(String(64))  # address, no name look-up
    started_at: Mapped[datetime]


class ScriptVersion(Base):
    """Every script text that ever was in force or ran. Rows are never changed and never removed."""

    __tablename__ = "script_version"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(8))
    script_text: Mapped[str] = mapped_column(Text)
    first_used_at: Mapped[datetime]


class ScriptChange(Base):
    """One line of the history of a script: a text came into force, or the script was switched on or off."""

    __tablename__ = "script_change"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(255))  # site.das, projects/P4.das
    version: Mapped[int | None]  # counts the texts of this name from 1; None: see script_changes
    script_id: Mapped[int | None] = mapped_column(ForeignKey("script_version.id"))
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(16))  # see script_history.Action
    why: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (Index("uq_script_change_name_version", "name", "version", unique=True),)


class Instance(Base):
    """One stored instance. A row never names a missing file."""

    __tablename__ = "instance"

    id: Mapped[int] = mapped_column(BIG_KEY, primary_key=True, autoincrement=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    scan_id: Mapped[int] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"))
    sop_instance_uid: Mapped[str] = mapped_column(String(64))
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    modality: Mapped[str | None] = mapped_column(String(16))  # as stored
    transfer_syntax_uid: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(255))  # below <session.path>/SCANS/<scan.label>/DICOM/
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(80))  # blake3:<hex> of the whole file
    received_sop_key: Mapped[str] = mapped_column(String(32))
    received_digest: Mapped[str] = mapped_column(String(64))  # keyed, of data set bytes and transfer syntax
    received_at: Mapped[datetime]
    association_id: Mapped[int | None] = mapped_column(ForeignKey("association.id"))
    site_script_id: Mapped[int | None] = mapped_column(ForeignKey("script_version.id"))
    project_script_id: Mapped[int | None] = mapped_column(ForeignKey("script_version.id"))

    __table_args__ = (
        Index("ix_instance_session_id_received_sop_key", "session_id", "received_sop_key"),
        Index("ix_instance_scan_id", "scan_id"),
        Index("uq_instance_scan_id_file_name", "scan_id", "file_name", unique=True),
        Index("ix_instance_sop_instance_uid", "sop_instance_uid"),
    )


class DiscardedInstance(Base):
    """One instance that left no file: filtered, rejected, failed, duplicate. Nothing vanishes."""

    __tablename__ = "discarded_instance"

    id: Mapped[int] = mapped_column(BIG_KEY, primary_key=True, autoincrement=True)
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id", ondelete="SET NULL"))
    outcome: Mapped[str] = mapped_column(String(16))  # filtered, rejected, failed, duplicate
    reason: Mapped[str] = mapped_column(String(64))  # a constant code
    status: Mapped[int | None]  # the DIMSE status that was answered; None for imports
    at: Mapped[datetime]
    association_id: Mapped[int | None] = mapped_column(ForeignKey("association.id"))
    received_sop_key: Mapped[str | None] = mapped_column(String(32))
    study_key: Mapped[str | None] = mapped_column(String(32))
    hashed_sop_instance_uid: Mapped[str | None] = mapped_column(String(64))  # 2.25 form, as anon.log names it
    received_digest: Mapped[str | None] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    script_id: Mapped[int | None] = mapped_column(ForeignKey("script_version.id"))
    script_line: Mapped[int | None]
    script_column: Mapped[int | None]

    __table_args__ = (
        Index("ix_discarded_instance_session_id", "session_id"),
        Index("ix_discarded_instance_study_key", "study_key"),
        Index("ix_discarded_instance_at", "at"),
    )


class SessionEvent(Base):
    """The history of a session: who, when, from, to, why."""

    __tablename__ = "session_event"

    id: Mapped[int] = mapped_column(BIG_KEY, primary_key=True, autoincrement=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(32))
    from_state: Mapped[SessionState | None] = mapped_column(StateColumn())
    to_state: Mapped[SessionState | None] = mapped_column(StateColumn())
    text: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (Index("ix_session_event_session_id", "session_id"),)


class SessionWarning(Base):
    """Something a reviewer should see. One row a code and text; repeated ones are not added again."""

    __tablename__ = "session_warning"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]

    __table_args__ = (
        Index("uq_session_warning_session_id_code_text", "session_id", "code", "text", unique=True),
    )


class Server(Base):
    """A running `prearc serve`: what it listens on and which scripts are in force, for `prearc status`."""

    __tablename__ = "server"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(String(64), unique=True)  # host, process id, random part
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    receivers: Mapped[dict[str, Any]]
    scripts: Mapped[dict[str, Any]]  # name -> sha256, or the problem of the newest text
    __table_args__ = (Index("ix_server_heartbeat_at", "heartbeat_at"),)
