"""Data sets that pydicom holds and cannot decode, or would write otherwise than they are."""

from __future__ import annotations

import pytest
from both_ways import V6, applied
from builders import loaded, make_dataset, part10_bytes, saved
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

import anon

# An item that ends in the middle of an element's length.
CUT_ITEM = b"\xfe\xff\0\xe0\x08\0\0\0\x08\0\x18\0UN\0\0"


def with_raw(tag: int, vr: str, length: int, value: bytes | None) -> Dataset:
    dataset = make_dataset()
    fields = {"is_implicit_VR": False, "is_little_endian": True}
    dataset[Tag(tag)] = RawDataElement(Tag(tag), vr, length, value, 0, **fields)
    return dataset


@pytest.mark.parametrize(
    ("tag", "vr", "length", "value", "script"),
    [
        (0x00081140, "SQ", len(CUT_ITEM), CUT_ITEM, "-*/(0008,0018)"),
        (0x00100010, "zz", 4, None, "-*/(0010,0020)"),
        (0x00100010, "zz", 4, None, "(0010,0020) := (0010,0010)"),
    ],
    ids=["cut item", "no VR, walked", "no VR, read"],
)
def test_what_pydicom_cannot_decode_refuses_the_object(
    tag: int, vr: str, length: int, value: bytes | None, script: str
) -> None:
    dataset = with_raw(tag, vr, length, value)
    before = {each: dataset.get_item(each) for each in dataset.keys() if each != tag}
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(V6 + script).apply(dataset)
    assert [found.code for found in caught.value.diagnostics] == ["not-encodable"]
    assert {each: dataset.get_item(each) for each in dataset.keys() if each != tag} == before


def test_a_character_set_that_cannot_be_decoded_refuses_the_object_where_it_counts() -> None:
    dataset = with_raw(0x00080005, "zz", 4, b"ISO ")
    assert anon.compile_script(V6 + "-(0010,0010)").apply(dataset).status == "ok"
    assert "PatientName" not in dataset


@pytest.mark.parametrize("above", ["", "(0040,0275)[0]/", "(0012,0064)[1]/(0040,A730)[0]/"])
def test_new_private_elements_are_unknown_both_ways_even_if_pydicom_knows_them(above: str) -> None:
    text = above + '(0029,{SIEMENS CSA HEADER}08) := "IMAGE NUM 4"'
    result = applied(text, make_dataset())
    assert b"\x29\0\x08\x10UN\0\0" in result.encoded
    dataset = loaded(part10_bytes(make_dataset(), ExplicitVRLittleEndian))
    anon.compile_script(V6 + text).apply(dataset)
    assert b"\x29\0\x08\x10UN\0\0" in saved(dataset)


@pytest.mark.parametrize(
    "text",
    ['alterPixels["rectangle", "l=0,t=0,r=1,b=1", "solid", "v=9"]', "-(0010,0010)"],
    ids=["all", "some"],
)
def test_private_elements_that_nobody_can_decode_stay_and_the_rest_is_edited(text: str) -> None:
    dataset = small_image()
    dataset.private_block(0x0009, "ACME", create=True)
    fields = {"is_implicit_VR": False, "is_little_endian": True}
    broken = RawDataElement(Tag(0x00091001), "FD", 5, b"12345", 0, **fields)
    encoded = part10_bytes(dataset)
    view = loaded(encoded)
    view._dict[broken.tag] = broken
    assert anon.compile_script(V6 + text).apply(view).status == "ok"
    kept = view.get_item(Tag(0x00091001))
    assert kept is not None and kept.value == broken.value
    assert view.PixelData[0] == 9 or "PatientName" not in view


def small_image() -> Dataset:
    return make_dataset(
        Rows=2,
        Columns=2,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        PixelData=b"\1\2\3\4",
    )
