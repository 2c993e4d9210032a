"""Private data elements as a whole (PS3.5 section 7.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from anon.encoding.elements import DataSet
from anon.encoding.text import SPECIFIC_CHARACTER_SET
from anon.operations.run import Run
from anon.places import Level, closure, match_level
from anon.syntax.span import Span
from anon.tagpath import Step, TagPath, creator_of, is_private_creator


def remove_private(dataset: DataSet) -> None:
    """Remove every element of an odd group, creators included, at every depth."""
    for tag in dataset.tags():
        if tag >> 16 & 1:
            dataset.remove(tag)
    for tag in dataset.sequence_tags():
        element = dataset.get(tag)
        if element is not None:
            for item in element.items:
                remove_private(item)


@dataclass(frozen=True, slots=True)
class RemoveAllPrivateTags:
    """`removeAllPrivateTags`: group 2 and pixel data are untouched, emptied items stay."""

    span: Span

    def run(self, run: Run) -> None:
        """Carry the statement out."""
        remove_private(run.instance.dataset)


# -- all but some


class _Wish(NamedTuple):
    """A path of elements to keep, and how much of it the sequences around have used up."""

    steps: tuple[Step, ...]
    positions: set[int]


def retain_private(dataset: DataSet, paths: Iterable[TagPath]) -> None:
    """Remove every private element, at any depth, that no path matches nor lies below a match.

    What is kept stays byte for byte where it is, with the creators of its blocks. Of a private sequence that
    is kept for something in it, all else goes, items that are left without data too. Public sequences outside
    stay even if they become empty.
    """
    _retain(dataset, [_Wish(path.steps, closure((0,), path.steps)) for path in paths], in_private=False)


def _retain(dataset: DataSet, wishes: Sequence[_Wish], *, in_private: bool) -> None:
    found: dict[int, list[tuple[tuple[Step, ...], Level]]] = {}
    for steps, positions in wishes:
        for level in match_level(dataset, steps, positions):
            found.setdefault(level.tag, []).append((steps, level))

    def wishes_for(tag: int, number: int) -> list[_Wish]:
        return [_Wish(steps, level.positions_in(number, steps)) for steps, level in found.get(tag, ())]

    for tag in dataset.tags():
        if is_private_creator(tag) or tag == SPECIFIC_CHARACTER_SET or not (in_private or tag >> 16 & 1):
            continue
        if any(level.is_match for _, level in found.get(tag, ())):
            continue
        if tag not in found or not _retain_items(dataset, tag, wishes_for):
            dataset.remove(tag)
    _remove_unused_creators(dataset)
    if in_private and dataset.tags() == [SPECIFIC_CHARACTER_SET]:
        dataset.remove(SPECIFIC_CHARACTER_SET)  # there is no text left that it tells how to read
    for tag in () if in_private else dataset.sequence_tags():
        element = dataset.get(tag)
        if element is None or tag >> 16 & 1:
            continue
        for number, item in enumerate(element.items):
            _retain(item, wishes_for(tag, number), in_private=False)


def _retain_items(dataset: DataSet, tag: int, wishes_for: Callable[[int, int], list[_Wish]]) -> bool:
    """Thin out a private sequence that no path matches as a whole; returns whether anything is left."""
    element = dataset.get(tag)
    if element is None:
        return False
    for number in reversed(range(len(element.items))):
        wishes = wishes_for(tag, number)
        if any(len(wish.steps) in wish.positions for wish in wishes):
            continue  # a path that ends in [n]
        item = element.items[number]
        _retain(item, wishes, in_private=True)
        if not item.tags():
            dataset.delete_item(tag, number)
    return bool(element.items)


def _remove_unused_creators(dataset: DataSet) -> None:
    tags = [tag for tag in dataset.tags() if tag >> 16 & 1]
    creators = [tag for tag in tags if is_private_creator(tag)]
    # What stands in the creator's place without being one, such as a sequence, is not asked for.
    used = {
        tag & 0xFFFF0000 | tag >> 8 & 0xFF
        for tag in tags
        if not is_private_creator(tag) and creator_of(dataset, tag) is not None
    }
    for tag in creators:
        if tag not in used:
            dataset.remove(tag)
