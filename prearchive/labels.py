"""The human's yes: a person gives or confirms the labels of a session; who and when are recorded.

Labels live in the rows and the manifest. The folder in the prearchive keeps the name it got at the first
instance, as in XNAT, so references stay valid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from prearchive.busy import get_record
from prearchive.db import queries, review
from prearchive.errors import BadLabelError, StateRefusedError
from prearchive.label_proposal import AutoLabel, choose_label
from prearchive.manifest import write_manifest
from prearchive.naming import LabelSource, label_problem
from prearchive.states import SessionEvent, next_state
from prearchive.views import SessionRow, get_row

if TYPE_CHECKING:
    from prearchive.site import Site

log = structlog.get_logger(__name__)


def confirm(
    site: Site,
    session_id: int,
    *,
    subject: str | None = None,
    session: str | AutoLabel | None = None,
    who: str,
) -> SessionRow:
    """Set labels, or leave those that are not given, and record that a person confirmed them.

    Whether a label is free in the project is judged when the session is archived.

    Args:
        site: whose.
        session_id: which session.
        subject: the subject's new label.
        session: the session's new label, or the one that the project's script makes.
        who: confirms.

    Raises:
        BadLabelError: a label holds characters that XNAT does not allow.
        NotFoundError: no such session.
        StateRefusedError: its state does not allow it, or the script makes no label.
        ConfigurationProblemError: a label is wanted of a script that is missing.
        ScriptError: or of one that has mistakes.
    """
    check_labels(subject, session)
    now, made = site.clock(), ""
    if isinstance(session, AutoLabel):
        _try_label(site, session_id, session, subject)
    with site.engine.begin() as connection:
        record = get_record(connection, session_id)
        state = next_state(record.state, SessionEvent.LABEL)
        if isinstance(session, AutoLabel):
            review.lock_labels(connection, record.project or "")
            session = choose_label(site, connection, record, record.project, session, subject)
            made = " (made by the project's script)"
        values: dict[str, object] = {
            "confirmed_at": now, "confirmed_by": who[:128], "modified_at": now, "pinned": True
        }  # fmt: skip
        if subject is not None:
            values.update(subject=subject, subject_source=LabelSource.PERSON.value)
        if session is not None:
            values.update(label=session, label_source=LabelSource.PERSON.value)
        if not queries.change_state(connection, session_id, [record.state], state, **values):
            raise StateRefusedError(f"session {session_id} is not {record.state} any more: try again")
        shown_subject = subject if subject is not None else record.subject
        shown_label = session if session is not None else record.label
        queries.add_event(
            connection, session_id, at=now, who=who, action="labels_confirmed",
            from_state=record.state, to_state=state,
            text=f"subject {shown_subject or '(none)'}, session {shown_label}{made}",
        )  # fmt: skip
    log.info("labels_confirmed", session_id=session_id)
    write_manifest(site, session_id)
    return get_row(site, session_id)


def _try_label(site: Site, session_id: int, wanted: AutoLabel, subject: str | None) -> None:
    """Find out whether there is a label before others have to wait; compiling a script takes its time."""
    with site.read_engine.begin() as connection:
        record = get_record(connection, session_id)
        next_state(record.state, SessionEvent.LABEL)
        choose_label(site, connection, record, record.project, wanted, subject)


def check_labels(subject: str | None, session: str | AutoLabel | None) -> None:
    """Check labels that a person gives.

    Raises:
        BadLabelError: names the label and the characters.
    """
    for what, label in (("subject", subject), ("session", session)):
        problem = label_problem(label) if isinstance(label, str) else None
        if problem is not None:
            raise BadLabelError(f"{what} {label!r}: {problem}")
