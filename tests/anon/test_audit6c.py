"""Where DicomEdit 6 may make sequences and what wildcards at the end of a path reach."""

from __future__ import annotations

import pytest
from both_ways import applied, failure, mistakes
from builders import make_dataset
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence


def an_object() -> Dataset:
    """An object with private elements outside of sequences and in an item."""
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.9.1"
    item.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "inner")
    dataset = make_dataset(PatientID="MRN1", ReferencedImageSequence=Sequence([item]))
    dataset.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "outer")
    return dataset


@pytest.mark.parametrize("around", ["", "(0008,1140)[0]/", "(0008,1110)[1]/"])
@pytest.mark.parametrize(
    ("sequence", "code"),
    [
        ("(0008,0000)", "not-a-sequence"),
        ("(0000,0010)", "not-a-sequence"),
        ("(0004,1220)", "no-data-element"),
        ("(FFFE,E000)", "no-data-element"),
        ("(FFFE,E00D)", "no-data-element"),
        ("(FFFF,{ACME}01)", "no-data-element"),
    ],
)
def test_no_sequence_is_made_of_what_has_no_place_in_a_data_set(
    around: str, sequence: str, code: str
) -> None:
    assert failure(f'{around}{sequence}[0]/(0010,0010) := "x"', an_object()).code == code


@pytest.mark.parametrize("tag", ["(0008,0000)", "(0004,1220)", "(FFFE,E00D)"])
def test_nor_does_set_make_one(tag: str) -> None:
    assert failure(f'set["{tag}[0]/(0010,0010)", "x"]', an_object()).code in (
        "not-a-sequence",
        "no-data-element",
    )


def test_items_have_no_sequence_in_group_2() -> None:
    assert failure('(0008,1140)[0]/(0002,0010)[0]/(0010,0010) := "x"', an_object()).code == "no-data-element"


@pytest.mark.parametrize("path", ["(0008,1140)/*", "(0008,1140)[0]/*", "(0008,1140)/.", "(0008,1140)/+/."])
@pytest.mark.parametrize("value", ['""', '"x"', "(0010,9999)"])
def test_an_assignment_to_all_in_a_sequence_spares_private_creators(path: str, value: str) -> None:
    before = an_object()
    (item,) = applied(f"{path} ?= {value}", before).dataset.ReferencedImageSequence
    assert item[0x00090010].value == "ACME"
    if "+" not in path:
        assert item[0x00091001].value == item.ReferencedSOPInstanceUID == ("x" if value == '"x"' else "")


@pytest.mark.parametrize(
    "statement",
    [
        '(0010,1001) ?= ""',
        '*/(0010,10XX) ?= "x"',
        "hashUIDList[(0010,1001)]",
        'mapReferencedUIDs["1.2.99", "*/(0010,1001)"]',
    ],
)
def test_what_hides_in_a_sequence_that_is_none_refuses_the_object(statement: str) -> None:
    item = Dataset()
    item.CodeMeaning = "Jane"
    dataset = an_object()
    dataset.add_new(0x00101001, "SQ", Sequence([item]))
    found = failure(statement, dataset)
    assert found.code in ("no-text-possible", "not-readable") and "Jane" not in found.message
    assert 0x00101001 not in applied("-(0010,1001)", dataset).dataset


@pytest.mark.parametrize(
    "statement",
    [
        '(0008,11XX) ?= ""\n(0010,XXXX) ?= ""\n(0009,{ACME}02) ?= ""',
        "hashUIDList[(0008,1140), (0010,1001), (0009,{ACME}02)]",
    ],
)
def test_sequences_that_are_some_and_those_without_items_are_passed_over(statement: str) -> None:
    dataset = an_object()
    dataset.add_new(0x00101001, "SQ", Sequence([]))
    dataset.add_new(0x00091002, "SQ", Sequence([Dataset()]))
    after = applied(statement, dataset).dataset
    assert (len(after.ReferencedImageSequence), len(after[0x00101001].value)) == (1, 0)
    assert len(after[0x00091002].value) == 1


@pytest.mark.parametrize("text", ["a", "study.7", "AB", "a "])
def test_a_text_in_a_private_element_reads_as_it_was_written(text: str) -> None:
    script = (
        f'(0009,{{NEW}}01) := "{text}"\n(0010,4000) := concatenate["<", (0009,{{NEW}}01), ">"]\n'
        f'(0009,{{NEW}}01) = "{text}" ? (0010,0020) := "same"'
    )
    after = applied(script, an_object()).dataset
    assert after.PatientComments == f"<{text}>"
    assert after.PatientID == "same"
    assert after[0x00091101].value == text.encode() + b"\0" * (len(text) % 2)


def test_unknown_bytes_of_the_object_read_to_the_last() -> None:
    dataset = an_object()
    dataset.add_new(0x00091002, "UN", b"a\0")
    after = applied("(0010,4000) := (0009,{ACME}02)", dataset).dataset
    assert after.PatientComments == "a\\00"


def test_is_present_takes_no_text_wherever_it_comes_from() -> None:
    assert mistakes('isPresent[{(0010,0020), "(0010,0020)"}] ? -(0010,0010)')[0].code == "argument-kind"
    for lines in (
        'v := "(0010,0020)"\nisPresent[v]',
        'v := {{"(0010,0020)"}}\nisPresent[v]',
        'isPresent[concatenate["(0010,0020)"]]',
        "isPresent[valueAt[(0010,9999)]]",
    ):
        assert failure(f"{lines} ? -(0010,0010)", an_object()).code == "argument-kind"
    script = 'v := {(0010,0020), {(0008,1140)[0]/(0008,1155)}}\nisPresent[v, {}] ? (0010,0020) := "y"'
    assert applied(script, an_object()).dataset.PatientID == "y"
