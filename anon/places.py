"""From tag paths to the elements of an object that they mean: finding, creating and removing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from anon.encoding.elements import DataSet
from anon.errors import StatementError
from anon.tagpath import (
    ANY_LEVELS,
    TRANSFER_SYNTAX_UID,
    LevelStep,
    Step,
    TagPath,
    TagStep,
    creator_of,
    is_private_creator,
)

# -- private blocks (PS3.5 section 7.8.1)


def find_block(dataset: DataSet, group: int, creator: str) -> int | None:
    """The block (10-FF) of a private creator in a group; None when the creator is not there."""
    for tag in dataset.tags():
        if tag >> 16 != group or not is_private_creator(tag):
            continue
        if creator_of(dataset, group << 16 | (tag & 0xFF) << 8) == creator:
            return tag & 0xFF
    return None


def _free_block(dataset: DataSet, group: int) -> int:
    """The first block without creator and without data: taking orphans over would give them a false owner."""
    taken: set[int] = set()
    for tag in dataset.tags():
        if tag >> 16 == group:
            number = tag & 0xFFFF
            taken.add(number if number <= 0xFF else number >> 8)
    for block in range(0x10, 0x100):
        if block not in taken:
            return block
    raise StatementError("no-private-block", f"group {group:04X} has no free private block left")


# -- a single element


class Place(NamedTuple):
    """Where an element is, or would be: the data sets from the top down to its own, and its tag."""

    chain: tuple[DataSet, ...]
    tag: int

    @property
    def dataset(self) -> DataSet:
        """The data set that holds the element."""
        return self.chain[-1]


def _own_tag(dataset: DataSet, step: TagStep, *, create: bool) -> int | None:
    if step.creator is None:
        return step.bits
    group = step.bits >> 16
    block = find_block(dataset, group, step.creator)
    if block is None:
        if not create:
            return None
        block = _free_block(dataset, group)
        dataset.put(group << 16 | block, "LO", step.creator.encode("ascii"))
    return step.bits | block << 8


def find_place(top: DataSet, path: TagPath) -> Place | None:
    """Where a singular path leads; None when something on the way is absent. Nothing is created."""
    chain = [top]
    for step in path.steps[:-1]:
        assert isinstance(step, TagStep)
        tag = _own_tag(chain[-1], step, create=False)
        element = None if tag is None else chain[-1].get(tag)
        if element is None or step.item is None or step.item >= len(element.items):
            return None
        chain.append(element.items[step.item])
    last = path.steps[-1]
    assert isinstance(last, TagStep)
    tag = _own_tag(chain[-1], last, create=False)
    return None if tag is None else Place(tuple(chain), tag)


def _no_sequence(path: TagPath) -> StatementError:
    return StatementError("not-a-sequence", f"the path {path} leads through an element that is no sequence")


def require_place(tag: int, *, is_made_in_item: bool) -> None:
    """Make sure that data sets have such elements; file meta elements are not in items.

    Raises:
        StatementError: they are of a directory, or of a group that delimiters and padding use.
    """
    group = tag >> 16
    if group == 0x0004 or group >= 0xFFFA or (group == 0x0002 and is_made_in_item):
        raise StatementError("no-data-element", f"elements of group {group:04X} have no place in a data set")


def make_place(top: DataSet, path: TagPath) -> Place:
    """Where a singular path leads; sequences, items and private blocks on the way are created.

    Raises:
        StatementError: the way leads through an element that is no sequence or has no place in a data set,
            or through group 2, which has no sequences (PS3.10 section 7.1).
    """
    first = path.steps[0]
    assert isinstance(first, TagStep)
    if len(path.steps) > 1 and first.bits >> 16 == 0x0002:
        raise _no_sequence(path)
    chain = [top]
    for step in path.steps[:-1]:
        assert isinstance(step, TagStep) and step.item is not None
        dataset = chain[-1]
        tag = _own_tag(dataset, step, create=True)
        assert tag is not None
        element = dataset.get(tag)
        if element is None:
            if not tag & 0xFFFF or not tag >> 16:  # a group length, or group 0000
                raise _no_sequence(path)
            require_place(tag, is_made_in_item=len(chain) > 1)
            element = dataset.put_sequence(tag)
        elif not element.is_sequence:
            raise _no_sequence(path)
        if dataset.room <= 1:
            raise StatementError("too-deep", "the path goes deeper than sequences may nest")
        while len(element.items) <= step.item:
            dataset.new_item(tag)
        chain.append(element.items[step.item])
    last = path.steps[-1]
    assert isinstance(last, TagStep)
    tag = _own_tag(chain[-1], last, create=True)
    assert tag is not None
    return Place(tuple(chain), tag)


# -- all elements


def closure(positions: Iterable[int], steps: tuple[Step, ...]) -> set[int]:
    """The positions in the path that can be reached without consuming a level."""
    reached: set[int] = set()
    for start in positions:
        position = start
        reached.add(position)
        while position < len(steps) and steps[position] is ANY_LEVELS:
            position += 1
            reached.add(position)
    return reached


class Level(NamedTuple):
    """What is known about one element of a level: it is meant, or the path goes on in its items."""

    tag: int
    is_match: bool
    below: set[int]
    items: list[tuple[int, int]]

    def positions_in(self, number: int, steps: tuple[Step, ...]) -> set[int]:
        """The positions in the path that an item is searched with; one behind the end means all of it."""
        return self.below | closure((position for wanted, position in self.items if wanted == number), steps)


def match_level(dataset: DataSet, steps: tuple[Step, ...], positions: set[int]) -> Iterator[Level]:
    """The elements of a level that are meant or may hold such: most are neither, and never looked at."""
    end = len(steps)
    any_tag: set[int] = set()
    after: dict[int, set[int]] = {}
    items: dict[int, list[tuple[int, int]]] = {}
    tags: list[int] | None = None
    for position in positions:
        if position == end:
            continue
        step = steps[position]
        if isinstance(step, LevelStep):
            any_tag.add(position if step is ANY_LEVELS else position + 1)
            continue
        if step.mask == 0xFFFFFFFF:
            hits = [step.bits] if step.bits in dataset else []
        else:
            tags = dataset.tags() if tags is None else tags
            hits = [tag for tag in tags if step.matches(dataset, tag)]
        for tag in hits:
            if step.item is None:
                after.setdefault(tag, set()).add(position + 1)
            else:
                items.setdefault(tag, []).append((step.item, position + 1))
    below_any = closure(any_tag, steps)
    candidates = {*after, *items}
    if end in below_any:
        candidates.update(dataset.tags())
    elif below_any:
        candidates.update(dataset.sequence_tags())
    for tag in sorted(candidates):
        below = below_any | closure(after[tag], steps) if tag in after else below_any
        yield Level(tag, end in below, below - {end}, items.get(tag, []))


def find_places(tops: Iterable[DataSet], path: TagPath) -> list[Place]:
    """Every element that the whole path matches, in the order of the data sets."""
    everywhere = path.tag_everywhere
    if everywhere is not None:
        return list(_find_everywhere(tops, everywhere))
    found: list[Place] = []
    for top in tops:
        _find((top,), path.steps, closure((0,), path.steps), found)
    return found


def _find(
    chain: tuple[DataSet, ...], steps: tuple[Step, ...], positions: set[int], found: list[Place]
) -> None:
    # Not a function in find_places: one that calls itself would keep what it found, and all bytes, alive.
    for level in match_level(chain[-1], steps, positions):
        if level.is_match:
            found.append(Place(chain, level.tag))
        if not level.below and not level.items:
            continue
        element = chain[-1].get(level.tag)
        if element is None or not element.is_sequence:
            continue
        for number, item in enumerate(element.items):
            positions_below = level.positions_in(number, steps)
            if positions_below:
                _find((*chain, item), steps, positions_below, found)


def _find_everywhere(tops: Iterable[DataSet], tag: int) -> Iterator[Place]:
    """The element at every depth. Scripts ask for hundreds of tags, of which an object has few."""
    for top in tops:
        for holder in top.holders(tag):
            chain = holder.chain() if tag in holder else None
            if chain is not None:
                yield Place(chain, tag)


def delete_places(tops: Iterable[DataSet], path: TagPath) -> None:
    """Remove every element whose path the script's path is, or is the beginning of.

    Private creators stay. So do items and sequences that become empty, and the transfer syntax, without which
    nothing could be read.
    """
    everywhere = path.tag_everywhere
    if everywhere is not None:
        for place in list(_find_everywhere(tops, everywhere)):
            _remove(place.dataset, everywhere)
        return
    end = len(path.steps)

    def visit(dataset: DataSet, positions: set[int]) -> None:
        for level in match_level(dataset, path.steps, positions):
            if level.is_match:
                _remove(dataset, level.tag)
                continue
            element = dataset.get(level.tag)
            if element is None or not element.is_sequence:
                continue
            for number, item in enumerate(element.items):
                positions_below = level.positions_in(number, path.steps)
                if end in positions_below:
                    for tag in item.tags():
                        _remove(item, tag)
                elif positions_below:
                    visit(item, positions_below)

    for top in tops:
        visit(top, closure((0,), path.steps))


def _remove(dataset: DataSet, tag: int) -> None:
    if not is_private_creator(tag) and tag != TRANSFER_SYNTAX_UID:
        dataset.remove(tag)
