"""The rows of `prearc list` read from SQLite by hand: the one query that must be there at once.

Importing SQLAlchemy and the models takes as long as `prearc list` may take from start to end (half a second).
`find_session_rows` gives what `prearchive.views.list_sessions` gives, a test compares them; it returns None
for everything out of the ordinary, which is left to that way and its messages.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from config.settings import UNASSIGNED, Settings
from prearchive.db.revisions import HEAD
from prearchive.session_row import SessionRow, WarningRow, local_text
from prearchive.states import SessionState

DATABASE_NAME = "prearc.db"
_STORED_TIME = "%Y-%m-%d %H:%M:%S.%f"  # as SQLAlchemy writes times into SQLite: text, in UTC
_BUSY_SECONDS = 20
_COLUMNS = (
    "id, project, subject, label, timestamp, folder, state, scan_date, scan_time, uploaded_at, modified_at,"
    " study_uid, instance_count"
)

_STATES: dict[str, list[SessionState]] = {
    "prearchive": [
        state for state in SessionState if state not in (SessionState.ARCHIVED, SessionState.DELETED)
    ],
    "archive": [SessionState.ARCHIVED],
    "trash": [SessionState.DELETED],
}


def find_session_rows(
    settings: Settings,
    scope: Literal["prearchive", "archive", "trash"],
    *,
    project: str | None = None,
    status: str | None = None,
    subject: str | None = None,
    since: datetime | None = None,
) -> list[SessionRow] | None:
    """Return the rows of a list, newest first, or None when the database has to be opened as usual.

    The arguments are those of `prearchive.views.list_sessions`.
    """
    states = _STATES[scope]
    if status is not None:
        wanted = status.strip().upper()
        if wanted not in SessionState.__members__:
            return None
        states = [state for state in states if state.value == wanted]
    if settings.database.url:
        return None
    where = [f"state IN ({', '.join('?' * len(states))})", "merged_into_id IS NULL"]
    values: list[str] = [state.value for state in states]
    if project == UNASSIGNED:
        where.append("project IS NULL")
    elif project is not None:
        where.append("project = ?")
        values.append(settings.resolve_project(project) or project)
    if subject is not None:
        where.append("lower(subject) = ?")
        values.append(subject.lower())
    if since is not None:
        where.append("uploaded_at >= ?")
        values.append(since.astimezone(UTC).strftime(_STORED_TIME))
    try:
        with contextlib.closing(_open(settings.storage.root / DATABASE_NAME)) as connection:
            if connection.execute("SELECT version_num FROM alembic_version").fetchall() != [(HEAD,)]:
                return None
            return list(_rows(connection, " AND ".join(where), values))
    except (sqlite3.Error, ValueError):
        return None


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    connection.execute("BEGIN")  # both statements see the same data
    return connection


def _rows(connection: sqlite3.Connection, where: str, values: list[str]) -> Iterator[SessionRow]:
    warnings: dict[int, list[WarningRow]] = {}
    # Only the fixed texts above go into the statements; what a person typed is always bound.
    selected = f"FROM session WHERE {where}"
    for session_id, code, text in connection.execute(
        f"SELECT session_id, code, text FROM session_warning WHERE session_id IN (SELECT id {selected})"  # noqa: S608
        " ORDER BY id",
        values,
    ):
        warnings.setdefault(session_id, []).append(WarningRow(code, text))
    for row in connection.execute(
        f"SELECT {_COLUMNS} {selected} ORDER BY uploaded_at DESC, id DESC",
        values,
    ):
        yield SessionRow(
            id=row[0],
            ref=f"{row[1] or UNASSIGNED}/{row[4]}/{row[5]}",
            project=row[1] or UNASSIGNED,
            subject=row[2],
            session=row[3],
            status=row[6],
            scan_date=row[7],
            scan_time=row[8],
            uploaded=_local(row[9]),
            last_modified=_local(row[10]),
            study_uid=row[11],
            instances=row[12],
            warnings=warnings.get(row[0], []),
        )


def _local(stored: str) -> str:
    return local_text(datetime.fromisoformat(stored).replace(tzinfo=UTC))
