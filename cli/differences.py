"""Drawing differences: one block for each element, what it was and what it becomes, grouped over files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from cli.output import Styled, say, say_styled, shortened

if TYPE_CHECKING:
    from anon.comparison import Change

_PAIRS = 3  # of one element, values before and after; the rest is counted
_VALUE_CHARACTERS = 70


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
        say(f"... and {len(blocks) - most} more elements", stream=stream)


def _print_block(path: str, group: list[Change], files: int, stream: TextIO | None) -> None:
    touched = sum(change.files for change in group)
    where = "" if files == 1 else f"  in {touched} of {files} files"
    say_styled(Styled(f"{path} {group[0].keyword}".rstrip(), "bold"), where, stream=stream)
    by_files = sorted(group, key=lambda change: -change.files)
    for change in by_files[:_PAIRS]:
        count = f"  ({change.files} of them)" if len(group) > 1 and change.files > 1 else ""
        lines = _lines(change)
        for number, (sign, text, style) in enumerate(lines):
            end = count if number == len(lines) - 1 else ""
            say_styled(Styled(f"  {sign} {text}", style), end, stream=stream)
    if len(group) > _PAIRS:
        say(f"    ... and {len(group) - _PAIRS} more pairs of values", stream=stream)


def _lines(change: Change) -> list[tuple[str, str, str]]:
    found = []
    if change.before is not None:
        found.append(("-", _shown(change.before), "red"))
    if change.after is not None:
        found.append(("+", _shown(change.after), "green"))
    return found


def _shown(value: str) -> str:
    return shortened(value, _VALUE_CHARACTERS) or "(empty)"
