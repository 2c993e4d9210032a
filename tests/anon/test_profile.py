"""The Basic Profile of PS3.15: the table, the scripts made from it, and what they leave of an object."""

from __future__ import annotations

import importlib.util
import re
import sys
from io import BytesIO
from itertools import combinations
from pathlib import Path
from random import Random
from types import ModuleType

import pydicom
import pytest
from builders import WHEEL_FILES, make_dataset, part10_bytes, wheel_file
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_objects import WRAPPERS, leftovers, leftovers_for_pydicom, losses, make_protected, row_of
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import anon
from anon.encoding.elements import DataSetError
from anon.encoding.instance import EncodedInstance
from anon.profile.generate import KEYED_UIDS, SCRIPT_OPTIONS, XNAT_LABELS, UnknownOptionError, make_script
from anon.profile.table import PRIVATE, Action, Option, load_table

pytestmark = pytest.mark.repeats

ROOT = Path(__file__).resolve().parents[2]
KEY = bytes(range(32))
LABELS = {"project": "P1", "subject": "S1", "session": "S1_MR1"}
OPTION_SETS = (
    (),
    *((name,) for name in SCRIPT_OPTIONS),
    ("retain-dates-shifted", "retain-device", "retain-patient-characteristics"),
)
#: The shortest, and the one with most options; the others are for the long campaign.
QUICK_SETS = (OPTION_SETS[0], OPTION_SETS[-1])
SCRIPTS: dict[tuple[str, ...], anon.Script] = {}


def script_with(options: tuple[str, ...]) -> anon.Script:
    if options not in SCRIPTS:
        SCRIPTS[options] = anon.compile_script(make_script(options), "basic-profile.das", key=KEY)
    return SCRIPTS[options]


def apply(content: bytes, *options: str) -> bytes:
    instance = EncodedInstance.from_part10(content)
    script_with(options).apply_encoded(instance, LABELS)
    return b"".join(instance.part10_chunks())


def table_options(options: tuple[str, ...]) -> list[Option]:
    return [Option(name) for name in options if name in set(Option)]


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


# -- the table


def test_the_table_has_the_actions_of_dicom_anonymizer_and_private_attributes() -> None:
    pytest.importorskip("dicomanonymizer")
    made = tool("make_profile_table").basic_actions()
    assert len(made) == 656
    assert {row.tag: row.action for row in load_table()} == made


def test_the_table_is_what_its_tool_makes() -> None:
    pytest.importorskip("dicomanonymizer")
    maker = tool("make_profile_table")
    assert maker.make_table(maker.columns_of_table(maker.TABLE)) == maker.TABLE.read_text("utf-8")


def test_the_script_of_the_library_is_what_its_tool_makes() -> None:
    for path, text in tool("make_profile_scripts").files().items():
        assert path.read_text("utf-8") == text


@pytest.mark.parametrize(
    ("tag", "options", "action"),
    [
        ("(0008,0050)", (), Action.EMPTY),
        ("(0008,0018)", (), Action.REPLACE_UIDS),
        ("(0008,0018)", (Option.RETAIN_UIDS,), Action.KEEP),
        ("(0008,1120)", (Option.RETAIN_UIDS,), Action.REMOVE),  # X in the column of the option
        ("(0008,0022)", (), Action.EMPTY),  # X/Z
        ("(0008,002A)", (), Action.REPLACE),  # X/Z/D
        ("(0008,0022)", (Option.RETAIN_DATES,), Action.KEEP),
        ("(0008,0022)", (Option.RETAIN_DATES_SHIFTED,), Action.SHIFT),
        ("(0008,0032)", (Option.RETAIN_DATES_SHIFTED,), Action.KEEP),
        ("(0018,1200)", (Option.RETAIN_DATES_SHIFTED,), Action.REMOVE),  # may have several values
        ("(0008,0201)", (Option.RETAIN_DATES_SHIFTED,), Action.REMOVE),  # to be cleaned by a person
        ("(0010,0030)", (Option.RETAIN_DATES,), Action.EMPTY),
        ("(0008,1110)", (), Action.REMOVE),  # X/Z: the language cannot empty a sequence
        ("(0040,A730)", (), Action.REMOVE),  # D
        ("(0008,1140)", (), Action.REPLACE_UIDS_INSIDE),
        ("(0008,1080)", (Option.CLEAN_DESCRIPTORS,), Action.REMOVE),
        ("(0008,0017)", (Option.RETAIN_UIDS,), Action.KEEP),  # by rule
        ("(006A,0006)", tuple(Option), Action.REMOVE),  # younger than the columns
        ("private", (), Action.REMOVE),
    ],
)
def test_choices_of_the_table_are_made(tag: str, options: tuple[Option, ...], action: Action) -> None:
    (row,) = (row for row in load_table() if row.tag == tag)
    assert row.action_with(options) == action


@pytest.mark.parametrize(
    ("tag", "row"),
    [
        (0x50000010, "(50XX,XXXX)"),
        (0x501E3000, "(50XX,XXXX)"),
        (0x60023000, "(60XX,3000)"),
        (0x00091001, PRIVATE),
        (0x50010010, PRIVATE),
        (0x60020010, None),
        (0x00280010, None),
    ],
)
def test_repeating_groups_and_private_attributes_have_a_row(tag: int, row: str | None) -> None:
    found = row_of(tag)
    assert (found and found.tag) == row


# -- the basic profile


def test_every_wheel_file_loses_what_the_profile_protects_and_nothing_else() -> None:
    count = 0
    for path in sorted(WHEEL_FILES.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        try:
            EncodedInstance.from_part10(content)
        except DataSetError:
            continue
        count += 1
        result = apply(content)
        assert leftovers(content, result) == [], path.name
        assert losses(content, result) == [], path.name
        check_notes(result)
        check_identity(result)
    assert count > 140


@pytest.mark.slow
def test_another_reader_finds_nothing_of_it_in_any_wheel_file_either() -> None:
    count = 0
    for path in sorted(WHEEL_FILES.rglob("*")):
        try:
            before, dataset = pydicom.dcmread(path), pydicom.dcmread(path)
            list(before.iterall())
        except Exception:  # no DICOM, or one that pydicom cannot decode
            continue
        script_with(()).apply(dataset, LABELS)
        assert leftovers_for_pydicom(before, dataset) == [], path.name
        count += 1
        try:
            result = apply(path.read_bytes())
        except DataSetError:
            continue
        assert leftovers_for_pydicom(before, pydicom.dcmread(BytesIO(result))) == [], path.name
    assert count > 140


def check_identity(result: bytes) -> None:
    dataset = pydicom.dcmread(BytesIO(result))
    instance_uid = dataset.get("SOPInstanceUID")
    assert dataset.file_meta.get("MediaStorageSOPInstanceUID") == (instance_uid or "")
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        value = dataset.get(keyword) or []
        for uid in [value] if isinstance(value, str) else value:  # one of pydicom's files has two
            assert UID(uid).is_valid and uid.startswith("2.25.")
    assert "SourceApplicationEntityTitle" not in dataset.file_meta


def check_notes(result: bytes, codes: tuple[str, ...] = ("113100",), dates: str = "REMOVED") -> None:
    dataset = pydicom.dcmread(BytesIO(result))
    assert dataset.PatientIdentityRemoved == "YES"
    assert "PS3.15" in dataset.DeidentificationMethod
    items = dataset.DeidentificationMethodCodeSequence
    assert tuple(item.CodeValue for item in items) == codes
    assert {item.CodingSchemeDesignator for item in items} == {"DCM"}
    assert all(item.CodeMeaning for item in items)
    assert dataset.LongitudinalTemporalInformationModified == dates


SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)


def check_random_object(seed: int, wrappers: list[int], syntax: UID, options: tuple[str, ...] = ()) -> None:
    content = part10_bytes(make_protected(Random(seed), wrappers), syntax)
    result = apply(content, *options)
    assert leftovers(content, result, table_options(options)) == []
    if XNAT_LABELS not in options:
        assert losses(content, result, table_options(options)) == []
    assert apply(content, *options) == result
    pydicom.dcmread(BytesIO(result)).to_json()


RANDOM_OBJECTS = {
    "seed": st.integers(0, 2**32),
    "wrappers": st.lists(st.sampled_from(WRAPPERS), max_size=4),
    "syntax": st.sampled_from(SYNTAXES),
}


@settings(max_examples=5, deadline=None)
@given(**RANDOM_OBJECTS)
def test_nothing_protected_survives_at_any_depth(seed: int, wrappers: list[int], syntax: UID) -> None:
    check_random_object(seed, wrappers, syntax)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=300, deadline=None)
@given(**RANDOM_OBJECTS, options=st.sampled_from(OPTION_SETS))
def test_nothing_protected_survives_whatever_the_option(
    seed: int, wrappers: list[int], syntax: UID, options: tuple[str, ...]
) -> None:
    check_random_object(seed, wrappers, syntax, options)


def test_the_objects_of_these_tests_hold_every_row() -> None:
    found = {row_of(element.tag) for element in make_protected(Random(0)).iterall()}
    missing = {row.tag for row in load_table()} - {row.tag for row in found if row}
    assert missing == {"(0000,1000)", "(0000,1001)", "(0002,0003)", "(0004,1511)"}


def test_dummies_are_valid_in_their_representations() -> None:
    report = script_with(()).apply(make_protected(Random(1)), {})
    assert report.status == "ok"
    assert report.messages == []


def test_uids_stay_consistent_between_objects_and_references() -> None:
    first, second = make_dataset(), make_dataset()
    second.StudyInstanceUID = first.StudyInstanceUID
    reference = Dataset()
    reference.ReferencedSOPInstanceUID = first.SOPInstanceUID
    second.ReferencedImageSequence = [reference]
    made = [pydicom.dcmread(BytesIO(apply(part10_bytes(dataset)))) for dataset in (first, second)]
    assert made[0].StudyInstanceUID == made[1].StudyInstanceUID
    assert made[0].SOPInstanceUID != made[1].SOPInstanceUID
    assert made[1].ReferencedImageSequence[0].ReferencedSOPInstanceUID == made[0].SOPInstanceUID


@pytest.mark.parametrize("options", [(), (KEYED_UIDS,)])
def test_the_same_uid_becomes_the_same_in_every_attribute(options: tuple[str, ...]) -> None:
    tags = [row.pattern.bits for row in load_table() if row.vr == "UI" and row.tag >= "(0008"]
    dataset = make_dataset()
    for tag in tags:
        dataset.add(DataElement(tag, "UI", "1.2.3.4.5"))
    made = pydicom.dcmread(BytesIO(apply(part10_bytes(dataset), *options)))
    assert len({made[tag].value for tag in tags if tag in made}) == 1
    assert made.SOPInstanceUID != "1.2.3.4.5"


def test_notes_of_an_earlier_de_identification_are_replaced() -> None:
    dataset = make_dataset(DeidentificationMethod="by hand")
    items = [Dataset() for _ in range(3)]
    for item in items:
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99LOCAL", "local"
    dataset.DeidentificationMethodCodeSequence = items
    check_notes(apply(part10_bytes(dataset)))


def test_a_file_index_loses_names_and_references() -> None:
    content = wheel_file("dicomdirtests/DICOMDIR").read_bytes()
    result = apply(content)
    assert leftovers(content, result) == []
    assert b"Doe" in content
    assert b"Doe" not in result


# -- options


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(options, marks=() if options in QUICK_SETS else pytest.mark.slow)
        for options in OPTION_SETS
    ],
)
def test_an_option_keeps_what_it_names_and_nothing_more(options: tuple[str, ...]) -> None:
    check_random_object(7, list(WRAPPERS), ExplicitVRLittleEndian, options)


@pytest.mark.parametrize(
    ("options", "codes", "dates"),
    [
        (("retain-uids",), ("113100", "113110"), "REMOVED"),
        (("retain-dates",), ("113100", "113106"), "UNMODIFIED"),
        (("retain-dates-shifted",), ("113100", "113107"), "MODIFIED"),
        (("retain-institution", "retain-device"), ("113100", "113109", "113112"), "REMOVED"),
        (("retain-patient-characteristics", KEYED_UIDS), ("113100", "113108"), "REMOVED"),
        ((XNAT_LABELS,), ("113100",), "REMOVED"),
    ],
)
def test_notes_name_the_options(options: tuple[str, ...], codes: tuple[str, ...], dates: str) -> None:
    check_notes(apply(part10_bytes(make_dataset()), *options), codes, dates)


def test_dates_of_a_patient_move_together_and_differently_from_those_of_another() -> None:
    shifts = {}
    for patient in ("A", "B", "C", "D"):
        moved = set()
        for date in ("20200101", "20231231"):
            dataset = make_dataset(PatientID=patient, StudyDate=date, StudyTime="101112")
            made = pydicom.dcmread(BytesIO(apply(part10_bytes(dataset), "retain-dates-shifted")))
            assert made.StudyTime == "101112"
            assert made.PatientBirthDate == ""
            moved.add((pydicom.valuerep.DA(made.StudyDate) - pydicom.valuerep.DA(date)).days)
        assert len(moved) == 1
        shifts[patient] = moved.pop()
    assert all(-999 <= days <= -100 for days in shifts.values())
    assert len(set(shifts.values())) > 1


def test_dates_are_shifted_without_a_patient_id_too() -> None:
    made = pydicom.dcmread(BytesIO(apply(part10_bytes(make_dataset(PatientID=None)), "retain-dates-shifted")))
    assert made.StudyDate not in ("", "20240229")


def test_another_key_gives_other_uids_and_shifts() -> None:
    content = part10_bytes(make_dataset(StudyInstanceUID="1.2.3"))
    options = ("retain-dates-shifted", KEYED_UIDS)
    other = anon.compile_script(make_script(options), key=b"another key")
    instance = EncodedInstance.from_part10(content)
    other.apply_encoded(instance, {})
    ours, theirs = (
        pydicom.dcmread(BytesIO(result))
        for result in (apply(content, *options), b"".join(instance.part10_chunks()))
    )
    assert ours.StudyInstanceUID != theirs.StudyInstanceUID
    assert ours.StudyDate != theirs.StudyDate


def test_labels_of_xnat_are_set() -> None:
    content = part10_bytes(make_dataset())
    made = pydicom.dcmread(BytesIO(apply(content, XNAT_LABELS)))
    assert (made.PatientName, made.PatientID, made.StudyDescription) == ("S1", "S1_MR1", "P1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("retain-everything",), "no option 'retain-everything'.*there are retain-uids"),
        (("clean-descriptors",), "no option"),
        (("retain-dates", "retain-dates-shifted"), "exclude each other"),
        (("retain-uids", KEYED_UIDS), "exclude each other"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(UnknownOptionError, match=message):
        make_script(options)


def test_any_two_options_that_do_not_exclude_each_other_compile() -> None:
    made = 0
    for pair in combinations(SCRIPT_OPTIONS, 2):
        try:
            text = make_script(pair)
        except UnknownOptionError:
            continue
        assert text == make_script(pair[::-1])
        assert re.match(r'version "6\.6"\n', text)
        anon.compile_script(text)
        made += 1
    assert made == 26


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTION_SETS)
def test_every_wheel_file_keeps_what_an_option_names(options: tuple[str, ...]) -> None:
    for path in sorted(WHEEL_FILES.rglob("*")):
        if not path.is_file() or path.name == "ExplVR_BigEnd.dcm":  # has a date that is none
            continue
        content = path.read_bytes()
        try:
            EncodedInstance.from_part10(content)
        except DataSetError:
            continue
        result = apply(content, *options)
        assert leftovers(content, result, table_options(options)) == [], path.name
        if XNAT_LABELS not in options:
            assert losses(content, result, table_options(options)) == [], path.name
