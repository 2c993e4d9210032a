"""Looking at the scripts in force and their versions: `show`, `history` and `diff` of `prearc anon site`."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import Invocation, get_invocation, is_new, opened_site
from cli.output import SHORT_SHA, Styled, cell, complain, print_document, print_table, say, say_styled
from prearchive.errors import NotFoundError

if TYPE_CHECKING:
    from config.scripts import ScriptFile
    from prearchive.script_versions import HistoryEntry, Version
    from prearchive.site import Site

_SHORTER_SHA = 8  # a line of the history fits into 80 columns
VERSION_HELP = "A version: its number, or the beginning of its SHA-256 (`history` lists them)."


def show(
    context: typer.Context,
    version: Annotated[str | None, typer.Argument(metavar="VERSION", help=VERSION_HELP)] = None,
) -> None:
    """Print the script and whether it runs, or one of its versions."""
    invocation, script_file = chosen_script(context)
    if version is not None:
        _show_version(invocation, find_version(invocation, script_file, version))
    else:
        show_file(invocation, script_file)


def _show_version(invocation: Invocation, version: Version) -> None:
    if invocation.as_json:
        print_document(version)
        return
    why = f": {version.why}" if version.why else ""
    complain(
        f"{version.name} version {version.version}{', in force' if version.in_force else ''}: "
        f"{version.action} by {version.who}, {cell(version.at)}{why}"
    )
    say(version.text.removesuffix("\n"))


def show_file(invocation: Invocation, script_file: ScriptFile) -> None:
    """Print the script that is in its file now."""
    from config.scripts import read_script

    text = read_script(script_file)
    sha256 = None if text is None else hashlib.sha256(text.encode("utf-8")).hexdigest()
    newest = newest_version(_read_history(invocation, script_file))
    version = newest.version if newest is not None and newest.sha256 == sha256 else None
    if not invocation.as_json:
        state = "enabled" if script_file.enabled else "disabled"
        if text is None:
            state += ", but there is no such file"
        elif version is not None:
            state += f", version {version}"
        elif newest is not None:
            state += f", but it has mistakes; version {newest.version} is the last one without"
        complain(f"{script_file.path}: {state}")
        say((text or "").removesuffix("\n"))
        return
    print_document(
        {
            "project": script_file.project,
            "name": script_file.name,
            "path": script_file.path,
            "enabled": script_file.enabled,
            "sha256": sha256,
            "text": text,
            "version": version,
        }
    )


def history(context: typer.Context) -> None:
    """List the versions of the script. When, who, what and why; * is in force."""
    invocation, script_file = chosen_script(context)
    entries = _read_history(invocation, script_file)
    if invocation.as_json:
        print_document(entries)
    else:
        print_table(
            ("VERSION", "WHEN", "WHO", "WHAT", "SHA-256", "WHY"),
            [
                (
                    f"*{entry.version}" if entry.in_force else entry.version,
                    entry.at,
                    entry.who,
                    entry.action,
                    (entry.sha256 or "")[:_SHORTER_SHA],
                    entry.why,
                )
                for entry in entries
            ],
            right=("VERSION",),
            wrap=True,
            empty="no versions yet: they begin with the first `set`, or when `prearc serve` runs",
        )
    _complain_about_file(script_file, newest_version(entries))


def _complain_about_file(script_file: ScriptFile, newest: HistoryEntry | None) -> None:
    """Tell when the file does not hold the newest version."""
    if newest is None:
        return
    try:
        sha256 = hashlib.sha256(script_file.path.read_bytes()).hexdigest()
    except OSError as error:
        complain(f"{script_file.path}: {error.strerror}; `rollback {newest.version}` writes it again")
        return
    if sha256 != newest.sha256:
        complain(
            f"{script_file.path} was changed and has mistakes (`prearc anon check` tells them); a running "
            f"server goes on with version {newest.version}"
        )


def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="V1", help=VERSION_HELP)],
    new: Annotated[
        str | None, typer.Argument(metavar="V2", help="The other one; default: the newest version.")
    ] = None,
) -> None:
    """Compare two versions of the script, line by line."""
    import difflib

    invocation, script_file = chosen_script(context)
    before = find_version(invocation, script_file, old)
    after = find_version(invocation, script_file, new)
    lines = list(
        difflib.unified_diff(_lines(before.text), _lines(after.text), _heading(before), _heading(after))
    )
    if invocation.as_json:
        sides = [
            {"version": side.version, "sha256": side.sha256, "at": side.at, "who": side.who}
            for side in (before, after)
        ]
        print_document({"name": script_file.name, "from": sides[0], "to": sides[1], "diff": "".join(lines)})
    elif not lines:
        say(f"versions {before.version} and {after.version} are the same")
    else:
        _print_diff(lines)


def _lines(text: str) -> list[str]:
    # Not str.splitlines: it takes other characters for line ends as well.
    return list(io.StringIO(text, newline="\n"))


def _heading(version: Version) -> str:
    return f"{version.name} version {version.version} ({version.sha256[:SHORT_SHA]})"


def _print_diff(lines: list[str]) -> None:
    for number, line in enumerate(lines):
        text = line.removesuffix("\n")
        if number < 2:
            say_styled(Styled(text, "bold"))
        elif line.startswith(("+", "-")):
            say_styled(Styled(text, "green" if line.startswith("+") else "red"))
        elif line.startswith("@@"):
            say_styled(Styled(text, "cyan"))
        else:
            say(text)
        if not line.endswith("\n"):
            say("\\ no line end here")


# -- what the commands share


def chosen_script(context: typer.Context) -> tuple[Invocation, ScriptFile]:
    """The script that the command is about: the site's or a project's."""
    from config.scripts import get_script_file

    invocation = get_invocation(context)
    return invocation, get_script_file(invocation.load_settings(), context.meta["project"])


def entries_of(site: Site, script_file: ScriptFile) -> list[HistoryEntry]:
    """The history of a script, oldest first; what was done by hand is noted before."""
    from prearchive.script_versions import read_history

    return read_history(site, script_file.name)


def _read_history(invocation: Invocation, script_file: ScriptFile) -> list[HistoryEntry]:
    """The history of a script; nothing while the site has no data, which looking does not change."""
    if is_new(invocation.load_settings()):
        return []
    with opened_site(invocation) as site:
        return entries_of(site, script_file)


def newest_version(entries: list[HistoryEntry]) -> HistoryEntry | None:
    """The entry of the newest version."""
    return next((entry for entry in reversed(entries) if entry.version is not None), None)


def find_version(invocation: Invocation, script_file: ScriptFile, reference: str | None) -> Version:
    """A version of a script, None for the newest; its text is the one that was kept.

    Raises:
        NotFoundError: there is no such version; the message says which there are.
    """
    if is_new(invocation.load_settings()):
        raise NotFoundError(
            f"{script_file.name} has no versions yet: they begin with the first `set`, or when "
            "`prearc serve` runs"
        )
    from prearchive.script_versions import get_version

    with opened_site(invocation) as site:
        return get_version(site, script_file.name, reference)
