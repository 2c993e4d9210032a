"""`prearc anon site`, `prearc anon project P`: the commands, and those among them that change something."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import examples, get_invocation, opened_site
from cli.exits import UsageError
from cli.output import say
from cli.script_files import compile_text_or_tell, decode_or_tell, read_script_text, tell_warnings
from cli.script_history import (
    VERSION_HELP,
    chosen_script,
    diff,
    entries_of,
    find_version,
    history,
    newest_version,
    show,
    show_file,
)
from cli.script_tests import refuse_failing_tests

if TYPE_CHECKING:
    from anon import Script
    from anon.lint.checked import Purpose
    from config.scripts import ScriptFile
    from prearchive.script_history import Action

NewScript = Annotated[Path, typer.Argument(metavar="FILE", help="The script; - reads standard input.")]
SomeVersion = Annotated[str, typer.Argument(metavar="VERSION", help=VERSION_HELP)]
WithoutTests = Annotated[
    bool, typer.Option("--without-tests", help="Even if it fails its tests; needs --why.")
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the history.")]


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
    for scope_app, words in ((site_app, "prearc anon site"), (project_app, "prearc anon project P4")):
        scope_app.command("show", epilog=examples(f"{words} show", f"{words} show 2"))(show)
        scope_app.command("set", epilog=examples(f'{words} set new.das --why "dates are kept"'))(set_script)
        scope_app.command("history", epilog=examples(f"{words} history"))(history)
        scope_app.command("diff", epilog=examples(f"{words} diff 2", f"{words} diff 2 5"))(diff)
        scope_app.command("rollback", epilog=examples(f"{words} rollback 2"))(rollback)
        scope_app.command("enable", epilog=examples(f"{words} enable"))(enable)
        scope_app.command("disable", epilog=examples(f'{words} disable --why "broken"'))(disable)
    anon_app.add_typer(site_app, name="site")
    anon_app.add_typer(project_app, name="project")


def _choose_site(context: typer.Context) -> None:
    context.meta["project"] = None


def _choose_project(
    context: typer.Context,
    project: Annotated[str, typer.Argument(metavar="P", help="The project: id or alias.")],
) -> None:
    context.meta["project"] = project


def set_script(
    context: typer.Context, file: NewScript, why: Why = "", without_tests: WithoutTests = False
) -> None:
    """Put a new script in force. For the next association or the next archive.

    It must compile, and pass the tests that stand beside the script in force and beside FILE.
    """
    invocation, script_file = chosen_script(context)
    if without_tests:
        if not why.strip():
            raise UsageError("--without-tests: say why with --why; the history keeps it")
        why = f"{why} (without tests)"
    text = decode_or_tell(sys.stdin.buffer.read(), "-") if str(file) == "-" else read_script_text(file)
    script = require_good(script_file, text, file, must_pass_tests=not without_tests)
    purpose: Purpose = "site" if script_file.project is None else "project"
    tell_warnings(text, str(file), purpose, invocation.load_settings())
    from prearchive.script_history import Action

    _put_in_force(context, script_file, text, script, Action.SET, why)


def rollback(context: typer.Context, version: SomeVersion, why: Why = "") -> None:
    """Put an earlier version in force again. It becomes a new version."""
    invocation, script_file = chosen_script(context)
    found = find_version(invocation, script_file, version)
    script = compile_text_or_tell(found.text, f"{found.name} version {found.version}")
    from prearchive.script_history import Action

    why = why or f"back to version {found.version}"
    _put_in_force(context, script_file, found.text, script, Action.ROLLBACK, why)


def require_good(script_file: ScriptFile, text: str, source: Path, *, must_pass_tests: bool = True) -> Script:
    """Compile a new text and run its tests; what must not come into force is refused here.

    Args:
        script_file: that the text is for.
        text: of the new script.
        source: the file that it comes from, or `-`.
        must_pass_tests: those beside the script in force and beside the source.

    Raises:
        SomeFailedError: the text is refused; why is told on standard error.
    """
    script = compile_text_or_tell(text, str(source))
    if must_pass_tests:
        refuse_failing_tests(script_file, text, source)
    return script


def _put_in_force(
    context: typer.Context, script_file: ScriptFile, text: str, script: Script, action: Action, why: str
) -> None:
    from config.scripts import write_script
    from prearchive.script_history import replacing

    invocation = get_invocation(context)
    with opened_site(invocation, create=True) as site:
        newest = newest_version(entries_of(site, script_file))
        sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
        if newest is not None and newest.sha256 == sha256 and _holds(script_file, text):
            _tell_script(context, f"nothing changed: version {newest.version} has this text")
            return
        with replacing(
            site, script_file.name, text,
            language=script.language, action=action, who=invocation.who, why=why,
        ) as replacement:  # fmt: skip
            write_script(script_file, text)
    _, script_file = chosen_script(context)  # a project without the setting runs its script once it has one
    off = "" if script_file.enabled else "; it is switched off, `enable` lets it run"
    message = f"wrote {script_file.path} (DicomEdit {script.language}), version {replacement.version}{off}"
    _tell_script(context, message)


def _holds(script_file: ScriptFile, text: str) -> bool:
    """Whether a text is in the script's file; what cannot be read there is another one."""
    try:
        return script_file.path.read_bytes() == text.encode("utf-8")
    except OSError:
        return False


def enable(context: typer.Context, why: Why = "") -> None:
    """Let the script run. It must be there and compile."""
    from config.errors import ConfigError
    from config.scripts import read_script

    _, script_file = chosen_script(context)
    text = read_script(script_file)
    if text is None:
        raise ConfigError(
            f"{script_file.path}: there is no such file; put a script there with `set FILE` first"
        )
    compile_text_or_tell(text, script_file.name)
    _switch(context, script_file, True, why)


def disable(context: typer.Context, why: Why = "") -> None:
    """Switch the script off. What arrives or is archived from now on is not changed by it."""
    _, script_file = chosen_script(context)
    _switch(context, script_file, False, why)


def _switch(context: typer.Context, script_file: ScriptFile, enabled: bool, why: str) -> None:
    from config.scripts import set_script_enabled
    from prearchive.script_history import switching

    invocation = get_invocation(context)
    state = "enabled" if enabled else "disabled"
    if script_file.enabled == enabled and not why:
        _tell_script(context, f"nothing changed: {script_file.name} is {state} already")
        return
    with (
        opened_site(invocation, create=True) as site,
        switching(site, script_file.name, enabled, who=invocation.who, why=why),
    ):
        set_script_enabled(site.settings, script_file.project, enabled)
    _tell_script(context, f"{script_file.name} is {state}")


def _tell_script(context: typer.Context, message: str) -> None:
    """Say what was done; with --json show the script as it is now."""
    invocation, script_file = chosen_script(context)
    if invocation.as_json:
        show_file(invocation, script_file)
    else:
        say(message)
