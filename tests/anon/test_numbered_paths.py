"""set and delete: elements named by their numbers."""

from __future__ import annotations

import pytest
from both_ways import applied, failure, mistakes
from builders import make_dataset
from pydicom.dataset import Dataset

from anon.tagpath import TagError, TagStep, parse_numbered_path6, parse_path6


def with_private() -> Dataset:
    dataset = make_dataset()
    dataset.private_block(0x0009, "ACME", create=True).add_new(0x01, "LO", "old")
    dataset.add_new(0x00291001, "LO", "orphan")
    inner = Dataset()
    inner.private_block(0x0009, "INNER", create=True).add_new(0x01, "LO", "old")
    dataset.ReferencedImageSequence = [Dataset(), inner]
    return dataset


def test_a_path_is_read_whatever_its_blanks_and_case() -> None:
    path = parse_numbered_path6(" ( 0040 , a730 ) [ 2 ] / (0009,1001) ")
    assert path.steps == (
        TagStep(0xFFFFFFFF, 0x0040A730, None, 2, True), TagStep(0xFFFFFFFF, 0x00091001),
    )  # fmt: skip
    assert (
        parse_numbered_path6("(0008,1140)[0]/(0008,1155)").steps
        == parse_path6("(0008,1140)[0]/(0008,1155)").steps
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "0010,0020", "(0010,0020", "(010,0020)", "(0010,00X0)", "(0010,00@0)",
        "(0009,{ACME}01)", "*/(0010,0020)", "(0008,1140)[%]/(0008,1155)", "(0008,1140)/(0008,1155)",
        "(0008,1140)[0]", "(0008,1140)[-1]/(0008,1155)", "(0008,1140)[01]/(0008,1155)",
        "(0008,1140)[99999999]/(0008,1155)", "(0010,0020)/", "(0010,0020) (0010,0030)",
        "(0010,0020),(0010,0030)", "(00100020)",
    ],
)  # fmt: skip
def test_other_texts_are_no_path_and_not_quoted(text: str) -> None:
    with pytest.raises(TagError) as caught:
        parse_numbered_path6(text)
    assert not text or text not in caught.value.message + caught.value.hint
    assert mistakes(f'delete["{text}"]')[0].code == "bad-tag"
    assert mistakes(f'set["{text}", "x"]')[0].code == "bad-tag"
    assert failure(f'p := "{text}"\ndelete[p]', make_dataset()).code == "bad-tag"


def test_set_makes_sequences_and_items_and_keeps_representations() -> None:
    text = 'set["(0040,A730)[1]/(0040,A160)", "5"]\nset["(0009,1001)", "new"]\nset["(0028,0010)", 7]'
    result = applied(text, with_private()).dataset
    assert [len(item) for item in result.ContentSequence] == [0, 1]
    assert result.ContentSequence[1].TextValue == "5"
    assert (result[0x00091001].VR, result[0x00091001].value) == ("LO", "new")
    assert result.Rows == 7


def test_set_makes_private_elements_only_in_a_block_that_has_a_creator() -> None:
    result = applied(
        'set["(0009,1002)", "n"]\nset["(0008,1140)[1]/(0009,1002)", "n"]', with_private()
    ).dataset
    assert result[0x00091002].value == b"n\0" == result.ReferencedImageSequence[1][0x00091002].value
    for path in (
        "(0011,1001)", "(0009,1101)", "(0009,0101)", "(0009,0001)", "(0029,1002)",
        "(0008,1140)[0]/(0009,1001)", "(0008,1140)[2]/(0009,1001)", "(0011,1001)[0]/(0008,1155)",
    ):  # fmt: skip
        assert failure(f'set["{path}", "x"]', with_private()).code == "no-creator"


def test_set_empties_private_data_that_has_no_creator() -> None:
    assert applied('set["(0029,1001)", ""]', with_private()).dataset[0x00291001].value == ""


def test_set_can_name_a_creator() -> None:
    result = applied('set["(0009,0010)", "OTHER"]\n(0010,4000) := (0009,{OTHER}01)', with_private()).dataset
    assert result.PatientComments == "old"


def test_set_takes_no_lists_and_does_not_read_tags() -> None:
    assert mistakes('set["(0010,0020)", (0010,0010)]')[0].code == "argument-kind"
    assert mistakes('set["(0010,0020)", {"a"}]')[0].code == "list-assigned"
    assert mistakes('set["(0010,0020)", collectValues[]]')[0].code == "list-assigned"
    assert failure('l := {"a"}\nset["(0010,0020)", l]', make_dataset()).code == "list-assigned"
    assert mistakes('set[(0010,0020), "a"]')[0].code == "argument-kind"


def test_set_without_a_value_changes_nothing_and_says_so() -> None:
    result = applied('set["(0040,A730)[0]/(0040,A160)", match["a", "b", 0]]', make_dataset())
    assert "ContentSequence" not in result.dataset
    assert "no value to assign" in result.messages[0]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ('set["(0028,0010)", "abc"]', "not-a-number"),
        ('set["(0008,1140)", "abc"]', "no-text-possible"),
        ('set["(0010,0020)[0]/(0010,0010)", "abc"]', "not-a-sequence"),
        ('set["(0008,0018)", ""]', "identity-removed"),
        ('delete["(0008,0018)"]', "identity-removed"),
    ],
)
def test_what_an_assignment_or_removal_refuses_is_refused(call: str, code: str) -> None:
    assert failure(call, make_dataset(ReferencedImageSequence=[])).code == code


def test_the_transfer_syntax_cannot_be_set_or_deleted() -> None:
    assert mistakes('delete["(0002,0010)"]')[0].code == "transfer-syntax"
    assert mistakes('set["(0002,0010)", "1.2.840.10008.1.2"]')[0].code == "transfer-syntax"
    assert failure('p := "(0002,0010)"\ndelete[p]', make_dataset()).code == "transfer-syntax"


def test_delete_removes_one_element_creators_too() -> None:
    text = 'delete["(0009,1001)"]\ndelete["(0008,1140)[1]/(0009,0010)"]\ndelete["(0010,4000)"]'
    result = applied(text, with_private()).dataset
    assert 0x00091001 not in result and 0x00090010 in result
    assert list(result.ReferencedImageSequence[1].keys()) == [0x00091001]
    assert 0x00291001 in result


def test_delete_of_a_way_that_is_not_there_changes_nothing() -> None:
    dataset = with_private()
    before = applied("", dataset).encoded
    text = 'delete["(0008,1140)[7]/(0009,0010)"]\ndelete["(0010,0010)[0]/(0009,0010)"]'
    assert applied(text, dataset).encoded == before


def test_deleting_a_character_set_keeps_the_texts() -> None:
    item = Dataset()
    item.SpecificCharacterSet = "ISO_IR 100"
    item.TextValue = "Müller"
    dataset = make_dataset(ContentSequence=[item])
    result = applied('delete["(0040,A730)[0]/(0008,0005)"]', dataset).dataset
    assert result.ContentSequence[0].TextValue == "Müller"
    assert b"M\xc3\xbcller" in applied('delete["(0040,A730)[0]/(0008,0005)"]', dataset).encoded


def test_a_removed_element_stays_removed_in_group_2() -> None:
    result = applied('set["(0002,0016)", "AE"]\ndelete["(0002,0016)"]', make_dataset()).dataset
    assert "SourceApplicationEntityTitle" not in result.file_meta
