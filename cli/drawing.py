"""Mistakes of scripts on a terminal: as `anon.render` draws them, in colours and as wide as the window."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TextIO

from cli.output import Styled, say_styled

if TYPE_CHECKING:
    from anon.errors import Diagnostic

_STYLES: Final = {"error": "red", "warning": "yellow", "hint": "bold", "margin": "cyan"}
_PLAIN_COLUMNS: Final = 80
_WIDEST: Final = 120


def say_drawn(
    diagnostics: Iterable[Diagnostic], text: str, name: str, *, stream: TextIO | None = None
) -> None:
    """Draw mistakes and warnings of a script one below the other.

    Args:
        diagnostics: what to draw.
        text: the script they belong to.
        name: its name.
        stream: where to; standard output when None.
    """
    from anon.render import draw

    for line in draw(diagnostics, text, name, width=_columns(stream or sys.stdout)):
        parts = [
            Styled(part.text, _STYLES[part.style]) if part.style in _STYLES else part.text for part in line
        ]
        say_styled(*parts, stream=stream)


def _columns(stream: TextIO) -> int:
    """How wide lines may be: as the window, 80 where there is none."""
    if not stream.isatty():
        return _PLAIN_COLUMNS
    return min(shutil.get_terminal_size((_PLAIN_COLUMNS, 24)).columns, _WIDEST)
