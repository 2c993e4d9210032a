"""At the start of the server: files and rows are brought back into agreement after a crash.

A file without a row was never acknowledged: what a dead process was just writing is removed. Work that was
broken off (build, move, delete, restore, archive, join) is finished or undone by the module that does that
work, from what it noted in `session.work`. What living processes do is left alone; they are known by their
locked logs of files in flight, so several servers may share a site.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from prearchive import paths
from prearchive.db import queries, repairs, review
from prearchive.db.engine import DATABASE_TROUBLE, AlreadyThereError
from prearchive.inflight import OtherWriter, log_name
from prearchive.site import NO_LEASE
from prearchive.states import SessionState

if TYPE_CHECKING:
    from prearchive.site import Site

_GRACE = timedelta(minutes=10)  # for what other living processes have just opened
_INSTANCE_PATH = re.compile(r"(?P<session>.+)/SCANS/(?P<scan>[^/]+)/DICOM/(?P<name>[^/]+)")
_TEMPORARY_NAME = re.compile(r"(?:staging-|removed-)?([0-9a-f]{16})-[0-9]+(?:\.part)?", re.ASCII)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class RecoveryReport:
    """What `recover` did; all zero after a clean stop."""

    sessions_repaired: int = 0  # work finished or undone
    sessions_failed: int = 0  # work that could not be finished nor undone; the next start tries again
    sessions_removed: int = 0  # opened, but nothing was ever stored in them
    files_removed: int = 0  # never acknowledged


def recover(site: Site) -> RecoveryReport:
    """Repair what dead processes left behind. Safe to call while other processes work on the site."""
    report = RecoveryReport()
    writers = site.files.find_writers()
    alive = {writer.writer_id for writer in writers if not writer.is_dead} | {site.owner}
    try:
        _repair(site, writers, report)
        has_others = len(alive) > 1
        _remove_strays_of_receiving(site, report)
        _remove_never_filled(site, has_others, report)
        _remove_empty_folders(site)
    finally:
        for writer in writers:
            # While some work is neither finished nor undone, its staging folder may be needed still.
            site.files.release_writer(writer, remove=report.sessions_failed == 0)
    _remove_ownerless_temporary(site)

    from prearchive.joining import join_all_waiting

    join_all_waiting(site)
    log.info("recovery_finished", **asdict(report))
    return report


def repair_broken_off(site: Site) -> RecoveryReport:
    """Finish or undo what processes that died meanwhile were doing; for a server that goes on running."""
    report = RecoveryReport()
    writers = site.files.find_writers()
    try:
        _repair(site, writers, report)
    finally:
        for writer in writers:
            site.files.release_writer(writer, remove=report.sessions_failed == 0)
    if report != RecoveryReport():
        log.info("recovery_finished", **asdict(report))
    return report


def _repair(site: Site, writers: Iterable[OtherWriter], report: RecoveryReport) -> None:
    """Repair the sessions and remove the files that dead processes left in the middle of something."""
    _repair_sessions(site, writers, report)
    for writer in writers:
        if writer.is_dead:
            _remove_unacknowledged(site, writer.paths, report)


def _repair_sessions(site: Site, writers: Iterable[OtherWriter], report: RecoveryReport) -> None:
    known = {writer.writer_id: not writer.is_dead for writer in writers} | {site.owner: True}
    with site.read_engine.begin() as connection:
        rows = repairs.busy_sessions(connection)
        unfinished = review.unfinished_archivings(connection)
    broken_off = [(row.id, row.lease_owner, (row.work or {}).get("action")) for row in rows]
    broken_off += [(session_id, owner, "archive") for session_id, owner in unfinished]
    for session_id, owner, action in broken_off:
        # Whoever is not known yet may have started after the logs were looked at.
        if known[owner] if owner in known else site.files.is_alive(owner):
            continue
        try:
            _repair_for(action)(site, session_id)
            report.sessions_repaired += 1
        except Exception as error:  # one session that cannot be repaired must not stop the server
            report.sessions_failed += 1
            log.error("session_not_repaired", session_id=session_id, reason=type(error).__name__)


def _repair_for(action: str | None) -> Callable[[Site, int], object]:
    """Return what finishes or undoes an action."""
    from prearchive import archive_commit, joining, move, settle, trash

    repairs: dict[str | None, Callable[[Site, int], object]] = {
        settle.ACTION: settle.undo_build,
        "move": move.finish_interrupted,
        "delete": trash.finish_interrupted,
        "restore": trash.finish_interrupted,
        "archive": archive_commit.finish_interrupted,
        joining.ACTION: joining.put_back,
    }
    return repairs.get(action, _mark_failed)


def _mark_failed(site: Site, session_id: int) -> None:
    """Nobody knows what was being done: a person has to look."""
    with site.engine.begin() as connection:
        session = queries.find_session(connection, session_id, for_update=True)
        assert session is not None
        queries.change_state(
            connection,
            session_id,
            queries.BUSY_STATES,
            SessionState.ERROR,
            **NO_LEASE,
        )
        queries.add_event(
            connection,
            session_id,
            at=site.clock(),
            who="prearc",
            action="failed",
            from_state=session.state,
            to_state=SessionState.ERROR,
            text="work on this session was broken off, and it is not known which",
        )


def _remove_unacknowledged(site: Site, noted: Iterable[str], report: RecoveryReport) -> None:
    """Remove the files that a dead process noted, except those that got their row."""
    for path in noted:
        match = _INSTANCE_PATH.fullmatch(path)
        if match is None or path.startswith(f"{paths.TEMPORARY}/"):
            continue
        with site.read_engine.begin() as connection:
            has_row = repairs.names_file(connection, match["session"], match["scan"], match["name"])
        if not has_row and _remove(site, path):
            report.files_removed += 1


def _remove(site: Site, path: str) -> bool:
    try:
        os.close(site.files.open_file(path))
    except (OSError, paths.UnsafePathError):
        return False
    site.files.remove_file(path)
    return True


def _remove_strays_of_receiving(site: Site, report: RecoveryReport) -> None:
    """After a power cut the log itself may be lost: so look into the sessions that were just received."""
    with site.read_engine.begin() as connection:
        receiving = repairs.receiving_sessions(connection)
    # In this order: a file that gets its row meanwhile is in flight at least until the rows are read.
    found = {
        session_id: [listed.path for listed in site.files.list_files(f"{path}/SCANS")]
        for session_id, path in receiving
    }
    in_flight = site.files.in_flight_paths()
    for session_id, path in receiving:
        with site.read_engine.begin() as connection:
            rows = repairs.files_named(connection, session_id)
        named = {f"{path}/SCANS/{label}/DICOM/{file_name}" for label, file_name in rows}
        for stray in found[session_id]:
            if stray not in named and stray not in in_flight:
                site.files.remove_file(stray)
                report.files_removed += 1
        for scan in site.files.list_folders(f"{path}/SCANS"):
            site.files.remove_hollow_folder(f"{path}/SCANS/{scan}")


def _remove_never_filled(site: Site, has_others: bool, report: RecoveryReport) -> None:
    """Remove sessions and scans that were opened and then got no instance."""
    changed_before = site.clock() - _GRACE if has_others else None
    with site.read_engine.begin() as connection:
        empty = repairs.never_filled_sessions(connection, changed_before)
    if not has_others:
        with site.engine.begin() as connection:
            repairs.delete_empty_scans(connection)
    for session_id in empty:
        try:
            with site.engine.begin() as connection:
                path = queries.delete_if_empty(connection, session_id)
        except (AlreadyThereError, *DATABASE_TROUBLE):
            continue  # other rows refer to it
        if path is not None:
            site.files.remove_empty_folders(path)
            report.sessions_removed += 1


def _remove_empty_folders(site: Site) -> None:
    """Remove session folders that were made just before a crash, so that no row came to name them."""
    with site.read_engine.begin() as connection:
        known = repairs.session_paths(connection)
    for project in site.files.list_folders(paths.PREARCHIVE):
        for timestamp in site.files.list_folders(f"{paths.PREARCHIVE}/{project}"):
            parent = f"{paths.PREARCHIVE}/{project}/{timestamp}"
            for folder in site.files.list_folders(parent):
                if f"{parent}/{folder}" not in known:
                    site.files.remove_hollow_folder(f"{parent}/{folder}")
            site.files.remove_empty_folders(parent)
        site.files.remove_empty_folders(f"{paths.PREARCHIVE}/{project}")


def _remove_ownerless_temporary(site: Site) -> None:
    """Remove temporary files whose process has not even a log any more."""
    names = site.files.temporary_names()
    # In this order: a process has its log before it has temporary files, also one that starts just now.
    names_now = set(site.files.temporary_names())
    owners = {match[1] for name in names if (match := _TEMPORARY_NAME.fullmatch(name))}
    for owner in owners:
        if log_name(owner) not in names_now:
            site.files.remove_temporary(owner)
