"""Where in a TOML file a key stands, which `tomllib` does not tell.

Good enough for messages: where a place cannot be understood, the nearest known place around it is told.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final, NamedTuple

Location = tuple[str | int, ...]  # keys, and numbers from 0 in arrays

_KEY: Final = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEYS: Final = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_KEYS})\s*\]\]?")
_ASSIGNMENT = re.compile(rf"\s*({_KEYS})\s*=")


class Place(NamedTuple):
    """A stretch of one line, as people count: from 1; `end_column` is behind the last character."""

    line: int
    column: int
    end_column: int


_START: Final = Place(1, 1, 1)


class KeyPlaces:
    """The places of the keys and headers of a TOML file.

    Keys inside of inline tables, and what stands in lists, are looked for behind the key around them.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._known: dict[Location, Place] = {}
        self._counts: dict[Location, int] = {}
        table: Location = ()
        for number, line in enumerate(self._lines, start=1):
            header = _HEADER.match(line)
            if header is not None:
                table = self._open_table(_parts(header[2]), header[1] == "[[")
                self._known.setdefault(table, Place(number, header.start(1) + 1, header.end() + 1))
                continue
            assignment = _ASSIGNMENT.match(line)
            if assignment is None:
                continue
            place = Place(number, assignment.start(1) + 1, assignment.end(1) + 1)
            parts = _parts(assignment[1])
            for length in range(1, len(parts) + 1):
                self._known.setdefault((*table, *parts[:length]), place)
        self._starts = sorted({place.line for place in self._known.values()})

    def find(self, location: Location, culprit: str | None = None) -> Place:
        """The place of a key, or of a text behind it.

        Args:
            location: of the key.
            culprit: a text behind the key that is meant, not the key itself.
        """
        known = location
        while known and known not in self._known:
            known = known[:-1]
        if not known:
            return _START
        place = self._known[known]
        for part in (*location[len(known) :], culprit):
            if isinstance(part, str):
                place = self._behind(place, part) or place
        return place

    def _behind(self, place: Place, text: str) -> Place | None:
        """Where a text stands as a key or in quotes, from a place up to the next key that is known."""
        following = bisect_right(self._starts, place.line)
        end = self._starts[following] if following < len(self._starts) else len(self._lines) + 1
        escaped = re.escape(text)
        wanted = re.compile(rf"""(["']){escaped}\1|(?<![\w"'.-]){escaped}(?![\w"'.-])""")
        for number in range(place.line, end):
            start = place.column - 1 if number == place.line else 0
            found = wanted.search(self._lines[number - 1], start)
            if found is not None:
                return Place(number, found.start() + 1, found.end() + 1)
        return None

    def _open_table(self, parts: list[str], is_array: bool) -> Location:
        """The location of a header: each array on the way stands for its last table."""
        location: Location = ()
        for number, part in enumerate(parts):
            location = (*location, part)
            if is_array and number == len(parts) - 1:
                self._counts[location] = self._counts.get(location, -1) + 1
            if location in self._counts:
                location = (*location, self._counts[location])
        return location


def _parts(text: str) -> list[str]:
    return [part[1:-1] if part[0] in "\"'" else part for part in re.findall(_KEY, text)]
