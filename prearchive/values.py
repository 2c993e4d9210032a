"""Single values of a data set as text, for rules and names: first value, decoded, stripped."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from anon.encoding.elements import DataSet
from anon.encoding.text import first_text

# Numbers in binary form (PS3.5 section 6.2): struct code of one value.
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}


def find_value(dataset: DataSet, tag: int, charsets: Sequence[str] | None = None) -> str | None:
    """Return the first value of an element as text; None when absent, empty, or without a text form.

    Texts are decoded by Specific Character Set and lose the blanks at both ends. ST, LT and UT are one value,
    line ends and backslashes included. Tags are plain unsigned numbers, private ones too.
    """
    element = dataset.get(tag)
    if element is None or element.length == 0:
        return None
    order = "<" if dataset.encoding.little else ">"
    if element.vr == "AT" and element.length >= 4:
        group, number = struct.unpack_from(f"{order}HH", element.value)
        return f"{group:04X}{number:04X}"
    code = _NUMBERS.get(element.vr)
    if code is None:
        return first_text(dataset, tag, charsets) or None
    if element.length < struct.calcsize(f"{order}{code}"):
        return None
    (number,) = struct.unpack_from(f"{order}{code}", element.value)
    return f"{number:.7g}" if code == "f" else str(number)
