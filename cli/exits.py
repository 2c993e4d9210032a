"""Exit codes, and which error gives which one."""

from __future__ import annotations

import enum
import traceback
from pathlib import Path

from cli.unreadable import system_text
from config.errors import ConfigError, UnknownProjectError
from prearchive import errors as prearchive_errors
from receiver.errors import CannotListenError, ReceiverError, TlsConfigurationError


class ExitCode(enum.IntEnum):
    """What `prearc` ends with. A batch ends with the highest."""

    DONE = 0
    FAILED = 1  # also `check` with findings
    USAGE = 2  # usage or configuration
    SCRIPT_ERROR = 3  # also at run time
    NOT_FOUND = 4  # session, project, file
    REFUSED = 5  # by state, or a conflict
    REJECTED = 6  # by a script


class UsageError(Exception):
    """The command line makes no sense, or asks for something that needs a terminal (exit 2)."""


class SomeFailedError(Exception):
    """Part of the work failed; each failure was told already (its own exit code)."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__("")
        self.code = code


_CODES: tuple[tuple[type[Exception], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (ConfigError, ExitCode.USAGE),
    (CannotListenError, ExitCode.USAGE),
    (TlsConfigurationError, ExitCode.USAGE),
    (prearchive_errors.ConfigurationProblemError, ExitCode.USAGE),
    (prearchive_errors.BadLabelError, ExitCode.USAGE),
    (prearchive_errors.ConfirmationNeededError, ExitCode.USAGE),
    (prearchive_errors.ArchiveScriptError, ExitCode.SCRIPT_ERROR),
    (UnknownProjectError, ExitCode.NOT_FOUND),
    (prearchive_errors.NotFoundError, ExitCode.NOT_FOUND),
    (FileNotFoundError, ExitCode.NOT_FOUND),
    (prearchive_errors.AmbiguousReferenceError, ExitCode.REFUSED),
    (prearchive_errors.StateRefusedError, ExitCode.REFUSED),
    (prearchive_errors.ArchiveConflictError, ExitCode.REFUSED),
    (prearchive_errors.AllRejectedError, ExitCode.REJECTED),
)

_TOLD_AS_THEY_ARE = (
    UsageError,
    ConfigError,
    UnknownProjectError,
    ReceiverError,
    prearchive_errors.PrearchiveError,
)


def exit_code(error: Exception) -> ExitCode:
    """Return the exit code that `error` leads to."""
    if isinstance(error, SomeFailedError):
        return error.code
    for error_class, code in _CODES:
        if isinstance(error, error_class):
            return code
    return ExitCode.SCRIPT_ERROR if is_script_error(error) else ExitCode.FAILED


def is_script_error(error: Exception) -> bool:
    """Tell whether `error` is an `anon.ScriptError`, without importing the engine for nothing."""
    return any(
        base.__name__ == "ScriptError" and base.__module__.partition(".")[0] == "anon"
        for base in type(error).__mro__
    )


def error_lines(error: Exception) -> list[str]:
    """Return what a person at the terminal reads about `error`; never a value of a data set."""
    if isinstance(error, SomeFailedError):
        return []
    if is_script_error(error):
        name = getattr(error, "name", "script")
        return [
            f"{name}:{found.line}:{found.column}: {found.message} [{found.code}]"
            for found in getattr(error, "diagnostics", ())
        ]
    if isinstance(error, prearchive_errors.AmbiguousReferenceError):
        return [str(error), *(f"  {candidate}" for candidate in error.candidates)]
    if isinstance(error, OSError) and error.strerror:
        return [f"{error.filename}: {system_text(error)}" if error.filename else system_text(error)]
    if isinstance(error, _TOLD_AS_THEY_ARE):
        return str(error).splitlines()
    # Not foreseen: its text may hold anything, so only its class and the place are told.
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" at {Path(place[0].filename).name}:{place[0].lineno}" if place else ""
    return [f"unexpected {type(error).__name__}{where}"]
