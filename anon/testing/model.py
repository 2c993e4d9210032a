"""What a file of tests says, as data, and what comes out when it is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from anon.errors import Diagnostic
from anon.lookup import LookupTable
from anon.tagpath import TagPath

if TYPE_CHECKING:
    from anon.testing.registry import Verb

SUFFIX: Final = ".tests.toml"  # of the file beside NAME.das: NAME.tests.toml
SCRIPT_SUFFIX: Final = ".das"

Status = Literal["passed", "failed", "error"]


class FormatError(Exception):
    """A file of tests is not written as it should be.

    Attributes:
        diagnostics: all mistakes found, in the order of the file.
        name: of the file.
        text: of the file, to draw the mistakes in.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], name: str, text: str) -> None:
        self.diagnostics = sorted(diagnostics, key=lambda found: (found.line, found.column))
        self.name = name
        self.text = text
        super().__init__(f"{name}: {len(self.diagnostics)} mistakes")


class InputError(Exception):
    """An input of a test cannot be made: a file is missing or no DICOM, or a value does not fit."""


@dataclass(frozen=True, slots=True)
class Target:
    """The element, or the elements, that a test is about.

    Attributes:
        path: which; with wildcards it may mean several.
        keyword: of the last tag, "" for private and unknown ones.
    """

    path: TagPath
    keyword: str

    @property
    def name(self) -> str:
        """For sentences."""
        return full_name(self.path.text, self.keyword)


@dataclass(frozen=True, slots=True)
class TagValue:
    """An element that an input is given.

    Attributes:
        target: which, a single one.
        value: as text, several values joined by backslashes; bytes were written in hexadecimal; None is a
            sequence without items.
        vr: None to take the usual one.
    """

    target: Target
    value: str | bytes | None
    vr: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """An object that a test gives to the script.

    Attributes:
        file: a DICOM file to start from, None to start with nothing.
        tags: elements to add or to replace.
        without: elements to take away.
        transfer_syntax_uid: of an object made of tags alone.
        variables: that this input is archived with, all together.
    """

    file: Path | None
    tags: tuple[TagValue, ...]
    without: tuple[Target, ...]
    transfer_syntax_uid: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must be true of the result.

    Attributes:
        verb: what is expected.
        target: of which element; None where the verb is about the whole object or takes several at once.
        wanted: what else the verb needs to know, in the form that the verb defines.
        line: in the file of tests.
    """

    verb: Verb
    target: Target | None
    wanted: Any
    line: int


@dataclass(frozen=True, slots=True)
class ScriptTest:
    """A test: inputs, and what is expected of what the script makes of them."""

    name: str
    inputs: tuple[Input, ...]
    expectations: tuple[Expectation, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of tests.

    Attributes:
        name: of the file, for messages.
        tests: in the order of the file.
        lookup: the lookup table that the script runs with, if any.
    """

    name: str
    tests: tuple[ScriptTest, ...]
    lookup: LookupTable | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the script that had to do with a result."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What became of one expectation on one element.

    Attributes:
        status: "error" when there was nothing to judge: a mistake of the test, not of the script.
        verb: None when the script did not get far enough for any.
        path: of the element; None for the whole object.
        expected: in words or as a value.
        found: the same, of what came out.
        message: why, in a sentence; "" when it passed.
        statements: those that changed the element, where the check failed.
    """

    status: Status
    verb: str | None
    path: str | None
    expected: str | None
    found: str | None
    message: str
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a test.

    Attributes:
        name: of the test.
        line: of the test in its file.
        checks: one or more for each expectation.
    """

    name: str
    line: int
    checks: tuple[CheckResult, ...]

    @property
    def status(self) -> Status:
        """The worst of all checks."""
        found = {check.status for check in self.checks}
        return "error" if "error" in found else "failed" if "failed" in found else "passed"


def full_name(path: str, keyword: str) -> str:
    """An element for sentences: its keyword, if it has one, and its path."""
    return f"{keyword} {path}".lstrip()


def tests_path_of(script_path: Path) -> Path:
    """Where the tests of a script are: beside it."""
    return script_path.with_name(f"{script_path.name.removesuffix(SCRIPT_SUFFIX)}{SUFFIX}")


def script_path_of(tests_path: Path) -> Path:
    """Which script a file of tests is for."""
    return tests_path.with_name(f"{tests_path.name.removesuffix(SUFFIX)}{SCRIPT_SUFFIX}")
