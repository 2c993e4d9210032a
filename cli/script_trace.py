"""`prearc anon trace`: a script on one object, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.archiving import count_of
from cli.context import get_invocation
from cli.differences import value_text
from cli.exits import ExitCode, SomeFailedError
from cli.output import Styled, columns, complain, print_document, say, say_styled, say_wrapped, shortened
from cli.script_files import compile_or_tell, tell_script_error
from cli.script_inputs import LookupFile, Variables, missing_variables_told
from cli.script_runs import parse_variables
from cli.unreadable import unreadable_text

if TYPE_CHECKING:
    from anon import Script
    from anon.comparison import Difference
    from anon.trial import Trace, TraceStep


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
    with missing_variables_told():
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
                "before": found.shown[0],
                "after": found.shown[1],
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
    before, after = difference.shown
    name = f"{difference.path} {difference.keyword}".rstrip() + ":"
    room = columns() - len(margin)
    old = "absent" if before is None else value_text(before, room - 2)
    new = "removed" if after is None else value_text(after, room - 5)
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
