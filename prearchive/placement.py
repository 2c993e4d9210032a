"""Which session an instance belongs to: one study, one session (pure rules), and what does not fit there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prearchive.db.queries import KnownSession
from prearchive.identify import Identification
from prearchive.naming import LabelSource

#: The warning of a session whose receiver has `anonymize = false`, so that every list shows it.
NOT_ANONYMIZED_WARNING: Final = "not-anonymized"
NOT_ANONYMIZED_TEXT: Final = "no script runs on these instances: their receiver has anonymize = false"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an instance goes.

    Attributes:
        session: the open session it joins; None: a session is opened for it.
        project: of that session.
        waits_for_id: the busy session that a new one waits for.
    """

    session: KnownSession | None
    project: str | None
    waits_for_id: int | None = None


def place(project: str | None, sessions: Sequence[KnownSession]) -> Placement:
    """Choose among the sessions of an instance's study.

    Args:
        project: what identification gave, None when nothing.
        sessions: those of the study in the prearchive, open and busy ones.

    Returns:
        With a project: the session of that project, else one that a person moved or labelled, else a new one.
        Without: the only session of the study; of several the one without a project, else one that a person
        moved or labelled, else a new one. A busy session takes no instance: then a session that waits for it.
    """
    # A session that waits is found through the one it waits for, unless that one is gone.
    waiting = [session for session in sessions if session.waits_for_id is not None and session.is_open]
    chosen = _choose(project, [session for session in sessions if session.waits_for_id is None])
    if chosen is None:
        orphan = _choose(project, waiting)
        return Placement(orphan, orphan.project) if orphan else Placement(None, project)
    if chosen.is_open:
        return Placement(chosen, chosen.project)
    for session in waiting:
        if session.waits_for_id == chosen.id:
            return Placement(session, session.project)
    return Placement(None, chosen.project, chosen.id)


def _choose(project: str | None, sessions: Sequence[KnownSession]) -> KnownSession | None:
    opened = [session for session in sessions if session.is_open]
    ordered = opened + [session for session in sessions if not session.is_open]
    if project is None and len(opened or ordered) == 1:
        return ordered[0]
    for session in ordered:
        if session.project == project:
            return session
    return next((session for session in ordered if session.pinned), None)


@dataclass(frozen=True, slots=True)
class Claim:
    """What an instance, or a session that joins another, says about where it belongs.

    Labels are guarded ones, so that warnings show nothing the site script removes.
    """

    project: str | None
    subject: str | None
    subject_source: str
    label: str
    label_source: str
    study_uid: str | None  # as stored

    @classmethod
    def of(cls, identification: Identification, study_uid: str | None) -> Claim:
        """The claim of an instance."""
        return cls(
            identification.project,
            identification.subject,
            identification.subject_source,
            identification.session,
            identification.session_source,
            study_uid,
        )


def disagreements(session: KnownSession, claim: Claim) -> Iterator[tuple[str, str]]:
    """What a claim says differently from the session it joins: codes and texts of warnings."""
    if claim.project is not None and claim.project != session.project:
        yield (
            "project-disagreement",
            f"instances name project {claim.project}; they joined the session that has their study",
        )
    if session.study_uid != claim.study_uid:
        yield (
            "study-uid-disagreement",
            "the instances have different Study Instance UIDs after the site script",
        )
    if _differs(claim.subject, claim.subject_source, session.subject, session.subject_source):
        yield "subject-disagreement", f"instances also name subject {claim.subject}"
    if _differs(claim.label, claim.label_source, session.label, session.label_source):
        yield "session-disagreement", f"instances also name session {claim.label}"


def _differs(named: str | None, source: str, known: str | None, known_source: str) -> bool:
    """Whether two labels contradict each other: nobody's opinion and a person's decision do not."""
    return source != LabelSource.NONE and known_source != LabelSource.PERSON and named != known
