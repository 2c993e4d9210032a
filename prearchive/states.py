"""The states of a session and every allowed step between them: a table, tested cell by cell.

Names are XNAT's (SPEC of the prearchive, statuses); which action is allowed where follows XNAT's table of
allowed actions. The database repeats each step as a guard: `UPDATE ... WHERE state = :old`.
"""

from __future__ import annotations

from enum import StrEnum


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
