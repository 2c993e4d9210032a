"""`prearc anon diff`: what a script would change; with it come `trace` and `values`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.archiving import count_of, progress_bar
from cli.context import Invocation, examples, get_invocation, opened_site
from cli.differences import print_changes
from cli.exits import ExitCode, SomeFailedError, UsageError
from cli.output import complain, print_document, say
from cli.script_files import compile_or_tell, site_table_path
from cli.script_inputs import (
    LookupFile,
    OfArchived,
    OfSession,
    Variables,
    dicom_files,
    missing_variables_told,
    ref_and_scope,
)
from cli.script_runs import parse_variables
from cli.script_trace import trace
from cli.script_values import values
from cli.unreadable import unreadable_text

if TYPE_CHECKING:
    from anon import Script
    from anon.comparison import Change
    from prearchive.trials import SessionTrial

Outcome = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the commands to `prearc anon`."""
    app.command(
        "diff",
        epilog=examples(
            "prearc anon diff p4.das scans/ --var project=P4 --var subject=S1",
            "prearc anon diff --session 7              (the project's script)",
            "prearc anon diff new.das --session 7",
        ),
    )(diff)
    app.command("trace", epilog=examples("prearc anon trace p4.das scan.dcm --var project=P4"))(trace)
    app.command(
        "values",
        epilog=examples("prearc anon values --session 7 --free-text", "prearc anon values clean/"),
    )(values)


def diff(
    context: typer.Context,
    words: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SCRIPT INPUT", help="A script, then DICOM files and folders."),
    ] = None,
    session: OfSession = None,
    archived: OfArchived = None,
    variables: Variables = None,
    lookup: LookupFile = None,
) -> None:
    """Show what a script would change, and write nothing.

    With --session the variables come from the session's labels, and without SCRIPT its project's script is
    taken.
    """
    invocation = get_invocation(context)
    given = parse_variables(variables or [])
    script_path, inputs = (words[0], words[1:]) if words else (None, [])
    is_of_session = session is not None or archived is not None
    if is_of_session == bool(inputs) or (script_path is None and not is_of_session):
        raise UsageError("name a script and files: diff SCRIPT INPUT..., or a session: diff --session REF")
    if is_of_session and lookup is None:
        lookup = site_table_path(invocation.load_settings())
    script = None if script_path is None else compile_or_tell(script_path, lookup)
    if is_of_session:
        trial = _diff_session(invocation, session, archived, script, given)
        problems = [
            {"path": None, "status": "failed", "message": text, "files": count}
            for text, count in trial.failures.items()
        ]
        messages, rejected = list(trial.messages), trial.rejected
        _tell_diff(invocation, trial.changes, trial.files, rejected, problems, messages)
        return
    assert script is not None
    _diff_files(invocation, script, inputs, given)


def _diff_session(
    invocation: Invocation,
    session: str | None,
    archived: str | None,
    script: Script | None,
    variables: dict[str, str],
) -> SessionTrial:
    from prearchive.references import get_session_id
    from prearchive.trials import try_on_session

    with opened_site(invocation, looks_only=True) as site, missing_variables_told():
        ref, scope = ref_and_scope(session, archived)
        number = get_session_id(site, ref, scope)
        with progress_bar("comparing", invocation) as advance:
            return try_on_session(site, number, script, variables, advance)


def _diff_files(
    invocation: Invocation, script: Script, inputs: list[Path], variables: dict[str, str]
) -> None:
    import anon
    from anon.comparison import ChangeTally
    from anon.encoding.elements import DataSetError
    from anon.trial import try_script

    with missing_variables_told():
        script.require(variables)
    tally = ChangeTally()
    problems: list[Outcome] = []
    messages: dict[str, None] = {}
    files = rejected = 0
    for path in dicom_files(inputs, invocation, "comparing"):
        files += 1
        try:
            trial = try_script(script, path.read_bytes(), variables)
        except anon.ScriptError as error:
            problems.append({"path": path, "status": "failed", "message": str(error), "files": 1})
            continue
        except (DataSetError, OSError) as error:
            files -= 1
            message = unreadable_text(error)
            problems.append({"path": path, "status": "unreadable", "message": message, "files": 1})
            continue
        if trial.status == "rejected":
            rejected += 1
        messages.update(dict.fromkeys(trial.messages))
        tally.add(trial.differences)
    _tell_diff(invocation, tally.changes(), files, rejected, problems, list(messages))


def _tell_diff(
    invocation: Invocation,
    changes: list[Change],
    files: int,
    rejected: int,
    problems: list[Outcome],
    messages: list[str],
) -> None:
    if invocation.as_json:
        print_document(changes)
    else:
        if files:
            print_changes(changes, files)
            say()
        say(_count_of_files(files, rejected, problems))
    for message in messages:
        complain(f"note: {message}")
    for problem in problems:
        where = problem["path"] or count_of(problem["files"], "file")
        complain(f"{where}: {problem['message']}")
    if any(problem["status"] == "failed" for problem in problems):
        raise SomeFailedError(ExitCode.REJECTED if rejected else ExitCode.SCRIPT_ERROR)
    if rejected:
        raise SomeFailedError(ExitCode.REJECTED)
    if problems:
        raise SomeFailedError(ExitCode.FAILED)


def _count_of_files(files: int, rejected: int, problems: list[Outcome]) -> str:
    counts = {"rejected": rejected}
    for status in ("failed", "unreadable"):
        counts[status] = sum(problem["files"] for problem in problems if problem["status"] == status)
    words = [f"{number} {status}" for status, number in counts.items() if number]
    return ", ".join([f"{count_of(files, 'file')} looked at", *words])
