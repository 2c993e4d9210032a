"""What reviewers' actions write beside states and history: reservations in the archive, warnings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, update

from prearchive.db.models import Session, SessionWarning
from prearchive.states import SessionState


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


def remove_warnings(connection: Connection, session_id: int, codes: Iterable[str]) -> None:
    """Remove warnings that no longer hold."""
    connection.execute(
        delete(SessionWarning).where(
            SessionWarning.session_id == session_id, SessionWarning.code.in_(list(codes))
        )
    )
