"""Corners of DicomEdit 4: rules of its specification that no golden result speaks about."""

from __future__ import annotations

from typing import Any

import pytest
from builders import make_dataset
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

import anon


def applied(text: str, dataset: Dataset, **variables: str) -> Dataset:
    anon.compile_script(text).apply(dataset, variables)
    return dataset


def failure(text: str, dataset: Dataset, **variables: str) -> str:
    with pytest.raises(anon.ScriptError) as caught:
        applied(text, dataset, **variables)
    return caught.value.diagnostics[0].code


def raw(tag: int, vr: str, value: bytes) -> RawDataElement:
    """An element as it is in a file."""
    fields: dict[str, Any] = {"is_implicit_VR": False, "is_little_endian": True}
    return RawDataElement(Tag(tag), vr, len(value), value, 0, **fields)


@pytest.mark.parametrize("text", [r"00100020\\", r"\\", r"\\FrameTime"])
def test_an_empty_value_is_no_tag(text: str) -> None:
    dataset = make_dataset()
    assert failure(f'(0028,0009) := "{text}"', dataset) == "not-a-tag"
    assert "FrameIncrementPointer" not in dataset


def test_tags_of_groups_from_8000_on_are_read_as_negative_numbers() -> None:
    dataset = make_dataset(FrameIncrementPointer=[0x7FE00010, 0xFFFEE000, 0x80000000])
    assert applied("(0010,4000) := (0028,0009)", dataset).PatientComments == "2145386512\\-73728\\-2147483648"


def test_a_private_creator_that_pydicom_cannot_decode_refuses_the_object() -> None:
    dataset = make_dataset()
    dataset[Tag(0x00290010)] = raw(0x00290010, "UL", b"1")
    dataset._dict[Tag(0x00291001)] = raw(0x00291001, "SQ", b"")
    assert failure('- (0010,0010)\n(0029,1001) := "x"', dataset) == "not-encodable"
    assert "PatientName" in dataset


def test_the_hint_for_a_text_that_does_not_fit_says_where_the_character_set_goes() -> None:
    """The last line is carried out first, so a character set above the text comes too late."""
    text, charset = '(0010,0010) := "漢"', '(0008,0005) := "ISO_IR 192"'
    for script in (text, f"{charset}\n{text}"):
        with pytest.raises(anon.ScriptError) as caught:
            applied(script, make_dataset(SpecificCharacterSet="ISO_IR 100"))
        assert "below it" in caught.value.diagnostics[0].hint
    dataset = make_dataset(SpecificCharacterSet="ISO_IR 100", StudyDescription="Été")
    applied(f"{text}\n{charset}", dataset)
    assert (dataset.PatientName, dataset.StudyDescription) == ("漢", "Été")


@pytest.mark.parametrize(("vr", "value"), [("US", 192), ("FD", 1.5), ("AT", 0x00100010)])
def test_a_character_set_that_is_no_text_declares_nothing(vr: str, value: Any) -> None:
    dataset = make_dataset()
    dataset.add_new(0x00080005, vr, value)
    assert "PatientName" not in applied("- (0010,0010)", dataset)
