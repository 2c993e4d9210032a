"""`prearc anon check`: the mistakes of scripts, and what they allow themselves and hardly mean."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import examples, get_invocation
from cli.drawing import say_drawn
from cli.exits import ExitCode, SomeFailedError, UsageError
from cli.output import print_document, safe_text, say
from cli.script_coverage import Profiles, gap_diagnostics, measure_coverage, tell_coverage
from cli.script_files import read_table_or_tell, script_paths
from cli.script_inputs import LookupFile
from prearchive.errors import NotFoundError

if TYPE_CHECKING:
    from anon import CheckReport
    from anon.errors import Diagnostic
    from anon.profile.coverage import Coverage


class Format(enum.StrEnum):
    """What the findings are printed as."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


class Purpose(enum.StrEnum):
    """What a script is for."""

    SITE = "site"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class _Checked:
    """A script that was checked."""

    path: Path
    text: str
    report: CheckReport
    coverage: Coverage | None = None  # only if a profile was asked for, and there are no mistakes

    @property
    def found(self) -> list[Diagnostic]:
        return self.report.diagnostics

    @property
    def for_programs(self) -> list[Diagnostic]:
        """All findings; people get those about the profile as a table."""
        return self.found + ([] if self.coverage is None else gap_diagnostics(self.coverage))

    def count(self, severity: str) -> int:
        return sum(each.severity == severity for each in self.found)


def register(app: typer.Typer) -> None:
    """Add the command to `prearc anon`."""
    app.command(
        "check",
        epilog=examples(
            "prearc anon check site/anon               (all scripts of the folder)",
            "prearc anon check my.das --for project --strict",
            "prearc anon check site/anon --format github",
            "prearc anon check my.das --profile basic --profile retain-dates-shifted",
        ),
    )(check)


def check(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Scripts, or folders with *.das files.")
    ],
    lookup: LookupFile = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="text, json, or github: annotations of a GitHub workflow."),
    ] = None,
    purpose: Annotated[
        Purpose | None,
        typer.Option("--for", help="What the scripts are for, where their place does not tell."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 when there is a warning.")] = False,
    profiles: Profiles = None,
) -> None:
    """Find mistakes in scripts. Also warns of what was hardly meant. Needs no site.

    Exit code 3 when there is a mistake. `prearc anon explain CODE` explains a finding; a comment
    `// prearc: allow CODE` in the script silences a warning.
    """
    import anon
    from anon.script_text import decode_script, readable_text

    invocation = get_invocation(context)
    if invocation.as_json and form not in (None, Format.JSON):
        raise UsageError(f"--json and --format {form} contradict each other")
    form = Format.JSON if invocation.as_json else form or Format.TEXT
    table = read_table_or_tell(lookup)
    checked: list[_Checked] = []
    for path in _paths(files):
        raw = path.read_bytes()
        try:
            text = decode_script(raw, str(path))
        except anon.ScriptError as error:
            report = anon.CheckReport(None, error.diagnostics)
            checked.append(_Checked(path, readable_text(raw), report, None))
            continue
        report = anon.check_script(
            text, str(path), purpose=None if purpose is None else purpose.value, lookup=table
        )
        has_errors = any(found.severity == "error" for found in report.diagnostics)
        coverage = measure_coverage(text, str(path), profiles, table) if profiles and not has_errors else None
        checked.append(_Checked(path, text, report, coverage))
    if form is Format.JSON:
        print_document([_row(each.path, found) for each in checked for found in each.for_programs])
    elif form is Format.GITHUB:
        for each in checked:
            for found in each.for_programs:
                say(_annotation(each.path, found))
    else:
        _print_text(checked)
        for each in checked:
            if each.coverage is not None:
                say()
                tell_coverage(each.coverage, str(each.path))
    if any(each.count("error") for each in checked):
        raise SomeFailedError(ExitCode.SCRIPT_ERROR)
    if strict and any(each.count("warning") or len(each.for_programs) > len(each.found) for each in checked):
        raise SomeFailedError(ExitCode.FAILED)


def _paths(files: list[Path]) -> list[Path]:
    found = script_paths(files)
    if not found:
        raise NotFoundError(f"there are no scripts (*.das) in {', '.join(map(str, files))}")
    return found


# -- text


def _print_text(checked: Sequence[_Checked]) -> None:
    for each in checked:
        if each.found:
            say_drawn(each.found, each.text, str(each.path))
            say()
        if not each.count("error"):
            but = f", {_counted(each.count('warning'), 'warning')}" if each.found else ""
            say(f"{safe_text(str(each.path), one_line=True)}: fine (DicomEdit {each.report.language}){but}")
    errors = sum(each.count("error") for each in checked)
    warnings = sum(each.count("warning") for each in checked)
    if len(checked) > 1 or errors:
        counted = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
        say(f"{_counted(len(checked), 'script')}: {counted}")
    if errors or warnings:
        say("`prearc anon explain CODE` explains what stands in brackets.")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# -- for programs


def _row(path: Path, found: Diagnostic) -> dict[str, Any]:
    return {
        "file": str(path),
        "severity": found.severity,
        "code": found.code,
        "message": found.message,
        "line": found.line,
        "column": found.column,
        "end_line": found.end_line,
        "end_column": found.end_column,
        "hint": found.hint,
    }


def _annotation(path: Path, found: Diagnostic) -> str:
    """A line that a GitHub workflow shows beside the script; its columns include the last one."""
    places = {"file": path.as_posix(), "line": str(found.line), "endLine": str(found.end_line)}
    if found.line == found.end_line:
        places["col"] = str(found.column)
        places["endColumn"] = str(max(found.column, found.end_column - 1))
    places["title"] = found.code
    written = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in places.items())
    message = f"{found.message} ({found.hint})" if found.hint else found.message
    return f"::{found.severity} {written}::{_escaped(message)}"


def _escaped(text: str, special: str = "") -> str:
    """A text as workflow commands want it: line ends and, in properties, colons and commas in per cent."""
    return "".join(f"%{ord(letter):02X}" if letter in f"%\r\n{special}" else letter for letter in text)
