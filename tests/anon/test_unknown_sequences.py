"""Sequences that came with VR UN and a known length: whoever wrote them did not know them (PS3.5 6.2.2)."""

from __future__ import annotations

import struct
from io import BytesIO

import pydicom
import pytest
from builders import make_dataset, part10_bytes, wheel_file
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

import anon
from anon.encoding.elements import EXPLICIT_LITTLE, DataSet, DataSetError
from anon.encoding.instance import EncodedInstance

PLANS = 0x300C0002
SCRIPT = anon.compile_script('version "6.6"\nhashUIDList[*/(0008,1155)]\n-*/(0010,0010)\n')


def implicit(tag: int, value: bytes) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def item(*elements: bytes) -> bytes:
    return implicit(0xFFFEE000, b"".join(elements))


def with_unknown(value: bytes, tag: int = PLANS, syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset = make_dataset()
    dataset.add(pydicom.DataElement(tag, "OB", value))
    content = part10_bytes(dataset, syntax)
    order = "<" if syntax == ExplicitVRLittleEndian else ">"
    header = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    assert content.count(header + b"OB") == 1
    return content.replace(header + b"OB", header + b"UN")


REFERENCE = item(implicit(0x00081155, b"1.2.3\0"), implicit(0x00100010, b"Doe^Jane"))


def apply(content: bytes) -> bytes:
    instance = EncodedInstance.from_part10(content)
    SCRIPT.apply_encoded(instance, {})
    return b"".join(instance.part10_chunks())


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_script_reaches_what_is_in_it(syntax: str) -> None:
    result = apply(with_unknown(REFERENCE, syntax=syntax))
    assert b"Doe^Jane" not in result
    element = EncodedInstance.from_part10(result).dataset.get(PLANS)
    assert element is not None
    assert (element.vr, element.written_vr, element.undefined) == ("SQ", "UN", False)
    (changed,) = element.items
    assert changed.tags() == [0x00081155]
    assert changed.get(0x00081155).value.startswith(b"2.25.")


def test_other_programs_read_what_became_of_it() -> None:
    (changed,) = pydicom.dcmread(BytesIO(apply(with_unknown(REFERENCE))))[PLANS].value
    assert changed.ReferencedSOPInstanceUID.startswith("2.25.")
    assert "PatientName" not in changed


def test_a_pydicom_data_set_is_changed_alike() -> None:
    content = with_unknown(REFERENCE)
    dataset = pydicom.dcmread(BytesIO(content))
    SCRIPT.apply(dataset)
    from_file = pydicom.dcmread(BytesIO(apply(content)))
    assert dataset[PLANS].value == from_file[PLANS].value


def test_what_no_script_touches_stays_byte_for_byte() -> None:
    content = with_unknown(item(implicit(0x00081150, b"1.2.3\0")))
    before = EncodedInstance.from_part10(content)
    assert b"".join(before.dataset.chunks()) in content
    assert b"".join(EncodedInstance.from_part10(apply(content)).dataset.element_chunks(PLANS)) in content


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (PLANS, b"no items at all!"),
        (PLANS, REFERENCE[:-2]),
        (PLANS, REFERENCE + b"rest"),
        (PLANS, b""),
        (0x00104000, REFERENCE),  # text by the dictionary
        (0x00091001, REFERENCE),  # private: nobody knows
    ],
)
def test_what_is_no_sequence_stays_a_value(tag: int, value: bytes) -> None:
    element = EncodedInstance.from_part10(with_unknown(value, tag)).dataset.get(tag)
    assert element is not None
    assert (element.vr, element.value) == ("UN", value)


def test_items_that_are_nested_too_deep_are_refused() -> None:
    value = item()
    for _ in range(70):
        value = item(implicit(PLANS, value))
    encoded = struct.pack("<HH2sHI", PLANS >> 16, PLANS & 0xFFFF, b"UN", 0, len(value)) + value
    with pytest.raises(DataSetError, match="too-deep"):
        DataSet.scan(encoded, EXPLICIT_LITTLE)


def test_a_real_file_loses_its_references() -> None:
    content = wheel_file("rtdose_rle.dcm").read_bytes()
    (before,) = pydicom.dcmread(BytesIO(content))[PLANS].value
    (after,) = pydicom.dcmread(BytesIO(apply(content)))[PLANS].value
    assert after.ReferencedSOPInstanceUID.startswith("2.25.")
    assert after.ReferencedSOPClassUID == before.ReferencedSOPClassUID
