"""`prearc anon site`, `prearc anon project P`: the scripts in force, and switching them on and off."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.context import Invocation, get_invocation
from cli.output import complain, print_document, say
from cli.script_files import compile_text_or_tell, read_script_text

NewScript = Annotated[Path, typer.Argument(metavar="FILE", help="The script; - reads standard input.")]


def register(anon_app: typer.Typer) -> None:
    """Add the commands below `prearc anon`."""
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
    anon_app.add_typer(site_app, name="site")
    anon_app.add_typer(project_app, name="project")


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
