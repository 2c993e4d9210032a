"""May this session go into the archive, and as what? Labels, and the checks of XNAT's archive step.

Codes, kinds and texts of the notices follow XNAT's PrearcSessionValidator. Two groups: what labels and rows
tell at once, and what only the instances tell as they will be after the project script (XNAT checks them
before it ran, and may merge what does not belong together).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from anon.comparison import Change
from prearchive.archive_changes import Look
from prearchive.db import views as db_views
from prearchive.db.session_rows import SessionRows
from prearchive.db.views import SessionRecord
from prearchive.errors import NotFoundError, PrearchiveError, StateRefusedError
from prearchive.label_proposal import AutoLabel, choose_label
from prearchive.labels import check_labels
from prearchive.manifest import archived_key
from prearchive.naming import LabelSource, is_placeholder
from prearchive.script_messages import ToldMessage
from prearchive.states import SessionEvent, SessionState, next_state

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

Overwrite = Literal["none", "append", "delete"]
Kind = Literal["FAIL", "WARN", "CONFLICT"]

IN_PROGRESS: Final = 10
SUBJECT_WILL_BE_CREATED: Final = 12
#: What each mode lets pass: append those that merging is for, delete every CONFLICT and WARN.
_APPEND_PASSES: Final = frozenset({1, SUBJECT_WILL_BE_CREATED, 16, 17})
_MOST_NAMED = 3
_RENAMED = re.compile(r"-[A-Z]+[0-9]+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Notice:
    """One finding of the checks."""

    code: int
    kind: Kind
    text: str


@dataclass(frozen=True)
class ArchivePlan:
    """What archiving would do. `refusal` is what `archive_session` would raise, None when it would go on."""

    labels: dict[str, str | None]
    notices: list[Notice]
    changes: list[Change] = field(default_factory=list)
    messages: list[ToldMessage] = field(default_factory=list)
    proposed_session: str | None = None  # the label that the project's script makes
    refusal_or_none: InitVar[PrearchiveError | None] = None
    look: Look | None = None  # None: no file was looked at

    def __post_init__(self, refusal_or_none: PrearchiveError | None) -> None:
        """Keep the refusal beside the fields: it is no part of what is printed."""
        object.__setattr__(self, "_refusal", refusal_or_none)

    @property
    def refusal(self) -> PrearchiveError | None:
        """What `archive_session` would raise."""
        found: PrearchiveError | None = getattr(self, "_refusal", None)
        return found

    @property
    def refused(self) -> bool:
        """Whether `archive_session` would refuse."""
        return self.refusal is not None

    def as_json(self) -> dict[str, Any]:
        """The plan as `prearc archive --dry-run --json` prints it."""
        return {
            "labels": self.labels,
            "notices": [
                {"code": notice.code, "kind": notice.kind, "text": notice.text} for notice in self.notices
            ],
            "changes": [
                {
                    "path": change.path,
                    "keyword": change.keyword,
                    "before": change.before,
                    "after": change.after,
                    "files": change.files,
                }
                for change in self.changes
            ],
            "messages": [{"text": message.text, "files": message.files} for message in self.messages],
            "proposed_session": self.proposed_session,
        }


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person who archives asks for; None leaves what the session has."""

    project: str | None = None
    subject: str | None = None
    session: str | AutoLabel | None = None
    overwrite: Overwrite = "none"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a session would go, and what is there."""

    project: str
    subject: str
    label: str
    existing: SessionRecord | None  # the archived session of this label

    @property
    def archived_key(self) -> str:
        """The reservation of this place."""
        return archived_key(self.project, self.label)

    @property
    def path(self) -> str:
        """Its folder, unless it exists already under a subject of another spelling."""
        if self.existing is not None:
            return self.existing.path
        return f"archive/{self.project}/{self.subject}/{self.label}"

    @property
    def labels(self) -> dict[str, str | None]:
        """The three labels."""
        return {"project": self.project, "subject": self.subject, "session": self.label}


@dataclass(frozen=True, slots=True)
class LabelCheck:
    """What labels and rows tell: where to, which notices, and a refusal that changes nothing."""

    labels: dict[str, str | None]
    notices: list[Notice]
    refusal: StateRefusedError | None
    destination: Destination | None  # None only with a refusal


def check_session(site: Site, connection: Connection, record: SessionRecord, wish: Wish) -> LabelCheck:
    """Judge state and labels of a session that is to be archived.

    Raises:
        BadLabelError: a label of the wish holds characters that XNAT does not allow.
        NotFoundError: the project is not known.
        ConfigurationProblemError: a label is wanted of a script that is missing.
        ScriptError: or of one that has mistakes.
    """
    check_labels(wish.subject, wish.session)
    project = _wanted_project(site, record, wish)
    subject = wish.subject if wish.subject is not None else record.subject
    subject_source = LabelSource.PERSON.value if wish.subject is not None else record.subject_source
    notices: list[Notice] = []
    if project is None:
        notices.append(Notice(6, "FAIL", "The session is Unassigned: give --project, or move it first."))
    elif record.project not in (None, project):
        notices.append(
            Notice(3, "FAIL", f"Invalid modification of session project: move it to {project} first.")
        )
    if subject is None or is_placeholder(subject, subject_source):
        notices.append(
            Notice(11, "FAIL", "The subject cannot be identified: a person has to give its label.")
        )
    label = _wanted_label(site, connection, record, wish, project, notices)
    notices.sort(key=lambda notice: notice.code)
    labels = {"project": project, "subject": subject, "session": label}
    refusal = _state_refusal(record, wish) or _label_refusal(notices)
    if project is None or subject is None or label is None:
        return LabelCheck(labels, notices, refusal, None)
    destination = _destination(connection, record, project, subject, label)
    found = _place_notices(connection, destination)
    notices += found
    if refusal is None and any(notice.code == IN_PROGRESS for notice in found):
        refusal = StateRefusedError(f"{notice_text(found)}: try again")
    return LabelCheck(destination.labels, notices, refusal, destination)


def check_contents(existing: SessionRows | None, incoming: SessionRows) -> list[Notice]:
    """Judge instances as they would be archived against those of the archived session, if there is one."""
    notices: list[Notice] = []
    counted = Counter(instance.sop_instance_uid for _, instance in incoming.instances())
    twice = sorted(sop_instance_uid for sop_instance_uid, count in counted.items() if count > 1)
    if twice:
        notices.append(
            Notice(22, "WARN", f"The session contains duplicated SOP instance UIDs: {_some(twice)}")
        )
    if existing is None:
        return notices
    old, new = existing.session, incoming.session
    if old["study_uid"] != new["study_uid"]:
        notices.append(
            Notice(
                5, "CONFLICT", "Invalid modification of session UID: the archived session has another one."
            )
        )
    if old["session_type"] and new["session_type"] and old["session_type"] != new["session_type"]:
        notices.append(
            Notice(
                19, "FAIL",
                f"Invalid modification of session modality: {new['session_type']} cannot be merged into"
                f" {old['session_type']}.",
            )
        )  # fmt: skip
    there = {instance.sop_instance_uid for _, instance in existing.instances()}
    received = {instance.received_sop_key for _, instance in existing.instances()}
    same = [
        instance.sop_instance_uid
        for _, instance in incoming.instances()
        if instance.sop_instance_uid in there or instance.received_sop_key in received
    ]
    if same:
        notices.append(
            Notice(
                14, "CONFLICT",
                f"Session already exists with the same resources: {len(same)} instances are there already.",
            )
        )  # fmt: skip
    return notices + _scan_notices(existing, incoming)


def standing(notices: Iterable[Notice], overwrite: Overwrite) -> list[Notice]:
    """The notices that stand in the way in this mode."""
    if overwrite == "delete":
        return [notice for notice in notices if notice.kind == "FAIL"]
    passes = _APPEND_PASSES if overwrite == "append" else frozenset({SUBJECT_WILL_BE_CREATED})
    return [notice for notice in notices if notice.kind == "FAIL" or notice.code not in passes]


def overwrite_mode(text: str) -> Overwrite:
    """Check a mode that came as text."""
    if text not in ("none", "append", "delete"):
        raise ValueError("overwrite is none, append or delete")
    return cast(Overwrite, text)


def notice_text(notices: Iterable[Notice]) -> str:
    """Notices as one text, for messages and the history."""
    return "; ".join(f"{notice.kind}-{notice.code}: {notice.text}" for notice in notices)


def _wanted_project(site: Site, record: SessionRecord, wish: Wish) -> str | None:
    text = wish.project if wish.project is not None else record.project
    if text is None:
        return None
    project = site.settings.resolve_project(text)
    if project is None:
        raise NotFoundError(f"there is no project {text!r}")
    return project


def _wanted_label(
    site: Site,
    connection: Connection,
    record: SessionRecord,
    wish: Wish,
    project: str | None,
    notices: list[Notice],
) -> str | None:
    """The session label that is asked for; a notice is added when it cannot be had, or stands for none."""
    if isinstance(wish.session, AutoLabel):
        if notices:
            return None  # first that
        try:
            return choose_label(site, connection, record, project, wish.session, wish.subject)
        except StateRefusedError as error:
            notices.append(Notice(8, "FAIL", f"{error}."))
            return None
    if wish.session is not None:
        return wish.session
    if is_placeholder(record.label, record.label_source):
        notices.append(
            Notice(8, "FAIL", f"The session label {record.label} stands for none: a person has to give one.")
        )
    return record.label


def _state_refusal(record: SessionRecord, wish: Wish) -> StateRefusedError | None:
    try:
        next_state(record.state, SessionEvent.ARCHIVE_REQUESTED)
    except StateRefusedError as error:
        return error
    is_plain = wish.overwrite == "none" and wish.subject is None and wish.session is None
    if record.state is SessionState.CONFLICT and is_plain:
        return StateRefusedError(
            "a session that is CONFLICT cannot be archived as it is: give another label, say what to do with"
            " existing data (--overwrite), or rebuild it"
        )
    if record.instance_count == 0:
        return StateRefusedError("an empty session cannot be archived")
    return None


def _label_refusal(notices: list[Notice]) -> StateRefusedError | None:
    """Labels that are missing change nothing about the session: it stays as it is."""
    if not notices:
        return None
    words = {6: "unassigned", 8: "unlabelled", 11: "unlabelled", 3: "project"}
    kinds = ", ".join(dict.fromkeys(words[notice.code] for notice in notices))
    return StateRefusedError(f"{kinds}: " + " ".join(notice.text for notice in notices))


def _destination(
    connection: Connection, record: SessionRecord, project: str, subject: str, label: str
) -> Destination:
    existing = db_views.find_archived(connection, archived_key(project, label))
    if existing is not None and existing.id == record.id:
        existing = None
    spelled = db_views.find_archived_subject(connection, project, subject)
    if existing is not None:
        label = existing.label
    return Destination(project, spelled or subject, label, existing)


def _place_notices(connection: Connection, destination: Destination) -> list[Notice]:
    existing = destination.existing
    if existing is None:
        known = db_views.find_archived_subject(connection, destination.project, destination.subject)
        if known is not None:
            return []
        return [Notice(SUBJECT_WILL_BE_CREATED, "WARN", f"Subject {destination.subject} will be created.")]
    if existing.state is not SessionState.ARCHIVED or existing.work is not None:
        busy_text = f"Session processing may already be in progress: session {existing.id}"
        return [Notice(IN_PROGRESS, "CONFLICT", busy_text)]
    notices = [Notice(1, "CONFLICT", "Session already exists, retry with overwrite enabled")]
    if (existing.subject or "").lower() != destination.subject.lower():
        notices.append(
            Notice(
                4, "FAIL",
                f"Invalid modification of session subject: {existing.label} Already Exists for another"
                f" Subject ({existing.subject})",
            )
        )  # fmt: skip
    return notices


def _scan_notices(existing: SessionRows, incoming: SessionRows) -> list[Notice]:
    notices: list[Notice] = []
    by_label = {scan.label: scan for scan in existing.scans}
    by_series = {scan.series_uid: scan for scan in existing.scans if scan.series_uid}
    for scan in incoming.scans:
        known = by_series.get(scan.series_uid) if scan.series_uid else None
        same_label = by_label.get(scan.label)
        if known is not None:
            if _scan_number(known.label) == _scan_number(scan.label):
                text = f"Session already contains a scan ({known.label}) with the same UID and number."
                notices.append(Notice(16, "CONFLICT", text))
            else:
                text = (
                    f"Session already contains a scan ({known.label}) with the same UID, but a different"
                    f" number ({scan.label})."
                )
                notices.append(Notice(18, "CONFLICT", text))
        elif same_label is not None:
            text = (
                f"Session already contains a scan ({scan.label}) with the same number, but a different UID."
                " - New scan will be renamed during archive."
            )
            notices.append(Notice(17, "CONFLICT", text))
    return notices


def _scan_number(scan_label: str) -> str:
    """A scan's series number: one that was renamed for another's sake, as 3 to 3-MR1, is still number 3."""
    return _RENAMED.sub("", scan_label)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
