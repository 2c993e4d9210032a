"""What differs between two states of an object, element by element, also counted over many objects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from anon.encoding.instance import EncodedInstance
from anon.listing import Step, TagRow, tag_row, typed_text, visit_instance


@dataclass(frozen=True, slots=True)
class Change:
    """What changes at a path, from one value to another, and in how many files; None: there is no element."""

    path: str
    keyword: str
    before: str | None
    after: str | None
    files: int


class Seen(NamedTuple):
    """An element of one state of an object: its row, and its bytes where it has no text.

    `typed` is what bytes of unknown VR say where they look like a text.
    """

    row: TagRow
    encoded: bytes
    typed: str | None

    @property
    def shown(self) -> str:
        """The value; its size where it has no text."""
        text = self.typed if self.row.value is None else self.row.value
        if text is not None:
            return text
        return f"({len(self.encoded)} bytes)" if self.encoded else "(sequence)"


class Difference(NamedTuple):
    """An element that is not the same before and after; None where it is absent."""

    steps: tuple[Step, ...]
    before: Seen | None
    after: Seen | None

    @property
    def shown(self) -> tuple[str | None, str | None]:
        """The values before and after; other bytes of the same size are called so."""
        old = None if self.before is None else self.before.shown
        new = None if self.after is None else self.after.shown
        if self.after is not None and old == new:
            return old, f"({len(self.after.encoded)} other bytes)"
        return old, new

    @property
    def path(self) -> str:
        """As a script names the element."""
        return self._seen.row.path

    @property
    def keyword(self) -> str:
        """Of the element; empty for private and unknown ones."""
        return self._seen.row.keyword

    @property
    def _seen(self) -> Seen:
        found = self.after or self.before
        assert found is not None
        return found


State = dict[tuple[Step, ...], Seen]


def state_of(instance: EncodedInstance, tags: set[int] | None = None) -> State:
    """Every element of an object as it is now; with `tags` only these of the top level, and what is below."""
    found: State = {}
    for visit in visit_instance(instance, tags):
        row = tag_row(visit)
        encoded = visit.element.value if row.value is None else b""
        found[visit.steps] = Seen(row, encoded, typed_text(visit))
    return found


def compare(before: State, after: State) -> list[Difference]:
    """The elements whose values are not the same, in their order."""
    found = []
    for steps in sorted(before.keys() | after.keys()):
        old, new = before.get(steps), after.get(steps)
        if old is None or new is None or not _is_same(old, new):
            found.append(Difference(steps, old, new))
    return found


def _is_same(old: Seen, new: Seen) -> bool:
    return (old.row.value, old.encoded) == (new.row.value, new.encoded)


def changed_tags(instance: EncodedInstance) -> set[int]:
    """The tags of the top level and of group 2 that a script touched, or below which it did."""
    return instance.dataset.changed_tags() | instance.meta.changed_tags()


class _Key(NamedTuple):
    steps: tuple[Step, ...]
    path: str
    keyword: str
    before: str
    after: str
    was_there: bool
    is_there: bool


class ChangeTally:
    """Counts changes: one line for each path and pair of values, however many files have it."""

    def __init__(self) -> None:
        self._counts: Counter[_Key] = Counter()

    def add(self, differences: list[Difference]) -> None:
        """Count the changes of one file."""
        for found in differences:
            old, new = found.shown
            key = _Key(
                found.steps, found.path, found.keyword, old or "", new or "", old is not None, new is not None
            )
            self._counts[key] += 1

    def changes(self) -> list[Change]:
        """All changes in the order of the elements."""
        return [
            Change(
                key.path,
                key.keyword,
                key.before if key.was_there else None,
                key.after if key.is_there else None,
                count,
            )
            for key, count in sorted(self._counts.items())
        ]
