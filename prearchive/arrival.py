"""What is known about one instance on its way in: its UIDs as received, checked, and their keyed hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anon.encoding.elements import DataSet, DataSetError
from anon.encoding.text import first_text
from prearchive.incoming import FailureReason, IncomingInstance, Outcome, OutcomeKind
from prearchive.keys import SiteKeys

if TYPE_CHECKING:
    from prearchive.scripts import LoadedScript

SOP_CLASS_UID = 0x00080016
SOP_INSTANCE_UID = 0x00080018
STUDY_DATE = 0x00080020
STUDY_TIME = 0x00080030
MODALITY = 0x00080060
STUDY_INSTANCE_UID = 0x0020000D
SERIES_INSTANCE_UID = 0x0020000E
SERIES_NUMBER = 0x00200011

_SAFE_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)
_WELL_FORMED_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*", re.ASCII)
_DATE = re.compile(r"([0-9]{4})\.?(0[1-9]|1[0-2])\.?(0[1-9]|[12][0-9]|3[01])", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):?([0-5][0-9])?:?([0-5][0-9])?(?:\.[0-9]*)?", re.ASCII)
_CODE = re.compile(r"[A-Z0-9_ ]{1,16}", re.ASCII)
_REASONS = {
    "too-deep": FailureReason.TOO_DEEP,
    "header-too-large": FailureReason.TOO_LARGE,
    "inflates-too-far": FailureReason.INFLATES_TOO_FAR,
    "unsupported-transfer-syntax": FailureReason.UNSUPPORTED_TRANSFER_SYNTAX,
}


class RefusedError(Exception):
    """An instance is not stored; `kind` and `reason` say why. Never holds a value.

    Attributes:
        kind: what becomes of it.
        reason: why, for failures.
        code: of the script's diagnostic.
        line: in the script.
        column: in the script.
    """

    def __init__(
        self,
        reason: FailureReason | None,
        kind: OutcomeKind = OutcomeKind.FAILED,
        *,
        code: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(kind.value if reason is None else reason.value)
        self.kind = kind
        self.reason = reason
        self.code = code
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Identity:
    """The four UIDs of an instance; None: absent or empty."""

    sop_class_uid: str | None
    sop_instance_uid: str | None
    study_instance_uid: str | None
    series_instance_uid: str | None

    @property
    def is_well_formed(self) -> bool:
        """Whether all of them follow PS3.5 section 9.1."""
        uids = (self.sop_class_uid, self.sop_instance_uid, self.study_instance_uid, self.series_instance_uid)
        return all(uid is None or _WELL_FORMED_UID.fullmatch(uid) for uid in uids)


@dataclass(slots=True)
class Arrival:
    """One instance on its way in: filled step by step, read by the audit rows whatever happens."""

    incoming: IncomingInstance
    received_digest: str | None = None
    received_sop_key: str | None = None
    hashed_sop_instance_uid: str | None = None
    study_key: str | None = None
    series_key: str = ""
    session_id: int | None = None
    script: LoadedScript | None = None  # that ran or should have run
    script_id: int | None = None
    error_class: str | None = None  # of something unexpected, for the log
    name_number: int = 0  # file names below this number are known to be taken
    warnings: dict[str, str] = field(default_factory=dict)  # code -> text, for the session
    messages: list[str] = field(default_factory=list)  # of the script, about this instance

    @property
    def size_bytes(self) -> int:
        """Size of the data set as received."""
        return len(self.incoming.encoded_dataset)

    def note_sop_instance_uid(self, keys: SiteKeys, sop_instance_uid: str) -> None:
        """Remember under which hashes rows and logs may name this instance."""
        self.received_sop_key = keys.uid_key(sop_instance_uid)
        self.hashed_sop_instance_uid = keys.hashed_uid(sop_instance_uid)

    def take_identity(self, keys: SiteKeys, dataset: DataSet) -> Identity:
        """Read and check the UIDs as received; note their keyed hashes.

        Raises:
            RefusedError: UIDs missing or unsafe, or another SOP Instance UID than the command names.
        """
        identity = read_identity(dataset)
        study = identity.study_instance_uid
        series = identity.series_instance_uid
        study_named_by = study or series or identity.sop_instance_uid
        self.study_key = None if study_named_by is None else keys.uid_key(study_named_by)
        if identity.sop_instance_uid is None:
            raise RefusedError(FailureReason.SOP_INSTANCE_UID_MISSING)
        named = self.incoming.command_sop_instance_uid
        is_named = named is not None and _trimmed(named) == identity.sop_instance_uid
        if not is_named:  # else it was noted before
            self.note_sop_instance_uid(keys, identity.sop_instance_uid)
        self.series_key = keys.uid_key(series or f"number {first_text(dataset, SERIES_NUMBER) or ''}")
        if identity.sop_class_uid is None:
            raise RefusedError(FailureReason.SOP_CLASS_UID_MISSING)
        if named is not None and not is_named:
            raise RefusedError(FailureReason.SOP_INSTANCE_UID_MISMATCH)
        self._note_oddities(identity)
        return identity

    def _note_oddities(self, identity: Identity) -> None:
        named = self.incoming.command_sop_class_uid
        if named is not None and _trimmed(named) != identity.sop_class_uid:
            self.warnings["sop-class-mismatch"] = "an instance was announced as another SOP class than it is"
        if identity.study_instance_uid is None:
            self.warnings["study-uid-missing"] = "an instance has no Study Instance UID"
        if identity.series_instance_uid is None:
            self.warnings["series-uid-missing"] = "an instance has no Series Instance UID"
        if not identity.is_well_formed:
            self.warnings["uid-malformed"] = "an instance has a UID that breaks the rules of DICOM for UIDs"


def reason_of(error: DataSetError) -> FailureReason:
    """Return why a data set cannot be taken."""
    return _REASONS.get(error.code, FailureReason.CANNOT_PARSE)


def read_identity(dataset: DataSet) -> Identity:
    """Read the UIDs of a data set.

    Raises:
        RefusedError: one of them holds anything but digits and dots, or is too long.
    """
    return Identity(
        _read_uid(dataset, SOP_CLASS_UID),
        _read_uid(dataset, SOP_INSTANCE_UID),
        _read_uid(dataset, STUDY_INSTANCE_UID),
        _read_uid(dataset, SERIES_INSTANCE_UID),
    )


def is_safe_uid(text: str) -> bool:
    """Whether a text may be used as a UID: digits and dots, at most 64."""
    return _SAFE_UID.fullmatch(text) is not None


def read_code(dataset: DataSet, tag: int) -> str | None:
    """Return the first value of a code string such as Modality; None when absent or no code string."""
    text = (first_text(dataset, tag) or "").upper()
    return text if _CODE.fullmatch(text) else None


def read_date(dataset: DataSet, tag: int) -> str | None:
    """Return a date as YYYY-MM-DD; None when absent or no date."""
    match = _DATE.fullmatch(first_text(dataset, tag) or "")
    return "-".join(match.groups()) if match else None


def read_time(dataset: DataSet, tag: int) -> str | None:
    """Return a time as HH:MM:SS; None when absent or no time."""
    match = _TIME.fullmatch(first_text(dataset, tag) or "")
    return ":".join(part or "00" for part in match.groups()) if match else None


def outcome_of(refusal: RefusedError, arrival: Arrival) -> Outcome:
    """Return the answer for an instance that is not stored."""
    return Outcome(
        refusal.kind,
        refusal.reason,
        session_id=arrival.session_id,
        size_bytes=arrival.size_bytes,
        script_code=refusal.code,
        script_line=refusal.line,
        script_column=refusal.column,
        hashed_sop_instance_uid=arrival.hashed_sop_instance_uid,
    )


def _read_uid(dataset: DataSet, tag: int) -> str | None:
    element = dataset.get(tag)
    if element is None:
        return None
    if element.length > 128:  # far beyond any padding; not worth a copy
        raise RefusedError(FailureReason.UID_UNSAFE)
    text = _trimmed(bytes(element.value).decode("latin-1"))
    if not text:
        return None
    if not is_safe_uid(text):
        raise RefusedError(FailureReason.UID_UNSAFE)
    return text


def _trimmed(text: str) -> str:
    return text.strip(" \0")
