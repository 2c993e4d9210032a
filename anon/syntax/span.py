"""Places in a script, and what becomes of its text before it is read."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of `Source.text`, in characters."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """From the start of this one to the end of the other."""
        return Span(self.start, other.end)


class Position(NamedTuple):
    """A span as people count: lines and columns from 1, `end_column` behind the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class Source:
    """The text of a script with its line ends made one, and the way back to the original positions.

    Attributes:
        text: what the grammar reads; with `joined`, continued lines are one line.
        lines: the lines as they were written, without line ends.
    """

    def __init__(self, original: str, *, joined: bool) -> None:
        plain = original.replace("\r\n", "\n").replace("\r", "\n")
        self.lines = plain.split("\n")
        self._line_starts = [0]
        for line in self.lines[:-1]:
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)
        self.text = plain
        self._cuts: list[int] = []  # where in `text` two characters of `plain` were left out
        if joined and "\\" in plain:
            self._join(plain)

    def _join(self, plain: str) -> None:
        """Drop a backslash at the end of a line together with the line's end (DicomEdit 6)."""
        parts = plain.split("\\\n")
        position = 0
        for part in parts[:-1]:
            position += len(part)
            self._cuts.append(position)
        self.text = "".join(parts)
        if self.text.endswith("\\"):
            self.text = self.text[:-1]

    def _original(self, offset: int) -> int:
        return offset + 2 * bisect_right(self._cuts, offset)

    def position(self, span: Span) -> Position:
        """Lines and columns of a span; an empty one is given the width of a character."""
        start = self._original(span.start)
        last = self._original(max(span.end - 1, span.start))
        line = bisect_right(self._line_starts, start) - 1
        end_line = bisect_right(self._line_starts, last) - 1
        return Position(
            line + 1,
            start - self._line_starts[line] + 1,
            end_line + 1,
            last - self._line_starts[end_line] + 2,
        )
