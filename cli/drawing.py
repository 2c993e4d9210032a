"""Mistakes of scripts on a terminal: as `anon.render` draws them, in colours and as wide as the window."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TextIO

from cli.output import Styled, columns, say_styled

if TYPE_CHECKING:
    from anon.errors import Diagnostic

_STYLES: Final = {"error": "red", "warning": "yellow", "hint": "bold", "margin": "cyan"}
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

    for line in draw(diagnostics, text, name, width=min(columns(stream), _WIDEST)):
        parts = [
            Styled(part.text, _STYLES[part.style]) if part.style in _STYLES else part.text for part in line
        ]
        say_styled(*parts, stream=stream)
