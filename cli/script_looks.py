"""`prearc anon diff`, `trace`, `values`: what a script does to objects, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.archiving import count_of, progress_bar
from cli.context import Invocation, examples, get_invocation, opened_site
from cli.differences import print_changes, say_element, value_text
from cli.exits import ExitCode, SomeFailedError, UsageError, error_lines
from cli.output import Styled, columns, complain, print_document, say, say_styled, say_wrapped, shortened
from cli.script_files import compile_or_tell, site_table_path, tell_script_error
from cli.script_runs import find_inputs, parse_variables
from cli.unreadable import unreadable_text

if TYPE_CHECKING:
    from anon import Script
    from anon.comparison import Change, Difference
    from anon.distinct import DistinctValues, ValueTally
    from anon.trial import Trace, TraceStep
    from prearchive.references import Scope
    from prearchive.trials import SessionTrial

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
_WIDEST_VALUE = 100
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


# -- diff


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

    with opened_site(invocation, looks_only=True) as site, _missing_variables_told():
        ref, scope = _ref_and_scope(session, archived)
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

    with _missing_variables_told():
        script.require(variables)
    tally = ChangeTally()
    problems: list[Outcome] = []
    messages: dict[str, None] = {}
    files = rejected = 0
    for path in _dicom_files(inputs, invocation, "comparing"):
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
    counts = [f"{count_of(files, 'file')} looked at"]
    if rejected:
        counts.append(f"the script rejects {rejected}")
    for status, words in (("failed", "it fails on"), ("unreadable", "not readable:")):
        number = sum(problem["files"] for problem in problems if problem["status"] == status)
        if number:
            counts.append(f"{words} {number}")
    return ", ".join(counts)


@contextmanager
def _missing_variables_told() -> Iterator[None]:
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


# -- trace


def trace(
    context: typer.Context,
    script_path: Annotated[Path, typer.Argument(metavar="SCRIPT", help="A DicomEdit script.")],
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A DICOM file.")],
    variables: Variables = None,
    lookup: LookupFile = None,
) -> None:
    """Follow a script on a file, step by step. Conditions and statements, with what each changes."""
    from anon.trial import trace_script

    invocation = get_invocation(context)
    given = parse_variables(variables or [])
    script = compile_or_tell(script_path, lookup)
    content = _read_input(source)
    with _missing_variables_told():
        found = trace_script(script, content, given)
    if invocation.as_json:
        print_document([_step_row(step) for step in found.steps])
    else:
        _print_trace(script, found)
    for message in found.messages:
        complain(f"note: {message}")
    if found.failure is not None:
        tell_script_error(found.failure, script.text, script.name)
        raise SomeFailedError(ExitCode.SCRIPT_ERROR)
    if found.status == "rejected":
        raise SomeFailedError(ExitCode.REJECTED)


def _step_row(step: TraceStep) -> dict[str, Any]:
    return {
        "line": step.position.line,
        "column": step.position.column,
        "source": step.source,
        "holds": step.holds,
        "changes": [
            {
                "path": found.path,
                "keyword": found.keyword,
                "before": found.before.shown if found.before else None,
                "after": found.after.shown if found.after else None,
            }
            for found in step.differences
        ],
    }


def _print_trace(script: Script, found: Trace) -> None:
    if script.language == "4.x" and found.steps:
        say_wrapped("DicomEdit 4: all conditions come first, then the statements, last one first")
    digits = max((len(str(step.position.line)) for step in found.steps), default=1)
    room = columns() - digits - 3
    for step in found.steps:
        line = f"{step.position.line:>{digits}} | "
        if step.holds is not None:
            outcome = Styled("true", "green") if step.holds else Styled("false", "yellow")
            say_styled(f"{line}{shortened(step.source, room - len('  is false'))}  is ", outcome)
            continue
        say_styled(line, Styled(shortened(step.source, room), "bold"))
        margin = " " * digits + " |   "
        if not step.differences:
            say(f"{margin}changes nothing")
        for difference in step.differences:
            _print_difference(difference, margin)
    if found.steps:
        say()
    say(_trace_end(found))


def _print_difference(difference: Difference, margin: str) -> None:
    before, after = difference.before, difference.after
    name = f"{difference.path} {difference.keyword}".rstrip() + ":"
    room = columns() - len(margin)
    old = "absent" if before is None else value_text(before.shown, room - 2)
    new = "removed" if after is None else value_text(after.shown, room - 5)
    was, becomes = Styled(old, "red"), Styled(new, "green")
    if len(f"{name} {old} -> {new}") <= room:
        say_styled(margin, f"{name} ", was, " -> ", becomes)
    else:
        say_styled(margin, name)
        say_styled(f"{margin}  ", was)
        say_styled(f"{margin}  -> ", becomes)


def _trace_end(found: Trace) -> str:
    if found.status == "rejected":
        return "the script rejects the object"
    if found.status == "failed":
        return "the script fails, so the object is not changed"
    changed = len({difference.path for step in found.steps for difference in step.differences})
    return f"{count_of(changed, 'element')} changed" if changed else "the script changes nothing"


# -- values


def values(
    context: typer.Context,
    inputs: Annotated[
        list[Path] | None, typer.Argument(metavar="INPUT", help="DICOM files and folders.")
    ] = None,
    session: OfSession = None,
    archived: OfArchived = None,
    free_text: Annotated[
        bool, typer.Option("--free-text", help="Only elements that people type into: names, descriptions.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Values of an element that are shown.")
    ] = 20,
) -> None:
    """List the different values of every element. Free text first: look what slipped through."""
    invocation = get_invocation(context)
    if sum([bool(inputs), session is not None, archived is not None]) != 1:
        raise UsageError("name files and folders, or a session with --session or --archived")
    tally, problems = (
        _values_of_files(invocation, inputs)
        if inputs
        else (_values_of_session(invocation, session, archived), [])
    )
    rows = [row for row in tally.rows() if row.is_free_text or not free_text]
    if invocation.as_json:
        print_document([_value_row(row) for row in rows])
    else:
        for row in rows:
            _print_values(row, tally.files, limit)
        if rows:
            say()
        what = "free-text element" if free_text else "element"
        say(f"{count_of(tally.files, 'file')}, {count_of(len(rows), what)}")
    for problem in problems:
        complain(problem)
    if problems:
        raise SomeFailedError(ExitCode.FAILED)


def _print_values(row: DistinctValues, files: int, limit: int) -> None:
    where = "" if files == 1 else f"  in {row.files} of {files} files"
    say_element(row.path, row.keyword, f"{row.vr}{where}")
    for value, count in row.values[:limit]:
        say(f"  {count:>6}  {value_text(value, min(_WIDEST_VALUE, columns() - 10))}")
    hidden = len(row.values) - limit + row.more
    if hidden > 0:
        say(f"          ... and {count_of(hidden, 'more value')}")


def _value_row(row: DistinctValues) -> dict[str, Any]:
    return {
        "path": row.path,
        "tag": row.tag,
        "vr": row.vr,
        "keyword": row.keyword,
        "files": row.files,
        "values": [{"value": value, "count": count} for value, count in row.values],
        "more": row.more,
    }


def _values_of_session(invocation: Invocation, session: str | None, archived: str | None) -> ValueTally:
    from prearchive.references import get_session_id
    from prearchive.trials import session_values

    with opened_site(invocation, looks_only=True) as site:
        ref, scope = _ref_and_scope(session, archived)
        number = get_session_id(site, ref, scope)
        with progress_bar("reading", invocation) as advance:
            return session_values(site, number, advance)


def _values_of_files(invocation: Invocation, inputs: list[Path]) -> tuple[ValueTally, list[str]]:
    from anon.distinct import ValueTally
    from anon.encoding.elements import DataSetError
    from anon.encoding.instance import EncodedInstance

    tally = ValueTally()
    problems: list[str] = []
    for path in _dicom_files(inputs, invocation, "reading"):
        try:
            tally.add(EncodedInstance.from_part10(path.read_bytes()))
        except (DataSetError, OSError) as error:
            problems.append(f"{path}: {unreadable_text(error)}")
    return tally, problems


# -- what they share


def _ref_and_scope(session: str | None, archived: str | None) -> tuple[str, Scope]:
    if session is not None and archived is not None:
        raise UsageError("--session or --archived, not both")
    if session is not None:
        return session, "prearchive"
    assert archived is not None
    return archived, "archive"


def _dicom_files(inputs: list[Path], invocation: Invocation, what: str) -> Iterator[Path]:
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


def _read_input(path: Path) -> bytes:
    """Read the one file that a command is about; what is no DICOM file ends it with exit code 1."""
    from anon.encoding.elements import DataSetError
    from anon.encoding.instance import EncodedInstance

    try:
        content = path.read_bytes()
        EncodedInstance.from_part10(content)
    except FileNotFoundError:
        raise
    except (DataSetError, OSError) as error:
        complain(f"{path}: {unreadable_text(error)}")
        raise SomeFailedError(ExitCode.FAILED) from None
    return content
