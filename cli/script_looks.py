"""`prearc anon diff`, `trace`, `values`: what a script does to objects, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.archiving import progress_bar
from cli.context import Invocation, examples, get_invocation, opened_site
from cli.differences import print_changes
from cli.exits import ExitCode, SomeFailedError, UsageError
from cli.output import Styled, complain, print_document, say, say_styled, shortened
from cli.script_files import compile_or_tell, site_table_path, tell_script_error
from cli.script_runs import find_inputs, parse_variables

if TYPE_CHECKING:
    from anon import Script
    from anon.comparison import Change
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
_VALUE_CHARACTERS = 100
Outcome = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the commands to `prearc anon`."""
    app.command(
        "diff",
        epilog=examples(
            "prearc anon diff p4.das scans/ --var project=P4 --var subject=S1 --var session=S1_MR",
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
        typer.Argument(metavar="[SCRIPT] [INPUT...]", help="A script, then DICOM files and folders."),
    ] = None,
    session: OfSession = None,
    archived: OfArchived = None,
    variables: Variables = None,
    lookup: LookupFile = None,
) -> None:
    """Show what a script would change. Element by element, over all files; nothing is written.

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

    with opened_site(invocation, looks_only=True) as site:
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
        except DataSetError as error:
            message = f"cannot parse: {error.code}"
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
        print_changes(changes, files)
        say(f"\n{files} file{'s' * (files != 1)} looked at" + (f", {rejected} rejected" if rejected else ""))
    for message in messages:
        complain(f"note: {message}")
    for problem in problems:
        where = f"{problem['path']}: " if problem["path"] else f"{problem['files']} files: "
        complain(f"{where}{problem['message']}")
    if any(problem["status"] == "failed" for problem in problems):
        raise SomeFailedError(ExitCode.REJECTED if rejected else ExitCode.SCRIPT_ERROR)
    if rejected:
        raise SomeFailedError(ExitCode.REJECTED)
    if problems:
        raise SomeFailedError(ExitCode.FAILED)


# -- trace


def trace(
    context: typer.Context,
    script_path: Annotated[Path, typer.Argument(metavar="SCRIPT", help="A DicomEdit script.")],
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A DICOM file.")],
    variables: Variables = None,
    lookup: LookupFile = None,
) -> None:
    """Follow a script on a file. Each condition with its outcome, each statement with what it changes."""
    from anon.trial import trace_script

    invocation = get_invocation(context)
    script = compile_or_tell(script_path, lookup)
    found = trace_script(script, _read_input(source), parse_variables(variables or []))
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
    if script.language == "4.x":
        say(
            "DicomEdit 4: first all conditions, on the object as it came; then the statements, last first"
        )
    width = max((len(str(step.position.line)) for step in found.steps), default=1)
    for step in found.steps:
        line = f"{step.position.line:>{width}} | "
        if step.holds is not None:
            outcome = Styled("true", "green") if step.holds else Styled("false", "yellow")
            say_styled(f"{line}{shortened(step.source, _VALUE_CHARACTERS)}  is ", outcome)
            continue
        say_styled(line, Styled(shortened(step.source, _VALUE_CHARACTERS), "bold"))
        if not step.differences:
            say(" " * width + " |   changes nothing")
        for difference in step.differences:
            before, after = difference.before, difference.after
            name = f"{difference.path} {difference.keyword}".rstrip()
            old = "absent" if before is None else _quoted(before.shown)
            new = "removed" if after is None else _quoted(after.shown)
            margin = " " * width + f" |   {name}: "
            say_styled(margin, Styled(old, "red"), " -> ", Styled(new, "green"))
    say(f"\n{'the script rejects the object' if found.status == 'rejected' else found.status}")


def _quoted(value: str) -> str:
    return shortened(value, _VALUE_CHARACTERS) or "(empty)"


# -- values


def values(
    context: typer.Context,
    inputs: Annotated[
        list[Path] | None, typer.Argument(metavar="[INPUT...]", help="DICOM files and folders.")
    ] = None,
    session: OfSession = None,
    archived: OfArchived = None,
    free_text: Annotated[
        bool, typer.Option("--free-text", help="Only elements that people type into: names, descriptions.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Values of an element that are shown.")] = 20,
) -> None:
    """List the distinct values of every element. Free text first: scan it for what slipped through."""
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
            name = Styled(f"{row.path} {row.keyword}".rstrip(), "bold")
            say_styled(name, f"  {row.vr}  in {row.files} of {tally.files} files")
            for value, count in row.values[:limit]:
                say(f"  {count:>6}  {shortened(value, _VALUE_CHARACTERS) or '(empty)'}")
            hidden = len(row.values) - limit + row.more
            if hidden > 0:
                say(f"          ... and {hidden} more values")
        say(f"\n{tally.files} file{'s' * (tally.files != 1)}, {len(rows)} elements with values")
    for problem in problems:
        complain(problem)
    if problems:
        raise SomeFailedError(ExitCode.FAILED)


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
        except DataSetError as error:
            problems.append(f"{path}: cannot parse: {error.code}")
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
    found = find_inputs(inputs)
    advance: Callable[[int, int], None]
    with progress_bar(what, invocation) as advance:
        for done, path in enumerate(found):
            advance(done, len(found))
            yield path
        advance(len(found), len(found))


def _read_input(path: Path) -> bytes:
    from anon.encoding.elements import DataSetError
    from anon.encoding.instance import EncodedInstance

    content = path.read_bytes()
    try:
        EncodedInstance.from_part10(content)
    except DataSetError as error:
        raise UsageError(f"{path}: no DICOM file that can be read ({error.code})") from None
    return content
