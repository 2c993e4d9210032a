from __future__ import annotations

import errno
import os

import pytest

from anon.errors import Diagnostic, ScriptError
from cli.exits import ExitCode, SomeFailedError, UsageError, error_lines, exit_code
from config.errors import ConfigError, SiteExistsError, UnknownProjectError
from prearchive import errors
from receiver.errors import CannotConnectError, CannotListenError, TlsConfigurationError

SCRIPT_ERROR = ScriptError([Diagnostic("bad-date", "no date", 3, 1, 3, 5)], "site.das")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (ConfigError("x"), 2),
        (SiteExistsError("x"), 2),
        (CannotListenError("x"), 2),
        (TlsConfigurationError("x"), 2),
        (errors.ConfigurationProblemError("x"), 2),
        (errors.BadLabelError("x"), 2),
        (errors.ConfirmationNeededError("x"), 2),
        (SCRIPT_ERROR, 3),
        (errors.ArchiveScriptError("x"), 3),
        (errors.NotFoundError("x"), 4),
        (UnknownProjectError("x"), 4),
        (FileNotFoundError(2, "x"), 4),
        (errors.AmbiguousReferenceError("x", []), 5),
        (errors.StateRefusedError("x"), 5),
        (errors.ArchiveConflictError("x"), 5),
        (errors.AllRejectedError("x"), 6),
        (errors.StorageTroubleError("x"), 1),
        (CannotConnectError("x"), 1),
        (PermissionError(13, "x"), 1),
        (ValueError("x"), 1),
        (SomeFailedError(ExitCode.REJECTED), 6),
    ],
)
def test_every_class_of_error_has_its_exit_code(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def test_every_error_of_the_prearchive_is_told_with_its_own_words() -> None:
    for name, error_class in vars(errors).items():
        if isinstance(error_class, type) and issubclass(error_class, errors.PrearchiveError):
            if error_class is errors.AmbiguousReferenceError:
                continue
            assert error_lines(error_class("the words")) == ["the words"], name


def test_candidates_are_listed_below_an_ambiguous_reference() -> None:
    error = errors.AmbiguousReferenceError("two sessions", ["1  A", "2  B"])
    assert error_lines(error) == ["two sessions", "  1  A", "  2  B"]


def test_what_was_told_already_is_not_told_again() -> None:
    assert error_lines(SomeFailedError(ExitCode.FAILED)) == []


def test_script_errors_are_told_with_their_place() -> None:
    assert error_lines(SCRIPT_ERROR) == ["site.das:3:1: no date [bad-date]"]


def test_system_errors_name_the_file() -> None:
    assert error_lines(FileNotFoundError(2, "No such file", "a.dcm")) == ["a.dcm: No such file"]
    assert error_lines(OSError(28, "No space")) == ["No space"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOENT, "there is no such file"),
        (errno.EISDIR, "it is a folder, not a file"),
        (errno.EACCES, "you have no permission for it"),
        (errno.ELOOP, os.strerror(errno.ELOOP)),
    ],
)
def test_what_the_system_says_is_put_into_plain_words(number: int, words: str) -> None:
    assert error_lines(OSError(number, os.strerror(number), "a.dcm")) == [f"a.dcm: {words}"]


def test_the_words_of_an_unforeseen_error_are_not_repeated() -> None:
    try:
        raise ValueError("Doe^John")
    except ValueError as error:
        (line,) = error_lines(error)
    assert line.startswith("unexpected ValueError at test_exits.py:")
    assert "Doe" not in line
    assert error_lines(KeyError("Doe^John")) == ["unexpected KeyError"]
