"""`prearc anon ...`: check and run scripts on files; what puts scripts in force is in `script_versions`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli import script_checks, script_explain, script_library, script_looks, script_tests, script_versions
from cli.archiving import count_of, progress_bar
from cli.context import examples, get_invocation
from cli.exits import ExitCode, SomeFailedError
from cli.output import (
    Styled,
    columns,
    complain,
    print_document,
    safe_text,
    say,
    say_styled,
    say_wrapped,
    wrapped,
)
from cli.script_files import compile_or_tell
from cli.script_inputs import LookupFile
from cli.script_runs import FileResult, missing_names, nothing_in, parse_variables, plan_targets, run_on_file
from prearchive.errors import NotFoundError

_STYLES = {
    "ok": "green",
    "rejected": "yellow",
    "failed": "red",
    "unreadable": "red",
    "unwritable": "red",
    "skipped": "",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    anon_app = typer.Typer(
        help="DicomEdit scripts: check them, run them, put them in force.", no_args_is_help=True
    )
    script_checks.register(anon_app)
    script_library.register(anon_app)
    anon_app.command(
        "apply",
        epilog=examples("prearc anon apply p4.das scans/ -o clean/ --var project=P4 --var subject=S1"),
    )(apply)
    anon_app.command("functions", epilog=examples("prearc anon functions hashUID"))(functions)
    script_explain.register(anon_app)
    script_looks.register(anon_app)
    script_tests.register(anon_app)
    script_versions.register(anon_app)
    app.add_typer(anon_app, name="anon")


def apply(
    context: typer.Context,
    script_path: Annotated[Path, typer.Argument(metavar="SCRIPT", help="A DicomEdit script.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT", help="DICOM files and folders.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the new files go.")],
    variables: Annotated[
        list[str] | None,
        typer.Option("--var", metavar="NAME=TEXT", help="A variable of the script; repeatable."),
    ] = None,
    lookup: LookupFile = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="A site's key: mapUID then gives the same UIDs as there."),
    ] = None,
) -> None:
    """Run a script on files. Needs no site; the originals are never touched."""
    invocation = get_invocation(context)
    values = parse_variables(variables or [])
    script = compile_or_tell(script_path, lookup, key)
    targets = plan_targets(inputs, output)
    results: list[FileResult] = []
    with progress_bar("applying", invocation) as advance:
        for number, target in enumerate(targets, start=1):
            results.append(run_on_file(script, target, values))
            advance(number, len(targets))
    if invocation.as_json:
        print_document(results)
    else:
        _tell_results(results)
        missing = missing_names(script, values)
        if missing:
            complain(f"give what is missing: {' '.join(f'--var {name}=TEXT' for name in missing)}")
    if all(result.status == "skipped" for result in results):
        raise nothing_in(inputs)
    worst = max((result.exit_code for result in results), default=ExitCode.DONE)
    if worst:
        raise SomeFailedError(worst)


def _tell_results(results: Sequence[FileResult]) -> None:
    """Print what became of each file, what went wrong below it, and how many there are of each kind."""
    width = max(map(len, _STYLES))
    for result in results:
        status = Styled(result.status.ljust(width), _STYLES[result.status])
        to = f" -> {result.output}" if result.output else ""
        file = safe_text(f"{result.path}{to}", one_line=True)
        message = safe_text(result.place_and_message, one_line=True)
        if message and len(file) + len(message) + width + 4 <= columns():
            say_styled(status, f"  {file}: {message}")
            continue
        say_styled(status, f"  {file}")
        for line in wrapped(message, columns() - width - 4):
            say(" " * (width + 4) + line)
    counts = Counter(result.status for result in results)
    kinds = ", ".join(f"{counts[status]} {status}" for status in _STYLES if counts[status])
    say(f"\n{count_of(len(results), 'file')}: {kinds}")


def functions(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Explain this one.")] = None,
) -> None:
    """List the functions of the language. Or explain one, with examples."""
    from anon.functions.manual import all_functions, page, signature
    from anon.functions.registry import find_similar

    invocation = get_invocation(context)
    found = all_functions()
    if name is not None:
        found = [entry for entry in found if entry.name.lower() == name.lower()]
        if not found:
            similar = find_similar(name, {entry.name: entry for entry in all_functions()})
            hint = f", did you mean {similar!r}?" if similar else ";"
            raise NotFoundError(f"there is no function {name!r}{hint} `prearc anon functions` lists them all")
    rows = [
        {
            "name": entry.name,
            "language": f"{entry.dialect}.x",
            "arguments": [argument.name for argument in entry.arguments],
            "doc": entry.doc,
        }
        for entry in found
    ]
    if invocation.as_json:
        print_document(rows)
    elif name is not None:
        for entry in found:
            say(f"{page(entry)}\n")
    else:
        for dialect in (4, 6):
            say_styled(Styled(f"DicomEdit {dialect}", "bold"))
            for entry in found:
                if entry.dialect == dialect:
                    say_styled("  ", Styled(signature(entry), "cyan"))
                    say_wrapped("      " + entry.doc.partition("\n")[0], indent="      ")
            say()
        say("`prearc anon functions NAME` explains one, with examples.")
