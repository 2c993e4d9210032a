"""Drawing differences: one block for each element, what it was and what it becomes, grouped over files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from cli.output import Styled, columns, say, say_styled, shortened

if TYPE_CHECKING:
    from anon.comparison import Change

_PAIRS = 3  # of one element, values before and after; the rest is counted
_WIDEST_VALUE = 100


def print_changes(
    changes: Sequence[Change], files: int, *, most: int | None = None, stream: TextIO | None = None
) -> None:
    """Print changes, element by element.

    Args:
        changes: in the order of the elements.
        files: how many were looked at.
        most: elements that are shown; the rest is counted.
        stream: where to, standard output by default.
    """
    blocks = [(path, list(group)) for path, group in groupby(changes, key=lambda change: change.path)]
    if not blocks:
        say("nothing changes", stream=stream)
    for path, group in blocks[:most]:
        _print_block(path, group, files, stream)
    if most is not None and len(blocks) > most:
        more = len(blocks) - most
        say(f"... and {more} more element{'s' * (more != 1)}", stream=stream)


def _print_block(path: str, group: list[Change], files: int, stream: TextIO | None) -> None:
    touched = sum(change.files for change in group)
    where = "" if files == 1 else f"in {touched} of {files} files"
    say_element(path, group[0].keyword, where, stream=stream)
    by_files = sorted(group, key=lambda change: -change.files)
    for change in by_files[:_PAIRS]:
        count = f"  ({change.files} of them)" if len(group) > 1 and change.files > 1 else ""
        lines = _lines(change, min(_WIDEST_VALUE, columns(stream) - 4 - len(count)))
        for number, (sign, text, style) in enumerate(lines):
            end = count if number == len(lines) - 1 else ""
            say_styled(Styled(f"  {sign} {text}", style), end, stream=stream)
    if len(group) > _PAIRS:
        more = len(group) - _PAIRS
        say(f"    ... and {more} more pair{'s' * (more != 1)} of values", stream=stream)


def say_element(path: str, keyword: str, facts: str, *, stream: TextIO | None = None) -> None:
    """Print a tag path with its keyword and what else there is to say; what does not fit stands below."""
    parts = [Styled(path, "bold")]
    room = columns(stream) - len(path)
    for part, between in ((Styled(keyword, "bold"), 1), (Styled(facts, ""), 2)):
        if not part.text:
            continue
        if room < len(part.text) + between:
            say_styled(*parts, stream=stream)
            parts, room, between = [], columns(stream), 4
        parts += [Styled(" " * between, ""), part]
        room -= len(part.text) + between
    say_styled(*parts, stream=stream)


def _lines(change: Change, characters: int) -> list[tuple[str, str, str]]:
    found = []
    if change.before is not None:
        found.append(("-", value_text(change.before, characters), "red"))
    if change.after is not None:
        found.append(("+", value_text(change.after, characters), "green"))
    return found


def value_text(value: str, characters: int) -> str:
    """Return a value on one line, in so many characters."""
    return shortened(value, characters) or "(empty)"
