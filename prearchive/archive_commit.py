"""The end of archiving, and its undoing: the same code for the running step and for recovery after a crash.

What happened is read from the disk: if the folder in the archive has a manifest with the archive id of the
session's `work`, the session is archived and the rows follow, else nothing happened and traces are removed.
The rows keep `work` and lease until source and staging folders are gone: a crash cannot leave these behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from prearchive import busy, paths
from prearchive.db import queries, review, session_contents
from prearchive.db.session_rows import LASTING_COLUMNS, SessionRows
from prearchive.db.views import SessionRecord
from prearchive.manifest import archived_key, find_manifest, write_manifest
from prearchive.site import NO_LEASE
from prearchive.states import SessionEvent, SessionState, next_state

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

# Of a new archived session; the others stay as they are in the row.
_NEW_COLUMNS = frozenset(LASTING_COLUMNS) - {
    "id",
    "state",
    "timestamp",
    "folder",
    "uploaded_at",
    "deleted_from",
}
# Of a session that another one was merged into.
_MERGED_COLUMNS = (
    "instance_count", "size_bytes", "modified_at", "last_received_at", "scan_date", "scan_time",
    "session_type", "modality_label", "study_uid", "anonymize",
)  # fmt: skip

log = structlog.get_logger(__name__)


def finish_archive(site: Site, session_id: int) -> int:
    """The folder is in the archive: bring the rows there, remove what is left of the source.

    Returns:
        The number of the archived session: another one if it was merged.
    """
    with site.read_engine.begin() as connection:
        record = busy.get_record(connection, session_id)
    work = record.work or {}
    if record.state is SessionState.ARCHIVING:
        found = find_manifest(site.files, work["target_path"])
        if found is None:
            raise AssertionError("the caller has seen the manifest")
        with site.engine.begin() as connection:
            state = _commit(site, connection, record, found.rows)
        busy.log_change(session_id, SessionState.ARCHIVING, state)
    _clean_up(site, session_id, work)
    join_waiting(site, session_id)
    existing_id: int | None = work.get("existing_id")
    return session_id if existing_id is None else existing_id


def finish_or_undo(
    site: Site,
    session_id: int,
    *,
    event: SessionEvent = SessionEvent.RESTORED,
    reason: str = "interrupted",
    code: str | None = None,
) -> bool:
    """End archiving that failed or was interrupted, as the disk says; True when the session is archived.

    Args:
        site: whose.
        session_id: which session, in ARCHIVING.
        event: what an undone step leads to: `restored` goes back to the state before.
        reason: for history and warning; holds no value of a data set.
        code: of the warning, None for none.
    """
    with site.read_engine.begin() as connection:
        record = busy.get_record(connection, session_id)
    work = record.work or {}
    found = find_manifest(site.files, work["target_path"])
    if found is not None and found.archive_id == work["archive_id"]:
        finish_archive(site, session_id)
        return True
    displaced_path = work["displaced_path"]
    if displaced_path is not None and site.files.has_folder(displaced_path):
        site.files.move_folder(displaced_path, work["target_path"])
    for path in work["staging_paths"]:
        site.files.remove_folder(path)
    state = next_state(record.state, event, back_to=SessionState(work["back_to"]))
    with site.engine.begin() as connection:
        busy.end(
            site, connection, record, record.state, state,
            who=work["who"], action="archive_refused", text=reason, values={"archived_key": None},
        )  # fmt: skip
        if event is not SessionEvent.RESTORED and code is not None:
            queries.add_warning(connection, session_id, code, reason, site.clock())
        if work["existing_id"] is not None:
            review.release_archived(connection, work["existing_id"], session_id)
    busy.log_change(session_id, record.state, state)
    write_manifest(site, session_id)
    join_waiting(site, session_id)
    return False


def finish_interrupted(site: Site, session_id: int) -> None:
    """After a crash: roll forward when the target carries the archive id, else back to where it was."""
    with site.read_engine.begin() as connection:
        record = busy.get_record(connection, session_id)
    if record.state is SessionState.ARCHIVING:
        finish_or_undo(site, session_id, reason="interrupted; nothing was archived")
    elif (record.work or {}).get("action") == "archive":
        finish_archive(site, session_id)


def note_work(site: Site, session_id: int, entries: dict[str, Any]) -> None:
    """Add to what recovery knows about the step, before it is done."""
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        queries.change_state(
            connection, session_id, [SessionState.ARCHIVING], SessionState.ARCHIVING,
            work={**(record.work or {}), **entries},
        )  # fmt: skip


def join_waiting(site: Site, session_id: int) -> None:
    """Let instances that arrived meanwhile join the session, or stay one of their own."""
    from prearchive import joining

    joining.join_waiting(site, session_id)


def _commit(site: Site, connection: Connection, record: SessionRecord, rows: SessionRows) -> SessionState:
    work = record.work or {}
    event = rows.history[-1]
    existing_id = work["existing_id"]
    if existing_id is not None:
        return _commit_merge(site, connection, record, rows, existing_id)
    state = next_state(record.state, SessionEvent.ARCHIVED)
    columns = {name: rows.session[name] for name in _NEW_COLUMNS}
    columns["archived_key"] = archived_key(rows.session["project"], rows.session["label"])
    columns["open_key"] = None
    changed = queries.change_state(connection, record.id, [SessionState.ARCHIVING], state, **columns)
    if not changed:
        raise AssertionError("nobody else works on a session in ARCHIVING")
    session_contents.replace_contents(connection, record.id, rows)
    session_contents.insert_new_discarded(connection, record.id, rows)
    queries.add_event(
        connection, record.id, at=event.at, who=event.who, action=event.action,
        from_state=event.from_state, to_state=event.to_state, text=event.text,
    )  # fmt: skip
    return state


def _commit_merge(
    site: Site, connection: Connection, record: SessionRecord, rows: SessionRows, existing_id: int
) -> SessionState:
    event = rows.history[-1]
    state = next_state(record.state, SessionEvent.DELETED)
    session_contents.give_discarded(connection, record.id, existing_id)
    session_contents.remove_contents(connection, record.id)
    changed = queries.change_state(
        connection, record.id, [SessionState.ARCHIVING], state,
        merged_into_id=existing_id, instance_count=0, size_bytes=0, open_key=None, modified_at=site.clock(),
    )  # fmt: skip
    if not changed:
        raise AssertionError("nobody else works on a session in ARCHIVING")
    session_contents.replace_contents(connection, existing_id, rows)
    session_contents.insert_new_discarded(connection, existing_id, rows)
    queries.change_state(
        connection, existing_id, [SessionState.ARCHIVED], SessionState.ARCHIVED,
        **{name: rows.session[name] for name in _MERGED_COLUMNS}, **NO_LEASE,
    )  # fmt: skip
    for warning in rows.warnings:
        queries.add_warning(connection, existing_id, warning.code, warning.text, warning.at)
    queries.add_event(
        connection, existing_id, at=event.at, who=event.who, action=event.action,
        from_state=SessionState.ARCHIVED, to_state=SessionState.ARCHIVED, text=event.text,
    )  # fmt: skip
    queries.add_event(
        connection, record.id, at=event.at, who=event.who, action="merged",
        from_state=SessionState.ARCHIVING, to_state=state, text=f"into session {existing_id}",
    )  # fmt: skip
    return state


def _clean_up(site: Site, session_id: int, work: dict[str, Any]) -> None:
    """Remove the source and what the step built; of the former archived session keep what was replaced."""
    site.files.remove_folder(work["source_path"])
    for path in work["staging_paths"]:
        site.files.remove_folder(path)
    displaced_path = work["displaced_path"]
    if displaced_path is not None:
        replaced = {paths.join(displaced_path, path) for path in work["replaced"]}
        if not replaced:
            site.files.remove_folder(displaced_path)
        for listed in list(site.files.list_files(displaced_path)):
            if listed.path not in replaced:
                site.files.remove_file(listed.path)
    with site.engine.begin() as connection:
        review.forget_work(connection, session_id)
