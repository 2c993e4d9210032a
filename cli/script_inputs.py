"""What the commands that run scripts on objects ask for: variables, tables, files, sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.archiving import count_of, progress_bar
from cli.context import Invocation
from cli.exits import ExitCode, SomeFailedError, UsageError, error_lines
from cli.output import complain
from cli.script_runs import find_inputs

if TYPE_CHECKING:
    from prearchive.references import Scope

Variables = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=TEXT", help="A variable of the script; repeatable.")
]
LookupFile = Annotated[Path | None, typer.Option("--lookup", metavar="FILE", help="The lookup table.")]
OfSession = Annotated[
    str | None, typer.Option("--session", metavar="REF", help="The files of this session of the prearchive.")
]
OfArchived = Annotated[
    str | None, typer.Option("--archived", metavar="REF", help="The files of this archived session.")
]


def ref_and_scope(session: str | None, archived: str | None) -> tuple[str, Scope]:
    """Return the session that is named, and where it is to be found."""
    if session is not None and archived is not None:
        raise UsageError("--session or --archived, not both")
    if session is not None:
        return session, "prearchive"
    assert archived is not None
    return archived, "archive"


def dicom_files(inputs: list[Path], invocation: Invocation, what: str) -> Iterator[Path]:
    """The files that are named, and those in folders that have the mark of DICOM, with a progress bar."""
    found, others = find_inputs(inputs)
    if others:
        complain(f"note: {count_of(others, 'file')} in the folders left out: no DICOM")
    advance: Callable[[int, int], None]
    with progress_bar(what, invocation) as advance:
        for done, path in enumerate(found):
            advance(done, len(found))
            yield path
        advance(len(found), len(found))


@contextmanager
def missing_variables_told() -> Iterator[None]:
    """Say how variables are given when some are missing."""
    import anon

    try:
        yield
    except anon.ScriptError as error:
        for line in error_lines(error):
            complain(line)
        if any(found.code == "missing-variable" for found in error.diagnostics):
            complain("give each a value, as --var NAME=TEXT")
        raise SomeFailedError(ExitCode.SCRIPT_ERROR) from None
