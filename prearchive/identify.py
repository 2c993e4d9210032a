"""Which project, subject and session an instance belongs to: XNAT's default identification, step by step.

Identification reads the object as it was sent, before the site script (so routing works when the script
removes the values). Labels taken by default from Patient's Name and Patient ID are therefore checked again
afterwards: `guard_labels` keeps one only if the stored object still gives it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, Protocol

from anon.encoding.elements import DataSet
from anon.encoding.text import character_sets
from prearchive.keys import SiteKeys
from prearchive.naming import NO_SESSION_LABEL, LabelSource, clean_label
from prearchive.routing import find_routed
from prearchive.values import find_value

__all__ = ["Identification", "LabelChoice", "LabelSource", "guard_labels", "identify"]

PATIENT_NAME = 0x00100010
PATIENT_ID = 0x00100020
ACCESSION_NUMBER = 0x00080050
STUDY_DESCRIPTION = 0x00081030
#: Patient Comments, Study Comments, Additional Patient History, in the order in which they are asked.
COMMENT_TAGS = (0x00104000, 0x00324000, 0x001021B0)
_PROJECT_TAGS = (STUDY_DESCRIPTION, ACCESSION_NUMBER)

_TRUE = frozenset({"t", "true"})
_FALSE = frozenset({"f", "false"})


class RoutingRules(Protocol):
    """Rules for the three questions, of a receiver or of the site."""

    @property
    def project(self) -> Sequence[str]:
        """Rules whose result is a project's id or alias."""

    @property
    def subject(self) -> Sequence[str]:
        """Rules whose result is a subject label."""

    @property
    def session(self) -> Sequence[str]:
        """Rules whose result is a session label."""


@dataclass(frozen=True, slots=True)
class LabelChoice:
    """A label, where it comes from, and for a default one what is needed to guard it.

    `origin` names the rule or element for a person ("site rule 2", "Patient's Name (0010,0010)").
    """

    label: str | None
    source: LabelSource
    origin: str = ""
    tag: int | None = None
    received_text: str = field(default="", repr=False)  # must not reach a log


@dataclass(frozen=True, slots=True)
class Identification:
    """What the object as sent says about where it belongs."""

    project: str | None  # an id of the settings; None: Unassigned
    project_origin: str
    subject_choice: LabelChoice
    session_choice: LabelChoice
    auto_archive: bool | None  # AA: in a comment; None: no opinion

    @property
    def subject(self) -> str | None:
        """The subject label, None when nothing gives one."""
        return self.subject_choice.label

    @property
    def subject_source(self) -> LabelSource:
        """Where the subject label comes from."""
        return self.subject_choice.source

    @property
    def session(self) -> str:
        """The session label; `dicom_upload` when nothing gives one."""
        return self.session_choice.label or NO_SESSION_LABEL

    @property
    def session_source(self) -> LabelSource:
        """Where the session label comes from."""
        return self.session_choice.source


class _Question(Protocol):
    """Looks one answer up: takes a text, returns what is accepted, or None to go on."""

    def __call__(self, text: str) -> str | None: ...


def identify(
    dataset: DataSet,
    *,
    receiver_rules: RoutingRules | None,
    site_rules: RoutingRules | None,
    resolve_project: Callable[[str], str | None],
) -> Identification:
    """Identify an object as XNAT does by default; the four questions are answered independently.

    Asked are the rules of the receiver, the rules of the site, `Project:`/`Subject:`/`Session:`/`AA:` in
    Patient Comments, Study Comments and Additional Patient History, then whole values: Study Description and
    Accession Number for the project, Patient's Name for the subject, Patient ID for the session. A project
    counts only if `resolve_project` knows it.

    Args:
        dataset: the object as sent.
        receiver_rules: the receiver's own rules; None for imports.
        site_rules: the rules of the whole site.
        resolve_project: gives the project's id for an id or an alias, else None.
    """
    charsets = character_sets(dataset)
    comments = [(tag, text) for tag in COMMENT_TAGS if (text := find_value(dataset, tag, charsets))]
    walk = _Walk(dataset, charsets, comments, receiver_rules, site_rules)

    project = walk.find_given("project", resolve_project)
    if project is None:
        project = walk.find_whole(_PROJECT_TAGS, resolve_project)
    return Identification(
        project=project.label if project else None,
        project_origin=project.origin if project else "",
        subject_choice=walk.find_given("subject", clean_label)
        or walk.find_whole((PATIENT_NAME,), clean_label)
        or LabelChoice(None, LabelSource.NONE),
        session_choice=walk.find_given("session", clean_label)
        or walk.find_whole((PATIENT_ID,), clean_label)
        or LabelChoice(NO_SESSION_LABEL, LabelSource.NONE),
        auto_archive=_auto_archive([text for _, text in comments]),
    )


def guard_labels(
    identification: Identification,
    stored_dataset: DataSet,
    keys: SiteKeys,
    mode: Literal["guarded", "as-received"],
) -> Identification:
    """Replace default labels that show what the site script removed.

    A label from Patient's Name or Patient ID stays if that element of `stored_dataset` gives the same label.
    Otherwise it becomes `subject_<8 hex>` or `session_<8 hex>`, keyed over the value as received: the same
    value always gives the same one. Labels given on purpose stay, and so does everything in the mode
    "as-received".
    """
    if mode == "as-received":
        return identification
    charsets = character_sets(stored_dataset)
    return replace(
        identification,
        subject_choice=_guarded(identification.subject_choice, "subject", stored_dataset, charsets, keys),
        session_choice=_guarded(identification.session_choice, "session", stored_dataset, charsets, keys),
    )


def _guarded(
    choice: LabelChoice, kind: str, stored_dataset: DataSet, charsets: Sequence[str], keys: SiteKeys
) -> LabelChoice:
    if choice.source is not LabelSource.DEFAULT or choice.tag is None:
        return choice
    stored_text = find_value(stored_dataset, choice.tag, charsets)
    if stored_text is not None and clean_label(stored_text) == choice.label:
        return choice
    label = f"{kind}_{keys.label_suffix(choice.received_text)}"
    return replace(choice, label=label, source=LabelSource.KEYED, received_text="")


@dataclass(frozen=True, slots=True)
class _Walk:
    """The places where answers are looked for, in XNAT's order."""

    dataset: DataSet
    charsets: Sequence[str]
    comments: Sequence[tuple[int, str]]
    receiver_rules: RoutingRules | None
    site_rules: RoutingRules | None

    def find_given(
        self, question: Literal["project", "subject", "session"], accept: Callable[[str], str | None]
    ) -> LabelChoice | None:
        """Ask the rules, then the comments."""
        for owner, rules in (("receiver", self.receiver_rules), ("site", self.site_rules)):
            texts: Sequence[str] = getattr(rules, question) if rules is not None else ()
            routed = find_routed(texts, self.dataset, self.charsets, accept) if texts else None
            if routed is not None:
                number, _, label = routed
                return LabelChoice(label, LabelSource.GIVEN, f"{owner} rule {number}")
        for tag, comment in self.comments:
            text = find_assigned(comment, question)
            accepted = accept(text) if text else None
            if accepted:
                return LabelChoice(accepted, LabelSource.GIVEN, f"{question.title()}: in {_shown(tag)}")
        return None

    def find_whole(self, tags: Sequence[int], accept: Callable[[str], str | None]) -> LabelChoice | None:
        """Take a whole value."""
        for tag in tags:
            text = find_value(self.dataset, tag, self.charsets)
            accepted = accept(text) if text else None
            if text and accepted:
                return LabelChoice(accepted, LabelSource.DEFAULT, _shown(tag), tag, text)
        return None


def find_assigned(comment: str, key: str) -> str | None:
    """Return what a comment assigns to a key: `Project:P1, Subject:S1`; None when nothing.

    The key stands at the start or after a blank, comma or semicolon, in any case; the value is a word of
    ASCII letters, digits, `_` and `-`. Comments may have several lines, with any line ends (XNAT: one).
    """
    found = _assignment(key).fullmatch(comment)
    return (found[1] or None) if found else None


@lru_cache(maxsize=8)
def _assignment(key: str) -> re.Pattern[str]:
    # The alternatives in XNAT's order: at the start first, else the last place that fits.
    return re.compile(
        rf"(?:|.*[\s,;]){re.escape(key)}\s*:\s*([\w-]*)(?:|[\s,;].*)", re.IGNORECASE | re.ASCII | re.DOTALL
    )


def _auto_archive(comments: Sequence[str]) -> bool | None:
    for comment in comments:
        word = (find_assigned(comment, "aa") or "").lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    return None


def _shown(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
