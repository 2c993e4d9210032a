"""The command `prearc`: its options, its commands, and how errors become messages and exit codes."""

from __future__ import annotations

import gc
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperGroup

from cli import actions, anonymization, archiving, sending, serve, site, views
from cli.context import Invocation
from cli.exits import ExitCode, error_lines, exit_code
from cli.output import complain

# Most of a short command's time goes into imports, which the commands make themselves, as late as they can.
# They make many objects that all stay: looking for garbage among them takes a tenth of that time.
gc.set_threshold(50_000, 20, 50)
# pydantic would look through every installed distribution for plugins.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

_FLAGS = ("--json", "-v", "--verbose")
_WITH_VALUE = ("--config", "--as")
HELP = """Receive DICOM into a prearchive, anonymize it with DicomEdit scripts, review it, archive it.

\b
Begin like this:
  prearc init site          write a site folder and look at site/prearc.toml
  prearc serve              receive (XNAT:8104 on this machine)
  prearc list               what has arrived
  prearc show 1             one session: scans, labels, warnings, history
  prearc tags 1             its DICOM elements
  prearc archive 1          check labels, run the project's script, archive

\b
A session is named by its number, its label, its Study Instance UID or
PROJECT/TIMESTAMP/FOLDER; label:X and uid:X say which is meant.
Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 script error,
4 not found, 5 refused or conflict, 6 rejected by a script.
"""


class PrearcGroup(TyperGroup):
    """The top of the command line: takes its options in any place and ends with our exit codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let `prearc list --json` mean `prearc --json list`."""
        return super().parse_args(ctx, hoist_options(args))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command; its help names arguments without the types of the programming language."""
        found = super().get_command(ctx, cmd_name)
        _say_no_types(found)
        return found

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and turn errors into one message and an exit code."""
        try:
            return super().main(*args, **kwargs)
        except Exception as error:
            if "-v" in sys.argv or "--verbose" in sys.argv:
                traceback.print_tb(error.__traceback__)  # places, no values
            for line in error_lines(error):
                complain(line)
            sys.exit(exit_code(error))


def _say_no_types(command: Any) -> None:
    """Have the help say `FILE`, not `FILE <list[Path]>`, for a command and those below it."""
    for parameter in getattr(command, "params", ()):
        if isinstance(parameter, TyperArgument):
            parameter.display_type_rich = lambda ctx: None  # type: ignore[method-assign]
    for below in getattr(command, "commands", {}).values():
        _say_no_types(below)


def hoist_options(arguments: list[str]) -> list[str]:
    """Move the options that belong before the command to the front; what follows `--` stays."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest.append(argument)
            rest.extend(waiting)
        elif argument in _FLAGS or argument.startswith(tuple(f"{name}=" for name in _WITH_VALUE)):
            front.append(argument)
        elif argument in _WITH_VALUE:
            front.extend([argument, *[value for _, value in zip(range(1), waiting, strict=False)]])
        else:
            rest.append(argument)
    return front + rest


app = typer.Typer(
    name="prearc",
    cls=PrearcGroup,
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: it reads the same everywhere and needs no import
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"prearc {version('dicom-prearchive')}")
        raise typer.Exit


@app.callback()
def prearc(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", metavar="DIR", envvar="PREARC_CONFIG", help="The site's folder.")
    ] = Path("site"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; messages go to standard error.")
    ] = False,
    given_name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who does it, for the history.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell more on standard error.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep the options for the command that follows."""
    context.obj = Invocation(folder=config, as_json=as_json, given_name=given_name, verbose=verbose)


site.register(app)
serve.register(app)
views.register(app)
actions.register(app)
archiving.register(app)
sending.register(app)
anonymization.register(app)


def main() -> None:
    """Run the command line of this process."""
    # Warnings of pydicom quote values of data sets.
    warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="prearc")
    except BrokenPipeError:
        # The reader (head, less) went away: that is no mistake, but Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILED)


if __name__ == "__main__":
    main()
