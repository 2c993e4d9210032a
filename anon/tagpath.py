"""Tag paths: how they are written, and which elements of nested data sets they mean.

A path is a chain of steps, one a level. `*` stands for any number of levels, `+` for at least one and `.` for
exactly one. The digits of a tag may be wild: X any digit, @ an even one, # an odd one. Private elements are
found by their creator (PS3.5 section 7.8), whatever block it took in the object at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from anon.encoding.elements import DataSet

TRANSFER_SYNTAX_UID: Final = 0x00020010
NO_CREATOR: Final = "NULL"  # DicomEdit 6's name for the creator of private elements that have none
MAX_ITEM: Final = 0xFFFF

_TAG = re.compile(r"\((.*),(.*)\)", re.DOTALL)
_PRIVATE_ELEMENT = re.compile(r"\{(.*)\}(.*)", re.DOTALL)
_CREATOR = re.compile(r"[A-Za-z][A-Za-z0-9 \-_.:]*")
_STEP = re.compile(
    r"\s*(?:(?P<level>[*+.])|(?P<tag>\([^()]*\))\s*(?:\[\s*(?P<item>%|[0-9]+)\s*\])?)\s*(?P<slash>/|$)"
)
_NUMBERED_STEP = re.compile(
    r"\s*\(\s*([0-9A-Fa-f]{4})\s*,\s*([0-9A-Fa-f]{4})\s*\)\s*(?:\[\s*([0-9]+)\s*\]\s*)?(/|$)"
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
    def tag_everywhere(self) -> int | None:
        """The tag, when the path is `*/` and a single public tag: the element at every depth."""
        last = self.steps[-1]
        if (
            len(self.steps) == 2
            and self.steps[0] is ANY_LEVELS
            and isinstance(last, TagStep)
            and last.mask == 0xFFFFFFFF
            and last.item is None
        ):
            return last.bits
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
    creator, rest = private[1].rstrip(" "), private[2]  # blanks at the end are padding: they do not count
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


def parse_numbered_path6(text: str) -> TagPath:
    """Read a path of numbers only, as `set` and `delete` take it: `(gggg,eeee)[n]/(gggg,eeee)`.

    Private elements, creators too, are named by the number they have in the object.

    Raises:
        TagError: the text is no such path; the message does not quote it.
    """
    steps: list[Step] = []
    position = 0
    slash = "/"
    while slash:
        found = _NUMBERED_STEP.match(text, position)
        if found is None:
            raise TagError(
                "the text is no tag path of plain numbers",
                "write (gggg,eeee)[n]/(gggg,eeee), private elements by their number, no wildcards",
            )
        group, element, number, slash = found.groups()
        item = None if number is None else _item(number)
        steps.append(TagStep(0xFFFFFFFF, int(group + element, 16), None, item, item is not None))
        position = found.end()
    path = TagPath(tuple(steps), text.strip())
    if path.plural_reason():
        raise TagError(
            f"the path does not name a single element: {path.plural_reason()}",
            "every sequence on the way needs an item number, the element itself has none",
        )
    return path


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
