"""What can go wrong in the prearchive. `cli/exits.py` maps each class to an exit code.

Messages are for a person at a terminal: they may hold labels and stored UIDs, never another value of a data
set. They must not be logged.
"""

from __future__ import annotations

from collections.abc import Sequence


class PrearchiveError(Exception):
    """Base of all errors of the prearchive; the message says what is wrong and what to do."""


class ConfigurationProblemError(PrearchiveError):
    """The site cannot be used as configured: key missing, newer database, unwritable folder (exit 2)."""


class BadLabelError(PrearchiveError):
    """A label given by a person holds characters that XNAT does not allow (exit 2)."""


class ConfirmationNeededError(PrearchiveError):
    """The labels were not confirmed and nobody is there to ask (exit 2)."""


class NotFoundError(PrearchiveError):
    """No such session, project, scan or file (exit 4)."""


class AmbiguousReferenceError(PrearchiveError):
    """A reference names several sessions (exit 5)."""

    def __init__(self, message: str, candidates: Sequence[str]) -> None:
        super().__init__(message)
        self.candidates = list(candidates)


class StateRefusedError(PrearchiveError):
    """The session's state does not allow the action (exit 5)."""


class ArchiveConflictError(PrearchiveError):
    """Existing data or a check stood in the way of archiving (exit 5)."""


class ArchiveScriptError(PrearchiveError):
    """The project script failed on an instance; nothing was changed (exit 3)."""


class AllRejectedError(PrearchiveError):
    """The project script rejected every instance; nothing was archived (exit 6)."""


class DamagedFileError(PrearchiveError):
    """A stored file is missing, or its content is not what its row says (exit 1)."""


class StorageTroubleError(PrearchiveError):
    """Disk full, below the reserve, or the database is away: the sender should retry (0xA700, exit 1)."""
