"""The states of a session and every allowed step between them: a table, tested cell by cell.

Names are XNAT's (SPEC of the prearchive, statuses); which action is allowed where follows XNAT's table of
allowed actions. The database repeats each step as a guard: `UPDATE ... WHERE state = :old`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from prearchive.errors import StateRefusedError


class SessionState(StrEnum):
    """Where a session is in its life."""

    RECEIVING = "RECEIVING"
    READY = "READY"
    CONFLICT = "CONFLICT"
    ERROR = "ERROR"
    BUILDING = "BUILDING"
    ARCHIVING = "ARCHIVING"
    MOVING = "MOVING"
    DELETING = "DELETING"
    ARCHIVED = "ARCHIVED"
    DELETED = "DELETED"


class SessionEvent(StrEnum):
    """What happens to a session."""

    INSTANCE_STORED = "instance_stored"
    WENT_QUIET = "went_quiet"
    REBUILD = "rebuild"
    BUILT = "built"
    LABEL = "label"
    MOVE = "move"
    MOVED = "moved"
    ARCHIVE_REQUESTED = "archive_requested"
    ARCHIVED = "archived"
    CONFLICT_FOUND = "conflict_found"
    FAILED = "failed"
    DELETE = "delete"
    DELETED = "deleted"
    RESTORED = "restored"


_S = SessionState
_E = SessionEvent

#: Every step that is allowed; whatever is not here is refused.
#:
#: `archive_requested` in CONFLICT is for a reviewed archive that says what to do with existing data; the
#: archive step itself refuses a plain one there. `restored` also undoes an operation that a crash broke off;
#: it leads back to the state before, which the caller knows (`back_to`), else to READY.
TRANSITIONS: Final[Mapping[tuple[SessionState, SessionEvent], SessionState]] = {
    (_S.RECEIVING, _E.INSTANCE_STORED): _S.RECEIVING,
    (_S.RECEIVING, _E.CONFLICT_FOUND): _S.CONFLICT,
    (_S.RECEIVING, _E.WENT_QUIET): _S.BUILDING,
    (_S.RECEIVING, _E.REBUILD): _S.BUILDING,
    (_S.RECEIVING, _E.DELETE): _S.DELETING,
    (_S.READY, _E.INSTANCE_STORED): _S.RECEIVING,
    (_S.READY, _E.CONFLICT_FOUND): _S.CONFLICT,
    (_S.READY, _E.REBUILD): _S.BUILDING,
    (_S.READY, _E.LABEL): _S.READY,
    (_S.READY, _E.MOVE): _S.MOVING,
    (_S.READY, _E.ARCHIVE_REQUESTED): _S.ARCHIVING,
    (_S.READY, _E.DELETE): _S.DELETING,
    (_S.CONFLICT, _E.INSTANCE_STORED): _S.RECEIVING,
    (_S.CONFLICT, _E.CONFLICT_FOUND): _S.CONFLICT,
    (_S.CONFLICT, _E.WENT_QUIET): _S.BUILDING,
    (_S.CONFLICT, _E.REBUILD): _S.BUILDING,
    (_S.CONFLICT, _E.LABEL): _S.CONFLICT,
    (_S.CONFLICT, _E.ARCHIVE_REQUESTED): _S.ARCHIVING,
    (_S.CONFLICT, _E.DELETE): _S.DELETING,
    (_S.ERROR, _E.INSTANCE_STORED): _S.RECEIVING,
    (_S.ERROR, _E.CONFLICT_FOUND): _S.CONFLICT,
    (_S.ERROR, _E.REBUILD): _S.BUILDING,
    (_S.ERROR, _E.DELETE): _S.DELETING,
    (_S.BUILDING, _E.BUILT): _S.READY,
    (_S.BUILDING, _E.CONFLICT_FOUND): _S.CONFLICT,
    (_S.BUILDING, _E.FAILED): _S.ERROR,
    (_S.BUILDING, _E.RESTORED): _S.READY,
    (_S.ARCHIVING, _E.ARCHIVED): _S.ARCHIVED,
    (_S.ARCHIVING, _E.CONFLICT_FOUND): _S.CONFLICT,
    (_S.ARCHIVING, _E.FAILED): _S.ERROR,
    (_S.ARCHIVING, _E.RESTORED): _S.READY,
    (_S.ARCHIVING, _E.DELETED): _S.DELETED,  # its files are in an archived session now
    (_S.MOVING, _E.MOVED): _S.READY,
    (_S.MOVING, _E.FAILED): _S.ERROR,
    (_S.MOVING, _E.RESTORED): _S.READY,
    (_S.DELETING, _E.DELETED): _S.DELETED,
    (_S.DELETING, _E.FAILED): _S.ERROR,
    (_S.DELETING, _E.RESTORED): _S.READY,
    (_S.DELETED, _E.RESTORED): _S.READY,
}

#: Somebody works on the session: it carries a lease and takes no instances.
BUSY_STATES: Final = frozenset({_S.BUILDING, _S.ARCHIVING, _S.MOVING, _S.DELETING})
#: States that an undone operation, or a restored session, may go back to.
RESTING_STATES: Final = frozenset({_S.RECEIVING, _S.READY, _S.CONFLICT, _S.ERROR})

_WANTED: Final[Mapping[SessionEvent, str]] = {
    _E.INSTANCE_STORED: "take an instance",
    _E.WENT_QUIET: "be closed",
    _E.REBUILD: "be rebuilt",
    _E.BUILT: "become READY",
    _E.LABEL: "be labelled",
    _E.MOVE: "be moved",
    _E.MOVED: "end a move",
    _E.ARCHIVE_REQUESTED: "be archived",
    _E.ARCHIVED: "end an archive step",
    _E.CONFLICT_FOUND: "go into CONFLICT",
    _E.FAILED: "fail",
    _E.DELETE: "be deleted",
    _E.DELETED: "end a delete",
    _E.RESTORED: "be restored",
}
_BUSY_ADVICE = "wait until that has ended; after a crash the next start of `prearc serve` finishes it"
_ADVICE: Final[Mapping[SessionState, str]] = {
    _S.RECEIVING: "wait until it has been quiet for a while, or close it with `prearc rebuild`",
    _S.READY: "see `prearc show` for its history",
    _S.CONFLICT: "see `prearc show`; review it and archive with --overwrite, rebuild or delete it",
    _S.ERROR: "see `prearc show` for the reason, then `prearc rebuild` or `prearc delete` it",
    _S.BUILDING: _BUSY_ADVICE,
    _S.ARCHIVING: _BUSY_ADVICE,
    _S.MOVING: _BUSY_ADVICE,
    _S.DELETING: _BUSY_ADVICE,
    _S.ARCHIVED: "it is in the archive already",
    _S.DELETED: "bring it back with `prearc restore`",
}


def next_state(
    state: SessionState, event: SessionEvent, *, back_to: SessionState | None = None
) -> SessionState:
    """Return the state that follows.

    Args:
        state: where the session is.
        event: what happens to it.
        back_to: for `restored`: the state before the operation that is undone.

    Raises:
        StateRefusedError: the state does not allow the event.
    """
    target = TRANSITIONS.get((state, event))
    if target is None:
        raise StateRefusedError(f"a session that is {state.value} cannot {_WANTED[event]}: {_ADVICE[state]}")
    if event is _E.RESTORED and back_to is not None:
        if back_to not in RESTING_STATES:
            raise StateRefusedError(f"a session cannot be put back to {back_to.value}")
        return back_to
    return target
