"""Objects before and after a script, as tests look at them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

from anon.encoding.elements import PIXEL_DATA_TAGS, Element
from anon.encoding.instance import EncodedInstance
from anon.encoding.text import STRING_VRS
from anon.errors import Diagnostic
from anon.listing import Step, tag_row, visit_instance
from anon.places import find_places
from anon.tagpath import TagPath, TagStep
from anon.testing.model import Target, full_name

_SHORT_WORD: Final = 4  # such words occur in binary values by chance
_MAX_PADDING: Final = 1024  # a longer value of blanks is one
_PLAIN: Final = str.maketrans("", "", "\t\n\f\r")  # in texts beside what can be printed (PS3.5 section 6.1.3)


Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An element in one state of an object.

    Attributes:
        path: as a script names it.
        keyword: empty for private and unknown elements.
        value: as text, several values joined by a backslash; None for sequences and binary values.
        element: as encoded.
    """

    path: str
    keyword: str
    value: str | None
    element: Element

    @property
    def text(self) -> str | None:
        """The value as text; of unknown VR, if it is text in UTF-8. None where there is none."""
        if self.value is not None or self.element.vr != "UN":
            return self.value
        try:
            text = self.element.value.decode("utf-8").rstrip(" \0")
        except UnicodeDecodeError:
            return None
        return text if text.translate(_PLAIN).isprintable() else None

    @property
    def is_empty(self) -> bool:
        """Whether there is no value: no bytes but padding, no items."""
        if self.element.is_sequence:
            return not self.element.items
        # Only texts are padded: a number 0 is a value.
        is_padded = self.element.vr in STRING_VRS and self.element.length <= _MAX_PADDING
        return not (self.element.value.strip(b" \0") if is_padded else self.element.length)

    @property
    def shown(self) -> str:
        """The value for people."""
        if self.is_empty:
            return "(empty)"
        if self.text is not None:
            return self.text
        if self.element.is_sequence:
            count = len(self.element.items)
            return f"(sequence of {count} item{'s' * (count != 1)})"
        return f"({self.element.length} bytes)"

    def is_same(self, other: Entry) -> bool:
        """Whether both have the same VR and value; of sequences only the number of items counts."""
        ours, theirs = self.element, other.element
        if ours.is_sequence or theirs.is_sequence:
            return ours.is_sequence and theirs.is_sequence and len(ours.items) == len(theirs.items)
        return ours.vr == theirs.vr and ours.view == theirs.view

    def contains(self, word: Word) -> bool:
        """Whether the word occurs in the value; in binary ones only long words, never in pixels."""
        text = self.text
        if text is not None:
            return word.occurs_in(text)
        element = self.element
        if element.is_sequence or element.tag in PIXEL_DATA_TAGS or len(word.text) < _SHORT_WORD:
            return False
        return any(word.occurs_in(element.value.decode(name, "replace")) for name in ("utf-8", "latin-1"))


class Word:
    """A word to look for; case does not count.

    Args:
        text: the word.
        whole: it counts only as a word of its own, not as a part of a longer one.
    """

    def __init__(self, text: str, *, whole: bool) -> None:
        self.text = text
        self._folded = _fold(text)
        self._whole = whole

    def occurs_in(self, text: str) -> bool:
        """Whether a text holds the word."""
        folded = _fold(text)
        start = folded.find(self._folded)
        while start >= 0:
            end = start + len(self._folded)
            if not self._whole or not (
                folded[start - 1 : start].isalnum() or folded[end : end + 1].isalnum()
            ):
                return True
            start = folded.find(self._folded, start + 1)
        return False


def _fold(text: str) -> str:
    """The text as it compares: without case, and each letter with its accents as one character."""
    return unicodedata.normalize("NFC", text).casefold()


class Snapshot:
    """All elements of an object in one state."""

    def __init__(self, instance: EncodedInstance) -> None:
        self.instance = instance

    @cached_property
    def entries(self) -> dict[Steps, Entry]:
        """The elements by where they are, in the order of the object, nested ones too."""
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[dict[Steps, Entry], dict[tuple[int, int], Steps]]:
        # Not by path: a creator can have two blocks in a group, and a script can take a block its creator.
        entries: dict[Steps, Entry] = {}
        places: dict[tuple[int, int], Steps] = {}
        for visit in visit_instance(self.instance):
            row = tag_row(visit)
            entries[visit.steps] = Entry(visit.path, row.keyword, row.value, visit.element)
            places[id(visit.parent), visit.element.tag] = visit.steps
        return entries, places

    def find(self, path: TagPath) -> list[Steps]:
        """Where the elements are that a path means, in their order."""
        known = self._read[1]
        step = path.steps[0]
        if isinstance(step, TagStep) and step.mask >> 16 == 0xFFFF:
            tops = [self.instance.element_set(step.bits)]
        else:
            tops = [self.instance.meta, self.instance.dataset]
        return [known[id(place.dataset), place.tag] for place in find_places(tops, path)]


@dataclass(frozen=True, slots=True)
class Observed:
    """One input of a test and what the script made of it.

    Attributes:
        number: of the input, from 1.
        of: how many inputs the test has.
        before: the input.
        after: the result; None when there is none.
        outcome: what the script did.
        messages: warnings of the script.
        failure: why it failed.
    """

    number: int
    of: int
    before: Snapshot
    after: Snapshot | None
    outcome: Literal["ok", "rejected", "failed"]
    messages: Sequence[str]
    failure: Diagnostic | None

    @property
    def place(self) -> str:
        """Which input this is, for the beginning of a sentence; "" when there is only one."""
        return f"input {self.number}: " if self.of > 1 else ""


class Pair(NamedTuple):
    """An element before and after; None where it is absent."""

    observed: Observed
    steps: Steps
    path: str
    name: str
    before: Entry | None
    after: Entry | None

    @property
    def inner(self) -> Iterator[Pair]:
        """What is in the items of a sequence."""
        depth = len(self.steps)
        for pair in all_pairs(self.observed):
            *outer, (tag, _) = pair.steps[:depth]
            if len(pair.steps) > depth and (*outer, (tag, -1)) == self.steps:
                yield pair


def pairs_of(observed: Observed, target: Target) -> list[Pair]:
    """The elements that are meant, before or after; when there are none, one pair of nothing."""
    assert observed.after is not None
    found = dict.fromkeys([*observed.before.find(target.path), *observed.after.find(target.path)])
    if found:
        return [_pair(observed, steps) for steps in found]
    path = target.path.text
    return [Pair(observed, (), path, full_name(path, target.keyword), None, None)]


def all_pairs(observed: Observed) -> Iterator[Pair]:
    """Every element that is there before or after."""
    assert observed.after is not None
    for steps in dict.fromkeys([*observed.before.entries, *observed.after.entries]):
        yield _pair(observed, steps)


def _pair(observed: Observed, steps: Steps) -> Pair:
    assert observed.after is not None
    before, after = observed.before.entries.get(steps), observed.after.entries.get(steps)
    found = before or after
    assert found is not None
    return Pair(observed, steps, found.path, full_name(found.path, found.keyword), before, after)
