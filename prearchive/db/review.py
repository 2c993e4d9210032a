"""What reviewers' actions write beside states and history: reservations in the archive, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from prearchive.db.models import Instance, Session, SessionWarning
from prearchive.states import SessionState


def reserve_archived(
    connection: Connection, session_id: int, lease: Mapping[str, object], work: dict[str, Any]
) -> bool:
    """Note on an archived session that another is being merged into it; False while one already is."""
    changed = connection.execute(
        update(Session)
        .where(
            Session.id == session_id, Session.state == SessionState.ARCHIVED, Session.lease_owner.is_(None)
        )
        .values(**lease, work=work)
    )
    return changed.rowcount == 1


def release_archived(connection: Connection, session_id: int, source_id: int) -> None:
    """Take back the note of `reserve_archived`, if it is that session's."""
    work = connection.execute(select(Session.work).where(Session.id == session_id)).scalar()
    if work == {"merging": source_id}:
        connection.execute(
            update(Session)
            .where(Session.id == session_id)
            .values(lease_owner=None, lease_expires_at=None, work=None)
        )


def forget_work(connection: Connection, session_id: int) -> None:
    """Nothing is left to do for a session."""
    connection.execute(
        update(Session)
        .where(Session.id == session_id)
        .values(lease_owner=None, lease_expires_at=None, work=None)
    )


def unfinished_archivings(connection: Connection) -> list[tuple[int, str | None]]:
    """Sessions whose archiving was committed but not cleaned up, with the owner of the lease."""
    rows = connection.execute(
        select(Session.id, Session.lease_owner, Session.work)
        .where(Session.state.in_((SessionState.ARCHIVED, SessionState.DELETED)))
        .where(Session.work.is_not(None))
        .order_by(Session.id)
    )
    return [(row.id, row.lease_owner) for row in rows if (row.work or {}).get("action") == "archive"]


def remove_warnings(connection: Connection, session_id: int, codes: Iterable[str]) -> None:
    """Remove warnings that no longer hold."""
    connection.execute(
        delete(SessionWarning).where(
            SessionWarning.session_id == session_id, SessionWarning.code.in_(list(codes))
        )
    )


def project_script_ran(connection: Connection, project: str) -> bool:
    """Whether the project's script ran on anything that was archived there."""
    found = connection.execute(
        select(Instance.id)
        .join(Session, Session.id == Instance.session_id)
        .where(Session.project == project, Instance.project_script_id.is_not(None))
        .limit(1)
    )
    return found.first() is not None
