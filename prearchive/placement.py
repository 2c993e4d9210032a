"""Which session an instance belongs to: one study, one session (pure rules), and what does not fit there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prearchive.db.queries import KnownSession
from prearchive.identify import Identification
from prearchive.naming import LabelSource


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


def disagreements(
    session: KnownSession, identification: Identification, study_uid: str | None
) -> Iterator[tuple[str, str]]:
    """What an instance says differently from the session it joins: codes and texts of warnings.

    Args:
        session: the first instance's word, or a person's.
        identification: with guarded labels, so that the texts show nothing the site script removes.
        study_uid: of the instance as stored.
    """
    project = identification.project
    if project is not None and project != session.project:
        yield (
            "project-disagreement",
            f"instances name project {project}; they joined because a person moved or labelled this session",
        )
    if session.study_uid != study_uid:
        yield (
            "study-uid-disagreement",
            "the instances have different Study Instance UIDs after the site script",
        )
    subject = identification.subject
    if _differs(subject, identification.subject_source, session.subject, session.subject_source):
        yield "subject-disagreement", f"instances also name subject {subject}"
    label = identification.session
    if _differs(label, identification.session_source, session.label, session.label_source):
        yield "session-disagreement", f"instances also name session {label}"


def _differs(named: str | None, source: str, known: str | None, known_source: str) -> bool:
    """Whether two labels contradict each other: nobody's opinion and a person's decision do not."""
    return source != LabelSource.NONE and known_source != LabelSource.PERSON and named != known
