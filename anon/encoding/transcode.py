"""Encoding a data set anew as Explicit VR Little Endian (PS3.5 annex A)."""

from __future__ import annotations

from array import array
from functools import lru_cache
from typing import Final

from pydicom.datadict import dictionary_VR

from anon.encoding.elements import EXPLICIT_LITTLE, Buffer, DataSet, Element

PIXEL_REPRESENTATION: Final = 0x00280103

# PS3.5 section 7.3: how many bytes a number has. AT is two numbers of 16 bits.
_WORD_BYTES: Final = {
    "AT": 2, "OW": 2, "SS": 2, "US": 2,
    "FL": 4, "OF": 4, "OL": 4, "SL": 4, "UL": 4,
    "FD": 8, "OD": 8, "OV": 8, "SV": 8, "UV": 8,
}  # fmt: skip
_ARRAY_CODES: Final = {array(code).itemsize: code for code in "HIQ"}


def explicit_little(dataset: DataSet) -> DataSet:
    """The same elements as Explicit VR Little Endian: the data set itself if it is encoded so.

    Large values are not copied unless their bytes have to be swapped. Elements that carry no VR get the
    dictionary's; what the dictionary leaves to the pixels' sign follows it.
    """
    if dataset.encoding == EXPLICIT_LITTLE and not dataset.has_guessed_vrs:
        return dataset
    made = DataSet(encoding=EXPLICIT_LITTLE, room=dataset.room)
    _copy(dataset, made, has_guessed_vrs=False, is_signed=False)
    return made


def _copy(source: DataSet, target: DataSet, *, has_guessed_vrs: bool, is_signed: bool) -> None:
    has_guessed_vrs = has_guessed_vrs or source.has_guessed_vrs
    little = source.encoding.little
    representation = source.get(PIXEL_REPRESENTATION)
    if representation is not None and representation.length:
        is_signed = any(representation.value)
    for element in source.elements():
        if element.is_sequence:
            target.put_sequence(element.tag)
            for item in element.items:
                inner = target.new_item(element.tag)
                _copy(item, inner, has_guessed_vrs=has_guessed_vrs, is_signed=is_signed)
        else:
            vr = element.vr
            if has_guessed_vrs and is_signed and _depends_on_sign(element.tag):
                vr = "SS"
            target.put(element.tag, vr, element.view if little else _swapped(element))


@lru_cache(maxsize=1024)
def _depends_on_sign(tag: int) -> bool:
    try:
        return dictionary_VR(tag) == "US or SS"
    except KeyError:
        return False


def _swapped(element: Element) -> Buffer:
    """The value with the bytes of each number in the other order; what is no number stays."""
    size = _WORD_BYTES.get(element.vr)
    if size is None or element.length % size:
        return element.view
    numbers = array(_ARRAY_CODES[size])
    numbers.frombytes(element.view)
    numbers.byteswap()
    return numbers.tobytes()
