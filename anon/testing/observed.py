"""Objects before and after a script, as tests look at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

from anon.encoding.elements import PIXEL_DATA_TAGS, Element
from anon.encoding.instance import EncodedInstance
from anon.errors import Diagnostic
from anon.listing import tag_row, visit_instance
from anon.places import find_places
from anon.tagpath import TagPath, TagStep
from anon.testing.model import Target, full_name

_SHORT_WORD: Final = 4  # such words occur in binary values by chance


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
        return text if text.isprintable() else None

    @property
    def is_empty(self) -> bool:
        """Whether there is no value: no bytes but padding, no items."""
        if self.element.is_sequence:
            return not self.element.items
        return not self.element.value.strip(b" \0") if self.element.length <= 1024 else False

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
        return word.text.lower().encode("utf-8") in element.value.lower()


class Word:
    """A word to look for; case does not count.

    Args:
        text: the word.
        whole: it counts only as a word of its own, not as a part of a longer one.
    """

    def __init__(self, text: str, *, whole: bool) -> None:
        self.text = text
        self._folded = text.casefold()
        self._whole = whole

    def occurs_in(self, text: str) -> bool:
        """Whether a text holds the word."""
        folded = text.casefold()
        start = folded.find(self._folded)
        while start >= 0:
            end = start + len(self._folded)
            if not self._whole or not (
                folded[start - 1 : start].isalnum() or folded[end : end + 1].isalnum()
            ):
                return True
            start = folded.find(self._folded, start + 1)
        return False


class Snapshot:
    """All elements of an object in one state."""

    def __init__(self, instance: EncodedInstance) -> None:
        self.instance = instance

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """The elements by path, in the order of the object, nested ones too."""
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[dict[str, Entry], dict[tuple[int, int], str]]:
        entries: dict[str, Entry] = {}
        paths: dict[tuple[int, int], str] = {}
        for visit in visit_instance(self.instance):
            row = tag_row(visit)
            # Of a creator with two blocks in a group the first is meant, as in paths of DicomEdit 6.
            entries.setdefault(visit.path, Entry(visit.path, row.keyword, row.value, visit.element))
            paths[id(visit.parent), visit.element.tag] = visit.path
        return entries, paths

    def paths_of(self, path: TagPath) -> list[str]:
        """The paths of the elements that a path means, in their order."""
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
    path: str
    name: str
    before: Entry | None
    after: Entry | None


def pairs_of(observed: Observed, target: Target) -> list[Pair]:
    """The elements that are meant, before or after; when there are none, one pair of nothing."""
    assert observed.after is not None
    found = dict.fromkeys(
        [*observed.before.paths_of(target.path), *observed.after.paths_of(target.path)]
    ) or {target.path.text: None}
    return [_pair(observed, path, target.keyword) for path in found]


def all_pairs(observed: Observed) -> Iterator[Pair]:
    """Every element that is there before or after."""
    assert observed.after is not None
    for path in dict.fromkeys([*observed.before.entries, *observed.after.entries]):
        yield _pair(observed, path, "")


def _pair(observed: Observed, path: str, keyword: str) -> Pair:
    assert observed.after is not None
    before, after = observed.before.entries.get(path), observed.after.entries.get(path)
    found = before or after
    name = full_name(path, found.keyword if found is not None else keyword)
    return Pair(observed, path, name, before, after)
