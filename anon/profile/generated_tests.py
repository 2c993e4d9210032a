"""The tests that a script of the Basic Profile comes with: NAME.tests.toml beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from anon.profile.generate import DUMMY_TEXT, XNAT_LABELS, codes_of, dates_note
from anon.profile.table import EDITION, Option

_PATIENT: Final = """\
[test.input.tags]
PatientName = "Doe^Jane"
PatientID = "4711-0815"
PatientBirthDate = "19701231"
OtherPatientNames = "Miller^Jane"
PatientAddress = "1 High Street"
AccessionNumber = "ACC90125"
ReferringPhysicianName = "Watson^John"
StudyDescription = "Knee of Jane Doe"
"(0019,{MAKER 1.0}01)" = "Doe, Jane"
# in an item of a sequence that stays
"SharedFunctionalGroupsSequence[0]/PatientName" = "Doe^Jane"
"SharedFunctionalGroupsSequence[0]/OperatorsName" = "Holmes^Mary"
"""
_UIDS: Final = """\
[[test.input]]
[test.input.tags]
SOPInstanceUID = "1.2.3.1"
StudyInstanceUID = "1.2.3"
SeriesInstanceUID = "1.2.3.0"
FrameOfReferenceUID = "1.2.3.9"

[[test.input]]
[test.input.tags]
SOPInstanceUID = "1.2.3.2"
StudyInstanceUID = "1.2.3"
SeriesInstanceUID = "1.2.3.0"
FrameOfReferenceUID = "1.2.3.9"
"ReferencedImageSequence[0]/ReferencedSOPInstanceUID" = "1.2.3.1"
"""
_DATES: Final = """\
[[test.input]]
[test.input.tags]
PatientID = "4711"
PatientBirthDate = "19701231"
StudyDate = "20240229"
SeriesDate = "20240229"
AcquisitionDateTime = "20240229101112"
StudyTime = "101112"

# the same patient, a year later
[[test.input]]
[test.input.tags]
PatientID = "4711"
PatientBirthDate = "19701231"
StudyDate = "20250301"
SeriesDate = "20250302"
AcquisitionDateTime = "20250301080000"
StudyTime = "080000"
"""
_UID_KEYWORDS: Final = '["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"]'
#: An element that stands for what an option keeps, with its value, by option.
_KEPT: Final = (
    (Option.RETAIN_DEVICE, "the device", {"StationName": "CT ROOM 4", "DeviceSerialNumber": "SN77123"}),
    (
        Option.RETAIN_INSTITUTION,
        "the institution",
        {"InstitutionName": "St Elsewhere", "InstitutionAddress": "Boston"},
    ),
    (
        Option.RETAIN_PATIENT,
        "age, sex and weight",
        {"PatientAge": "045Y", "PatientSex": "F", "PatientWeight": "61.5"},
    ),
)


def make_tests(name: str, options: Collection[str]) -> str:
    """The text of the file.

    Args:
        name: of the script, without `.das`.
        options: names of `SCRIPT_OPTIONS` that the script was made with.
    """
    parts = [
        f"# Tests for {name}.das. Run them with: prearc anon test {name}.das\n"
        "# When you change the script, say here first what you want instead. The words below\n"
        "# [test.expect] are explained in docs/script-tests.md.\n"
    ]
    if XNAT_LABELS in options:
        parts.append('[variables]\nproject = "P1"\nsubject = "S1"\nsession = "S1_MR1"\n')
    parts += [_patient(options), _uids(options), _dates(options)]
    parts += [_kept(option in options, what, tags) for option, what, tags in _KEPT]
    parts += [_image(), _notes(options)]
    return "\n".join(parts)


def _test(name: str, body: str, expected: Sequence[str]) -> str:
    lines = "".join(f"{line}\n" for line in expected)
    return f'[[test]]\nname = "{name}"\n\n{body}\n[test.expect]\n{lines}'


def _patient(options: Collection[str]) -> str:
    removed = [
        "Doe",
        "Jane",
        "4711-0815",
        "19701231",
        "Miller",
        "High Street",
        "ACC90125",
        "Watson",
        "Holmes",
    ]
    empty = ["PatientBirthDate", "AccessionNumber", "ReferringPhysicianName"]
    absent = ["OtherPatientNames", "PatientAddress", "(0019,{MAKER 1.0}01)"]
    expected = []
    if XNAT_LABELS in options:
        expected.append('equals = { PatientName = "S1", PatientID = "S1_MR1", StudyDescription = "P1" }')
    else:
        expected.append(f'equals = {{ PatientID = "{DUMMY_TEXT}" }}')
        empty = ["PatientName", *empty]
        absent = ["StudyDescription", *absent]
    expected += [
        f"text_removed = {_list(removed)}",
        f"empty = {_list([*empty, 'SharedFunctionalGroupsSequence[0]/PatientName'])}",
        f"absent = {_list(absent)}",
    ]
    return _test("names, numbers and addresses of people are gone, at every depth", _PATIENT, expected)


def _uids(options: Collection[str]) -> str:
    if Option.RETAIN_UIDS in options:
        expected = [f"unchanged = {_UID_KEYWORDS}"]
        return _test("UIDs stay", _UIDS, expected)
    name = "UIDs are other ones, the same for the same UID, so that references stay true"
    return _test(name, _UIDS, [f"uid_changed = {_UID_KEYWORDS}", "uid_consistent = true"])


def _dates(options: Collection[str]) -> str:
    shifted = '["StudyDate", "SeriesDate", "AcquisitionDateTime"]'
    birth = 'empty = ["PatientBirthDate"]'
    if Option.RETAIN_DATES in options:
        kept = 'unchanged = ["StudyDate", "SeriesDate", "AcquisitionDateTime", "StudyTime"]'
        return _test("dates and times stay, but for the date of birth", _DATES, [kept, birth])
    if Option.RETAIN_DATES_SHIFTED in options:
        expected = [f"date_shifted = {shifted}", 'unchanged = ["StudyTime"]', birth]
        return _test("all dates of a patient move by the same number of days", _DATES, expected)
    expected = [
        'text_removed = ["20240229", "20250301", "20250302", "19701231"]',
        'empty = ["PatientBirthDate", "StudyDate", "StudyTime"]',
        'equals = { SeriesDate = "19000101", AcquisitionDateTime = "19000101000001" }',
    ]
    return _test("dates and times are gone; where there must be one, it is 1 January 1900", _DATES, expected)


def _kept(is_kept: bool, what: str, tags: dict[str, str]) -> str:
    body = "[test.input.tags]\n" + "".join(f'{keyword} = "{value}"\n' for keyword, value in tags.items())
    if is_kept:
        return _test(f"{what}: kept", body, [f"unchanged = {_list(tags)}"])
    expected = ", ".join(f'{keyword} = "{value}"' for keyword, value in tags.items())
    return _test(f"{what}: gone", body, [f"text_removed = {{ {expected} }}"])


def _image() -> str:
    body = '[test.input]\nsample = "CT_small.dcm"\n'
    kept = ["Modality", "Rows", "Columns", "PixelSpacing", "ImageOrientationPatient", "RescaleSlope"]
    expected = ["pixels_retained = true", f"unchanged = {_list(kept)}", "warns = false"]
    return _test("what an image is read with stays", body, expected)


def _notes(options: Collection[str]) -> str:
    item = "DeidentificationMethodCodeSequence"
    values = {
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": f"Basic Profile of DICOM PS3.15 {EDITION}",
        "LongitudinalTemporalInformationModified": dates_note(options),
        **{f'"{item}[{number}]/CodeValue"': code for number, code in enumerate(codes_of(options))},
    }
    expected = ["[test.expect.equals]", *(f'{name} = "{value}"' for name, value in values.items())]
    # A table of its own: what follows [test.expect] would be empty.
    made = _test("the object says what was done", '[test.input.tags]\nSOPInstanceUID = "1.2.3"\n', expected)
    return made.replace("[test.expect]\n", "")


def _list(texts: Collection[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"
