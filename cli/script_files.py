"""Scripts that are named on the command line: found, read, compiled, their mistakes drawn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cli.drawing import say_drawn
from cli.exits import ExitCode, SomeFailedError, UsageError
from cli.output import remark

if TYPE_CHECKING:
    from anon import Script
    from anon.errors import ScriptError
    from anon.lint.checked import Purpose
    from anon.lookup import LookupTable
    from config.settings import Settings


def script_paths(paths: list[Path]) -> list[Path]:
    """Return the files that are named, and the scripts of the folders that are."""
    return [found for path in paths for found in (scripts_below(path) if path.is_dir() else [path])]


def scripts_below(folder: Path) -> list[Path]:
    """Return the scripts of a folder and of the folders in it; a folder may have a name like theirs."""
    return sorted(path for path in visible_below(folder, "*.das") if not path.is_dir())


def visible_below(folder: Path, pattern: str) -> Iterator[Path]:
    """Find what a pattern means in a folder, without what editors and systems put there, as `.#a.das`."""
    return (path for path in folder.rglob(pattern) if not path.name.startswith("."))


def read_script_text(path: Path) -> str:
    """Return the text of a script or of a lookup table; end with exit code 3 when it is no UTF-8."""
    return decode_or_tell(path.read_bytes(), str(path))


def decode_or_tell(raw: bytes, name: str) -> str:
    """Return the text of a script or of a lookup table; end with exit code 3 when it is no UTF-8."""
    import anon
    from anon.script_text import decode_script, readable_text

    try:
        return decode_script(raw, name)
    except anon.ScriptError as error:
        tell_script_error(error, readable_text(raw), name)
        raise SomeFailedError(ExitCode.SCRIPT_ERROR) from None


def compile_or_tell(path: Path, lookup: Path | None = None, key: Path | None = None) -> Script:
    """Compile the script of a file; draw its mistakes and end with exit code 3 when it has any."""
    return compile_text_or_tell(read_script_text(path), str(path), lookup, key)


def compile_text_or_tell(text: str, name: str, lookup: Path | None = None, key: Path | None = None) -> Script:
    """Compile a script's text; draw its mistakes and end with exit code 3 when it has any."""
    import anon

    table = read_table_or_tell(lookup)
    script_key = None if key is None else _read_script_key(key)
    try:
        return anon.compile_script(text, name=name, lookup=table, key=script_key)
    except anon.ScriptError as error:
        tell_script_error(error, text, name)
        raise SomeFailedError(ExitCode.SCRIPT_ERROR) from None


def read_table_or_tell(path: Path | None) -> LookupTable | None:
    """Read a lookup table; draw its mistakes and end with exit code 3 when it has any."""
    import anon
    from anon.lookup import parse_table

    if path is None:
        return None
    text = read_script_text(path)
    try:
        return parse_table(text, str(path))
    except anon.ScriptError as error:
        tell_script_error(error, text, str(path))
        raise SomeFailedError(ExitCode.SCRIPT_ERROR) from None


def site_table_path(settings: Settings) -> Path | None:
    """Return where the lookup table of a site is, None when there is none."""
    return settings.lookup_path if settings.lookup_path.exists() else None


def _read_script_key(path: Path) -> bytes:
    """Return what a site with this key derives UIDs with."""
    from prearchive.keys import read_keys

    keys = read_keys(path.parent, path, {})
    if keys is None:
        raise UsageError(f"{path}: there is no such file")
    return keys.script_key


def tell_warnings(text: str, name: str, purpose: Purpose, settings: Settings) -> None:
    """Print on standard error, in a line each, what a check of a script of this site warns of."""
    import anon
    from anon.lookup import parse_table

    path = site_table_path(settings)
    table = None
    if path is not None:
        with suppress(anon.ScriptError):  # a table with mistakes has messages of its own
            table = parse_table(read_script_text(path), str(path))
    found = anon.check_script(text, name, purpose=purpose, lookup=table).diagnostics
    for each in found:
        place = f"{name}:{each.line}:{each.column}"
        remark(f"{place}: {each.severity}: {each.message} [{each.code}]")
    if found:
        remark("`prearc anon check FILE` shows where, `prearc anon explain CODE` tells why")


def tell_script_error(error: ScriptError, text: str, name: str) -> None:
    """Draw all mistakes of a script on standard error."""
    say_drawn(error.diagnostics, text, name, stream=sys.stderr)
