"""What scripts do to objects where no golden result speaks: the safe rules, reports, all or nothing."""

from __future__ import annotations

import hashlib
import io
import threading
from typing import Any

import pydicom
import pytest
from builders import saved
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

import anon
from anon.encoding.instance import EncodedInstance

V6 = 'version "6.6"\n'


def an_object(transfer_syntax: UID = ExplicitVRLittleEndian, **elements: Any) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.PatientName = "DOE^JANE"
    dataset.PatientID = "MRN1"
    dataset.PatientBirthDate = "19700101"
    dataset.Modality = "MR"
    item = Dataset()
    item.PatientName = "DOE^JANE"
    item.ReferencedSOPInstanceUID = "1.9"
    dataset.ReferencedImageSequence = [item, Dataset()]
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = transfer_syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def applied(text: str, dataset: Dataset | None = None, **variables: str) -> Dataset:
    dataset = an_object() if dataset is None else dataset
    anon.compile_script(text).apply(dataset, variables)
    return dataset


def failure(text: str, dataset: Dataset | None = None, **variables: str) -> anon.Diagnostic:
    """The failure of a script at run time; the object must be as it was."""
    dataset = an_object() if dataset is None else dataset
    before = saved(dataset)
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(text).apply(dataset, variables)
    assert saved(dataset) == before
    assert len(caught.value.diagnostics) == 1
    return caught.value.diagnostics[0]


def mistake(text: str) -> anon.Diagnostic:
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(text)
    return caught.value.diagnostics[0]


# -- whole or not at all


@pytest.mark.parametrize(
    "text", ['(0010,0010) := "x"\n(0028,0010) := "no"', V6 + '-(0010,0010)\n(0028,0010) := "no"']
)
def test_a_failure_leaves_the_object_as_it_was_and_names_the_line(text: str) -> None:
    found = failure(text)
    assert found.code == "not-a-number"
    assert found.line == text.count("\n") + 1
    assert "no" not in found.message.split()


def test_a_failure_in_a_nested_statement_points_at_that_statement() -> None:
    text = V6 + 'if ((0008,0060) = "MR") {\n  (0008,0060) = "MR" ? (0028,0010) := "no"\n}'
    found = failure(text)
    assert (found.line, found.column) == (3, 24)


def test_an_object_must_keep_its_sop_uids() -> None:
    assert failure("- (0008,0018)").code == "identity-removed"
    assert failure("- (XXXX,XXXX)").code == "identity-removed"
    assert failure(V6 + '(0008,0016) := ""').code == "identity-removed"
    assert failure(V6 + '(0008,0018) := "\\\\1.2"').code == "identity-removed"  # readers take the first value
    assert failure(V6 + "-*").code == "identity-removed"


def test_an_object_without_sop_uids_is_none_of_the_scripts_fault() -> None:
    dataset = an_object()
    del dataset.SOPInstanceUID
    assert applied("- (0010,0010)", dataset).get("PatientName") is None


def test_the_transfer_syntax_cannot_be_changed_or_deleted() -> None:
    for text in ("- (0002,0010)", '(0002,0010) := "1.2"', V6 + "-(0002,0010)", V6 + '(0002,0010) ?= "1.2"'):
        assert mistake(text).code == "transfer-syntax"
    assert applied(V6 + "-(0002,XXXX)").file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert failure(V6 + '(0002,001X) ?= "1.2"').code == "transfer-syntax"


def test_group_2_follows_the_data_set() -> None:
    dataset = applied(V6 + '(0002,0003) := "9.9"\n(0008,0018) := "1.2.5"\n(0002,0016) := "AE"')
    assert dataset.file_meta.MediaStorageSOPInstanceUID == "1.2.5"
    assert dataset.file_meta.SourceApplicationEntityTitle == "AE"


def test_a_data_set_without_file_meta_gets_one_only_when_the_script_says_so() -> None:
    dataset = an_object()
    del dataset.file_meta
    applied('(0010,0020) := "x"', dataset)
    assert not hasattr(dataset, "file_meta")
    applied('(0002,0016) := "AE"', dataset)
    assert dataset.file_meta.SourceApplicationEntityTitle == "AE"


# -- reading never changes anything


def test_reading_creates_neither_creators_nor_sequences() -> None:
    text = V6 + '(0010,0020) := (0009,{NONE}01)\n(0040,A730)[0]/(0040,A160) = "x" ? -(0010,0010)'
    dataset = applied(text)
    assert [tag for tag in dataset.keys() if tag.is_private] == []
    assert "ContentSequence" not in dataset
    assert dataset.PatientID == "MRN1"


def test_a_private_creator_is_written_into_the_addressed_item_and_a_free_block() -> None:
    dataset = an_object()
    dataset.ReferencedImageSequence[1].add_new(0x00091005, "LO", "orphan")
    applied(V6 + '(0008,1140)[1]/(0009,{ACME 1.1}10) := "x"', dataset)
    first, second = dataset.ReferencedImageSequence
    assert 0x00090010 not in first
    assert second[0x00090011].value == "ACME 1.1"
    assert second[0x00091110].value == b"x"[:1] + b"\0"
    assert second[0x00091005].value == "orphan"


def test_wildcards_never_overwrite_a_private_creator() -> None:
    dataset = an_object()
    dataset.private_block(0x0009, "ACME 1.1", create=True).add_new(0x01, "LO", "secret")
    applied(V6 + '(0009,{ACME 1.1}XX) ?= ""', dataset)
    assert dataset[0x00090010].value == "ACME 1.1"
    assert not dataset[0x00091001].value


# -- values


def test_numbers_that_do_not_fit_are_refused() -> None:
    assert failure('(0028,0010) := "70000"').code == "out-of-range"
    assert failure(V6 + '(0028,0010) := "-1"').code == "out-of-range"
    assert failure(V6 + '(0018,9073) := "1e999"').code in ("out-of-range", "not-a-number")


def test_values_that_break_the_rules_of_their_vr_are_written_with_a_warning() -> None:
    script = anon.compile_script(
        '(0010,0030) := "yesterday"\n(0008,0094) := "too long for a short string"', "s.das"
    )
    dataset = an_object()
    report = script.apply(dataset, {})
    assert dataset.get_item(0x00100030).value == b"yesterday "
    assert sorted(report.messages) == [
        "s.das:1: the value is not a valid DA",
        "s.das:2: the value is longer than SH allows (16 characters)",
    ]


def test_text_never_goes_into_binary_elements_or_sequences() -> None:
    assert failure(V6 + '(7FE0,0010) := "abc"').code == "no-text-possible"
    assert failure(V6 + '(0008,1140) := ""').code == "no-text-possible"
    assert mistake('(7FE0,0010) := "abc"').code == "no-text-possible"


def test_lists_are_no_values_of_elements() -> None:
    assert mistake(V6 + '(0010,0020) := {"a","b"}').code == "list-assigned"
    assert failure(V6 + 'l := {5, "a"}\n(0010,0020) := l').code == "list-assigned"


def test_numbers_and_escapes_in_lists_are_kept() -> None:
    dataset = applied(V6 + 'l := {5, "a\\\\b"}\n(0010,4000) := format["{0}+{1}", l]')
    assert dataset.PatientComments == "5+a\\b"


# -- character sets


def test_text_that_the_character_set_lacks_is_refused() -> None:
    dataset = an_object(SpecificCharacterSet="ISO_IR 100")
    assert failure(V6 + '(0010,0010) := "日本"', dataset).code == "not-representable"


@pytest.mark.parametrize(
    "text",
    ['(0008,0005) := "ISO_IR 192"\n(0010,1090) := "x"', '(0010,1090) := "x"\n(0008,0005) := "ISO_IR 192"'],
)
def test_a_new_character_set_keeps_the_texts_in_dicomedit_4(text: str) -> None:
    dataset = an_object(SpecificCharacterSet="ISO_IR 100", PatientName="MÜLLER^JÖRG")
    dataset.ReferencedImageSequence[0].PatientName = "MÜLLER"
    stored = pydicom.dcmread(io.BytesIO(saved(applied(text, pydicom.dcmread(io.BytesIO(saved(dataset)))))))
    assert stored.SpecificCharacterSet == "ISO_IR 192"
    assert str(stored.PatientName) == "MÜLLER^JÖRG"
    assert str(stored.ReferencedImageSequence[0].PatientName) == "MÜLLER"


def test_a_character_set_that_lacks_a_text_or_does_not_exist_is_refused() -> None:
    dataset = an_object(SpecificCharacterSet="ISO_IR 192", PatientName="日本")
    assert failure(V6 + '(0008,0005) := "ISO_IR 100"', dataset).code == "not-representable"
    assert failure(V6 + "-(0008,0005)", dataset).code == "not-representable"
    assert failure("- (0008,00XX)", dataset).code in ("not-representable", "identity-removed")
    assert failure(V6 + "-(0008,000X)", dataset).code == "not-representable"
    assert failure('(0008,0005) := "ISO_IR 99999"', dataset).code == "unknown-character-set"


def test_a_character_set_taken_from_items_leaves_their_texts_readable() -> None:
    dataset = an_object(SpecificCharacterSet="ISO_IR 192")
    item = dataset.ReferencedImageSequence[0]
    item.SpecificCharacterSet, item.PatientName = "ISO_IR 100", "MÜLLER"
    dataset = pydicom.dcmread(io.BytesIO(saved(dataset)))
    stored = pydicom.dcmread(io.BytesIO(saved(applied(V6 + "-(0008,1140)/(0008,0005)", dataset))))
    item = stored.ReferencedImageSequence[0]
    assert "SpecificCharacterSet" not in item
    assert str(item.PatientName) == "MÜLLER"
    assert failure(V6 + "-*/(0008,0005)", stored).code == "not-representable"


def test_functions_cannot_remove_what_statements_cannot() -> None:
    assert failure(V6 + 'removeTags["(0002,0010)"]').code == "transfer-syntax"
    assert failure(V6 + "hashUIDList[(0002,0010)]").code == "transfer-syntax"
    assert failure(V6 + "removeTags[(0008,0018)]").code == "identity-removed"


def test_a_rejected_object_stays_as_it_was() -> None:
    dataset = an_object()
    before = saved(dataset)
    report = anon.compile_script(V6 + '-(0010,0010)\nreject[]\n(0028,0010) := "no"').apply(dataset, {})
    assert report.status == "rejected"
    assert saved(dataset) == before


def test_functions_without_a_value_are_no_values() -> None:
    for text in ("(0010,0020) := removeTags[(0010,0010)]", 'v := reject["false"]', "l := {reject[]}"):
        assert mistake(V6 + text).code == "no-value"
    assert "PatientName" not in applied(V6 + 'removeTags[(0010,0010)] ? (0010,0020) := "a"')
    assert mistake(V6 + 'removeTags["(0010,0010),(0010,0020)"]').code == "bad-tag"
    assert mistake(V6 + "isPresent[(0010,00XX)] ? -(0010,0010)").code == "not-singular"
    assert failure(V6 + "l := {(0010,00XX)}\nisPresent[l] ? -(0010,0010)").code == "not-singular"


# -- variables


def test_all_missing_variables_are_named_where_they_are_used_first() -> None:
    script = anon.compile_script("(0010,0010) := subject\n(0008,1030) := project\n(0010,0020) := subject")
    assert script.variables == ["subject", "project"]
    with pytest.raises(anon.ScriptError) as caught:
        script.apply(an_object(), {})
    assert [(found.code, found.line, found.column) for found in caught.value.diagnostics] == [
        ("missing-variable", 1, 16),
        ("missing-variable", 2, 16),
    ]


def test_variables_are_found_whatever_their_case() -> None:
    assert applied(V6 + "(0010,0020) := Subject", SUBJECT="S1").PatientID == "S1"
    assert applied("(0010,0020) := Subject", subJECT="S1").PatientID == "S1"


def test_variables_that_are_only_used_in_calls_and_lists_are_supplied_too() -> None:
    dataset = applied(
        V6 + 'l := {subject}\n(0010,0020) := lowercase[format["{0}{1}", Project, l]]',
        subject="S",
        project="P",
    )
    assert dataset.PatientID == "ps"


def test_a_label_function_that_is_not_there_leaves_the_label_to_the_caller() -> None:
    label = 'makeSessionLabel[format["{0}_v##_{1}", subject, lowercase[modalityLabel]]]'
    text = f"session := {label}\n(0010,0020) := session"
    for script in (anon.compile_script(text), anon.compile_script(V6 + text)):
        assert sorted(script.variables) == ["modalityLabel", "session", "subject"]
        dataset = an_object()
        script.apply(dataset, {"session": "given", "subject": "s", "modalityLabel": "MR"})
        assert dataset.PatientID == "given"
    assert mistake('(0010,0020) := makeSessionLabel["x#"]').code == "unknown-function"


def test_a_label_function_that_is_there_numbers_the_label() -> None:
    text = 'session := makeSessionLabel["s_v##"]\n(0010,0020) := session'
    for version in ("", V6):
        script = anon.compile_script(version + text, taken_labels=["s_v00"])
        assert script.variables == []
        dataset = an_object()
        script.apply(dataset, {})
        assert dataset.PatientID == "s_v01"


def test_a_variable_of_a_branch_not_taken_has_no_value() -> None:
    found = failure(V6 + '(0008,0060) = "CT" ? v := "a"\n(0010,0020) := v')
    assert (found.code, found.line, found.column) == ("unset-variable", 3, 16)


# -- recording


def test_an_application_is_recorded_on_demand() -> None:
    dataset = an_object()
    script = anon.compile_script(V6 + "-(0010,0010)")
    script.apply(dataset, {}, record_id="17")
    script.apply(dataset, {}, record_id=18)
    script.apply(dataset, {}, record_id="0")
    codes = [(item.CodeValue, item.CodeMeaning) for item in dataset.DeidentificationMethodCodeSequence]
    assert codes == [("17", "XNAT DicomEdit 6 Script"), ("18", "XNAT DicomEdit 6 Script")]
    with pytest.raises(anon.ScriptError, match="bad-record-id"):
        script.apply(dataset, {}, record_id="12345678901234567")


# -- other


def test_new_uids_agree_within_a_script_and_differ_between_scripts() -> None:
    text = "(0020,000D) := new UID\n(0020,000E) := new UID"
    script = anon.compile_script(text)
    first, second = (
        an_object(StudyInstanceUID="1.2"),
        an_object(StudyInstanceUID="1.2", SeriesInstanceUID="1.2"),
    )
    script.apply(first, {})
    script.apply(second, {})
    assert first.StudyInstanceUID == second.StudyInstanceUID != second.SeriesInstanceUID
    assert applied(text, an_object(StudyInstanceUID="1.2")).StudyInstanceUID != first.StudyInstanceUID


def test_a_script_serves_several_threads_at_once() -> None:
    script = anon.compile_script(V6 + 'v := subject\n(0010,0020) := v\n(0010,0010) := format["{0}", v]')
    wrong: list[str] = []

    def work(name: str) -> None:
        for _ in range(50):
            instance = EncodedInstance.from_part10(encoded)
            script.apply_encoded(instance, {"subject": name})
            stored = instance.dataset.get(0x00100020)
            if stored is None or stored.value.strip() != name.encode():
                wrong.append(name)

    encoded = saved(an_object())
    threads = [threading.Thread(target=work, args=(f"subject{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_is_allowed_but_hardly_meant_is_a_warning() -> None:
    script = anon.compile_script(
        "(0010,0010) := (0010,0010)\n- (0010,0010)\n(0008,0014) := hashUID[(0010,0020)]\n- (0029,0010)"
    )
    assert [(found.code, found.line) for found in script.warnings] == [
        ("first-wins", 2),
        ("guessable-hash", 3),
        ("orphans", 4),
    ]
    assert all(found.severity == "warning" for found in script.warnings)


def test_a_script_knows_its_language_text_and_digest() -> None:
    four, six = anon.compile_script("- (0010,0010)", "a.das"), anon.compile_script(V6)
    assert (four.language, six.language) == ("4.x", "6.x")
    assert four.text == "- (0010,0010)"
    assert four.sha256 == hashlib.sha256(b"- (0010,0010)").hexdigest()
    assert "a.das" in repr(four)


def test_values_read_through_a_failing_echo_do_not_fail_dicomedit_4() -> None:
    assert applied("echo (0008,1140)\n- (0010,0030)").get("PatientBirthDate") is None


def test_nesting_without_end_is_a_mistake_or_a_failure_never_a_crash() -> None:
    deep = "lowercase[" * 3000 + '"a"' + "]" * 3000
    assert mistake(f"(0010,0020) := {deep}").code == "too-deep"
    assert mistake(V6 + "l := " + "{" * 3000 + "}" * 3000).code == "too-deep"
    chain = (
        "\n".join(f"a{number} := a{number + 1}" for number in range(3000))
        + '\na3000 := "x"\n(0010,0020) := a0'
    )
    assert failure(chain).code == "too-deep"


def test_wildcards_reach_into_sequences_of_unknown_vr() -> None:
    dataset = an_object()
    encoded = saved(dataset).replace(b"\x08\x00\x40\x11SQ", b"\x08\x00\x40\x11UN")
    instance = EncodedInstance.from_part10(encoded)
    script = anon.compile_script(V6 + '*/(0010,0010) ?= "gone"')
    script.apply_encoded(instance, {})
    again = pydicom.dcmread(io.BytesIO(encoded))
    script.apply(again, {})
    for stored in (pydicom.dcmread(io.BytesIO(b"".join(map(bytes, instance.part10_chunks())))), again):
        assert str(stored.PatientName) == "gone"


def test_big_endian_and_implicit_objects_are_edited_in_their_own_encoding() -> None:
    for transfer_syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.2"):
        dataset = an_object(UID(transfer_syntax), Rows=16)
        encoded = saved(dataset)
        instance = EncodedInstance.from_part10(encoded)
        script = anon.compile_script(V6 + '(0010,0020) := (0028,0010)\n(0028,0010) := "258"')
        script.apply_encoded(instance, {})
        stored = pydicom.dcmread(io.BytesIO(b"".join(map(bytes, instance.part10_chunks()))))
        assert (stored.PatientID, stored.Rows) == ("16", 258)
        again = pydicom.dcmread(io.BytesIO(encoded))
        script.apply(again, {})
        stored = pydicom.dcmread(io.BytesIO(saved(again)))
        assert (stored.PatientID, stored.Rows) == ("16", 258)
