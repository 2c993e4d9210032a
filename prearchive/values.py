"""Single values of a data set as text, for rules and names: first value, decoded, stripped."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from anon.encoding.elements import DataSet
from anon.encoding.text import STRING_VRS, WHOLE_TEXT_VRS, character_sets, decode_bytes_as

# Numbers in binary form (PS3.5 section 6.2): struct code of one value.
_NUMBERS = {
    "US": "H",
    "SS": "h",
    "UL": "I",
    "SL": "i",
    "UV": "Q",
    "SV": "q",
    "FL": "f",
    "FD": "d",
    "AT": "HH",
}


def find_value(dataset: DataSet, tag: int, charsets: Sequence[str] | None = None) -> str | None:
    """Return the first value of an element as text; None when absent, empty, or without a text form.

    Texts are decoded by Specific Character Set and lose the blanks at both ends. ST, LT and UT are one value,
    line ends and backslashes included. Tags are plain unsigned numbers, private ones too.
    """
    element = dataset.get(tag)
    if element is None or element.length == 0:
        return None
    vr = element.vr
    if vr in _NUMBERS:
        return _number(element.value, vr, "<" if dataset.encoding.little else ">")
    if vr == "UN":
        vr = "LO"  # of a private element that came without its VR: often text
    elif vr not in STRING_VRS:
        return None
    text = decode_bytes_as(element.value, vr, character_sets(dataset) if charsets is None else charsets)
    if vr not in WHOLE_TEXT_VRS:
        text = text.partition("\\")[0]
    return text.strip(" \0") or None


def _number(value: bytes, vr: str, order: str) -> str | None:
    layout = struct.Struct(order + _NUMBERS[vr])
    if len(value) < layout.size:
        return None
    numbers = layout.unpack_from(value)
    if vr == "AT":
        return "".join(f"{number:04X}" for number in numbers)
    return f"{numbers[0]:.7g}" if vr == "FL" else str(numbers[0])
