"""Objects made up to try scripts on: with every attribute that the Basic Profile protects, also in items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import count
from typing import Final, NamedTuple

from anon.encoding.elements import DataSet
from anon.encoding.instance import TRANSFER_SYNTAX_UID, EncodedInstance
from anon.listing import Step
from anon.profile.table import PRIVATE, Row, load_table

_SYNTAX: Final = "1.2.840.10008.1.2.1"
#: A script may do its work for one kind of object only, so each is tried: modality and SOP class.
KINDS: Final = {
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "SR": "1.2.840.10008.5.1.4.1.1.88.33",
    "OT": "1.2.840.10008.5.1.4.1.1.7",
}
_SOP_CLASS: Final = 0x00080016
_MODALITY: Final = 0x00080060
# Where items stand: sequences that the profile does not name. The last is two levels deeper.
_SHARED_GROUPS: Final = 0x52009229
_PURPOSE: Final = 0x0040A170
_CONTENT_ITEM: Final = 0x00081199
NESTED: Final = (
    ((_PURPOSE, 0),),
    ((_PURPOSE, 1),),
    ((_SHARED_GROUPS, 0), (_CONTENT_ITEM, 0), (_PURPOSE, 0)),
)
ITEMS: Final = 2  # of protected sequences
CODES: Final = (0x00080100, 0x00080104)  # in these items, beside a UID
INNER_UID: Final = 0x00081155
_CURVES: Final = (0x50003000, 0x501E0010)  # of two groups, and not the data alone
_LAST_OF_REPEATING_GROUPS: Final = 0x001E0000
_PRIVATE: Final = {0x00190010: "PROBE 1.0", 0x00290011: "PROBE 2.0"}
_PRIVATE_STEP = re.compile(r"\(([0-9A-Fa-fXx@#]{4})\s*,\s*\{([^{}]+)\}([0-9A-Fa-fXx@#]{2})\)")
_DIGITS: Final = str.maketrans({"X": "0", "x": "0", "@": "0", "#": "9"})
_COMPARED_MODALITY = re.compile(r'\(0008\s*,\s*0060\)\s*(?:!?[=~]|,)\s*"([^"]*)"')
_WORD = re.compile(r"[A-Z]{2,16}")
_FIRST_DATE: Final = date(1961, 3, 5)


class Probed(NamedTuple):
    """A row of the table and one of its tags that the probe has."""

    row: Row
    tag: int


def probed_rows(text: str = "") -> list[Probed]:
    """The rows that data sets can hold, each with its tags; group 0000 is in none (PS3.7 section 6.3.1).

    Args:
        text: of a script; the private elements that it names are there, too.
    """
    found = []
    for row in load_table():
        if row.tag == PRIVATE:
            found += [Probed(row, tag) for tag in private_elements(text)]
        elif row.pattern.bits >> 16 not in (0x0000, 0x0002):
            found += [Probed(row, tag) for tag in _tags(row)]
    return found


def private_elements(text: str) -> dict[int, str]:
    """Private elements with their creators: two that no script knows, and those that this one names."""
    blocks = dict(_PRIVATE)
    found = {block << 8 & 0xFF00 | block & 0xFFFF0000 | 0x01: name for block, name in blocks.items()}
    for group_digits, name, digits in _PRIVATE_STEP.findall(text):
        group = int(group_digits.translate(_DIGITS), 16)
        free = (group << 16 | number for number in range(0x10, 0x100))
        block = next((each for each in free if blocks.get(each, name) == name), None)
        if block is not None and group & 1 and group > 0x0008:
            blocks[block] = name
            found[group << 16 | (block & 0xFF) << 8 | int(digits.translate(_DIGITS), 16)] = name
    return found


def kinds_for(text: str) -> dict[str, str]:
    """Kinds of objects to try a script on: modality and SOP class, also of modalities that it asks for."""
    named = [word for compared in _COMPARED_MODALITY.findall(text) for word in _WORD.findall(compared)]
    return {**dict.fromkeys(named, KINDS["OT"]), **KINDS}


def make_probe(kind: str, text: str = "") -> EncodedInstance:
    """Make the object. Each value is there once, so that one that stays can be told from all others.

    Args:
        kind: its modality.
        text: of the script that it is for.
    """
    made = EncodedInstance.from_part10(_content(text))
    for steps in ((), *NESTED):
        dataset = _descend(made.dataset, steps)
        dataset.put(_SOP_CLASS, "UI", KINDS.get(kind, KINDS["OT"]).encode("ascii"))
        dataset.put(_MODALITY, "CS", kind.encode("ascii"))
    return made


@lru_cache(maxsize=1)  # the kinds differ in two elements
def _content(text: str) -> bytes:
    meta = DataSet()
    meta.put(TRANSFER_SYNTAX_UID, "UI", _SYNTAX.encode("ascii"))
    top = DataSet()
    rows, private = probed_rows(text), private_elements(text)
    numbers = count(1)
    for steps in ((), *NESTED):
        _fill(_descend(top, steps), rows, private, numbers)
    return b"".join(EncodedInstance(meta, top, _SYNTAX).part10_chunks())


def _descend(dataset: DataSet, steps: Sequence[Step]) -> DataSet:
    """The item at the end of these steps, made where it is not there."""
    for tag, number in steps:
        element = dataset.get(tag)
        items = [] if element is None else element.items
        dataset = items[number] if number < len(items) else dataset.new_item(tag)
    return dataset


def _fill(dataset: DataSet, rows: list[Probed], private: dict[int, str], numbers: Iterator[int]) -> None:
    for row, tag in rows:
        if row.vr == "SQ":
            for _ in range(ITEMS):
                item = dataset.new_item(tag)
                for inner, vr in ((CODES[0], "SH"), (CODES[1], "LO"), (INNER_UID, "UI")):
                    item.put(inner, vr, _value(vr, next(numbers)))
        elif row.tag == PRIVATE:
            creator = tag & 0xFFFF0000 | (tag & 0xFFFF) >> 8
            dataset.put(creator, "LO", private[tag].encode("utf-8"))
            dataset.put(tag, "LO", _value("LO", next(numbers)))
        else:
            vr = row.vr or ("OW" if "X" in row.tag else "LO")
            dataset.put(tag, vr, _value(vr, next(numbers)))


def _tags(row: Row) -> tuple[int, ...]:
    bits = row.pattern.bits
    if row.pattern.mask == 0xFFFFFFFF:
        return (bits,)
    # A group length is no attribute to protect.
    return (bits, bits | _LAST_OF_REPEATING_GROUPS) if bits & 0xFFFF else _CURVES


def _value(vr: str, number: int) -> bytes:
    """A value that no other number gives, but for ages."""
    if vr in ("OB", "OW", "UN"):
        return number.to_bytes(4, "little")
    if vr == "US":
        return number.to_bytes(2, "little")
    day = f"{_FIRST_DATE + timedelta(number):%Y%m%d}"
    time = f"{number // 3600:02}{number // 60 % 60:02}{number % 60:02}"
    texts = {
        "AE": f"PROBE_{number}",
        "AS": f"{number % 1000:03}Y",
        "CS": f"PROBE_{number}",
        "DA": day,
        "DS": f"{number}.25",
        "DT": f"{day}101112",
        "IS": str(number),
        "PN": f"Probe^Name{number}",
        "TM": time,
        "UI": f"1.2.3.{number}",
        "UR": f"https://probe.invalid/{number}",
    }
    return texts.get(vr, f"probe{number}").encode("ascii")
