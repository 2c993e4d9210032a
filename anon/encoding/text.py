"""Text in data sets: Specific Character Set, padding, several values (PS3.5 sections 6.1 and 6.2)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

from pydicom.charset import convert_encodings, decode_bytes, encode_string, python_encoding

from anon.encoding.elements import DataSet, Element

SPECIFIC_CHARACTER_SET = 0x00080005
# VRs whose text follows Specific Character Set; the others are in the default repertoire.
TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
# VRs that are one text, in which a backslash is just a character.
WHOLE_TEXT_VRS = frozenset({"LT", "ST", "UR", "UT"})
STRING_VRS = TEXT_VRS | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"}
_DELIMITERS = {0x0A, 0x0C, 0x0D, 0x09, 0x5C}
_NAME_DELIMITERS = _DELIMITERS | {0x3D, 0x5E}


def character_sets(dataset: DataSet, inherited: Sequence[str] | None = None) -> list[str]:
    """Python codecs of (0008,0005); of the enclosing data set when absent; [] when none is declared."""
    element = dataset.get(SPECIFIC_CHARACTER_SET)
    if element is None:
        return list(inherited or [])
    names = [part.strip(" \0") for part in element.value.decode("ascii", "replace").split("\\")]
    # ISO_IR 6 is ASCII: of other characters it says as little as no declaration does.
    # Only names that pydicom knows: about others it would write the value into its log.
    if not any(names) or names == ["ISO_IR 6"] or any(name not in python_encoding for name in names):
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(convert_encodings(names))
    except LookupError:
        return []


def decode_text(element: Element, charsets: Sequence[str]) -> str:
    r"""The text of a string element: values joined by a backslash, padding stripped.

    Trailing spaces and NULs go, leading spaces too except in ST, LT, UT and UR. Without a declared character
    set the bytes are taken as UTF-8, and where they are not, as Latin-1: no byte is lost.
    """
    text = decode_bytes_as(element.value, element.vr, charsets)
    if element.vr in WHOLE_TEXT_VRS:
        return text.rstrip(" \0")
    return "\\".join(value.strip(" ").rstrip(" \0") for value in text.split("\\"))


def decode_bytes_as(value: bytes, vr: str, charsets: Sequence[str]) -> str:
    """Decode bytes as a VR would; padding stays."""
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    if vr not in TEXT_VRS or not charsets:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        delimiters = _NAME_DELIMITERS if vr == "PN" else _DELIMITERS
        try:
            return str(decode_bytes(value, list(charsets), delimiters))
        except (LookupError, UnicodeError):
            return value.decode("latin-1")


def encode_text(text: str, vr: str, charsets: Sequence[str]) -> bytes:
    """Encode text for a VR; characters that the character set lacks become `?`, without padding."""
    if text.isascii():
        return text.encode("ascii")
    if vr not in TEXT_VRS or not charsets:
        return text.encode("utf-8", "replace")
    if len(charsets) == 1:
        return text.encode(charsets[0], "replace")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Each value, and each component of a name, starts again in the first set (PS3.5 section 6.1.2.5.3).
        parts = re.split(r"([\\^=])" if vr == "PN" else r"(\\)", text)
        return b"".join(
            part.encode("ascii") if part.isascii() else encode_string(part, list(charsets)) for part in parts
        )


def first_text(dataset: DataSet, tag: int, charsets: Sequence[str] | None = None) -> str | None:
    """The first value of a string element, both ends stripped; None when absent or not a string element."""
    element = dataset.get(tag)
    if element is None or element.vr not in STRING_VRS | {"UN"}:
        return None
    text = decode_bytes_as(
        element.value,
        "LO" if element.vr == "UN" else element.vr,
        character_sets(dataset) if charsets is None else charsets,
    )
    if element.vr not in WHOLE_TEXT_VRS:
        text = text.split("\\", 1)[0]
    return text.strip(" \0")
