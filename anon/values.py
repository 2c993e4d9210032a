"""Script values, and their way from and to the encoded values of elements.

The two dialects read and write a few VRs differently. What they share are the functions of this module; what
differs are the two classes `Values4` and `Values6`.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pydicom.datadict import tag_for_keyword

from anon.encoding.elements import DataSet, Element
from anon.encoding.text import STRING_VRS, TEXT_VRS, character_sets, decode_bytes_as, decode_text, encode_text
from anon.errors import StatementError
from anon.java_numbers import number_text
from anon.tagpath import TagPath
from anon.vr import (
    BINARY_VRS,
    NUMBER_FORMATS,
    misfit,
    number_struct,
    vr_in_2012,
    vr_today,
)


class ListValue(NamedTuple):
    """A list of DicomEdit 6."""

    entries: tuple[Value, ...]


# None is an absent value: of an element that is not there, or of a function that has none.
Value = str | bool | TagPath | ListValue | None
Charsets = Callable[[], Sequence[str]]
Warn = Callable[[str], None]

_INTEGER = re.compile(r"[+-]?[0-9]+")
# Java's numbers with a point: blanks around them do not count.
_DECIMAL = re.compile(r"([+-]?(?:(?:NaN|Infinity)$|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))[fFdD]?")
_HEXADECIMAL = re.compile(
    r"([+-]?0[xX](?:[0-9A-Fa-f]+\.?[0-9A-Fa-f]*|\.[0-9A-Fa-f]+)[pP][+-]?[0-9]{1,6})[fFdD]?"
)
_BLANKS: Final = "".join(map(chr, range(0x21)))
_EIGHT_DIGITS = re.compile(r"[0-9A-Fa-f]{8}")
_PRINTABLE: Final = frozenset(range(0x20, 0x7F))


def text_of(value: Value) -> str | None:
    """A value as text: `true` and `false` of booleans, `[a, b]` of lists; None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, TagPath):
        return value.text
    texts = (text_of(entry) for entry in value.entries)
    return "[" + ", ".join("null" if text is None else text for text in texts) + "]"


def count_entries(value: Value) -> int:
    """How many values a list holds, those of the lists in it too; 1 for what is no list."""
    return sum(map(count_entries, value.entries)) if isinstance(value, ListValue) else 1


def charsets_of(chain: Sequence[DataSet]) -> Sequence[str]:
    """The character sets of the innermost data set of a chain; items inherit (PS3.3 section C.12.1.1.2)."""
    found: list[str] = []
    for dataset in chain:
        found = character_sets(dataset, found)
    return found


# -- reading


def _numbers(element: Element, vr: str, little: bool) -> list[str]:
    packer = number_struct(vr, little)
    view = element.view
    view = view[: len(view) // packer.size * packer.size]
    if vr in ("FL", "FD"):
        return [number_text(value, single=vr == "FL") for (value,) in packer.iter_unpack(view)]
    return [str(value) for (value,) in packer.iter_unpack(view)]


def _tags(element: Element, little: bool) -> list[int]:
    packer = struct.Struct("<HH" if little else ">HH")
    view = element.view
    return [group << 16 | number for group, number in packer.iter_unpack(view[: len(view) // 4 * 4])]


def _hexadecimal(element: Element) -> str:
    return element.value.hex("\\").upper()


def escaped(value: bytes) -> str:
    r"""Bytes of unknown meaning: printable ones as they are, `\\` for a backslash, others as `\hh`."""
    return "".join(
        ("\\\\" if byte == 0x5C else chr(byte)) if byte in _PRINTABLE else f"\\{byte:02X}" for byte in value
    )


def _refuse_unreadable(element: Element) -> None:
    if element.is_sequence:
        raise StatementError("not-readable", "a sequence has no value", "name an element in one of its items")
    if element.is_encapsulated:
        raise StatementError("not-readable", "encapsulated pixel data has no value")


# -- writing


def _pieces(text: str) -> list[str]:
    return text.split("\\")


def _encode_numbers(text: str, vr: str, little: bool) -> bytes:
    packer = number_struct(vr, little)
    out = bytearray()
    for piece in _pieces(text):
        try:
            out += packer.pack(_to_number(piece, vr))
        except (struct.error, OverflowError):
            raise StatementError("out-of-range", f"the number does not fit {vr}") from None
    return bytes(out)


def _to_number(piece: str, vr: str) -> float | int:
    if vr in ("FL", "FD"):
        trimmed = piece.strip(_BLANKS)
        hexadecimal = _HEXADECIMAL.fullmatch(trimmed)
        if hexadecimal is not None:
            return float.fromhex(hexadecimal[1])
        found = _DECIMAL.fullmatch(trimmed)
        if found is None:
            raise StatementError("not-a-number", f"the value is not a number, as {vr} needs it")
        number = float(found[1].replace("Infinity", "inf"))
        if math.isinf(number) and "I" not in found[1]:
            raise OverflowError
        return number
    if _INTEGER.fullmatch(piece) is None or len(piece) > 40:
        raise StatementError("not-a-number", f"the value is not a whole number, as {vr} needs it")
    return int(piece)


def _encode_tags(text: str, little: bool, *, keywords: bool) -> bytes:
    packer = struct.Struct("<HH" if little else ">HH")
    out = bytearray()
    for piece in _pieces(text):
        number = int(piece, 16) if _EIGHT_DIGITS.fullmatch(piece) else None
        if number is None and keywords and piece:  # pydicom has nameless elements, too
            number = tag_for_keyword(piece)
        if number is None:
            raise StatementError(
                "not-a-tag", "the value is not a tag of eight hexadecimal digits, as AT needs it"
            )
        out += packer.pack(number >> 16, number & 0xFFFF)
    return bytes(out)


def _encode_string(text: str, vr: str, charsets: Charsets, warn: Warn, *, undeclared: bool) -> bytes:
    """A text in the object's character set; without one in UTF-8, if such may be written undeclared."""
    remark = misfit(vr, text)
    if remark:
        warn(remark)
    if text.isascii():
        return text.encode("ascii")
    if vr not in TEXT_VRS:
        warn(f"the value has characters that {vr} does not allow")
        return text.encode("utf-8")
    declared = charsets()
    if not declared:
        if not undeclared:
            raise StatementError(
                "not-representable",
                "the text is not ASCII and the object declares no character set",
                'put (0008,0005) := "ISO_IR 192" first',
            )
        warn("the text is not ASCII and the object declares no character set")
    encoded = encode_text(text, vr, declared)
    if declared and decode_bytes_as(encoded, vr, declared) != text:
        raise StatementError(
            "not-representable",
            "the text has characters that the object's character set lacks",
            'put (0008,0005) := "ISO_IR 192" '
            + ("below it, the last line is carried out first" if undeclared else "first"),
        )
    return encoded


class Values4:
    """How DicomEdit 4 reads and writes (SPEC-4 sections 6 and 7)."""

    record_meaning: Final = "XNAT DicomEdit 4 Script"
    relabelled_charsets: Final[frozenset[str]] = frozenset()

    def vr_for(self, tag: int, existing: Element | None) -> str:
        """The VR that is written: the dictionary's, whatever the element had."""
        return vr_in_2012(tag)

    def read(self, element: Element, little: bool, charsets: Charsets) -> str | None:
        """The text of an element; None for the empty binary ones.

        Raises:
            StatementError: a sequence or encapsulated pixel data.
        """
        _refuse_unreadable(element)
        vr = element.vr
        if vr in STRING_VRS:
            text = decode_text(element, charsets() if vr in TEXT_VRS else ())
            return "\\".join(part.rstrip(" ^") for part in text.split("\\")) if vr == "PN" else text
        if vr == "AT":
            # Java's integers: from group 8000 on they are negative.
            return "\\".join(str(tag - (tag >> 31 << 32)) for tag in _tags(element, little))
        if vr in NUMBER_FORMATS:
            return "\\".join(_numbers(element, vr, little))
        if vr == "OW":
            return "\\".join(_numbers(element, "US", little))
        if vr == "OF":
            return "\\".join(_numbers(element, "FL", little))
        if not element.length:
            return None
        # To that toolkit OD, OL and OV are as unknown as UN.
        return _hexadecimal(element) if vr == "OB" else escaped(element.value)

    def encode(self, text: str | None, vr: str, little: bool, charsets: Charsets, warn: Warn) -> bytes:
        """The encoded value of a text; no value empties the element.

        Raises:
            StatementError: the VR cannot take this text.
        """
        if vr == "SQ" or vr == "UN" or vr in BINARY_VRS:
            raise StatementError("no-text-possible", f"an element of VR {vr} cannot be given a text")
        if text is None and (vr in NUMBER_FORMATS or vr == "AT"):
            raise StatementError(
                "no-value", f"there is no value to write, and an element of VR {vr} needs one"
            )
        if not text:
            return b""
        if vr in NUMBER_FORMATS:
            return _encode_numbers(text, vr, little)
        if vr == "AT":
            return _encode_tags(text, little, keywords=True)
        return _encode_string(text, vr, charsets, warn, undeclared=True)


class Values6:
    """How DicomEdit 6 reads and writes (SPEC-6 sections 7 and 8.1)."""

    record_meaning: Final = "XNAT DicomEdit 6 Script"
    relabelled_charsets: Final[frozenset[str]] = frozenset({"ISO_IR 192"})

    def vr_for(self, tag: int, existing: Element | None) -> str:
        """The VR that is written: that of the element, else the dictionary's."""
        return vr_today(tag) if existing is None else existing.vr

    def read(self, element: Element, little: bool, charsets: Charsets) -> str | None:
        """The text of an element; of a sequence without items it is `null`, as in Java.

        Raises:
            StatementError: a sequence with items, or encapsulated pixel data.
        """
        if element.is_sequence and not element.items:
            return "null"
        _refuse_unreadable(element)
        vr = element.vr
        if vr in STRING_VRS:
            return decode_text(element, charsets() if vr in TEXT_VRS else ())
        if vr == "AT":
            return "\\".join(f"{tag:08X}" for tag in _tags(element, little))
        if vr in NUMBER_FORMATS:
            return "\\".join(_numbers(element, vr, little))
        if vr in BINARY_VRS:
            return _hexadecimal(element)
        # A text that the script put there reads as it was; what came padded may be of any kind.
        return escaped(element.value[: element.length - element.padding])

    def encode(self, text: str | None, vr: str, little: bool, charsets: Charsets, warn: Warn) -> bytes:
        """The encoded value of a text; no value empties the element.

        Raises:
            StatementError: the VR cannot take this text.
        """
        if vr == "SQ":
            raise StatementError(
                "no-text-possible", "a sequence cannot be given a text", "assign to an element of an item"
            )
        if not text:
            return b""
        if vr in NUMBER_FORMATS:
            return _encode_numbers(text, vr, little)
        if vr == "AT":
            return _encode_tags(text, little, keywords=False)
        if vr in BINARY_VRS:
            raise StatementError("no-text-possible", f"an element of VR {vr} cannot be given a text")
        if vr == "UN":
            return text.encode("utf-8")
        return _encode_string(text, vr, charsets, warn, undeclared=False)


Values = Values4 | Values6
