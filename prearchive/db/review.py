"""What the actions of reviewers write: guarded state changes, labels, history, warnings.

Every change of state is `UPDATE ... WHERE state = :old`: a row count of 0 means somebody was faster. The
functions run in the writing transaction of their caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from prearchive.db.models import Session, SessionEvent, SessionWarning
from prearchive.states import SessionState

_WHO_LENGTH = 128


def change_session(
    connection: Connection, session_id: int, expected: SessionState, values: dict[str, Any]
) -> bool:
    """Change columns of a session that is still in the expected state; False when it is not."""
    changed = connection.execute(
        update(Session).where(Session.id == session_id, Session.state == expected).values(**values)
    )
    return changed.rowcount == 1


def reserve_archived(connection: Connection, session_id: int, work: dict[str, Any]) -> bool:
    """Note on an archived session that another is being merged into it; False while one already is."""
    changed = connection.execute(
        update(Session)
        .where(
            Session.id == session_id, Session.state == SessionState.ARCHIVED, Session.lease_owner.is_(None)
        )
        .values(lease_owner="merge", work=work)
    )
    return changed.rowcount == 1


def add_event(
    connection: Connection,
    session_id: int,
    at: datetime,
    who: str,
    action: str,
    from_state: SessionState | None,
    to_state: SessionState | None,
    text: str = "",
) -> None:
    """Add an entry to the history."""
    connection.execute(
        insert(SessionEvent).values(
            session_id=session_id,
            at=at,
            who=who[:_WHO_LENGTH],
            action=action,
            from_state=from_state,
            to_state=to_state,
            text=text,
        )
    )


def add_warning(connection: Connection, session_id: int, at: datetime, code: str, text: str) -> None:
    """Add a warning unless the same is there already."""
    same = connection.execute(
        select(SessionWarning.id).where(
            SessionWarning.session_id == session_id, SessionWarning.code == code, SessionWarning.text == text
        )
    ).first()
    if same is None:
        connection.execute(insert(SessionWarning).values(session_id=session_id, code=code, text=text, at=at))


def remove_warnings(connection: Connection, session_id: int, codes: Iterable[str]) -> None:
    """Remove warnings that no longer hold."""
    connection.execute(
        delete(SessionWarning).where(
            SessionWarning.session_id == session_id, SessionWarning.code.in_(list(codes))
        )
    )
