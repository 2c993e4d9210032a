"""collectValues and blankValues."""

from __future__ import annotations

from typing import Any

import pytest
from both_ways import applied, failure, mistakes
from builders import make_dataset
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

SKIPPED = "only texts are blanked"


def with_copies(**elements: Any) -> Dataset:
    """An object that has the patient's name in more places than one."""
    item = Dataset()
    item.PersonName = "Doe^Jane"
    item.ContentItemModifierSequence = [Dataset()]
    item.ContentItemModifierSequence[0].TextValue = "Doe^Jane"
    dataset = make_dataset(ContentSequence=[item], **{"OperatorsName": "Doe^Jane", **elements})
    block = dataset.private_block(0x0009, "ACME", create=True)
    block.add_new(0x01, "LO", "Doe^Jane")
    block.add_new(0x02, "UN", b"Doe^Jane")
    block.add_new(0x03, "UN", b"Doe^Jane\0\0")
    block.add_new(0x04, "LO", "Doe^Jane was here")
    return dataset


def test_a_value_goes_wherever_it_is_the_whole_value() -> None:
    result = applied("blankValues[(0010,0010)]", with_copies()).dataset
    assert result.PatientName == result.OperatorsName == ""
    item = result.ContentSequence[0]
    assert item.PersonName == "" == item.ContentItemModifierSequence[0].TextValue
    block = result.private_block(0x0009, "ACME")
    assert [bool(block[number].value) for number in (1, 2, 3, 4)] == [False, False, False, True]


def test_private_texts_of_unknown_representation_are_found() -> None:
    dataset = with_copies(PatientName="Dö^Jané", OperatorsName="x")
    block = dataset.private_block(0x0009, "ACME")
    block.add_new(0x05, "LO", "Dö^Jané")
    block.add_new(0x06, "LO", ["a", "b"])
    text = 'blankValues[(0010,0010), "a\\\\b"]'
    result = applied(text, dataset, transfer_syntax=ImplicitVRLittleEndian).dataset
    assert [bool(result[0x00091000 + number].value) for number in (4, 5, 6)] == [True, False, False]


def test_case_counts_and_so_do_all_values_together() -> None:
    dataset = make_dataset(
        ImageType=["ORIGINAL", "PRIMARY"], PatientComments="ORIGINAL", StationName="original"
    )
    result = applied('blankValues["ORIGINAL"]', dataset).dataset
    assert (list(result.ImageType), result.PatientComments, result.StationName) == (
        ["ORIGINAL", "PRIMARY"], "", "original",
    )  # fmt: skip
    assert not applied('blankValues["ORIGINAL\\\\PRIMARY"]', dataset).dataset.ImageType


def test_values_are_collected_when_the_call_is_reached() -> None:
    text = 'l := collectValues[*/(0040,A123)]\n*/(0040,A123) ?= "x"\nblankValues[l]'
    result = applied(text, with_copies()).dataset
    assert result.PatientName == "" and result.ContentSequence[0].PersonName == "x"


def test_what_is_collected_comes_in_order() -> None:
    text = '(0010,4000) := format["{0},{1},{2},{3}", collectValues[(0008,0060), "b", {"c", (0010,0020)}, 5]]'
    assert applied(text, make_dataset()).dataset.PatientComments == "b,c,5,MR"


def test_a_text_that_looks_like_a_path_is_a_text() -> None:
    result = applied('blankValues["(0010,0020)"]', make_dataset(PatientComments="(0010,0020)")).dataset
    assert (result.PatientID, result.PatientComments) == ("PID-1", "")


def test_empty_elements_and_absent_ones_collect_nothing_that_blanks() -> None:
    dataset = make_dataset(PatientComments="")
    before = applied("", dataset).encoded
    assert applied("blankValues[(0010,4000), (0010,2160), {}]", dataset).encoded == before


def test_numbers_creators_and_what_is_needed_to_read_the_object_stay() -> None:
    dataset = make_dataset(
        Rows=4, Columns=4, NumberOfFrames=4, SeriesNumber=4, PhotometricInterpretation="MONOCHROME2",
        PatientComments="ISO_IR 192", AcquisitionContextDescription="MONOCHROME2",
    )  # fmt: skip
    dataset.private_block(0x0009, "ACME", create=True).add_new(0x01, "LO", "ACME")
    text = 'blankValues["4", "ACME", "ISO_IR 192", "MONOCHROME2", "1.2.840.10008.1.2.1"]'
    result = applied(text, dataset).dataset
    assert (result.Rows, result.NumberOfFrames, result.SeriesNumber) == (4, 4, None)
    assert result[0x00090010].value == "ACME" and result[0x00091001].value == ""
    assert result.SpecificCharacterSet == "ISO_IR 192" and result.PatientComments == ""
    assert result.PhotometricInterpretation == "MONOCHROME2" and result.AcquisitionContextDescription == ""


@pytest.mark.parametrize("path", ["(0028,0010)", "(0008,0005)", "(0008,1140)", "(7FE0,0010)"])
def test_what_cannot_be_blanked_is_said_when_it_is_asked_for(path: str) -> None:
    dataset = make_dataset(Rows=4, SeriesNumber=4, ReferencedImageSequence=[Dataset()])
    dataset.add_new(0x7FE00010, "OW", b"0102")
    result = applied(f"blankValues[{path}]", dataset)
    assert result.dataset.SeriesNumber == 4
    assert len(result.messages) == 1 and SKIPPED in result.messages[0]


def test_sequences_and_binary_data_are_not_collected() -> None:
    dataset = make_dataset(ReferencedImageSequence=[Dataset()], Rows=4)
    dataset.add_new(0x7FE00010, "OW", b"0102")
    text = 'l := collectValues[(7FE0,0010), (0008,1140), (0028,0010)]\n(0010,4000) := format["{0}{1}", l]'
    result = applied(text, dataset)
    assert result.dataset.PatientComments == "4{1}"
    assert "have no value to collect" in result.messages[0]


def test_file_meta_information_is_blanked_too() -> None:
    dataset = make_dataset(PatientComments="SENDER")
    result = applied('(0002,0016) := "SENDER"\nblankValues[(0010,4000)]', dataset).dataset
    assert result.file_meta.SourceApplicationEntityTitle == ""


def test_an_object_keeps_its_identity_or_is_refused() -> None:
    assert failure("blankValues[(0008,0018)]", make_dataset()).code == "identity-removed"


def test_large_private_data_of_unknown_representation_are_not_decoded() -> None:
    dataset = make_dataset()
    dataset.private_block(0x0009, "ACME", create=True).add_new(0x01, "UN", b"\xff" * 20_000_000)
    result = applied("blankValues[(0010,0020)]", dataset).dataset
    assert result.PatientID == "" and len(result[0x00091001].value) == 20_000_000


def test_what_is_collected_cannot_be_stored() -> None:
    assert mistakes("(0010,0020) := collectValues[(0010,0010)]")[0].code == "list-assigned"
    assert (
        failure("l := collectValues[(0010,0010)]\n(0010,0020) := l", make_dataset()).code == "list-assigned"
    )
    assert mistakes("(0010,0020) := blankValues[(0010,0010)]")[0].code == "no-value"
