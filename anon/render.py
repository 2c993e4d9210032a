"""Drawing script errors: the source line, a caret under the whole culprit, and a hint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from anon.errors import Diagnostic

# General help by code, said once below the drawing.
_HELP: Final[Mapping[str, str]] = {
    "unknown-function": "`prearc anon functions` lists them all",
}


def render(diagnostics: Iterable[Diagnostic], text: str, name: str) -> str:
    """Draw diagnostics one below the other, as `prearc anon check` shows them.

    Args:
        diagnostics: what to draw.
        text: the script they belong to.
        name: its name, for the line with the position.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n\n".join(_draw(found, lines, name) for found in diagnostics)


def _draw(found: Diagnostic, lines: list[str], name: str) -> str:
    number = str(found.line)
    margin = " " * len(number)
    source = lines[found.line - 1] if found.line <= len(lines) else ""
    width = (
        found.end_column - found.column if found.end_line == found.line else len(source) - found.column + 1
    )
    # Tabs stay tabs below the line, so that the caret stands under its culprit however wide they are drawn.
    indent = "".join("\t" if letter == "\t" else " " for letter in source[: found.column - 1])
    indent = indent.ljust(found.column - 1)
    drawn = [
        f"{found.severity}[{found.code}]: {found.message}",
        f"{margin}--> {name}:{found.line}:{found.column}",
        f"{margin} |",
        f"{number} | {source}",
        f"{margin} | {indent}{'^' * max(width, 1)} {found.hint}".rstrip(),
    ]
    if found.code in _HELP:
        drawn += [f"{margin} |", f"{margin} = help: {_HELP[found.code]}"]
    return "\n".join(drawn)
