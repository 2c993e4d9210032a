"""`prearc anon ...`: check and run scripts on files, and put the scripts of a site in force."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import script_looks
from cli.archiving import progress_bar
from cli.context import Invocation, examples, get_invocation
from cli.exits import ExitCode, SomeFailedError
from cli.output import complain, print_document, print_table, say
from cli.script_files import compile_or_tell, compile_text_or_tell, read_script_text, script_paths
from cli.script_runs import FileResult, parse_variables, plan_targets, run_on_file
from prearchive.errors import NotFoundError

if TYPE_CHECKING:
    from anon.errors import Diagnostic

NewScript = Annotated[Path, typer.Argument(metavar="FILE", help="The script; - reads standard input.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    anon_app = typer.Typer(
        help="DicomEdit scripts: check them, run them, put them in force.", no_args_is_help=True
    )
    anon_app.command("check", epilog=examples("prearc anon check site/anon/site.das"))(check)
    anon_app.command(
        "apply",
        epilog=examples("prearc anon apply p4.das scans/ -o clean/ --var project=P4 --var subject=S1"),
    )(apply)
    anon_app.command("functions", epilog=examples("prearc anon functions hashUID"))(functions)
    site_app = typer.Typer(
        help="The site script: runs on every instance before it is stored.", no_args_is_help=True
    )
    project_app = typer.Typer(
        help="A project's script: runs when a session is archived.", no_args_is_help=True
    )
    site_app.callback()(_choose_site)
    project_app.callback()(_choose_project)
    for scope_app in (site_app, project_app):
        scope_app.command("show")(show)
        scope_app.command("set")(set_script)
        scope_app.command("enable")(enable)
        scope_app.command("disable")(disable)
    script_looks.register(anon_app)
    anon_app.add_typer(site_app, name="site")
    anon_app.add_typer(project_app, name="project")
    app.add_typer(anon_app, name="anon")


def check(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Scripts, or folders with *.das files.")
    ],
) -> None:
    """Find the mistakes of scripts. All at once; needs no site. Exit code 3 when there is an error."""
    import anon
    from anon.render import render

    invocation = get_invocation(context)
    rows: list[dict[str, Any]] = []
    for path in script_paths(files):
        text = read_script_text(path)
        try:
            script = anon.compile_script(text, name=str(path))
            found = list(script.warnings)
        except anon.ScriptError as error:
            found = error.diagnostics
        rows.extend(_row(path, diagnostic) for diagnostic in found)
        if invocation.as_json:
            continue
        if found:
            say(render(found, text, str(path)) + "\n")
        if not any(diagnostic.severity == "error" for diagnostic in found):
            say(f"{path}: fine (DicomEdit {script.language})")
    if invocation.as_json:
        print_document(rows)
    if any(row["severity"] == "error" for row in rows):
        raise SomeFailedError(ExitCode.SCRIPT_ERROR)


def apply(
    context: typer.Context,
    script_path: Annotated[Path, typer.Argument(metavar="SCRIPT", help="A DicomEdit script.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="DICOM files and folders.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the new files go.")],
    variables: Annotated[
        list[str] | None,
        typer.Option("--var", metavar="NAME=TEXT", help="A variable of the script; repeatable."),
    ] = None,
) -> None:
    """Run a script on files. Needs no site; the originals are never touched."""
    invocation = get_invocation(context)
    values = parse_variables(variables or [])
    script = compile_or_tell(script_path)
    targets = plan_targets(inputs, output)
    results: list[FileResult] = []
    with progress_bar("applying", invocation) as advance:
        for number, target in enumerate(targets, start=1):
            results.append(run_on_file(script, target, values))
            advance(number, len(targets))
    if invocation.as_json:
        print_document(results)
    else:
        print_table(
            ("STATUS", "PATH", "OUTPUT", "MESSAGE"),
            [(result.status, result.path, result.output, result.place_and_message) for result in results],
            empty="no files",
        )
    worst = max((result.exit_code for result in results), default=ExitCode.DONE)
    if worst:
        raise SomeFailedError(worst)


def functions(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Explain this one.")] = None,
) -> None:
    """List the functions of the language. Or explain one, with examples."""
    from anon.functions.manual import all_functions, page, signature

    invocation = get_invocation(context)
    found = all_functions()
    if name is not None:
        found = [entry for entry in found if entry.name.lower() == name.lower()]
        if not found:
            raise NotFoundError(f"there is no function {name!r}")
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
        print_table(
            ("LANGUAGE", "FUNCTION", "DOES"),
            [(f"{entry.dialect}.x", signature(entry), entry.doc.partition("\n")[0]) for entry in found],
        )


def _choose_site(context: typer.Context) -> None:
    context.meta["project"] = None


def _choose_project(
    context: typer.Context,
    project: Annotated[str, typer.Argument(metavar="P", help="The project: id or alias.")],
) -> None:
    context.meta["project"] = project


def show(context: typer.Context) -> None:
    """Print the script and whether it runs."""
    from config.scripts import get_script_file, read_script

    invocation = get_invocation(context)
    script_file = get_script_file(invocation.load_settings(), context.meta["project"])
    text = read_script(script_file)
    if not invocation.as_json:
        state = "enabled" if script_file.enabled else "disabled"
        complain(
            f"{script_file.path}: {state if text is not None else state + ', but there is no such file'}"
        )
        say((text or "").removesuffix("\n"))
        return
    print_document(
        {
            "project": script_file.project,
            "name": script_file.name,
            "path": script_file.path,
            "enabled": script_file.enabled,
            "sha256": None if text is None else hashlib.sha256(text.encode("utf-8")).hexdigest(),
            "text": text,
        }
    )


def set_script(context: typer.Context, file: NewScript) -> None:
    """Put a new script in force. For the next association or the next archive; it must compile."""
    from config.scripts import get_script_file, write_script

    invocation = get_invocation(context)
    script_file = get_script_file(invocation.load_settings(), context.meta["project"])
    text = sys.stdin.read() if str(file) == "-" else read_script_text(file)
    script = compile_text_or_tell(text, str(file))
    write_script(script_file, text)
    _tell_script(context, invocation, f"wrote {script_file.path} (DicomEdit {script.language})")


def enable(context: typer.Context) -> None:
    """Let the script run. It must be there and compile."""
    from config.errors import ConfigError
    from config.scripts import get_script_file, read_script, set_script_enabled

    invocation = get_invocation(context)
    settings = invocation.load_settings()
    script_file = get_script_file(settings, context.meta["project"])
    text = read_script(script_file)
    if text is None:
        raise ConfigError(
            f"{script_file.path}: there is no such file; put a script there with `set FILE` first"
        )
    compile_text_or_tell(text, script_file.name)
    set_script_enabled(settings, script_file.project, True)
    _tell_script(context, invocation, f"{script_file.name} is enabled")


def disable(context: typer.Context) -> None:
    """Switch the script off. What arrives or is archived from now on is not changed by it."""
    from config.scripts import get_script_file, set_script_enabled

    invocation = get_invocation(context)
    settings = invocation.load_settings()
    script_file = get_script_file(settings, context.meta["project"])
    set_script_enabled(settings, script_file.project, False)
    _tell_script(context, invocation, f"{script_file.name} is disabled")


def _tell_script(context: typer.Context, invocation: Invocation, message: str) -> None:
    if invocation.as_json:
        show(context)
    else:
        say(message)


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
