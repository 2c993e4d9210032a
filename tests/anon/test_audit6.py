"""Corners of DicomEdit 6: rules of its specification that no golden result speaks about."""

from __future__ import annotations

import io
from typing import Any

import pydicom
import pytest
from builders import make_dataset, part10_bytes
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import anon
from anon.encoding.instance import EncodedInstance

ID = "(0010,0020) := "
HASHED = "2.25.148370922854076938159295778886134140470"  # of 1.2.3


def an_object(**elements: Any) -> Dataset:
    """An object with a sequence that has items, one that has none, an empty element and private blocks."""
    first, second = Dataset(), Dataset()
    first.ReferencedSOPInstanceUID = "1.9.1"
    second.ReferencedSOPInstanceUID = "1.9.2"
    dataset = make_dataset(
        Modality="MR",
        PatientName="Doe^Jane",
        PatientID="MRN1",
        PatientComments="Doe^Jane was here",
        Manufacturer="",
        ReferencedImageSequence=Sequence([first, second]),
        ReferencedStudySequence=Sequence([]),
        InstanceNumber="4",
    )
    dataset.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "Doe")
    dataset.add_new(0x00291010, "UN", b"\0\1\2\3")
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def edited(script: str, dataset: Dataset | None = None) -> Dataset:
    """The object after a script, written and read again."""
    content = part10_bytes(an_object() if dataset is None else dataset)
    instance = EncodedInstance.from_part10(content)
    anon.compile_script(f'version "6.6"\n{script}').apply_encoded(instance, {})
    return pydicom.dcmread(io.BytesIO(b"".join(map(bytes, instance.part10_chunks()))))


def code_of(script: str, dataset: Dataset | None = None) -> str:
    with pytest.raises(anon.ScriptError) as caught:
        edited(script, dataset)
    return caught.value.diagnostics[0].code


# -- text of the script


@pytest.mark.parametrize("line", ['version "6.6"// c', 'version "6.6"-(0010,0010)', 'version "6.6"\\'])
def test_nothing_stands_directly_behind_the_version(line: str) -> None:
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(f"{line}\n-(0010,0010)")
    assert caught.value.diagnostics[0].code == "bad-version"


@pytest.mark.parametrize("line", ['version "6.6" // c', 'version\t"6.6"\t', 'version "6.6" -(0010,0010)'])
def test_blanks_end_the_version(line: str) -> None:
    assert anon.compile_script(f"{line}\n-(0010,0020)").language == "6.x"


@pytest.mark.parametrize("escape", ["101", "400", "777"])
def test_three_octal_digits_are_an_escape_that_stays_as_it_is(escape: str) -> None:
    assert edited(f'(0010,4000) := "\\{escape}"').PatientComments == f"\\{escape}"


@pytest.mark.parametrize("escape", ["48", "1", "89", "18x"])
def test_fewer_octal_digits_are_none(escape: str) -> None:
    assert code_of(f'(0010,4000) := "\\{escape}"') == "bad-escape"


# -- tag paths


def test_a_single_dot_means_no_element() -> None:
    dataset = an_object()
    assert edited('. ?= "x"', dataset) == edited("", dataset)


def test_blanks_behind_a_private_creator_do_not_count() -> None:
    assert 0x00091001 not in edited("-(0009,{ACME  }01)")
    assert edited('(0009,{ACME }01) := "q"')[0x00091001].value == "q"


# -- values


def test_an_empty_text_in_a_list_is_not_the_text_null() -> None:
    assert edited(ID + 'concatenate[{"", "a", match["a", "b", 0]}]').PatientID == "[, a, null]"


def test_a_sequence_without_items_reads_as_null_with_a_message() -> None:
    assert edited(ID + "(0008,1110)").PatientID == "null"
    assert edited(f'(0008,1110) = "" ? {ID}"y" : {ID}"n"').PatientID == "n"
    report = anon.compile_script(f'version "6.6"\n{ID}(0008,1110)').apply(an_object(), {})
    assert "without items" in report.messages[0]
    assert code_of(ID + "(0008,1140)") == "not-readable"


def test_paths_in_a_list_are_read_where_the_list_is_taken_apart() -> None:
    assert edited(ID + 'format["{0}-{1}", {(0008,0060), {"x"}}]').PatientID == "MR-x"
    assert edited(ID + 'equals[{(0008,0060)}, "MR"]').PatientID == "true"
    assert code_of(ID + 'format["{0}", {(0010,00XX)}]') == "not-singular"


# -- conditions


@pytest.mark.parametrize("pattern", ["(0010,9998)", 'concatenate["("]', '".*"'])
def test_what_is_absent_matches_nothing_whatever_the_pattern(pattern: str) -> None:
    assert edited(f'(0010,9999) ~ {pattern} ? {ID}"y" : {ID}"n"').PatientID == "n"
    assert edited(f'(0010,9999) !~ {pattern} ? {ID}"y" : {ID}"n"').PatientID == "y"


def test_a_pattern_that_is_absent_or_wrong_fails_on_a_value() -> None:
    assert code_of(f'(0008,0060) ~ (0010,9998) ? {ID}"y"') == "no-value"
    assert code_of(f'(0008,0060) ~ concatenate["("] ? {ID}"y"') == "bad-regex"
    assert code_of(f'(0010,9999) ~ lowercase[(0010,9998)] ? {ID}"y"') == "no-value"


# -- functions


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (f'hashUID["1.2.3"], "{HASHED}"', "false"),
        ('hashUID["1.2.3"], hashUID["1.2.3"]', "true"),
        (f'concatenate[hashUID["1.2.3"]], "{HASHED}"', "true"),
        ('true[], "true"', "false"),
    ],
)
def test_equals_tells_kinds_of_values_apart(arguments: str, wanted: str) -> None:
    assert edited(ID + f"equals[{arguments}]").PatientID == wanted


def test_a_comparison_does_not_tell_kinds_apart() -> None:
    assert edited(f'hashUID["1.2.3"] = "{HASHED}" ? {ID}"y"').PatientID == "y"


def test_a_backslash_separates_no_values_where_there_is_only_one() -> None:
    script = '(0010,4000) := "a\\\\b"\nhashUIDList[(0010,4000), (0029,{NULL}10)]'
    after = edited(script)
    assert after.PatientComments.count("2.25.") == 1
    assert after[0x00291010].value.count(b"2.25.") == 1


@pytest.mark.parametrize(
    ("replacement", "wanted"),
    [("$00", "éa"), ("$01", "é1a"), ("$0x", "éxa"), ("\\\\$", "$a"), ("\\\\\\\\", "\\a"), ("", "a")],
)
def test_replacements_are_read_as_java_reads_them(replacement: str, wanted: str) -> None:
    script = f'(0008,0005) := "ISO_IR 192"\n(0010,4000) := normalizeString["éa", "{replacement}"]'
    assert edited(script).PatientComments == wanted


@pytest.mark.parametrize("replacement", ["$1", "$", "a$", "${a}", "${0}", "\\\\"])
def test_a_replacement_without_meaning_fails_where_it_is_needed(replacement: str) -> None:
    assert code_of(f'{ID}normalizeString["éa", "{replacement}"]') == "bad-replacement"
    assert edited(f'{ID}normalizeString["ea", "{replacement}"]').PatientID == "ea"


def test_without_a_match_no_group_is_asked_for() -> None:
    assert edited(ID + 'match["abc", "z", 5]').PatientID == "MRN1"
    assert code_of(ID + 'match["abc", "b", 5]') == "out-of-range"
