"""Tag paths: how they are written, and which elements of nested data sets they mean.

A path is a chain of steps, one a level. `*` stands for any number of levels, `+` for at least one and `.` for
exactly one. The digits of a tag may be wild: X any digit, @ an even one, # an odd one. Private elements are
found by their creator (PS3.5 section 7.8), whatever block it took in the object at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from anon.encoding.elements import DataSet
from anon.errors import StatementError

TRANSFER_SYNTAX_UID: Final = 0x00020010
NO_CREATOR: Final = "NULL"  # DicomEdit 6's name for the creator of private elements that have none
MAX_ITEM: Final = 0xFFFF

_TAG = re.compile(r"\((.*),(.*)\)", re.DOTALL)
_PRIVATE_ELEMENT = re.compile(r"\{(.*)\}(.*)", re.DOTALL)
_CREATOR = re.compile(r"[A-Za-z][A-Za-z0-9 \-_.:]*")
_DIGITS = re.compile(r"[0-9A-Fa-fXx@#]*")
_STEP = re.compile(
    r"\s*(?:(?P<level>[*+.])|(?P<tag>\([^()]*\))\s*(?:\[\s*(?P<item>%|[0-9]+)\s*\])?)\s*(?P<slash>/|$)"
)


class TagError(Exception):
    """A tag or path is not written as the language wants it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class TagStep:
    """A tag, possibly with wild digits, a private creator and an item number.

    Attributes:
        mask: the bits of the tag that are given.
        bits: their values. Of a private step the two block digits are not given.
        creator: the private creator, None for a public step.
        item: the item meant, None for all.
        has_item: an item was written, a number or `%`.
    """

    mask: int
    bits: int
    creator: str | None = None
    item: int | None = None
    has_item: bool = False

    @property
    def is_wild(self) -> bool:
        """Whether digits are left open."""
        return self.mask != (0xFFFFFFFF if self.creator is None else 0xFFFF00FF)

    def matches(self, dataset: DataSet, tag: int) -> bool:
        """Whether the element `tag` of this data set is meant. Private steps never mean creators."""
        if tag & self.mask != self.bits:
            return False
        if self.creator is None:
            return True
        if tag & 0xFFFF < 0x1000:
            return False
        return (creator_of(dataset, tag) or NO_CREATOR) == self.creator


@dataclass(frozen=True, slots=True)
class LevelStep:
    """`*`: any number of levels; `.`: exactly one."""

    symbol: str


ANY_LEVELS: Final = LevelStep("*")
ONE_LEVEL: Final = LevelStep(".")
Step = TagStep | LevelStep


@dataclass(frozen=True, slots=True)
class TagPath:
    """The steps of a path and its text. `+` is kept as a `.` followed by a `*`."""

    steps: tuple[Step, ...]
    text: str

    @property
    def tag(self) -> int | None:
        """The tag, when the path is a single public tag without wild digits."""
        step = self.steps[0]
        if (
            len(self.steps) == 1
            and isinstance(step, TagStep)
            and step.mask == 0xFFFFFFFF
            and not step.has_item
        ):
            return step.bits
        return None

    @property
    def is_private(self) -> bool:
        """Whether a step names a private creator."""
        return any(isinstance(step, TagStep) and step.creator is not None for step in self.steps)

    def plural_reason(self) -> str:
        """Why the path may mean several elements; "" when it means a single one."""
        for number, step in enumerate(self.steps):
            if isinstance(step, LevelStep) or step.is_wild:
                return "it has wildcards"
            last = number == len(self.steps) - 1
            if last and step.has_item:
                return "it ends in an item, not in an element"
            if not last and step.item is None:
                return "a sequence on the way has no item number"
        return ""

    def __str__(self) -> str:
        return self.text


# -- writing


def _digits(text: str, what: str) -> tuple[int, int]:
    """Mask and bits of a run of hexadecimal digits, some of them wild."""
    mask = bits = 0
    for letter in text:
        mask, bits = mask << 4, bits << 4
        if letter in "Xx":
            continue
        if letter in "@#":
            mask |= 1
            bits |= letter == "#"
        elif letter in "0123456789abcdefABCDEF":
            mask |= 0xF
            bits |= int(letter, 16)
        else:
            raise TagError(
                f"{letter!r} is not a digit of a {what}", "hexadecimal digits, or X, @ or # for any digit"
            )
    return mask, bits


def _four(text: str, what: str) -> tuple[int, int]:
    mask, bits = _digits(text, what)
    if len(text) != 4:
        raise TagError(f"the {what} needs four digits", "a tag is written (gggg,eeee)")
    return mask, bits


def parse_tag4(text: str) -> TagStep:
    """Read a tag or pattern of DicomEdit 4: `(gggg,eeee)` without blanks, wild digits in capitals.

    Raises:
        TagError: it is not written like that.
    """
    if re.search(r"\s", text):
        raise TagError("a tag holds no blanks", f"did you mean {''.join(text.split())}?")
    if "x" in text:
        raise TagError("the wild digit is a capital X", f"did you mean {text.replace('x', 'X')}?")
    if "{" in text:
        raise TagError(
            "DicomEdit 4 does not know private creators", "write the number, (0029,10XX), or use DicomEdit 6"
        )
    group, element = text[1:-1].split(",", 1)
    group_mask, group_bits = _four(group, "group")
    element_mask, element_bits = _four(element, "element")
    return TagStep(group_mask << 16 | element_mask, group_bits << 16 | element_bits)


def parse_tag6(text: str, item: str | None = None) -> TagStep:
    """Read a tag of DicomEdit 6: `(gggg,eeee)` or `(gggg,{CREATOR}ee)`, and the item number behind it.

    Raises:
        TagError: it is not written like that.
    """
    parts = _TAG.fullmatch(text)
    if parts is None:
        raise TagError("this is not a tag", "a tag is written (gggg,eeee) or (gggg,{CREATOR}ee)")
    group, element = parts[1].rstrip(" \t"), parts[2].lstrip(" \t")
    if group != group.lstrip() or element != element.rstrip():
        raise TagError(
            "no blank may follow '(' or precede ')'", f"did you mean ({group.strip()},{element.strip()})?"
        )
    number = None if item is None or item == "%" else _item(item)
    group_mask, group_bits = _four(group, "group")
    if group_mask & 1 == 0:
        raise TagError(
            "the last digit of the group cannot be X", "use @ for public groups, # for private ones"
        )
    is_odd = bool(group_bits & 1)
    private = _PRIVATE_ELEMENT.fullmatch(element)
    if private is None:
        mask, bits = _four(element, "element")
        if is_odd:
            raise TagError(
                "private elements are named by their creator", f"write ({group},{{CREATOR}}{element[2:]})"
            )
        return TagStep(group_mask << 16 | mask, group_bits << 16 | bits, None, number, item is not None)
    creator, rest = private[1], private[2]
    if not is_odd:
        raise TagError("a private creator needs an odd group", "even groups hold no private elements")
    if _CREATOR.fullmatch(creator) is None:
        raise TagError(
            "the private creator cannot be written like this",
            "a letter, then letters, digits, blanks and - _ . : only",
        )
    mask, bits = _digits(rest, "element")
    if len(rest) != 2:
        raise TagError("two digits follow the private creator", f"write ({group},{{{creator}}}ee)")
    return TagStep(group_mask << 16 | mask, group_bits << 16 | bits, creator, number, item is not None)


def _item(text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text) or (len(text) > 1 and text[0] == "0"):
        raise TagError("an item number counts from 0", "write [0], [1], ... or [%] for every item")
    if len(text) > 5 or int(text) > MAX_ITEM:
        raise TagError("no sequence has that many items", f"item numbers go up to {MAX_ITEM}")
    return int(text)


def level_steps(symbol: str) -> tuple[LevelStep, ...]:
    """The steps of `*`, `+` or `.`."""
    return {"*": (ANY_LEVELS,), ".": (ONE_LEVEL,), "+": (ONE_LEVEL, ANY_LEVELS)}[symbol]


def make_path(steps: Iterable[Step], text: str) -> TagPath:
    """A path of these steps.

    Raises:
        TagError: the path ends in `+`, which means nothing.
    """
    path = TagPath(tuple(steps), text)
    if path.steps[-2:] == (ONE_LEVEL, ANY_LEVELS) and text.rstrip().endswith("+"):
        raise TagError("a path cannot end in '+'", "name the element below, or use '*'")
    return path


def parse_path6(text: str) -> TagPath:
    """Read a path from a string, as functions such as `removeTags` take it.

    Raises:
        TagError: the text is no path, or anything follows it.
    """
    steps: list[Step] = []
    position = 0
    while True:
        found = _STEP.match(text, position)
        if found is None:
            raise TagError("the text is no tag path", "a path is written (gggg,eeee)[n]/(gggg,eeee)")
        if found["level"]:
            steps.extend(level_steps(found["level"]))
        else:
            steps.append(parse_tag6(found["tag"], found["item"]))
        position = found.end()
        if not found["slash"]:
            return make_path(steps, text.strip())


# -- private blocks (PS3.5 section 7.8.1)


def is_private_creator(tag: int) -> bool:
    """Whether the tag is that of a private creator element."""
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def creator_of(dataset: DataSet, tag: int) -> str | None:
    """The private creator of a private data element; None when its block has none."""
    block = dataset.get(tag & 0xFFFF0000 | (tag >> 8 & 0xFF))
    if block is None or block.is_sequence:
        return None
    return block.value.decode("latin-1").strip(" \0") or None


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


def make_place(top: DataSet, path: TagPath) -> Place:
    """Where a singular path leads; sequences, items and private blocks on the way are created.

    Raises:
        StatementError: the way leads through an element that is no sequence.
    """
    chain = [top]
    for step in path.steps[:-1]:
        assert isinstance(step, TagStep) and step.item is not None
        dataset = chain[-1]
        tag = _own_tag(dataset, step, create=True)
        assert tag is not None
        element = dataset.get(tag)
        if element is None:
            element = dataset.put_sequence(tag)
        elif not element.is_sequence:
            raise StatementError(
                "not-a-sequence", f"the path {path} leads through an element that is no sequence"
            )
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


def _closure(positions: Iterable[int], steps: tuple[Step, ...]) -> set[int]:
    """The positions in the path that can be reached without consuming a level."""
    reached: set[int] = set()
    for start in positions:
        position = start
        reached.add(position)
        while position < len(steps) and steps[position] is ANY_LEVELS:
            position += 1
            reached.add(position)
    return reached


class _Level(NamedTuple):
    """What is known about one element of a level: it is meant, or the path goes on in its items."""

    tag: int
    is_match: bool
    below: set[int]
    items: list[tuple[int, int]]


def _match_level(dataset: DataSet, steps: tuple[Step, ...], positions: set[int]) -> Iterator[_Level]:
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
    below_any = _closure(any_tag, steps)
    candidates = {*after, *items}
    if end in below_any:
        candidates.update(dataset.tags())
    elif below_any:
        candidates.update(dataset.sequence_tags())
    for tag in sorted(candidates):
        below = below_any | _closure(after[tag], steps) if tag in after else below_any
        yield _Level(tag, end in below, below - {end}, items.get(tag, []))


def find_places(tops: Iterable[DataSet], path: TagPath) -> list[Place]:
    """Every element that the whole path matches, in the order of the data sets."""
    found: list[Place] = []

    def visit(chain: tuple[DataSet, ...], positions: set[int]) -> None:
        for level in _match_level(chain[-1], path.steps, positions):
            if level.is_match:
                found.append(Place(chain, level.tag))
            if not level.below and not level.items:
                continue
            element = chain[-1].get(level.tag)
            if element is None or not element.is_sequence:
                continue
            for number, item in enumerate(element.items):
                own = _closure((position for wanted, position in level.items if wanted == number), path.steps)
                if level.below or own:
                    visit((*chain, item), level.below | own)

    for top in tops:
        visit((top,), _closure((0,), path.steps))
    return found


def delete_places(tops: Iterable[DataSet], path: TagPath) -> None:
    """Remove every element whose path the script's path is, or is the beginning of.

    Private creators stay. So do items and sequences that become empty, and the transfer syntax, without which
    nothing could be read.
    """
    end = len(path.steps)

    def visit(dataset: DataSet, positions: set[int]) -> None:
        for level in _match_level(dataset, path.steps, positions):
            if level.is_match:
                _remove(dataset, level.tag)
                continue
            element = dataset.get(level.tag)
            if element is None or not element.is_sequence:
                continue
            for number, item in enumerate(element.items):
                own = _closure((position for wanted, position in level.items if wanted == number), path.steps)
                if end in own:
                    for tag in item.tags():
                        _remove(item, tag)
                elif level.below or own:
                    visit(item, level.below | own)

    for top in tops:
        visit(top, _closure((0,), path.steps))


def _remove(dataset: DataSet, tag: int) -> None:
    if not is_private_creator(tag) and tag != TRANSFER_SYNTAX_UID:
        dataset.remove(tag)
