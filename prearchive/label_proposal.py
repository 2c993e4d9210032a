"""The session label that a project's script makes: offered in the review, taken when a person asks for it.

XNAT's uploaders carry out `session := makeSessionLabel[...]` before they send. Here sessions arrive with the
labels of their senders, so the line renames nothing by itself: it tells the next free label of its kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon.errors import ScriptError
from prearchive.db import review
from prearchive.db import views as db_views
from prearchive.db.views import SessionRecord
from prearchive.errors import ConfigurationProblemError, NotFoundError, StateRefusedError
from prearchive.naming import is_placeholder, label_problem

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.scripts import LoadedScript
    from prearchive.site import Site

_WITHOUT = {
    "subject": "the session has no subject label yet (--subject gives one)",
    "session": "the session has no label of its own yet",
    "modalitylabel": "its modality is not known yet (`prearc rebuild` finds out)",
}


@dataclass(frozen=True, slots=True)
class AutoLabel:
    """Stands for the session label that the project's script makes.

    Attributes:
        shown: what a person saw and agreed to; then no other label is taken.
    """

    shown: str | None = None


def find_label(
    site: Site,
    connection: Connection,
    record: SessionRecord,
    project: str | None,
    given_subject: str | None = None,
) -> str | None:
    """The session label that the project's script makes now; None when it makes none, for any reason.

    The arguments are those of `choose_label`.
    """
    try:
        return choose_label(site, connection, record, project, AutoLabel(), given_subject)
    except (StateRefusedError, ScriptError, ConfigurationProblemError, NotFoundError):
        return None


def choose_label(
    site: Site,
    connection: Connection,
    record: SessionRecord,
    project: str | None,
    wanted: AutoLabel,
    given_subject: str | None = None,
) -> str:
    """The session label that the project's script makes now: free in the project, whatever its case.

    A label of this kind that the session has already keeps its number. Chosen and written in one writing
    transaction, after `lock_labels`, a label goes to one session only.

    Args:
        site: whose.
        connection: to the database.
        record: the session.
        project: its project, or the one it shall get.
        wanted: which label is expected, if any.
        given_subject: the subject's label, if another one than the session has.

    Raises:
        StateRefusedError: there is no such label; the message says why.
        NotFoundError: the project is not known any more.
        ConfigurationProblemError: its script is missing.
        ScriptError: its script has mistakes.
    """
    loaded = _get_script(site, record, project)
    assert project is not None  # or there would be no script
    variables = _variables(connection, record, project, given_subject)
    taken = review.taken_labels(connection, project, record.id)
    try:
        label = loaded.script.propose_session_label(variables, taken, variables.get("session"))
    except ScriptError as error:
        raise _cannot(_explained(error)) from error
    if label is None:
        raise _cannot(f"{loaded.name} makes none: it has no line `session := makeSessionLabel[...]`")
    problem = label_problem(label)
    if problem is not None:
        raise _cannot(f"{loaded.name} makes {label!r}: {problem}")
    if label.lower() in {other.lower() for other in taken}:
        raise _cannot(f"{loaded.name} makes {label}, which another session has")
    if wanted.shown is not None and wanted.shown != label:
        raise StateRefusedError(
            f"another session got the label {wanted.shown} meanwhile; the next one is {label}: look again"
        )
    return label


def _get_script(site: Site, record: SessionRecord, project: str | None) -> LoadedScript:
    if not record.anonymize:
        raise _cannot("no script ever runs on this session")
    if project is None:
        raise _cannot("the session has no project yet: move it to one first")
    loaded = site.scripts.project(project)
    if loaded is None:
        raise _cannot(f"project {project} has no script in force")
    return loaded


def _variables(
    connection: Connection, record: SessionRecord, project: str, given_subject: str | None
) -> dict[str, str]:
    """What the archive step would give to the script, but no label that stands for a missing one."""
    variables = {"project": project}
    subject = given_subject
    if subject is None and not is_placeholder(record.subject, record.subject_source):
        subject = record.subject
    if subject is not None:
        known = db_views.find_archived_subject(connection, project, subject)
        variables["subject"] = known or subject
    if not is_placeholder(record.label, record.label_source):
        variables["session"] = record.label
    if record.modality_label:
        variables["modalityLabel"] = record.modality_label
    return variables


def _explained(error: ScriptError) -> str:
    """Why a script makes no label; of variables without a value, why they have none."""
    missing = [found for found in error.diagnostics if found.code == "missing-variable"]
    reasons = [
        text
        for name, text in _WITHOUT.items()
        if any(f"'{name}'" in found.message.lower() for found in missing)
    ]
    return "; ".join(reasons) or str(error)


def _cannot(reason: str) -> StateRefusedError:
    return StateRefusedError(f"there is no session label to take: {reason}")
