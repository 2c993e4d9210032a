"""The distinct values of elements over many objects: what a person scans for names that slipped through."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from anon.encoding.instance import EncodedInstance
from anon.listing import TagRow, Visit, tag_row, typed_text, visit_instance

#: VRs in the order in which they are worth reading: free text, names, codes, dates, UIDs, numbers.
READING_ORDER: Final = (
    *("UT", "LT", "ST", "UC", "LO", "SH", "PN", "UN", "UR"),
    *("AE", "AS", "CS", "DA", "DT", "TM", "UI"),
    *("IS", "DS", "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"),
)
FREE_TEXT: Final = frozenset(READING_ORDER[:9])
MAX_VALUES: Final = 10_000  # kept of one element
_ITEM = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class DistinctValues:
    """An element and its values.

    Attributes:
        path: as a script names it, `[%]` for every item of a sequence.
        files: how many objects have it.
        values: each with the number of objects that have it, the most frequent first.
        more: how often, beside the kept values, objects have others.
    """

    path: str
    tag: str
    vr: str
    keyword: str
    files: int
    values: list[tuple[str, int]]
    more: int

    @property
    def is_free_text(self) -> bool:
        """Whether people type into elements of this VR."""
        return self.vr in FREE_TEXT


@dataclass(slots=True)
class _Tally:
    tag: str
    vr: str
    keyword: str
    most: int
    files: int = 0
    values: Counter[str] = field(default_factory=Counter)
    more: int = 0

    def add(self, texts: Iterable[str]) -> None:
        self.files += 1
        for text in texts:
            if text in self.values or len(self.values) < self.most:
                self.values[text] += 1
            else:
                self.more += 1


class ValueTally:
    """Counts values over any number of objects; sequences and binary values have none.

    Args:
        most: distinct values of an element that are kept.
    """

    def __init__(self, most: int = MAX_VALUES) -> None:
        self._most = most
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self.files = 0

    def add(self, instance: EncodedInstance) -> None:
        """Count one object. Each value counts once, however many items have it."""
        self.files += 1
        found: dict[tuple[str, str], dict[str, None]] = {}
        for visit in visit_instance(instance):
            row = tag_row(visit)
            text = _text_of(visit, row)
            if text is None:
                continue
            key = (_ITEM.sub("[%]", row.path), row.vr)
            if key not in self._tallies:
                self._tallies[key] = _Tally(row.tag, row.vr, row.keyword, self._most)
            found.setdefault(key, {})[text] = None
        for key, texts in found.items():
            self._tallies[key].add(texts)

    def rows(self) -> list[DistinctValues]:
        """Every element with its values, free text first."""
        rows = [
            DistinctValues(
                path, tally.tag, vr, tally.keyword, tally.files,
                sorted(tally.values.items(), key=lambda pair: (-pair[1], pair[0])), tally.more,
            )
            for (path, vr), tally in self._tallies.items()
        ]  # fmt: skip
        return sorted(rows, key=lambda row: (READING_ORDER.index(row.vr), row.path))


def _text_of(visit: Visit, row: TagRow) -> str | None:
    """The value; of unknown VR too, where it is a text that somebody may have typed."""
    return row.value if row.vr in READING_ORDER and row.vr != "UN" else typed_text(visit)
