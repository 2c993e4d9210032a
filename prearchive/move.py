"""Move a session to another project: one rename of its folder, no script, labels unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.settings import UNASSIGNED
from prearchive import busy, paths
from prearchive.db import queries, session_rows
from prearchive.db import views as db_views
from prearchive.db.views import SessionRecord
from prearchive.errors import NotFoundError, StateRefusedError
from prearchive.manifest import write_manifest
from prearchive.states import SessionEvent, SessionState, next_state
from prearchive.views import SessionRow, get_row

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

MOST_FOLDERS = 1000
OTHER_SESSION_WARNING = "study-has-another-session"


def move_session(site: Site, session_id: int, *, project: str, who: str) -> SessionRow:
    """Move a session to a project; the folder keeps its timestamp and, if it is free there, its name.

    Raises:
        NotFoundError: no such session or project.
        StateRefusedError: the state does not allow it, or it is in that project already.
    """
    target_project = site.settings.resolve_project(project)
    if target_project is None:
        raise NotFoundError(f"there is no project {project!r}")
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        next_state(record.state, SessionEvent.MOVE)
        if record.project == target_project:
            raise StateRefusedError(f"session {session_id} is in {target_project} already")
        folder, target_path = free_place(site, connection, target_project, record)
        work = {
            "action": "move",
            "source_path": record.path,
            "target_path": target_path,
            "project": target_project,
            "folder": folder,
        }
        moving = busy.begin(
            site, connection, record, SessionEvent.MOVE, work, who=who,
            text=f"from {record.project or UNASSIGNED} to {target_project}",
        )  # fmt: skip
    busy.log_change(session_id, record.state, moving)
    try:
        if site.files.has_folder(record.path):
            site.files.move_folder(record.path, target_path)
    except FileExistsError:
        undo_move(site, session_id)
        raise StateRefusedError(f"{target_path} has just been taken: try again") from None
    except BaseException:
        finish_interrupted(site, session_id)
        raise
    finish_move(site, session_id)
    return get_row(site, session_id)


def finish_move(site: Site, session_id: int) -> None:
    """The folder is at its new place: bring the rows there too."""
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        work = record.work or {}
        values = {
            "project": work["project"],
            "folder": work["folder"],
            "path": work["target_path"],
            "pinned": True,
        }
        state = next_state(record.state, SessionEvent.MOVED)
        text = f"Moved from {record.project or UNASSIGNED} to {work['project']}"
        found = busy.end(
            site, connection, record, record.state, state,
            who=work["who"], action="moved", text=text, values=values,
        )  # fmt: skip
        if not found:
            warn_of_other(site, connection, session_id)
    _afterwards(site, session_id, record.state, state)


def undo_move(site: Site, session_id: int) -> None:
    """The folder is still at its old place: leave MOVING."""
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        work = record.work or {}
        state = next_state(record.state, SessionEvent.RESTORED, back_to=SessionState(work["back_to"]))
        busy.end(
            site, connection, record, record.state, state,
            who=work["who"], action="move_failed", text="nothing was moved",
        )  # fmt: skip
    _afterwards(site, session_id, record.state, state)


def finish_interrupted(site: Site, session_id: int) -> None:
    """After a crash: where the folder is says whether the move happened."""
    with site.read_engine.begin() as connection:
        work = busy.get_record(connection, session_id).work or {}
    if site.files.has_folder(work["target_path"]) or not site.files.has_folder(work["source_path"]):
        finish_move(site, session_id)
    else:
        undo_move(site, session_id)


def free_place(
    site: Site, connection: Connection, project: str | None, record: SessionRecord
) -> tuple[str, str]:
    """A folder name that neither the disk nor a row uses in that project, and its path."""
    for number in range(MOST_FOLDERS):
        folder = record.folder if number == 0 else f"{record.folder}_{number}"
        path = paths.join(paths.PREARCHIVE, project or UNASSIGNED, record.timestamp, folder)
        rows = db_views.find_sessions_at(connection, project, record.timestamp, folder)
        taken = any(row.id != record.id and row.merged_into_id is None for row in rows)
        if not taken and not session_rows.has_path(connection, path) and not site.files.has_folder(path):
            return folder, path
    raise StateRefusedError(f"{project or UNASSIGNED} has no free folder {record.timestamp}/{record.folder}")


def warn_of_other(site: Site, connection: Connection, session_id: int) -> None:
    """Say that arriving instances of the study join another session than this one."""
    queries.add_warning(
        connection,
        session_id,
        OTHER_SESSION_WARNING,
        "the project has another open session of this study; instances that arrive join that one",
        site.clock(),
    )


def _afterwards(site: Site, session_id: int, from_state: SessionState, to_state: SessionState) -> None:
    from prearchive.joining import join_waiting

    busy.log_change(session_id, from_state, to_state)
    write_manifest(site, session_id)
    join_waiting(site, session_id)
