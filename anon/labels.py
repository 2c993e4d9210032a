"""Numbered session labels, as `makeSessionLabel` of XNAT's uploaders makes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from itertools import chain

_RUN = re.compile(r"#+")
_MOST_DIGITS = 100  # of a number that is worth looking at


def next_label(
    pattern: str, existing: Collection[str], *, ignore_case: bool = False, present: str | None = None
) -> str:
    """The first free label of a pattern: its first run of `#` becomes a number that counts from 0.

    The number is padded to the length of the run, and grows beyond it when all of these are taken: the label
    is made from the pattern each time. Gaps are filled.

    Args:
        pattern: such as `S1_v##_mr`; without `#` there is no label, and the result is empty.
        existing: the labels that are taken.
        ignore_case: whether a label is taken, too, when one exists that differs by case only.
        present: the label that the asker has, not one of `existing`: if the pattern can make it, its number
            is kept, so that who asks twice gets the same answer.

    >>> next_label("s1_v##_mr", ["s1_v00_mr"])
    's1_v01_mr'
    >>> next_label("s1_v##_mr", ["s1_v00_mr"], present="s1_v07_mr")
    's1_v07_mr'
    """
    run = _RUN.search(pattern)
    if run is None:
        return ""
    fold: Callable[[str], str] = str.casefold if ignore_case else str
    taken = frozenset(map(fold, existing)) if ignore_case else frozenset(existing)
    before, after, width = pattern[: run.start()], pattern[run.end() :], run.end() - run.start()
    numbers: Iterable[int] = range(len(taken) + 1)
    if present is not None:
        kept = _number_in(fold(present), fold(before), fold(after), width)
        numbers = numbers if kept is None else chain([kept], numbers)
    for number in numbers:
        label = f"{before}{number:0{width}d}{after}"
        if fold(label) not in taken:
            return label
    raise AssertionError("of n + 1 labels one is free")


def _number_in(label: str, before: str, after: str, width: int) -> int | None:
    """The number that a pattern would need to make this label; None when it cannot."""
    end = len(label) - len(after)
    if not (label.startswith(before) and label.endswith(after) and len(before) < end):
        return None
    digits = label[len(before) : end]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _MOST_DIGITS:
        return None
    number = int(digits)
    return number if f"{number:0{width}d}" == digits else None
