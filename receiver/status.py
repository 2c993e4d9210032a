"""The DIMSE statuses this receiver answers with, and which outcome gets which.

PS3.7 annex C and PS3.4 section B.2.3 leave the last two digits of 0xA7xx, 0xA9xx and 0xCxxx to the
implementation; every reason for a refusal has a code of its own here. The table is part of the DICOM
conformance statement, so codes are never given a new meaning.
"""

from __future__ import annotations

from enum import IntEnum

from prearchive.incoming import FailureReason, Outcome, OutcomeKind

MAX_COMMENT_CHARACTERS = 64  # (0000,0902) is of VR LO


class Status(IntEnum):
    """Every status of a response, with the sections of the standard that give the range its meaning."""

    SUCCESS = 0x0000  # PS3.4 B.2.3: stored and safe, or deliberately discarded with a record
    SOP_CLASS_NOT_SUPPORTED = 0x0122  # PS3.7 C.5.6: C-STORE in the presentation context of Verification
    UNRECOGNIZED_OPERATION = 0x0211  # PS3.7 C.5.18: any other service than C-ECHO and C-STORE
    OUT_OF_RESOURCES = 0xA700  # PS3.4 B.2.3: nothing wrong with the object, send it again later
    DATA_SET_DOES_NOT_MATCH = 0xA900  # PS3.4 B.2.3: SOP Instance UID of command and data set differ
    CANNOT_PARSE = 0xC000  # PS3.4 B.2.3, like all below: "cannot understand"
    TOO_DEEP = 0xC001
    TOO_LARGE = 0xC002
    INFLATES_TOO_FAR = 0xC003
    UNSUPPORTED_TRANSFER_SYNTAX = 0xC004
    SOP_CLASS_UID_MISSING = 0xC010
    SOP_INSTANCE_UID_MISSING = 0xC011
    UID_UNSAFE = 0xC012
    SCRIPT_FAILED = 0xC020
    SCRIPT_SPOILED_UIDS = 0xC021
    INTERNAL = 0xC0FF


_BY_REASON: dict[FailureReason, tuple[Status, str]] = {
    FailureReason.CANNOT_PARSE: (Status.CANNOT_PARSE, "The data set cannot be parsed"),
    FailureReason.TOO_DEEP: (Status.TOO_DEEP, "Sequences are nested too deeply"),
    FailureReason.TOO_LARGE: (Status.TOO_LARGE, "The object is larger than this receiver allows"),
    FailureReason.INFLATES_TOO_FAR: (Status.INFLATES_TOO_FAR, "The inflated data set is too large"),
    FailureReason.UNSUPPORTED_TRANSFER_SYNTAX: (
        Status.UNSUPPORTED_TRANSFER_SYNTAX,
        "The transfer syntax is not supported",
    ),
    FailureReason.SOP_CLASS_UID_MISSING: (Status.SOP_CLASS_UID_MISSING, "SOP Class UID is missing"),
    FailureReason.SOP_INSTANCE_UID_MISSING: (Status.SOP_INSTANCE_UID_MISSING, "SOP Instance UID is missing"),
    FailureReason.UID_UNSAFE: (Status.UID_UNSAFE, "A UID is no UID"),
    FailureReason.SOP_INSTANCE_UID_MISMATCH: (
        Status.DATA_SET_DOES_NOT_MATCH,
        "SOP Instance UID of command and data set differ",
    ),
    FailureReason.SCRIPT_FAILED: (Status.SCRIPT_FAILED, "The anonymization script failed on this object"),
    FailureReason.SCRIPT_SPOILED_UIDS: (
        Status.SCRIPT_SPOILED_UIDS,
        "The anonymization script left no usable SOP UIDs",
    ),
    FailureReason.INTERNAL: (Status.INTERNAL, "Internal error, see the receiver's log"),
    FailureReason.OUT_OF_RESOURCES: (Status.OUT_OF_RESOURCES, "Out of resources, send again later"),
    FailureReason.DISK_FULL: (Status.OUT_OF_RESOURCES, "Not enough space, send again later"),
    FailureReason.DATABASE_AWAY: (Status.OUT_OF_RESOURCES, "The index is not available, send again later"),
    FailureReason.SHUTTING_DOWN: (Status.OUT_OF_RESOURCES, "The receiver is shutting down, send again later"),
}


def for_outcome(outcome: Outcome) -> Status:
    """Return the status of the C-STORE response (PS3.7 section 9.1.1.1.9) for what `intake` made of it."""
    return _status_and_comment(outcome)[0]


def comment_for(outcome: Outcome) -> str:
    """Return the Error Comment (0000,0902): a constant text, empty only on success."""
    return _status_and_comment(outcome)[1]


def _status_and_comment(outcome: Outcome) -> tuple[Status, str]:
    match outcome.kind:
        case OutcomeKind.FAILED:
            return _BY_REASON[outcome.reason or FailureReason.INTERNAL]
        case OutcomeKind.TRY_AGAIN:
            answer = _BY_REASON[outcome.reason or FailureReason.OUT_OF_RESOURCES]
            # The kind decides: whatever the reason, this object may be sent again.
            is_apt = answer[0] is Status.OUT_OF_RESOURCES
            return answer if is_apt else _BY_REASON[FailureReason.OUT_OF_RESOURCES]
        case _:
            return Status.SUCCESS, ""
