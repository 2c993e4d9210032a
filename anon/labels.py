"""Numbered session labels, as `makeSessionLabel` of XNAT's uploaders makes them."""

from __future__ import annotations

import re
from collections.abc import Collection

_RUN = re.compile(r"#+")


def next_label(pattern: str, existing: Collection[str], *, ignore_case: bool = False) -> str:
    """The first free label of a pattern: its first run of `#` becomes a number that counts from 0.

    The number is padded to the length of the run, and grows beyond it when all of these are taken: the label
    is made from the pattern each time. Gaps are filled.

    Args:
        pattern: such as `S1_v##_mr`; without `#` there is no label, and the result is empty.
        existing: the labels that are taken.
        ignore_case: whether a label is taken, too, when one exists that differs by case only.

    >>> next_label("s1_v##_mr", ["s1_v00_mr"])
    's1_v01_mr'
    """
    run = _RUN.search(pattern)
    if run is None:
        return ""
    if ignore_case:
        taken: Collection[str] = {label.casefold() for label in existing}
    else:
        taken = existing if isinstance(existing, (set, frozenset)) else frozenset(existing)
    width = run.end() - run.start()
    for number in range(len(taken) + 1):
        label = f"{pattern[: run.start()]}{number:0{width}d}{pattern[run.end() :]}"
        if (label.casefold() if ignore_case else label) not in taken:
            return label
    raise AssertionError("of n + 1 labels one is free")
