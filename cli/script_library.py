"""`prearc anon library`: ready scripts that come with the program, and their tests."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from cli.context import examples, get_invocation
from cli.exits import UsageError
from cli.output import print_document, print_table, say, say_wrapped
from prearchive.errors import NotFoundError

if TYPE_CHECKING:
    from config.library import LibraryScript

_PROFILE = "basic-profile"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

ScriptName = Annotated[str, typer.Argument(metavar="NAME", help="As `list` shows it.")]
ProfileOptions = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="OPTION", help="Of the Basic Profile; may be given several times."),
]


class _Ready(NamedTuple):
    """A script with its tests, as it is to be shown or copied."""

    script: LibraryScript
    text: str
    tests: str


def register(anon_app: typer.Typer) -> None:
    """Add the commands below `prearc anon`."""
    app = typer.Typer(help="Ready scripts with tests: list, show, copy.", no_args_is_help=True)
    app.command("list", epilog=examples("prearc anon library list"))(list_scripts)
    app.command("show", epilog=examples("prearc anon library show starter"))(show)
    app.command(
        "copy",
        epilog=examples(
            "prearc anon library copy starter                 (to this folder)",
            "prearc anon library copy basic-profile scripts --name P4",
            "prearc anon library copy basic-profile --option retain-dates-shifted",
        ),
    )(copy)
    anon_app.add_typer(app, name="library")


def list_scripts(context: typer.Context) -> None:
    """List the scripts, and the options of the Basic Profile."""
    from anon.profile.generate import SCRIPT_OPTIONS
    from config.library import library_scripts

    scripts = library_scripts()
    if get_invocation(context).as_json:
        print_document([_facts(script) for script in scripts])
        return
    print_table(["SCRIPT", "FOR", "WHAT IT IS"], [(each.name, each.use, each.title) for each in scripts])
    say(f"\nOptions of {_PROFILE}:\n")
    print_table(["OPTION", "WHAT IT DOES"], [(each.name, each.does) for each in SCRIPT_OPTIONS.values()])
    say()
    say_wrapped("`prearc anon library show NAME` prints a script, `copy NAME` writes it with its tests.")


def show(context: typer.Context, name: ScriptName, options: ProfileOptions = None) -> None:
    """Print a script."""
    found = _get(name, options or [])
    if get_invocation(context).as_json:
        print_document({**_facts(found.script), "text": found.text, "tests": found.tests})
    else:
        say(found.text.removesuffix("\n"))


def copy(
    context: typer.Context,
    name: ScriptName,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to; made if it is not there.")
    ] = Path(),
    options: ProfileOptions = None,
    file_name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Another name for the copy, without .das.")
    ] = None,
) -> None:
    """Write a script and its tests. Nothing is overwritten."""
    found = _get(name, options or [])
    target = (file_name or found.script.name).removesuffix(".das")
    if _FILE_NAME.fullmatch(target) is None:
        raise UsageError(
            "--name: a name has letters, digits, dots, - and _, and begins with a letter or digit"
        )
    files = {folder / f"{target}.das": found.text, folder / f"{target}.tests.toml": found.tests}
    for path in files:
        if path.exists():
            raise UsageError(f"{path} exists already; nothing is overwritten (--name gives another name)")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file and no folder; --name gives the copy another name")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        with path.open("x", encoding="utf-8", newline="\n") as written:
            written.write(text)
    if get_invocation(context).as_json:
        print_document({"files": list(files)})
        return
    for path in files:
        say(f"wrote {path}")
    script_path = next(iter(files))
    say("Look what it does to files of yours:")
    say(f"  prearc anon diff {shlex.quote(str(script_path))} FILE")


def _get(name: str, options: list[str]) -> _Ready:
    """A script of the library, the Basic Profile with further options if wanted.

    Raises:
        NotFoundError: there is no such script.
        UsageError: there is no such option, or the script has none.
    """
    from anon.profile.generate import UnknownOptionError, make_script
    from anon.profile.generated_tests import make_tests
    from config.library import UnknownLibraryScriptError, get_library_script

    try:
        script = get_library_script(name)
    except UnknownLibraryScriptError as error:
        raise NotFoundError(str(error)) from None
    if not options:
        return _Ready(script, script.text, script.tests)
    if script.options is None:
        raise UsageError(f"--option: {script.name} has no options, {_PROFILE} has")
    chosen = [*script.options, *options]
    try:
        return _Ready(script, make_script(chosen), make_tests(script.name, chosen))
    except UnknownOptionError as error:
        raise UsageError(f"--option: {error}") from None


def _facts(script: LibraryScript) -> dict[str, object]:
    return {
        "name": script.name,
        "title": script.title,
        "for": script.use,
        "does": script.does,
        "keeps": script.keeps,
        "options": script.options,
    }
