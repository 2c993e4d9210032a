"""DICOM's names of tags, and the tag that a name means: for messages, never for reading or writing values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import dictionary_is_retired, keyword_for_tag, tag_for_keyword

_NOT_IN_KEYWORDS = re.compile(r"[^A-Za-z0-9]")


def describe_tag(tag: int) -> str:
    """What a tag is called: its keyword, with what else a reader should know."""
    if tag >> 16 & 1:
        number = tag & 0xFFFF
        return "a private creator" if 0x10 <= number <= 0xFF else "a private element"
    keyword = keyword_for_tag(tag)
    if keyword:
        return f"{keyword} (retired)" if dictionary_is_retired(tag) else keyword
    if not tag & 0xFFFF:
        return "a group length"
    return "not in the DICOM dictionary"


def format_tag(tag: int) -> str:
    """The tag as scripts write it."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@lru_cache(maxsize=4096)
def find_meant_tag(name: str, *, nearly: bool = True) -> int | None:
    """The tag whose DICOM keyword or name somebody typed, more or less; None when it is none.

    Without `nearly` each letter has to be right, only blanks and capitals may differ.
    """
    tag = tag_for_keyword(name)
    if tag is not None:
        return tag
    small = _NOT_IN_KEYWORDS.sub("", name.replace("'s", "").replace("’s", "")).lower()
    known = _tags_by_small_keyword()
    if small in known:
        return known[small]
    if len(small) < 5 or not nearly:
        return None
    close = get_close_matches(small, known, n=1, cutoff=0.85)
    return known[close[0]] if close else None


@lru_cache(maxsize=1)
def _tags_by_small_keyword() -> Mapping[str, int]:
    return {entry[4].lower(): tag for tag, entry in DicomDictionary.items() if entry[4]}


def is_known_tag(digits: str) -> bool:
    """Whether eight digits, some of them wild perhaps, name an element that there is or may be."""
    if not re.fullmatch("[0-9A-Fa-f]{8}", digits):
        return True
    return int(digits, 16) in DicomDictionary or bool(int(digits[:4], 16) & 1)
