"""Labels, scan ids and file names."""

from __future__ import annotations

import pytest
from builders import encode_dataset, make_dataset
from hypothesis import given
from hypothesis import strategies as st

from anon.encoding.elements import EXPLICIT_LITTLE, DataSet
from config.settings import Sessions
from prearchive import paths
from prearchive.naming import (
    LabelSource,
    clean_label,
    file_name,
    is_placeholder,
    java_list_hash,
    label_problem,
    scan_label,
    template_problem,
)

DEFAULT = Sessions().file_name
MR_CLASS = "1.2.840.10008.5.1.4.1.1.4"
MR_INSTANCE = "1.3.12.2.1107.5.2.32.35177.3.2006121409365951632817982"


def scanned(**elements: object) -> DataSet:
    return DataSet.scan(encode_dataset(make_dataset(**elements)), EXPLICIT_LITTLE)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Doe^John", "Doe_John"),
        ("Müller^Ö", "M_ller__"),
        ("A B.C/1-2", "A_B_C_1-2"),
        ("../../etc", "______etc"),
        ("😀", "_"),
        ("a" * 70, "a" * 64),
        ("", None),
    ],
)
def test_labels_are_cleaned_character_by_character_as_xnat_does(text: str, label: str | None) -> None:
    assert clean_label(text) == label


def test_a_given_label_is_refused_with_the_characters_that_are_wrong() -> None:
    assert label_problem("S01_v00-mr") is None
    assert "'/'" in str(label_problem("a/b"))
    assert "empty" in str(label_problem(""))
    assert "65" in str(label_problem("a" * 65))
    assert label_problem("a\n")
    assert label_problem("..")


@pytest.mark.parametrize(
    ("label", "source", "placeholder"),
    [
        ("S01", "given", False),
        ("S01", "default", False),
        ("subject_0a1b2c3d", "keyed", True),
        ("dicom_upload", "none", True),
        ("dicom_upload", "default", True),
        ("____", "default", True),
        ("____", "given", True),
        (None, "none", True),
        ("dicom_upload", "person", False),
        ("__", LabelSource.PERSON, False),
    ],
)
def test_placeholders_need_a_person(label: str | None, source: str, placeholder: bool) -> None:
    assert is_placeholder(label, source) is placeholder


@pytest.mark.parametrize(
    ("number", "series_uid", "expected"),
    [
        ("3", "1.2.3", "3"),
        (" 3 ", "1.2.3", "3"),
        ("3-MR.x", "1.2.3", "3-MR.x"),
        ("+3", "1.2.3", "_3"),
        ("..", "1.2.3", "1_2_3"),
        (".", "1.2.3", "1_2_3"),
        (".hidden", "1.2.3", "1_2_3"),
        ("3/4", "1.2.3", "1_2_3"),
        ("9" * 33, "1.2.3", "1_2_3"),
        (None, "1.2.3", "1_2_3"),
        ("", None, "NA"),
        ("../x", "", "NA"),
        ("+", None, "NA"),
    ],
)
def test_scan_ids_are_series_numbers_or_safe_forms_of_the_series_uid(
    number: str | None, series_uid: str | None, expected: str
) -> None:
    assert scan_label(number, series_uid) == expected


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_the_series_says_the_scan_id_is_one_safe_component(number: str, series_uid: str) -> None:
    label = scan_label(number, series_uid)
    assert paths.checked_component(label) == label
    assert len(label) <= 64


@pytest.mark.parametrize(
    ("sop_class_uid", "sop_instance_uid", "expected"),
    [(MR_CLASS, MR_INSTANCE, "1qs88hj"), ("", "", java_list_hash(["", ""]))],
)
def test_hashes_are_those_of_the_java_list(sop_class_uid: str, sop_instance_uid: str, expected: str) -> None:
    assert java_list_hash([sop_class_uid, sop_instance_uid]) == expected


def test_java_hashes_count_utf16_units_and_a_total_of_zero_has_a_digit() -> None:
    # "😀".hashCode() of Java is 1772899 (two units); List.of("😀").hashCode() is 31 more.
    assert int(java_list_hash(["😀"]), 36) == 1772899 + 31
    assert java_list_hash([]) == "1"


@given(st.text(max_size=70))
def test_short_and_long_texts_hash_by_the_same_rule(text: str) -> None:
    code = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + high * 256 + low) % 2**32
    assert int(java_list_hash([text]), 36) == (31 + code) % 2**32


def test_the_default_template_gives_xnats_names() -> None:
    dataset = scanned(
        SOPInstanceUID=MR_INSTANCE, StudyInstanceUID="1.2.3", SeriesNumber=4, InstanceNumber=None
    )
    assert file_name(DEFAULT, dataset) == "1.2.3-4-no-value-for-InstanceNumber-1qs88hj.dcm"


def test_a_template_with_an_extension_keeps_it_and_nothing_is_appended() -> None:
    dataset = scanned(SOPInstanceUID="1.2.3")
    assert file_name("${SOPInstanceUID}.ima", dataset) == "1.2.3.ima"
    assert file_name("${SOPInstanceUID}", dataset) == "1.2.3.dcm"
    assert file_name("x-${SOPInstanceUID}.dcm", dataset) == "x-1.2.3.dcm"


def test_values_cannot_lead_out_of_the_folder() -> None:
    dataset = scanned(SOPInstanceUID="1.2.3", PatientID="../../../etc/passwd", StationName="a\\b")
    assert file_name("${PatientID}-${SOPInstanceUID}", dataset) == "_.._.._etc_passwd-1.2.3.dcm"
    assert file_name("${StationName}${SOPInstanceUID}", dataset) == "a1.2.3.dcm"
    assert file_name("...${SOPInstanceUID}", scanned(SOPInstanceUID="1")) == "1.dcm"


def test_binary_numbers_can_be_part_of_a_name() -> None:
    dataset = scanned(SOPInstanceUID="1.2", Rows=512)
    assert file_name("${Rows}-${SOPInstanceUID}", dataset) == "512-1.2.dcm"


def test_a_long_name_is_cut_and_still_tells_instances_apart() -> None:
    template = "${PatientComments}-${SOPInstanceUID}"
    first = file_name(template, scanned(PatientComments="x" * 500, SOPInstanceUID="1.2.3"))
    second = file_name(template, scanned(PatientComments="x" * 500, SOPInstanceUID="1.2.4"))
    assert first != second
    assert len(first) == len(second) == 240
    assert first.endswith(".dcm")


@given(st.text(max_size=300))
def test_whatever_the_values_are_the_file_name_is_one_safe_component(text: str) -> None:
    dataset = scanned(SOPInstanceUID="1.2.3")
    dataset.put(0x00104000, "LT", text.encode("utf-8", "replace"))
    name = file_name("${PatientComments}${SOPInstanceUID}", dataset)
    assert paths.checked_component(name) == name
    assert len(name) <= 240


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("${StudyInstanceUID}-${SeriesNumber}", "could give two instances one name"),
        ("constant", "could give two instances one name"),
        ("", "could give two instances one name"),
        ("${NoSuchThing}-${SOPInstanceUID}", "'NoSuchThing'"),
        ("${HashSOPInstanceUID}", "two keywords"),
        ("${HashSOPClassUIDWithNonsense}", "'Nonsense'"),
        ("${SOPInstanceUID", "not closed"),
        ("${PixelData}${SOPInstanceUID}", "PixelData has no value"),
        ("${ReferencedSeriesSequence}${SOPInstanceUID}", "no value"),
        ("${MediaStorageSOPInstanceUID}${SOPInstanceUID}", "no element of the data set"),
    ],
)
def test_templates_that_would_lose_data_or_mean_nothing_are_refused(template: str, part: str) -> None:
    problem = template_problem(template)
    assert problem is not None
    assert part in problem


@pytest.mark.parametrize(
    "template", [DEFAULT, "${SOPInstanceUID}", "${HashSOPInstanceUIDWithStudyInstanceUIDWithSeriesNumber}"]
)
def test_templates_that_name_each_instance_apart_are_taken(template: str) -> None:
    assert template_problem(template) is None
