"""Moving dates and scaling ages (DicomEdit 6): corner cases, and what holds for every date."""

from __future__ import annotations

import copy
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import make_dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

import anon

V6 = 'version "6.6"\n'
MAX_INT = 2**31 - 1
# Reads a date and an increment from the caller, so that one script does for all examples.
SHIFT = {
    unit: anon.compile_script(f'{V6}(0010,4000) := shiftDateTimeByIncrement[date, increment, "{unit}"]')
    for unit in ("seconds", "days", "years")
}
DATE = re.compile(r"-?[0-9]{3,}(\.[0-9]{1,6})?([+-][0-9]{4})?")


def put(dataset: Dataset, tag: int, vr: str, value: Any) -> None:
    """Add an element whose value need not fit its VR."""
    dataset.add(DataElement(tag, vr, value, validation_mode=config.IGNORE))


def an_object(**elements: Any) -> Dataset:
    """A data set with such elements: a name, VR and value each."""
    dataset = make_dataset(StudyDate=None, PatientBirthDate=None)
    for name, (vr, value) in elements.items():
        put(dataset, int(name.removeprefix("t"), 16), vr, value)
    return dataset


def nested(birth: str | None, age: str | None) -> Dataset:
    """An item with a birth date and an age, each only if there is one."""
    item = Dataset()
    if birth is not None:
        put(item, 0x00100030, "DA", birth)
    if age is not None:
        put(item, 0x00101010, "AS", age)
    return item


def value_of(expression: str, dataset: Dataset | None = None) -> str:
    dataset = make_dataset() if dataset is None else dataset
    anon.compile_script(f"{V6}(0010,4000) := {expression}").apply(dataset, {})
    value: str = dataset.PatientComments
    return value


def failure(statement: str, dataset: Dataset) -> anon.Diagnostic:
    """How a script fails on an object, which must be as before."""
    before = copy.deepcopy(dataset)
    # The first statement is done when the second fails.
    script = anon.compile_script(f'{V6}(0008,0060) := "OT"\n{statement}')
    with pytest.raises(anon.ScriptError) as caught:
        script.apply(dataset, {})
    assert dataset == before
    return caught.value.diagnostics[0]


def mistake(statement: str) -> anon.Diagnostic:
    """Why a script is refused."""
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(f"{V6}{statement}")
    return caught.value.diagnostics[0]


def shift(date: str, increment: int, unit: str = "seconds") -> str:
    dataset = Dataset()
    SHIFT[unit].apply(dataset, {"date": date, "increment": str(increment)})
    value: str = dataset.PatientComments
    return value


NO_SUCH_DATES = [
    "20200230", "20190229", "19000229", "20201301", "20200001", "20200100", "202000", "202013", "2020010124",
    "202001011060", "20200101101560", "20200101246000", "20200101+1801", "20200101-1900", "20200101+0060",
]  # fmt: skip
NO_DATES = [
    "", " ", "2020 ", " 2020", "20200101 ", "202", "20201", "2020010", "2020-06-15", "2020.06.15",
    "20200101.", "20200101101500.1234567", "20200101+100", "20200101Z", "+2020", "-2020", r"2020\\2021",
    "٢٠٢٠", "202001011015001", "100000101", r"20200101\n",
]  # fmt: skip


# -- texts


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ('shiftDateByIncrement["20200101", 12, "hours"]', "20200102"),
        ('shiftDateByIncrement["20200101", 11, "hours"]', "20200101"),
        ('shiftDateByIncrement["20200101", -12, "hours"]', "20200101"),
        ('shiftDateByIncrement["20200101", -43201, "seconds"]', "20191231"),
        ('shiftDateByIncrement["2020", 200]', "2021"),
        ('shiftDateByIncrement["2020", 183]', "2020"),
        ('shiftDateByIncrement["2020", 184]', "2021"),
        ('shiftDateByIncrement["2020", -182]', "2020"),
        ('shiftDateByIncrement["2020", -183]', "2019"),
        ('shiftDateByIncrement["2020", 1, "years"]', "2021"),
        ('shiftDateByIncrement["202001", 16]', "202002"),
        ('shiftDateByIncrement["202001", 15]', "202001"),
        ('shiftDateByIncrement["202006", 15]', "202007"),
        ('shiftDateByIncrement["202006", 14]', "202006"),
        ('shiftDateByIncrement["202002", 14]', "202002"),
        ('shiftDateByIncrement["201902", 14]', "201903"),
        ('shiftDateByIncrement["20200228", 1]', "20200229"),
        ('shiftDateByIncrement["20190228", 1]', "20190301"),
        ('shiftDateByIncrement["19000228", 1]', "19000301"),
        ('shiftDateByIncrement["20000228", 1]', "20000229"),
        ('shiftDateByIncrement["20200229", 1, "years"]', "20210228"),
        ('shiftDateByIncrement["20200615", 0]', "20200615"),
        ('shiftDateByIncrement["20200615", "-1", "DAYS"]', "20200614"),
        ('shiftDateByIncrement["20200615101500.12-0500", 1]', "20200616101500.12-0500"),
        ('shiftDateTimeByIncrement["20200101101500.12-0500", 60]', "20200101101600.12-0500"),
        ('shiftDateTimeByIncrement["20200101235959.999999", 1]', "20200102000000.999999"),
        ('shiftDateTimeByIncrement["2020010110", 1799]', "2020010110"),
        ('shiftDateTimeByIncrement["2020010110", 1800]', "2020010111"),
        ('shiftDateTimeByIncrement["202001011015", 29]', "202001011015"),
        ('shiftDateTimeByIncrement["202001011015", 30]', "202001011016"),
        ('shiftDateTimeByIncrement["20200101", 43200]', "20200102"),
        ('shiftDateTimeByIncrement["2020-1200", 0]', "2020-1200"),
        ('shiftDateTimeByIncrement["202005+1800", 1, "Minutes"]', "202005+1800"),
        # A fraction of anything but a second is no DICOM, but it is copied, too.
        ('shiftDateTimeByIncrement["2020.5", 0]', "2020.5"),
        ('shiftDateTimeByIncrement["202001011015.25+0100", 30]', "202001011016.25+0100"),
        # Years that four digits do not hold.
        ('shiftDateByIncrement["99991231", 1]', "100000101"),
        ('shiftDateByIncrement["00000101", 0]', "00000101"),
        ('shiftDateByIncrement["00000229", 1]', "00000301"),
        ('shiftDateByIncrement["00000101", -1]', "-0011231"),
        ('shiftDateByIncrement["0000", -5, "years"]', "-005"),
        ('shiftDateByIncrement["00000101", -2000, "years"]', "-19990430"),
        # All that 32 bits hold.
        (f'shiftDateByIncrement["20200101", {MAX_INT}]', "58816300711"),
        (f'shiftDateByIncrement["20200101", {-MAX_INT - 1}]', "-58775910622"),
        (f'shiftDateTimeByIncrement["20200101000000", {MAX_INT}]', "20880119031407"),
    ],
)
def test_a_date_is_moved_from_the_middle_of_what_it_leaves_open(call: str, value: str) -> None:
    assert value_of(call) == value


@pytest.mark.parametrize("date", NO_SUCH_DATES)
def test_a_date_that_no_calendar_has_is_an_error(date: str) -> None:
    statement = f'(0010,4000) := shiftDateTimeByIncrement["{date}", 1]'
    found = failure(statement, make_dataset())
    assert found.code == "no-such-date"


@pytest.mark.parametrize("date", NO_DATES)
def test_a_text_that_is_no_date_is_an_error(date: str) -> None:
    for function in ("shiftDateByIncrement", "shiftDateTimeByIncrement"):
        found = failure(f'(0010,4000) := {function}["{date}", 1]', make_dataset())
        assert found.code == ("not-a-date" if date else "no-value")


def test_a_year_that_the_calendar_does_not_reach_is_an_error() -> None:
    for increment in (MAX_INT, -MAX_INT - 1):
        statement = f'(0010,4000) := shiftDateByIncrement["2020", {increment}, "years"]'
        assert failure(statement, make_dataset()).code == "out-of-range"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ('shiftDateByIncrement["2020"]', "argument-count"),
        ('shiftDateByIncrement["2020", 1, "days", 2]', "argument-count"),
        ('shiftDateTimeByIncrement["2020"]', "argument-count"),
        ('shiftDateTimeByIncrement["2020", 1, "days", 2]', "argument-count"),
        ("shiftDateTimeListByIncrement[{(0008,0020)}, 1]", "argument-count"),
        ('shiftDateTimeListByIncrement[{(0008,0020)}, 1, "days", 2]', "argument-count"),
        ("shiftDateTimeSequenceByIncrement[86400]", "argument-count"),
        ("shiftDateTimeSequenceByIncrement[]", "argument-count"),
        ('shiftDateByIncrement["2020", "x"]', "argument-kind"),
        ('shiftDateByIncrement["2020", 1.5]', "argument-kind"),
        ('shiftDateByIncrement["2020", 2147483648]', "argument-kind"),
        ('shiftDateByIncrement["2020", 1, "weeks"]', "bad-unit"),
        ('shiftDateByIncrement["2020", 1, "day"]', "bad-unit"),
        ('shiftDateTimeByIncrement["2020", 1, ""]', "bad-unit"),
        ('shiftDateTimeListByIncrement[{(0008,0020)}, 1, "moons"]', "bad-unit"),
        ("shiftDateByIncrement[(0008,002X), 1]", "not-singular"),
        ("shiftDateTimeByIncrement[(0008,1140)/(0008,0020), 1]", "not-singular"),
        ('shiftDateTimeListByIncrement[(0010,0030), 1, "days"]', "argument-kind"),
        ('shiftDateTimeListByIncrement["(0010,0030)", 1, "days"]', "argument-kind"),
        ('shiftDateTimeListByIncrement[{"bogus"}, 1, "days"]', "bad-tag"),
        ('shiftDateTimeSequenceByIncrement[86400, "bogus"]', "bad-tag"),
        ('shiftDateTimeSequenceByIncrement[86400, "(0008,0020)", "(0008,0021) x"]', "bad-tag"),
        ("shiftDateTimeSequenceByIncrement[86400, 2024]", "bad-tag"),
        ('(0010,4000) := shiftDateTimeListByIncrement[{(0008,0020)}, 1, "days"]', "no-value"),
    ],
)
def test_a_call_that_cannot_work_is_found_before_any_object(call: str, code: str) -> None:
    assert mistake(call).code == code


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        ('unit := lowercase["WEEKS"]\n(0010,4000) := shiftDateByIncrement["2020", 1, unit]', "bad-unit"),
        ('by := lowercase["X"]\n(0010,4000) := shiftDateByIncrement["2020", by]', "not-a-number"),
        ('path := lowercase["X"]\nshiftDateTimeSequenceByIncrement[1, path]', "bad-tag"),
        ('day := match["a", "b", 0]\n(0010,4000) := shiftDateByIncrement[day, 1]', "no-value"),
        ('dates := "(0008,0020)"\nshiftDateTimeListByIncrement[dates, 1, "days"]', "argument-kind"),
    ],
)
def test_what_a_variable_holds_is_checked_when_it_is_used(statements: str, code: str) -> None:
    assert failure(statements, make_dataset()).code == code


# -- elements


def test_a_date_is_read_from_an_element_of_vr_da() -> None:
    dataset = an_object(t00080020=("DA", "20240229"))
    item = Dataset()
    item.StudyDate = "20231231"
    dataset.ReferencedStudySequence = [Dataset(), item]
    assert value_of("shiftDateByIncrement[(0008,0020), 1]", dataset) == "20240301"
    assert value_of("shiftDateByIncrement[(0008,1110)[1]/(0008,0020), 1]", dataset) == "20240101"
    assert value_of("shiftDateTimeByIncrement[(0008,0020), 1]", dataset) == "20240229"


def test_only_shift_date_time_takes_an_element_of_vr_dt() -> None:
    dataset = an_object(t0008002A=("DT", "20240229101112.5"))
    assert value_of("shiftDateTimeByIncrement[(0008,002A), 1]", dataset) == "20240229101113.5"
    found = failure("(0010,4000) := shiftDateByIncrement[(0008,002A), 1]", dataset)
    assert found.code == "wrong-vr" and "(0008,002A) is of VR DT" in found.message


@pytest.mark.parametrize("vr", ["TM", "LO", "SH", "IS", "DS"])
def test_what_counts_is_the_vr_that_the_element_has(vr: str) -> None:
    dataset = an_object(t00080020=(vr, "2024"), t0008002A=(vr, "2024"))
    for function, tag in (("shiftDateByIncrement", "0008,0020"), ("shiftDateTimeByIncrement", "0008,002A")):
        assert failure(f"(0010,4000) := {function}[({tag}), 1]", dataset).code == "wrong-vr"
    dataset = an_object(t00100020=("DA", "20240229"))
    assert value_of("shiftDateByIncrement[(0010,0020), 1]", dataset) == "20240301"


def test_a_private_date_needs_a_vr_too() -> None:
    dataset = an_object()
    block = dataset.private_block(0x0009, "ACME", create=True)
    block.add_new(0x01, "DA", "20240229")
    block.add_new(0x02, "UN", b"20240229")
    assert value_of("shiftDateByIncrement[(0009,{ACME}01), 1]", dataset) == "20240301"
    assert failure("(0010,4000) := shiftDateByIncrement[(0009,{ACME}02), 1]", dataset).code == "wrong-vr"
    assert failure("(0010,4000) := shiftDateByIncrement[(0009,{ACME}03), 1]", dataset).code == "no-value"


@pytest.mark.parametrize("assignment", [":=", "?="])
@pytest.mark.parametrize("value", [None, ""])
def test_an_absent_or_empty_date_is_an_error(assignment: str, value: str | None) -> None:
    dataset = an_object() if value is None else an_object(t00080020=("DA", value))
    put(dataset, 0x00104000, "LT", "kept")
    for function in ("shiftDateByIncrement", "shiftDateTimeByIncrement"):
        found = failure(f"(0010,4000) {assignment} {function}[(0008,0020), 1]", dataset)
        assert found.code == "no-value" and "(0008,0020)" in found.message


@pytest.mark.parametrize("value", ["1987.06.15", ["19870615", "19870616"], "1987061", "19870231"])
def test_an_element_without_one_good_date_is_an_error_that_does_not_show_it(value: Any) -> None:
    dataset = an_object(t00100030=("DA", value))
    for statement in (
        "(0010,0030) := shiftDateByIncrement[(0010,0030), 1]",
        "(0010,0030) ?= shiftDateTimeByIncrement[(0010,0030), 1]",
        'shiftDateTimeListByIncrement[{(0010,0030)}, 1, "days"]',
        'shiftDateTimeSequenceByIncrement[1, "(0010,0030)"]',
    ):
        found = failure(statement, dataset)
        assert found.code in ("not-a-date", "no-such-date")
        assert "(0010,0030)" in found.message and "1987" not in found.message


def test_padding_of_an_element_is_not_part_of_the_date() -> None:
    dataset = an_object(t0008002A=("DT", "20240229101112.5 "))
    assert value_of("shiftDateTimeByIncrement[(0008,002A), 0]", dataset) == "20240229101112.5"


# -- lists


def test_a_list_of_paths_moves_all_that_they_match() -> None:
    dataset = an_object(
        t00080012=("DA", ""),
        t00080020=("DA", "20240229"),
        t00080021=("DA", "20240229"),
        t0008002A=("DT", "20240229101112"),
    )
    items = [nested("19700101", None), nested("19800101", None), Dataset()]
    dataset.ReferencedStudySequence = items
    script = anon.compile_script(
        f'{V6}more := {{"(0008,0021)", {{"(0008,002A)"}}}}\n'
        'dates := {(0008,0012), (0008,0020), (0018,1000), "*/(0010,0030)"}\n'
        'shiftDateTimeListByIncrement[dates, "-1", "Days"]\n'
        'shiftDateTimeListByIncrement[more, 1, "years"]\n'
        'shiftDateTimeListByIncrement[{}, 1, "days"]\n'
    )
    report = script.apply(dataset, {})
    assert report.messages == []
    assert (dataset["InstanceCreationDate"].value or "") == ""
    assert dataset.StudyDate == "20240228"
    assert dataset.SeriesDate == "20250228"
    assert dataset.AcquisitionDateTime == "20250228101112"
    assert [item.get("PatientBirthDate") for item in dataset.ReferencedStudySequence] == [
        "19691231", "19791231", None,
    ]  # fmt: skip


def test_an_element_that_two_paths_of_a_list_match_is_moved_twice() -> None:
    dataset = an_object(t00080020=("DA", "20240229"), t00080021=("DA", "20240229"))
    anon.compile_script(f'{V6}shiftDateTimeListByIncrement[{{(0008,0020), (0008,002X)}}, 1, "days"]').apply(
        dataset, {}
    )
    assert dataset.StudyDate == "20240302"
    assert dataset.SeriesDate == "20240301"


def test_a_list_does_not_look_at_the_vr_but_says_so() -> None:
    dataset = an_object(t00081030=("LO", "20240229"), t00081010=("SH", "1015"))
    report = anon.compile_script(
        f'{V6}shiftDateTimeListByIncrement[{{(0008,1030), (0008,1010)}}, 1, "years"]'
    ).apply(dataset, {})
    assert (dataset.StudyDescription, dataset.StationName) == ("20250228", "1016")
    assert len(report.messages) == 2 and "its VR is LO" in report.messages[0]


def test_a_failing_list_moves_nothing() -> None:
    dataset = an_object(t00080020=("DA", "20240229"), t00081030=("LO", "19870615x"))
    for statement in (
        'shiftDateTimeListByIncrement[{(0008,0020), (0008,1030)}, 1, "days"]',
        'shiftDateTimeSequenceByIncrement[86400, "(0008,0020)", "(0008,1030)"]',
    ):
        found = failure(statement, dataset)
        assert found.code == "not-a-date" and "1987" not in found.message


def test_a_sequence_is_no_date() -> None:
    dataset = an_object(t00080020=("DA", "20240229"))
    dataset.ReferencedStudySequence = [nested("19700101", None)]
    for statement in (
        'shiftDateTimeListByIncrement[{(0008,1110)}, 1, "days"]',
        'shiftDateTimeSequenceByIncrement[86400, "(0008,1110)"]',
    ):
        assert failure(statement, dataset).code == "not-readable"


# -- sequences


def test_texts_with_paths_move_each_element_once() -> None:
    dataset = an_object(
        t00080012=("DA", ""),
        t00080020=("DA", "20240229"),
        t00080021=("DA", "20240229"),
        t0008002A=("DT", "202402291011"),
    )
    dataset.ReferencedStudySequence = [nested("19700101", None), nested("19800101", None)]
    anon.compile_script(
        f'{V6}shiftDateTimeSequenceByIncrement["86400", "(0008,002X)", "(0008,0020)", "*/(0010,0030)", '
        '"(0008,1110)/(0010,0030)", "(0008,1110)[1]/(0010,0030)", "(0008,0012)", "(0018,1000)"]'
    ).apply(dataset, {})
    assert dataset.StudyDate == dataset.SeriesDate == "20240301"
    assert dataset.AcquisitionDateTime == "202403011011"
    assert [item.PatientBirthDate for item in dataset.ReferencedStudySequence] == ["19700102", "19800102"]


def test_a_path_need_not_be_a_text() -> None:
    # Java takes no notice of such paths, and the dates stay.
    dataset = an_object(
        t00080020=("DA", "20240229"), t00080021=("DA", "20240229"), t00080022=("DA", "20240229")
    )
    anon.compile_script(
        f'{V6}shiftDateTimeSequenceByIncrement[86400, (0008,0020), "(0008,0021)", {{(0008,0022)}}]'
    ).apply(dataset, {})
    assert dataset.StudyDate == dataset.SeriesDate == dataset.AcquisitionDate == "20240301"


def test_a_path_below_any_level_moves_what_is_nested_only() -> None:
    dataset = an_object(t00100030=("DA", "19700101"))
    dataset.ReferencedStudySequence = [nested("19700101", None)]
    anon.compile_script(f'{V6}shiftDateTimeSequenceByIncrement[-86400, "+/(0010,0030)"]').apply(dataset, {})
    assert dataset.PatientBirthDate == "19700101"
    assert dataset.ReferencedStudySequence[0].PatientBirthDate == "19691231"


# -- ages


def scaled(
    birth: str | None, study: str | None, age: str | None, *items: Dataset
) -> tuple[Dataset, list[str]]:
    dataset = an_object()
    for tag, vr, value in (
        (0x00100030, "DA", birth),
        (0x00080020, "DA", study),
        (0x00101010, "AS", age),
    ):
        if value is not None:
            put(dataset, tag, vr, value)
    if items:
        dataset.ReferencedStudySequence = list(items)
    report = anon.compile_script(f"{V6}scalePatientAgeAndDobFromStudyDate[]").apply(dataset, {})
    return dataset, report.messages


@pytest.mark.parametrize(
    ("birth", "study", "age", "birth_after", "age_after"),
    [
        ("19200101", "20200101", "100Y", "19310102", "089Y"),
        ("19310101", "20200101", "089Y", "19310102", "089Y"),
        ("19310102", "20200101", "088Y", "19310102", "088Y"),
        ("1920", "20200101", "100Y", "1931", "089Y"),
        ("192001", "20200101", "100Y", "193101", "089Y"),
        ("19200229", "2020", "100Y", "19310702", "089Y"),
        ("19500101", "20200101", "090Y", "19500101", "089Y"),
        ("20200101", "19200101", "001Y", "20200101", "001Y"),
        ("", "20200101", "095Y", "", "089Y"),
        (None, "20200101", "999Y", None, "089Y"),
        ("19200101", "20200101", "", "19310102", ""),
        ("19200101", "20200101", None, "19310102", None),
        ("19200101", "20200101", "999M", "19310102", "999M"),
        ("19200101", "20200101", "999W", "19310102", "999W"),
        ("19200101", "20200101", "999D", "19310102", "999D"),
        # Java leaves the age as well where there is no study date.
        ("19200101", "", "099Y", "19200101", "089Y"),
        ("19200101", None, "099Y", "19200101", "089Y"),
        ("19200101", "2020.01.01", "099Y", "19200101", "089Y"),
        ("1920.01.01", "20200101", "099Y", "1920.01.01", "089Y"),
    ],
)
def test_patients_older_than_89_become_89(
    birth: str | None, study: str | None, age: str | None, birth_after: str | None, age_after: str | None
) -> None:
    dataset, messages = scaled(birth, study, age)
    assert dataset.get("PatientBirthDate") == birth_after
    assert (dataset.get("PatientAge") or None) == (age_after or None)
    assert dataset.get("StudyDate") == study
    stays = bool(birth) and (birth == "1920.01.01" or study in ("", None, "2020.01.01"))
    assert any("stays as it is" in message for message in messages) == stays
    assert not any("1920" in message or "2020" in message for message in messages)


def test_ages_and_birth_dates_in_sequences_follow_the_ones_outside() -> None:
    items = [nested("19200101", "100Y"), nested("1990", "005D"), nested(None, "")]
    dataset, _ = scaled("19200101", "20200101", "100Y", *items)
    found = [(item.get("PatientBirthDate"), item.PatientAge) for item in dataset.ReferencedStudySequence]
    assert found == [("19310102", "089Y"), ("2001", "089Y"), (None, "089Y")]


def test_ages_and_birth_dates_in_sequences_alone_are_left() -> None:
    dataset, _ = scaled(None, "20200101", None, nested("19000101", "100Y"))
    item = dataset.ReferencedStudySequence[0]
    assert (item.PatientBirthDate, item.PatientAge) == ("19000101", "100Y")


@pytest.mark.parametrize(
    "age", ["95Y", "XXXY", "0950", "095y", "095", "0095Y", "+95Y", "095YY", ["095Y", "096Y"]]
)
def test_an_age_that_is_badly_written_is_an_error(age: Any) -> None:
    dataset = an_object(t00080020=("DA", "20200101"), t00100030=("DA", "19200101"), t00101010=("AS", age))
    found = failure("scalePatientAgeAndDobFromStudyDate[]", dataset)
    assert found.code == "not-an-age" and "95" not in found.message


@pytest.mark.parametrize(("birth", "study"), [("19200230", "20200101"), ("19200101", "20201301")])
def test_a_birth_or_study_date_that_no_calendar_has_is_an_error(birth: str, study: str) -> None:
    dataset = an_object(t00080020=("DA", study), t00100030=("DA", birth))
    assert failure("scalePatientAgeAndDobFromStudyDate[]", dataset).code == "no-such-date"


@pytest.mark.parametrize("birth", ["", "1920.01.01"])
def test_a_birth_date_in_a_sequence_that_cannot_be_moved_is_an_error(birth: str) -> None:
    dataset = an_object(t00080020=("DA", "20200101"), t00100030=("DA", "19200101"))
    dataset.ReferencedStudySequence = [nested("19200101", None), nested(birth, None)]
    assert failure("scalePatientAgeAndDobFromStudyDate[]", dataset).code in ("no-value", "not-a-date")


# -- every date

MOMENTS = st.datetimes(datetime(101, 1, 1), datetime(9899, 12, 31)).map(
    lambda found: found.replace(microsecond=0)
)
TAILS = st.sampled_from(["", ".5", ".000001", "+0100", "-1130", ".123456-0500"])
PARTS = st.sampled_from([4, 6, 8, 10, 12, 14])
INCREMENTS = st.integers(-MAX_INT, MAX_INT)
DIGITS = "{:%Y%m%d%H%M%S}"


def written(moment: datetime) -> str:
    return DIGITS.format(moment).rjust(14, "0")


@settings(max_examples=150, deadline=None)
@given(MOMENTS, TAILS, INCREMENTS)
def test_a_full_date_moves_by_exact_seconds_and_back(moment: datetime, tail: str, seconds: int) -> None:
    date = written(moment) + tail
    moved = shift(date, seconds)
    assert moved == written(moment + timedelta(seconds=seconds)) + tail
    assert shift(moved, -seconds) == date


@settings(max_examples=150, deadline=None)
@given(MOMENTS, PARTS, TAILS, INCREMENTS, st.sampled_from(["seconds", "days"]))
def test_a_moved_date_has_the_same_parts_and_can_be_read(
    moment: datetime, parts: int, tail: str, increment: int, unit: str
) -> None:
    zone = tail[-5:] if tail[-5:-4] in ("+", "-") else ""
    moved = shift(written(moment)[:parts] + tail, increment, unit)
    assert DATE.fullmatch(moved)
    digits = moved.removesuffix(zone).partition(".")[0]
    assert moved.endswith(zone) and len(digits) >= parts
    if len(digits) == parts and digits.isdigit():
        assert shift(moved, 0) == moved


@settings(max_examples=100, deadline=None)
@given(MOMENTS, PARTS, st.integers(-5000, 5000))
def test_the_calendar_repeats_after_400_years(moment: datetime, parts: int, cycles: int) -> None:
    moved = shift(written(moment)[:parts], cycles * 146_097, "days")
    assert moved == f"{moment.year + 400 * cycles:04d}" + written(moment)[4:parts]
