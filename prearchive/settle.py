"""A session is complete: after a quiet time, or because somebody says so (XNAT's build and rebuild).

RECEIVING -> BUILDING -> READY, or CONFLICT while the session holds two versions of an instance, or ERROR when
a file is missing or not what was stored. Nothing is run again and nothing identified again: the session gets
its types and its manifest. What arrives meanwhile waits in a session of its own and joins afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import structlog

from prearchive import busy, paths
from prearchive.db import queries, review, session_rows, upkeep
from prearchive.db.session_rows import EventRow
from prearchive.db.upkeep import InstancePlace, ScanKind
from prearchive.db.views import SessionRecord
from prearchive.errors import DamagedFileError, PrearchiveError, StateRefusedError
from prearchive.manifest import write_rows
from prearchive.modality import lead_modality, modality_label, scan_type, session_type
from prearchive.states import SessionEvent, SessionState, next_state
from prearchive.views import SessionRow, get_row

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

WHO = "prearc"  # in the history, for what happens by itself
ACTION = "build"  # in `work`, for recovery
DAMAGED_WARNING = "file-damaged"
_RENEW_EVERY = 200  # files between two renewals of the lease
_NAMED = 5  # damaged files that a text names

log = structlog.get_logger(__name__)


def close_quiet_sessions(site: Site, now: datetime) -> list[int]:
    """Close the sessions that have been quiet for long enough; returns those that were closed.

    A session that changes in the meantime, or meets trouble of the disk, is left for the next time; the
    others are closed all the same.
    """
    with site.read_engine.begin() as connection:
        candidates = upkeep.find_quiet_sessions(connection, now)
    closed = []
    for session_id in candidates:
        try:
            record = _begin(site, session_id, SessionEvent.WENT_QUIET, WHO, quiet_at=now)
            if record is not None:
                _build(site, record, WHO, [])
                closed.append(session_id)
        except StateRefusedError:
            continue  # a person was faster
        except PrearchiveError as error:
            log.warning("session_not_closed", session_id=session_id, reason=type(error).__name__)
    return closed


def rebuild_session(site: Site, session_id: int, who: str) -> SessionRow:
    """Close a session at once, after reading every file of it again.

    Raises:
        NotFoundError: no such session.
        StateRefusedError: its state does not allow it, or it waits to join another session.
        DamagedFileError: files are missing or changed; the session is in ERROR and its history says which.
    """
    record = _begin(site, session_id, SessionEvent.REBUILD, who)
    assert record is not None
    try:
        damaged = _find_damaged(site, record)
    except BaseException:
        undo_build(site, session_id)
        raise
    _build(site, record, who, damaged)
    if damaged:
        raise DamagedFileError(f"session {session_id} is in ERROR: {_told(damaged)}")
    return get_row(site, session_id)


def undo_build(site: Site, session_id: int) -> None:
    """Leave BUILDING, back to the state before: the work failed, or a crash broke it off."""
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        back_to = SessionState((record.work or {}).get("back_to", SessionState.RECEIVING))
        state = next_state(record.state, SessionEvent.RESTORED, back_to=back_to)
        busy.end(site, connection, record, record.state, state, who=WHO, action=upkeep.BUILD_FAILED)
    busy.log_change(session_id, record.state, state)
    _join(site, session_id)


def _begin(
    site: Site, session_id: int, event: SessionEvent, who: str, quiet_at: datetime | None = None
) -> SessionRecord | None:
    """Commit BUILDING; returns the session as it was before. None: something has arrived since `quiet_at`."""
    with site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        if record.waits_for_id is not None:
            raise StateRefusedError(
                f"session {session_id} waits to join session {record.waits_for_id}, which somebody works on"
            )
        if quiet_at is not None and not upkeep.is_quiet(
            record.last_received_at, record.quiet_seconds, quiet_at
        ):
            return None
        # Not left in the future by a clock that was put back: what is closed must count as closed since then.
        last = min(record.last_received_at, site.clock())
        building = busy.begin(
            site, connection, record, event, {"action": ACTION}, who=who, values={"last_received_at": last}
        )
    busy.log_change(session_id, record.state, building)
    return record


def _build(site: Site, record: SessionRecord, who: str, damaged: Sequence[str]) -> None:
    """Give a session that is BUILDING its types, its manifest and its new state."""
    try:
        with site.read_engine.begin() as connection:
            kinds = upkeep.kinds_of(connection, record.id)
            conflicting = upkeep.count_conflicting(connection, record.id)
        event, text = _result(kinds, conflicting, damaged)
        state = next_state(SessionState.BUILDING, event)
        values = _session_values(kinds)
        # The manifest first: a session that is READY has one.
        _write_manifest(site, record.id, {**values, "state": state}, who, event, text)
        with site.engine.begin() as connection:
            for scan_id, kind in _scan_values(kinds):
                upkeep.set_scan_kind(connection, scan_id, **kind)
            _note_damage(connection, site, record.id, damaged)
            busy.end(
                site, connection, record, SessionState.BUILDING, state,
                who=who, action=event.value, text=text, values=values,
            )  # fmt: skip
    except BaseException:
        undo_build(site, record.id)
        raise
    busy.log_change(record.id, SessionState.BUILDING, state)
    _join(site, record.id)


def _result(kinds: Sequence[ScanKind], conflicting: int, damaged: Sequence[str]) -> tuple[SessionEvent, str]:
    if damaged:
        return SessionEvent.FAILED, _told(damaged)
    if conflicting:
        return SessionEvent.CONFLICT_FOUND, f"{conflicting} instances are there in several versions"
    return SessionEvent.BUILT, f"{sum(kind.instances for kind in kinds)} instances"


def _session_values(kinds: Sequence[ScanKind]) -> dict[str, Any]:
    pairs = [(kind.sop_class_uid, kind.modality) for kind in kinds]
    return {
        "session_type": session_type(pairs) if pairs else None,
        "modality_label": modality_label(pairs) if pairs else None,
        "instance_count": sum(kind.instances for kind in kinds),
        "size_bytes": sum(kind.size_bytes for kind in kinds),
    }


def _scan_values(kinds: Sequence[ScanKind]) -> Iterable[tuple[int, dict[str, str]]]:
    for scan_id, group in groupby(kinds, key=lambda kind: kind.scan_id):
        pairs = [(kind.sop_class_uid, kind.modality) for kind in group]
        modalities = {modality for _, modality in pairs if modality}
        modality = modalities.pop() if len(modalities) == 1 else lead_modality(modalities)
        yield scan_id, {"scan_type": scan_type(pairs), "modality": modality}


def _write_manifest(
    site: Site, session_id: int, values: dict[str, Any], who: str, event: SessionEvent, text: str
) -> None:
    """Write the manifest as the rows will be after the commit."""
    with site.read_engine.begin() as connection:
        rows = session_rows.read_rows(connection, session_id)
        kinds = dict(_scan_values(upkeep.kinds_of(connection, session_id)))
        labels = upkeep.scan_labels(connection, session_id)
    if rows is None or not site.files.has_folder(rows.session["path"]):
        return
    now = site.clock()
    rows.session.update(values, modified_at=now)
    by_label = {labels[scan_id]: kind for scan_id, kind in kinds.items()}
    for scan in rows.scans:
        kind = by_label.get(scan.label)
        if kind is not None:
            scan.scan_type, scan.modality = kind["scan_type"], kind["modality"]
    rows.history.append(EventRow(now, who, event.value, SessionState.BUILDING, values["state"], text))
    write_rows(site.files, rows.session["path"], rows, None)


def _find_damaged(site: Site, record: SessionRecord) -> list[str]:
    """Read every file of a session; returns what is wrong with which, paths within the session."""
    with site.read_engine.begin() as connection:
        places = upkeep.instance_places(connection, record.id)
    damaged = []
    for number, place in enumerate(places, 1):
        problem = find_damage(site, record.path, place)
        if problem is not None:
            damaged.append(f"{place.scan_label}/{place.file_name} {problem}")
        if number % _RENEW_EVERY == 0:
            busy.renew(site, record.id, SessionState.BUILDING)
    return damaged


def find_damage(site: Site, session_path: str, place: InstancePlace) -> str | None:
    """Hold a stored file against its row: `is missing`, `has changed`, `cannot be read`, or None."""
    try:
        size_bytes, digest = site.files.digest_of(
            paths.instance_path(session_path, place.scan_label, place.file_name)
        )
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    except (OSError, ValueError):
        return "cannot be read"
    return None if (size_bytes, digest) == (place.size_bytes, place.digest) else "has changed"


def _note_damage(connection: Connection, site: Site, session_id: int, damaged: Sequence[str]) -> None:
    review.remove_warnings(connection, session_id, [DAMAGED_WARNING])
    if damaged:
        queries.add_warning(connection, session_id, DAMAGED_WARNING, _told(damaged), site.clock())


def _told(damaged: Sequence[str]) -> str:
    more = len(damaged) - _NAMED
    return "; ".join(damaged[:_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _join(site: Site, session_id: int) -> None:
    from prearchive.joining import join_waiting

    join_waiting(site, session_id)
