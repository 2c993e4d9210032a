"""What arrived while a session was busy joins it afterwards.

Nothing enters a folder that is being built, moved, archived or deleted: instances of that study wait in a
session of their own. When the work has ended and the session is in the prearchive still, they move over, one
by one and like an arriving instance: a second name for the file (a hard link), then the rows, then the first
name goes. When the session was archived or deleted, the one that waited stays a session of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog

from prearchive import paths
from prearchive.db import queries, repairs
from prearchive.db.engine import DATABASE_TROUBLE, AlreadyThereError
from prearchive.db.queries import KnownSession
from prearchive.db.repairs import CarriedInstance, Place
from prearchive.errors import PrearchiveError
from prearchive.placement import Claim, disagreements
from prearchive.shelving import count_arrival
from prearchive.site import NO_LEASE
from prearchive.states import SessionState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

ACTION = "join"  # in `work`, for recovery
WHO = "prearc"  # in the history, for what happens by itself
_MOST_HOPS = 10  # from a session to the one it was merged into

log = structlog.get_logger(__name__)


class _TargetBusyError(Exception):
    """Somebody began to work on the session that is joined: the rest waits on."""


def join_waiting(site: Site, session_id: int) -> None:
    """Let the sessions that waited for this one join it, if it is not busy any more.

    Trouble is logged and left for the next time: the work that made them wait has succeeded.
    """
    with site.read_engine.begin() as connection:
        waiting = [waiter for waiter, target in queries.waiting_sessions(connection) if target == session_id]
    _settle_all(site, waiting)


def join_all_waiting(site: Site) -> None:
    """Let every session join that waits for no good reason any more (a timer in `serve` does this)."""
    with site.read_engine.begin() as connection:
        waiting = [waiter for waiter, _ in queries.waiting_sessions(connection)]
    _settle_all(site, waiting)


def put_back(site: Site, session_id: int) -> None:
    """After a crash: a session that was joining waits again. What has moved over already stays there."""
    with site.engine.begin() as connection:
        _wait_on(connection, session_id)


def _settle_all(site: Site, waiting: Iterable[int]) -> None:
    for waiter_id in waiting:
        try:
            _settle(site, waiter_id)
        except (PrearchiveError, OSError, AlreadyThereError, *DATABASE_TROUBLE) as error:
            log.warning("session_not_joined", session_id=waiter_id, reason=type(error).__name__)


def _settle(site: Site, waiter_id: int) -> None:
    """Join, release or leave alone one session that waits."""
    with site.engine.begin() as connection:
        waiter = queries.find_session(connection, waiter_id, for_update=True)
        if waiter is None or not waiter.is_open or waiter.waits_for_id is None:
            return  # somebody else is at it
        target = _find_target(connection, waiter)
        if target is not None and target.state in queries.BUSY_STATES:
            return
        if target is None:
            target = _release(site, connection, waiter)
            if target is None:
                return
        # Not one of the steps that others may ask for, hence not in the table of states.
        queries.change_state(
            connection,
            waiter.id,
            queries.OPEN_STATES,
            SessionState.MOVING,
            open_key=None,
            waits_for_id=target.id,
            work={"action": ACTION, "target_id": target.id, "back_to": SessionState.RECEIVING.value},
            **site.new_lease(),
        )
    try:
        _join(site, waiter, target)
    except _TargetBusyError:
        put_back(site, waiter_id)
    except BaseException:
        put_back(site, waiter_id)
        raise


def _find_target(connection: Connection, waiter: KnownSession) -> KnownSession | None:
    """The session that is waited for, or the one it was merged into; None when it left the prearchive."""
    target_id = waiter.waits_for_id
    for _ in range(_MOST_HOPS):
        if target_id is None:
            return None
        target = queries.find_session(connection, target_id, for_update=True)
        if target is None or target.id == waiter.id:
            return None
        if target.is_open or target.state in queries.BUSY_STATES:
            return target
        if target.state is not SessionState.DELETED:
            return None
        target_id = repairs.find_merged_into(connection, target_id)
    return None


def _release(site: Site, connection: Connection, waiter: KnownSession) -> KnownSession | None:
    """Make a session that waited one of its own; return the open session that has its place, if any."""
    key = _key(repairs.place_of(connection, waiter.id)._replace(waits_for_id=None))
    holder_id = repairs.find_holder(connection, key)
    if holder_id is not None:
        return queries.find_session(connection, holder_id, for_update=True)
    queries.change_state(
        connection, waiter.id, queries.OPEN_STATES, waiter.state, open_key=key, waits_for_id=None
    )
    queries.add_event(
        connection,
        waiter.id,
        at=site.clock(),
        who=WHO,
        action="released",
        text=f"session {waiter.waits_for_id} left the prearchive; this stays a session of its own",
    )
    return None


def _wait_on(connection: Connection, waiter_id: int) -> None:
    key = _key(repairs.place_of(connection, waiter_id))
    # More may have arrived meanwhile, in another session that waits.
    is_taken = repairs.find_holder(connection, key) is not None
    queries.change_state(
        connection,
        waiter_id,
        [SessionState.MOVING],
        SessionState.RECEIVING,
        open_key=None if is_taken else key,
        **NO_LEASE,
    )


def _key(place: Place) -> str:
    return queries.open_key(
        place.project, place.study_key, anonymize=place.anonymize, waits_for_id=place.waits_for_id
    )


def _join(site: Site, waiter: KnownSession, target: KnownSession) -> None:
    with site.read_engine.begin() as connection:
        carried = repairs.instances_to_carry(connection, waiter.id)
    for instance in carried:
        _carry(site, waiter, target.id, instance)
    with site.engine.begin() as connection:
        now = site.clock()
        repairs.copy_remarks(connection, waiter.id, target.id)
        queries.change_state(
            connection,
            waiter.id,
            [SessionState.MOVING],
            SessionState.DELETED,
            merged_into_id=target.id,
            waits_for_id=None,
            instance_count=0,
            size_bytes=0,
            modified_at=now,
            **NO_LEASE,
        )
        queries.add_event(
            connection,
            waiter.id,
            at=now,
            who=WHO,
            action="joined",
            from_state=SessionState.MOVING,
            to_state=SessionState.DELETED,
            text=f"into session {target.id}",
        )
        queries.add_event(
            connection,
            target.id,
            at=now,
            who=WHO,
            action="joined",
            text=f"{len(carried)} instances that arrived meanwhile",
        )
    log.info("session_joined", session_id=target.id, reason=f"session {waiter.id}")
    site.files.remove_folder(waiter.path)


def _carry(site: Site, waiter: KnownSession, target_id: int, instance: CarriedInstance) -> None:
    """Move one instance over. Its row names a file at every moment."""
    with site.engine.begin() as connection:
        target = _require_open(connection, target_id)
        scan = queries.find_scan(connection, target_id, instance.scan.series_key)
        if scan is None:
            scan = queries.add_scan(
                connection,
                target_id,
                label=instance.scan.label,
                suffix=instance.scan.modality or "OT",
                series_key=instance.scan.series_key,
                series_uid=instance.scan.series_uid,
                modality=instance.scan.modality,
                scan_type=instance.scan.scan_type,
            )
    source = paths.instance_path(waiter.path, instance.scan.label, instance.file_name)
    folder = paths.scan_folder(target.path, scan.label)
    with site.files.link(source, folder, instance.file_name) as linked:
        is_committing = False
        try:
            with site.engine.begin() as connection:
                found = queries.lock_session(connection, target_id, instance.received_sop_key)
                if found is None or not found[0].is_open or found[0].path != target.path:
                    raise _TargetBusyError
                is_new = _rebook(site, connection, waiter, *found, instance, scan.id, linked.file_name)
                is_committing = True
        except BaseException:
            if is_committing:
                linked.leave_in_doubt()
            raise
        if is_new:
            linked.keep()
    site.files.remove_file(source)


def _require_open(connection: Connection, target_id: int) -> KnownSession:
    target = queries.find_session(connection, target_id, for_update=True)
    if target is None or not target.is_open:
        raise _TargetBusyError
    return target


def _rebook(
    site: Site,
    connection: Connection,
    waiter: KnownSession,
    target: KnownSession,
    copies: list[str],
    instance: CarriedInstance,
    scan_id: int,
    file_name: str,
) -> bool:
    """Give an instance's row to the session that is joined; False: it has this instance already."""
    now = site.clock()
    if instance.received_digest in copies:
        repairs.turn_into_duplicate(connection, instance.id, session_id=target.id, at=now)
        return False
    repairs.rebook_instance(
        connection, instance.id, session_id=target.id, scan_id=scan_id, file_name=file_name
    )
    claim = Claim(
        waiter.project,
        waiter.subject,
        waiter.subject_source,
        waiter.label,
        waiter.label_source,
        waiter.study_uid,
    )
    count_arrival(
        connection,
        target,
        dict(disagreements(target, claim)),
        is_other_version=bool(copies),
        size_bytes=instance.size_bytes,
        now=now,
        who=WHO,
    )
    return True
