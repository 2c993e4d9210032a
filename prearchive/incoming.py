"""How an instance travels into the prearchive, and what became of it: what receiver and intake share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: one association, or one import."""

    association_id: str  # 32 hexadecimal characters, random
    calling_ae_title: str
    called_ae_title: str
    peer: str  # address only
    started_at: datetime


@dataclass(frozen=True, slots=True)
class IncomingInstance:
    """An instance as it came in: encoded bytes, never a decoded data set.

    `encoded_dataset` is the data set without file meta information, in `transfer_syntax_uid` (still deflated
    where that syntax deflates). The command UIDs are those of the C-STORE request (PS3.7 section 9.1.1), None
    for imports.
    """

    encoded_dataset: bytes | bytearray | memoryview
    transfer_syntax_uid: str
    sender: Sender
    received_at: datetime
    command_sop_class_uid: str | None = None
    command_sop_instance_uid: str | None = None
    anonymize: bool = True  # the receiver's setting
    quiet_seconds: int = 300  # the receiver's setting, or the site's
    routing: ReceiverRouting | None = None  # the receiver's own rules, before the site's
    given_up: FailureReason | None = None  # not read to its end, the bytes are empty: only to be recorded


@dataclass(frozen=True, slots=True)
class ReceiverRouting:
    """A receiver's routing rules, one text a rule (SPEC of the prearchive, routing rules)."""

    project: Sequence[str] = field(default=())
    subject: Sequence[str] = field(default=())
    session: Sequence[str] = field(default=())


class OutcomeKind(StrEnum):
    """What became of an instance."""

    STORED = "stored"
    CONFLICTING = "conflicting"  # stored beside another version of the same SOP Instance UID
    DUPLICATE = "duplicate"
    FILTERED = "filtered"
    REJECTED = "rejected"  # by `reject` of the site script
    FAILED = "failed"
    TRY_AGAIN = "try_again"  # disk full, database away, shutting down


class FailureReason(StrEnum):
    """Why an instance was not stored. Constants for audit rows, logs and statuses; never a value."""

    CANNOT_PARSE = "cannot-parse"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"
    INFLATES_TOO_FAR = "inflates-too-far"
    UNSUPPORTED_TRANSFER_SYNTAX = "unsupported-transfer-syntax"
    SOP_INSTANCE_UID_MISSING = "sop-instance-uid-missing"
    SOP_CLASS_UID_MISSING = "sop-class-uid-missing"
    UID_UNSAFE = "uid-unsafe"
    SOP_INSTANCE_UID_MISMATCH = "sop-instance-uid-mismatch"
    SCRIPT_FAILED = "script-failed"
    SCRIPT_SPOILED_UIDS = "script-spoiled-uids"  # after the script the object has no usable SOP UIDs
    INTERNAL = "internal"
    DISK_FULL = "disk-full"
    OUT_OF_RESOURCES = "out-of-resources"  # memory, descriptors, a disk that is gone
    DATABASE_AWAY = "database-away"
    SHUTTING_DOWN = "shutting-down"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of `intake.accept`. `kind` and `reason` decide the DIMSE status (`receiver.status`)."""

    kind: OutcomeKind
    reason: FailureReason | None = None
    sop_instance_uid: str | None = None  # as stored; None when nothing was stored
    session_id: int | None = None
    size_bytes: int = 0
    warnings: Sequence[str] = ()  # constant codes
    script_code: str | None = None  # of the diagnostic, when a script failed
    script_line: int | None = None
    script_column: int | None = None
    hashed_sop_instance_uid: str | None = None  # for anon.log
