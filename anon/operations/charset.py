"""Changing Specific Character Set without changing what the texts say.

The Java engines only put another label on the same bytes, which garbles every text that is not ASCII. That is
kept for one case that scripts rely on: DicomEdit 6 declaring ISO_IR 192 (`relabel`).
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.charset import python_encoding

from anon.encoding.elements import DataSet, Element
from anon.encoding.text import (
    SPECIFIC_CHARACTER_SET,
    TEXT_VRS,
    decode_bytes_as,
    encode_text,
)
from anon.errors import StatementError
from anon.operations.run import Run
from anon.places import Place
from anon.values import charsets_of


def relabel(run: Run, chain: Sequence[DataSet], value: bytes) -> None:
    """Give a data set another character set and leave the bytes of its texts, as DicomEdit 6 does."""
    if _texts(tuple(chain)):
        run.warn("texts that are there and not ASCII keep their bytes, and read differently now")
    chain[-1].put(SPECIFIC_CHARACTER_SET, "CS", value)


def recode(chain: Sequence[DataSet], value: bytes | None) -> None:
    """Give a data set another character set, or none, and write its texts in it.

    Args:
        chain: the data sets from the top down to the one whose (0008,0005) changes.
        value: the new value of (0008,0005) as encoded; None removes the element.

    Raises:
        StatementError: a text cannot be written in the new character set.
    """
    dataset = chain[-1]
    names = [] if value is None else value.decode("latin-1").split("\\")
    if any(name.strip(" \0") not in python_encoding for name in names):
        raise StatementError(
            "unknown-character-set", "there is no such character set", "see PS3.3 section C.12.1.1.2"
        )
    texts = [
        (place, decode_bytes_as(element.value, element.vr, charsets_of(place.chain)))
        for place, element in _texts(tuple(chain))
    ]
    if value is None:
        dataset.remove(SPECIFIC_CHARACTER_SET)
    else:
        dataset.put(SPECIFIC_CHARACTER_SET, "CS", value)
    for place, text in texts:
        charsets = charsets_of(place.chain)
        element = place.dataset.get(place.tag)
        assert element is not None
        encoded = encode_text(text, element.vr, charsets)
        if not charsets or decode_bytes_as(encoded, element.vr, charsets) != text:
            raise StatementError(
                "not-representable",
                "the object has texts that the new character set cannot hold",
                "ISO_IR 192 holds every text",
            )
        place.dataset.put(place.tag, element.vr, encoded)


def _texts(chain: tuple[DataSet, ...]) -> list[tuple[Place, Element]]:
    """The texts that are not plain ASCII, below this data set, except where an item declares its own set."""
    found: list[tuple[Place, Element]] = []
    for element in chain[-1].elements():
        if element.is_sequence:
            for item in element.items:
                if SPECIFIC_CHARACTER_SET not in item:
                    found += _texts((*chain, item))
        elif element.vr in TEXT_VRS:
            value = element.value
            if not value.isascii() or b"\x1b" in value:
                found.append((Place(chain, element.tag), element))
    return found
