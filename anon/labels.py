"""Numbered session labels, as `makeSessionLabel` of XNAT's uploaders makes them."""

from __future__ import annotations

import re
from collections.abc import Collection

_RUN = re.compile(r"#+")


def next_label(pattern: str, existing: Collection[str]) -> str:
    """The first free label of a pattern: its first run of `#` becomes a number that counts from 0.

    The number is padded to the length of the run, and grows beyond it when all of these are taken: the label
    is made from the pattern each time. Gaps are filled. Comparison is exact.

    Args:
        pattern: such as `S1_v##_mr`; without `#` there is no label, and the result is empty.
        existing: the labels that are taken.

    >>> next_label("s1_v##_mr", ["s1_v00_mr"])
    's1_v01_mr'
    """
    run = _RUN.search(pattern)
    if run is None:
        return ""
    taken = existing if isinstance(existing, (set, frozenset)) else frozenset(existing)
    width = run.end() - run.start()
    for number in range(len(taken) + 1):
        label = f"{pattern[: run.start()]}{number:0{width}d}{pattern[run.end() :]}"
        if label not in taken:
            return label
    raise AssertionError("of n + 1 labels one is free")
