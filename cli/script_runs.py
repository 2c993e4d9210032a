"""Running a script over files: which file goes where, and what became of each."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.exits import ExitCode, UsageError
from cli.unreadable import unreadable_text
from prearchive.errors import NotFoundError

if TYPE_CHECKING:
    from anon import Script

_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_STATUS_CODES = {
    "ok": ExitCode.DONE,
    "skipped": ExitCode.DONE,
    "unreadable": ExitCode.FAILED,
    "unwritable": ExitCode.FAILED,
    "failed": ExitCode.SCRIPT_ERROR,
    "rejected": ExitCode.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Target:
    """One file to work on, and where its result goes."""

    source: Path
    output: Path
    named: bool  # by the person, not found in a folder


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file."""

    path: Path
    output: Path | None
    status: str  # ok, rejected, failed (by the script), unreadable, unwritable, skipped (no DICOM file)
    message: str | None = None
    line: int | None = None
    column: int | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What this result alone would end the command with."""
        return _STATUS_CODES[self.status]

    @property
    def place_and_message(self) -> str:
        """The message with its place in the script."""
        place = f"line {self.line}:{self.column}: " if self.line else ""
        return place + (self.message or "")


def parse_variables(texts: Sequence[str]) -> dict[str, str]:
    """Read `NAME=TEXT` options.

    Raises:
        UsageError: one has no `=`, or its name is none.
    """
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not _VARIABLE.fullmatch(name):
            raise UsageError(f"--var {text!r}: write NAME=TEXT, for example project=P4")
        values[name] = value
    return values


def missing_names(script: Script, variables: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that a script needs and nobody gave."""
    given = {name.lower() for name in variables}
    return [name for name in script.variables if name.lower() not in given]


def plan_targets(inputs: Sequence[Path], output: Path) -> list[Target]:
    """Decide where each result goes: folders keep their inner structure, files their names.

    Raises:
        FileNotFoundError: an input is not there.
        UsageError: a result would overwrite something, or land inside an input folder.
    """
    resolved_output = output.resolve()
    targets: list[Target] = []
    for given in inputs:
        if not given.exists():
            raise FileNotFoundError(2, "there is no such file", str(given))
        if given.is_dir():
            if resolved_output.is_relative_to(given.resolve()):
                raise UsageError(f"--output {output} is inside {given}; results must not mix with originals")
            targets += [Target(path, output / path.relative_to(given), False) for path in _files_below(given)]
        else:
            targets.append(Target(given, output / given.name, True))
    if not targets:
        raise nothing_in(inputs)
    taken: dict[Path, Path] = {}
    for target in targets:
        other = taken.setdefault(target.output, target.source)
        if other is not target.source:
            raise UsageError(f"{other} and {target.source} would both become {target.output}")
        if target.output.exists() or target.output.is_symlink():
            raise UsageError(f"{target.output} exists already; nothing is overwritten")
    return targets


def find_inputs(inputs: Sequence[Path]) -> tuple[list[Path], int]:
    """The files that are named, and those in the named folders that have the mark of DICOM.

    Returns:
        The files, and how many others lie in the folders.

    Raises:
        FileNotFoundError: an input is not there.
        NotFoundError: there is no file at all with the mark of DICOM.
    """
    found: list[Path] = []
    others = 0
    for given in inputs:
        if not given.exists():
            raise FileNotFoundError(2, "there is no such file", str(given))
        if not given.is_dir():
            found.append(given)
            continue
        below = _files_below(given)
        marked = [path for path in below if _is_part10(path)]
        found += marked
        others += len(below) - len(marked)
    if not found:
        raise nothing_in(inputs)
    return found, others


def nothing_in(inputs: Sequence[Path]) -> NotFoundError:
    """Return what to say when there is nothing to work on."""
    return NotFoundError(f"there are no DICOM files in {', '.join(map(str, inputs))}")


def _files_below(folder: Path) -> list[Path]:
    """All files, and the folders that cannot be looked into: who reads these tells why."""
    found: list[Path] = []
    walk = os.walk(folder, onerror=lambda error: found.append(Path(error.filename)))
    for inner, _, names in walk:
        found += filter(_may_be_file, (Path(inner, name) for name in names))
    return sorted(found)


def _may_be_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True  # it cannot be looked at: that is a failure worth telling, not a file to skip


def run_on_file(script: Script, target: Target, variables: Mapping[str, str]) -> FileResult:
    """Apply the script to one file; a failure leaves no output and is told in the result."""
    import anon
    from anon.encoding.elements import DataSetError

    if not target.named and not _is_part10(target.source):
        return FileResult(target.source, None, "skipped", "not a DICOM file")
    try:
        target.output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        report: Any = anon.apply_to_file(script, target.source, target.output, variables)
    except anon.ScriptError as error:
        first = error.diagnostics[0]
        return FileResult(
            target.source, None, "failed", f"{first.code}: {first.message}", first.line, first.column
        )
    except DataSetError as error:
        return FileResult(target.source, None, "unreadable", unreadable_text(error))
    except OSError as error:
        if error.filename is not None and str(error.filename) == str(target.source):
            return FileResult(target.source, None, "unreadable", unreadable_text(error))
        where = target.output.parent  # the file itself has a temporary name while it is written
        return FileResult(target.source, None, "unwritable", f"{where}: {unreadable_text(error)}")
    message = "; ".join(report.messages) or None
    if report.status == "rejected":
        return FileResult(target.source, None, "rejected", message)
    return FileResult(target.source, target.output, report.status, message)


def _is_part10(path: Path) -> bool:
    """Tell whether a file has the mark of PS3.10 section 7.1."""
    try:
        with path.open("rb") as source:
            return source.read(132)[128:] == b"DICM"
    except OSError:
        return True  # it cannot be read: that is a failure worth telling, not a file to skip
