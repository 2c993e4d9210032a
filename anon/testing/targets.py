"""How tests name elements: by keyword, by tag, or by a path as DicomEdit 6 writes it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import keyword_for_tag, tag_for_keyword

from anon.tagpath import Step, TagError, TagStep, level_steps, make_path, parse_tag6
from anon.testing.model import Target

_KEYWORD = re.compile(r"([A-Za-z][A-Za-z0-9]*)\s*(?:\[\s*([^\[\]]*?)\s*\])?")
_TAG = re.compile(r"(\([^()]*\))\s*(?:\[\s*([^\[\]]*?)\s*\])?")
_NUMBERS = re.compile(r"\(\s*([0-9A-Fa-f]{4})\s*,\s*([0-9A-Fa-f]{4})\s*\)")
_SAME_KEYWORD: Final = 0.75


def parse_target(text: str, *, single: bool = False) -> Target:
    """Read the name of an element.

    A step is a keyword, a tag, or `*`, `+` or `.` for levels that are left open. Private elements are named
    by their creator, or by their number as they stand in the object.

    Args:
        text: such as `PatientName`, `(0010,0010)`, `(0040,0275)[0]/(0040,0007)`, `(0029,{ACME}10)`.
        single: the name must mean one element only.

    Raises:
        TagError: it is not written like that.
    """
    steps: list[Step] = []
    written: list[str] = []
    for part in text.split("/"):
        found, as_written = _step(part.strip())
        steps.extend(found)
        written.append(as_written)
    path = make_path(steps, "/".join(written))
    last = path.steps[-1]
    if isinstance(last, TagStep) and last.has_item:
        raise TagError(f"{text} is an item, not an element", "name an element in it, or leave out the [n]")
    reason = path.plural_reason() if single else ""
    if reason:
        raise TagError(f"{text} must mean a single element: {reason}", "give every sequence an item: [0]")
    return Target(path, _keyword(last))


def _step(text: str) -> tuple[tuple[Step, ...], str]:
    """A step, and how it is written in paths."""
    if text in ("*", "+", "."):
        return level_steps(text), text
    keyword = _KEYWORD.fullmatch(text)
    if keyword is not None:
        tag = tag_for_keyword(keyword[1])
        if tag is None:
            raise _unknown_keyword(keyword[1])
        written = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
        item = keyword[2]
    else:
        found = _TAG.fullmatch(text)
        if found is None:
            raise TagError(
                f"{text!r} names no element", "write a keyword such as PatientName, or a tag: (0010,0010)"
            )
        written, item = found[1], found[2]
    suffix = "" if item is None else f"[{item}]"
    numbers = _NUMBERS.fullmatch(written)
    if numbers is not None:
        written = f"({numbers[1]},{numbers[2]})".upper()
        group, element = int(numbers[1], 16), int(numbers[2], 16)
        if group & 1:
            # By number, whoever reserved the block: DicomEdit 4 knows no other way.
            step = parse_tag6("(0000,0000)", item)
            return (TagStep(0xFFFFFFFF, group << 16 | element, None, step.item, step.has_item),), (
                written + suffix
            )
    return (parse_tag6(written, item),), written + suffix


def _keyword(step: Step) -> str:
    if isinstance(step, TagStep) and step.mask == 0xFFFFFFFF:
        return keyword_for_tag(step.bits)
    return ""


def _unknown_keyword(keyword: str) -> TagError:
    known = {entry[4].lower(): entry[4] for entry in DicomDictionary.values() if entry[4]}
    near = get_close_matches(keyword.lower(), known, n=1, cutoff=_SAME_KEYWORD)
    hint = f"did you mean {known[near[0]]}?" if near else "keywords are those of the DICOM standard (PS3.6)"
    return TagError(f"there is no element with the keyword {keyword!r}", hint)
