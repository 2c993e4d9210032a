"""Objects made up to try scripts on: with every attribute that the Basic Profile protects, also in items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from anon.encoding.elements import DataSet
from anon.encoding.instance import TRANSFER_SYNTAX_UID, EncodedInstance
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
# Where items stand: sequences that the profile does not name. The last is one level deeper.
_SHARED_GROUPS: Final = 0x52009229
_PURPOSE: Final = 0x0040A170
_CONTENT_ITEM: Final = 0x00081199
NESTED: Final = (
    ((_PURPOSE, 0),),
    ((_SHARED_GROUPS, 0), (_CONTENT_ITEM, 0)),
)
CODE_VALUE: Final = 0x00080100  # in the items of protected sequences, beside a UID
INNER_UID: Final = 0x00081155
_PRIVATE_CREATOR: Final = 0x00190010
_PRIVATE_ELEMENT: Final = 0x00191001
_BINARY: Final = frozenset({"OB", "OW", "UN"})
_TEXTS: Final = {
    "AE": "PROBE_AE",
    "AS": "045Y",
    "CS": "PROBE",
    "DA": "20240229",
    "DS": "1.25",
    "DT": "20240229101112",
    "IS": "42",
    "PN": "Probe^Name",
    "TM": "101112",
    "UR": "https://probe.invalid/",
}


class Probed(NamedTuple):
    """A row of the table and one of its tags that the probe has."""

    row: Row
    tag: int


def probed_rows() -> list[Probed]:
    """The rows that data sets can hold, each with a tag; group 0000 is in none (PS3.7 section 6.3.1)."""
    return [
        Probed(row, _tag(row))
        for row in load_table()
        if row.tag == PRIVATE or row.pattern.bits >> 16 not in (0x0000, 0x0002)
    ]


def make_probe(kind: str) -> EncodedInstance:
    """Make the object.

    Args:
        kind: its modality, one of `KINDS`.
    """
    meta = DataSet()
    meta.put(TRANSFER_SYNTAX_UID, "UI", _SYNTAX.encode("ascii"))
    top = DataSet()
    _fill(top, kind)
    for steps in NESTED:
        dataset = top
        for tag, _ in steps:
            dataset = dataset.new_item(tag)
        _fill(dataset, kind)
    made = EncodedInstance(meta, top, _SYNTAX)
    return EncodedInstance.from_part10(b"".join(made.part10_chunks()))


def _fill(dataset: DataSet, kind: str) -> None:
    dataset.put(_SOP_CLASS, "UI", KINDS[kind].encode("ascii"))
    dataset.put(_MODALITY, "CS", kind.encode("ascii"))
    for row, tag in probed_rows():
        if row.vr == "SQ":
            item = dataset.new_item(tag)
            item.put(CODE_VALUE, "SH", b"PROBE")
            item.put(INNER_UID, "UI", _uid(tag).encode("ascii"))
        elif row.tag == PRIVATE:
            dataset.put(_PRIVATE_CREATOR, "LO", b"PROBE 1.0")
            dataset.put(tag, "LO", b"probe")
        else:
            vr = row.vr or ("OW" if "X" in row.tag else "LO")
            dataset.put(tag, vr, _value(vr, tag, _TEXTS))


def _tag(row: Row) -> int:
    if row.tag == PRIVATE:
        return _PRIVATE_ELEMENT
    bits = row.pattern.bits
    return bits if bits & 0xFFFF else bits | 0x3000  # a group length is no attribute to protect


def _value(vr: str, tag: int, texts: Mapping[str, str]) -> bytes:
    if vr in _BINARY or vr == "US":
        return b"\x2a\x2b"
    return (_uid(tag) if vr == "UI" else texts.get(vr, "probe")).encode("ascii")


def _uid(tag: int) -> str:
    return f"1.2.3.{tag}"
