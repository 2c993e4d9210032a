"""Delete sessions into the trash, and bring them back. Nothing is erased here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prearchive import busy, paths
from prearchive.db import queries
from prearchive.db.views import SessionRecord
from prearchive.errors import StateRefusedError
from prearchive.manifest import write_manifest
from prearchive.move import free_place, warn_of_other
from prearchive.states import SessionEvent, SessionState, next_state
from prearchive.views import SessionRow, get_row

if TYPE_CHECKING:
    from prearchive.site import Site


def delete_session(site: Site, session_id: int, *, who: str) -> SessionRow:
    """Put a session of the prearchive into the trash: its folder moves there as it is.

    Raises:
        NotFoundError: no such session.
        StateRefusedError: the state does not allow it.
    """
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        work = {
            "action": "delete",
            "source_path": record.path,
            "target_path": paths.join(paths.TRASH, f"{session_id}_{busy.stamp(site)}", record.folder),
        }
        deleting = busy.begin(
            site, connection, record, SessionEvent.DELETE, work, who=who, values={"waits_for_id": None}
        )
    busy.log_change(session_id, record.state, deleting)
    try:
        if site.files.has_folder(work["source_path"]):
            site.files.move_folder(work["source_path"], work["target_path"])
    except BaseException:
        finish_interrupted(site, session_id)
        raise
    finish_delete(site, session_id)
    return get_row(site, session_id)


def finish_delete(site: Site, session_id: int) -> None:
    """The folder is in the trash: say so in the rows."""
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        work = record.work or {}
        values = {
            "path": work["target_path"],
            "deleted_from": {"state": work["back_to"], "path": work["source_path"]},
        }
        state = next_state(record.state, SessionEvent.DELETED)
        busy.end(
            site, connection, record, record.state, state,
            who=work["who"], action="deleted", text=f"into {work['target_path']}", values=values,
        )  # fmt: skip
    _release_waiting(site, session_id, record.state, state)


def undo_delete(site: Site, session_id: int) -> None:
    """The folder is still in the prearchive: leave DELETING."""
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        work = record.work or {}
        state = next_state(record.state, SessionEvent.RESTORED, back_to=SessionState(work["back_to"]))
        busy.end(
            site, connection, record, record.state, state,
            who=work["who"], action="delete_failed", text="nothing was deleted",
        )  # fmt: skip
    _release_waiting(site, session_id, record.state, state)


def restore_session(site: Site, session_id: int, *, who: str) -> SessionRow:
    """Bring a session back from the trash, to its former place or a free one beside it, as it was.

    Raises:
        NotFoundError: no such session.
        StateRefusedError: it is not in the trash.
    """
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        _require_in_trash(record)
        folder, target_path = free_place(site, connection, record.project, record)
        work = {
            "action": "restore",
            "source_path": record.path,
            "target_path": target_path,
            "folder": folder,
            "back_to": SessionState.DELETED.value,
            "who": who,
        }
        if record.work is not None or not queries.change_state(
            connection, session_id, [SessionState.DELETED], SessionState.DELETING,
            **site.new_lease(), work=work,
        ):  # fmt: skip
            raise StateRefusedError(f"session {session_id} is just being restored")
    try:
        if site.files.has_folder(record.path):
            site.files.move_folder(record.path, target_path)
    except FileExistsError:
        undo_restore(site, session_id)
        raise StateRefusedError(f"{target_path} has just been taken: try again") from None
    except BaseException:
        finish_interrupted(site, session_id)
        raise
    finish_restore(site, session_id)
    return get_row(site, session_id)


def finish_restore(site: Site, session_id: int) -> None:
    """The folder is back in the prearchive: bring the rows there too."""
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        work = record.work or {}
        former = record.deleted_from or {}
        back_to = SessionState(former.get("state", SessionState.READY.value))
        state = next_state(record.state, SessionEvent.RESTORED, back_to=back_to)
        values = {"path": work["target_path"], "folder": work["folder"], "deleted_from": None}
        found = busy.end(
            site, connection, record, record.state, state,
            who=work["who"], action="restored", text="from the trash", values=values,
        )  # fmt: skip
        if not found:
            warn_of_other(site, connection, session_id)
    busy.log_change(session_id, SessionState.DELETED, state)
    if state is not SessionState.RECEIVING:
        write_manifest(site, session_id)


def undo_restore(site: Site, session_id: int) -> None:
    """The folder is still in the trash: leave it there."""
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        busy.end(
            site, connection, record, record.state, SessionState.DELETED,
            who=(record.work or {})["who"], action="restore_failed", text="nothing was restored",
        )  # fmt: skip


def finish_interrupted(site: Site, session_id: int) -> None:
    """After a crash: where the folder is says whether the deletion or the restoring happened."""
    with site.read_engine.begin() as connection:
        work = busy.get_record(connection, session_id).work or {}
    done = site.files.has_folder(work["target_path"]) or not site.files.has_folder(work["source_path"])
    if work["action"] == "restore":
        (finish_restore if done else undo_restore)(site, session_id)
    else:
        (finish_delete if done else undo_delete)(site, session_id)


def _require_in_trash(record: SessionRecord) -> None:
    if record.merged_into_id is not None:
        raise StateRefusedError(f"session {record.id} was merged into session {record.merged_into_id}")
    if record.state is not SessionState.DELETED:
        raise StateRefusedError(f"session {record.id} is {record.state}, not in the trash")


def _release_waiting(site: Site, session_id: int, from_state: SessionState, to_state: SessionState) -> None:
    from prearchive.joining import join_waiting

    busy.log_change(session_id, from_state, to_state)
    join_waiting(site, session_id)
