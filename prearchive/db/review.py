"""What reviewers' actions write beside states and history: reservations in the archive, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

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


def lock_labels(connection: Connection, project: str) -> None:
    """Let nobody else choose a session label in the project until this transaction has ended.

    In SQLite a writing transaction keeps everybody else out as it is.
    """
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(sha256(f"labels|{project}".encode()).digest()[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def taken_labels(connection: Connection, project: str, session_id: int) -> set[str]:
    """Session labels of a project, in prearchive and archive, that this session cannot have any more.

    A session that is just being archived has reserved its label, one that is being moved brings its own.
    """
    others = (Session.id != session_id, Session.state != SessionState.DELETED)
    taken = set(connection.scalars(select(Session.label).where(Session.project == project, *others)))
    on_the_way = select(Session.label, Session.archived_key, Session.work).where(
        Session.state.in_((SessionState.ARCHIVING, SessionState.MOVING)), *others
    )
    place = f"{project}|"
    for label, archived_key, work in connection.execute(on_the_way):
        if archived_key is not None and archived_key.startswith(place):
            taken.add(archived_key.removeprefix(place))
        elif (work or {}).get("project") == project:
            taken.add(label)
    return taken
