"""What tests of scripts can expect: every verb passes, fails, and says so when there is nothing to judge."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from anon.testing.format import parse_suite
from anon.testing.model import CheckResult, FormatError
from anon.testing.registry import verbs
from anon.testing.run import compile_for_tests, run_test

OF_MIDI_B = {
    "tag_retained",
    "text_notnull",
    "text_retained",
    "text_removed",
    "date_shifted",
    "uid_changed",
    "uid_consistent",
    "patid_consistent",
    "pixels_hidden",
    "pixels_retained",
}
TAGS = """
[test.input.tags]
SOPInstanceUID = "1.2.3.1"
StudyDate = "20240229"
SeriesDate = "20240301"
AcquisitionDateTime = "20240229101112.5"
StudyTime = "101112"
Modality = "MR"
StudyDescription = "Knee left, Doe"
SeriesDescription = "axial T2"
ReferringPhysicianName = "Smith"
PatientName = "Doe^Jane"
PatientID = "12345"
PatientBirthDate = "19700101"
OtherPatientIDs = "99"
SliceThickness = "5.0"
StudyInstanceUID = "1.2.3"
SeriesInstanceUID = "1.2.3.4"
"(0008,1140)[0]/(0008,1155)" = "1.2.3.1"
"(0008,1140)[1]/(0008,1155)" = "1.2.3.9"
"(0040,0275)[0]/(0010,0010)" = "Doe"
"(0029,{ACME 1.1}10)" = "for Jane Doe"
"(0040,A730)[0]/(0040,A160)" = "spoke to Jane"
"(0042,0011)" = { vr = "OB", hex = "4A616E650102" }
"""
SAMPLE = '[test.input]\nsample = "MR_small.dcm"\n'
TWO = """
[[test.input]]
tags = { PatientID = "1", StudyDate = "20240101", SOPInstanceUID = "1.2.1", StudyInstanceUID = "1.2" }
[[test.input]]
tags = { PatientID = "1", StudyDate = "20240201", SOPInstanceUID = "1.2.2", StudyInstanceUID = "1.2" }
[[test.input]]
tags = { PatientID = "2", StudyDate = "20240201", SOPInstanceUID = "1.2.3", StudyInstanceUID = "1.4" }
"""
NOTHING = '(0008,0005) ~ "no such" ? -(0008,0005)'
HIDE = 'alterPixels["rectangle", "l=0, t=0, r=40, b=12", "solid", "v=0"]'
SHIFT = """
(0008,0020) := shiftDateByIncrement[(0008,0020), -30]
(0008,0021) := shiftDateByIncrement[(0008,0021), -30]
(0008,002A) := shiftDateTimeByIncrement[(0008,002A), -30, "days"]
"""
CLEAN = """
(0010,0010) := "X"
(0010,0020) := "X"
(0008,1030) := "Knee left"
(0040,0275)[0]/(0010,0010) := "X"
-(0029,{ACME 1.1}10)
-(0040,A730)
-(0042,0011)
"""
HASH = """
(0008,0018) := hashUID[(0008,0018)]
(0020,000D) := hashUID[(0020,000D)]
(0020,000E) := hashUID[(0020,000E)]
"""
HASH_ALL = HASH + "(0008,1140)/(0008,1155) := hashUID[(0008,1140)[0]/(0008,1155)]\n"


class Case(NamedTuple):
    """The example of a verb on scripts that fulfil it and scripts that do not.

    Attributes:
        verb: which.
        source: the inputs.
        passes: a script.
        fails: another one.
        message: of the first check that fails.
        found: of the same.
    """

    verb: str
    source: str
    passes: str
    fails: str
    message: str
    found: str


CASES = [
    Case(
        "equals", TAGS,
        '(0010,0020) := "S1"\n(0012,0063) := "de-identified"\n(0028,1053) := "1.0"',
        '(0010,0020) := "S1"\n(0012,0063) := "other"\n(0028,1053) := "1.0"',
        "DeidentificationMethod (0012,0063) has another value", "other",
    ),
    Case(
        "absent", TAGS, "-(0010,0030)\n-(0010,1000)\n-*/(0010,0010)",
        "-(0010,0030)\n-(0010,1000)\n-(0010,0010)",
        "PatientName (0040,0275)[0]/(0010,0010) is still there", "Doe",
    ),
    Case(
        "present", TAGS, '(0012,0062) := "YES"', NOTHING,
        "PatientIdentityRemoved (0012,0062) is absent", "(absent)",
    ),
    Case(
        "empty", TAGS, '(0008,0090) := ""', "-(0008,0090)",
        "ReferringPhysicianName (0008,0090) should be empty, but it is absent", "(absent)",
    ),
    Case(
        "unchanged", TAGS, "-(0010,0010)", '(0018,0050) := "5"',
        "SliceThickness (0018,0050) has changed", "5",
    ),
    Case(
        "tag_retained", TAGS, '(0010,0010) := ""', "-(0010,0010)",
        "PatientName (0010,0010) is gone", "(absent)",
    ),
    Case(
        "text_notnull", TAGS, '(0010,0010) := "X"', '(0010,0010) := ""',
        "PatientName (0010,0010) has no value", "(empty)",
    ),
    Case(
        "text_retained", TAGS, '(0008,1030) := "LEFT knee"', '(0008,1030) := "leftish knee"',
        "StudyDescription (0008,1030) has lost the word 'left'", "leftish knee",
    ),
    Case(
        "text_removed", TAGS, CLEAN, CLEAN.replace("-(0042,0011)\n", ""),
        "EncapsulatedDocument (0042,0011) still holds the word 'Jane'", "(6 bytes)",
    ),
    Case(
        "rejected", TAGS, '(0008,0060) = "MR" ? reject[]', '(0008,0060) = "CT" ? reject[]',
        "the script should reject the object, but it accepts it", "(accepted)",
    ),
    Case(
        "fails", TAGS, '(0028,0010) := "many"', '(0028,0010) := "5"',
        "the script should fail, but it works", "(no failure)",
    ),
    Case(
        "warns", TAGS, "(0010,0010) := (0010,4000)", NOTHING,
        "the script gives no such warning", "(no warnings)",
    ),
    Case(
        "date_shifted", TAGS, SHIFT, SHIFT.replace("21), -30", "21), -31"),
        "SeriesDate (0008,0021) moves by -31 days, StudyDate (0008,0020) by -30: "
        "the interval between them is not kept", "20240130",
    ),
    Case(
        "uid_changed", TAGS, HASH, HASH.replace("(0020,000E) := hashUID[(0020,000E)]", ""),
        "SeriesInstanceUID (0020,000E) still holds an original UID", "1.2.3.4",
    ),
    Case(
        "uid_consistent", TWO, HASH, HASH.replace("(0020,000D) := hashUID[(0020,000D)]", "-(0020,000D)\n"
        "(0020,000D) := newUID[]"),
        "input 2: the UID 1.2 becomes", "",
    ),
    Case(
        "patid_consistent", TWO, '(0010,0020) := concatenate["P", (0010,0020)]', '(0010,0020) := "P"',
        "input 3: two different Patient IDs become P: 2 here, and 1 in PatientID (0010,0020) of input 1", "P",
    ),
    Case(
        "pixels_hidden", SAMPLE, HIDE, HIDE.replace("b=12", "b=11"),
        "the pixels in columns 0 to 39, rows 0 to 11 still have different values", "(different values)",
    ),
    Case(
        "pixels_retained", SAMPLE, "-(0010,0010)", HIDE,
        "the pixels have changed: 480 pixels with another value, the first in column 0, row 0",
        "(480 pixels with another value, the first in column 0, row 0)",
    ),
]  # fmt: skip


def run(script: str, expect: str, source: str = TAGS, extra: str = "") -> list[CheckResult]:
    """The checks of one test."""
    text = f'{extra}[[test]]\nname = "t"\n{source}\n[test.expect]\n{expect}\n'
    suite = parse_suite(text, "s.tests.toml", Path("/nowhere"))
    if not script.startswith("version"):
        script = f'version "6.6"\n{script}\n'
    return list(run_test(compile_for_tests(script, "s.das", suite), suite.tests[0]).checks)


def failures(script: str, expect: str, source: str = TAGS, extra: str = "") -> list[tuple[str, str]]:
    """What did not pass, with its status."""
    found = run(script, expect, source, extra)
    assert found
    return [(check.status, check.message) for check in found if check.status != "passed"]


def test_the_ten_verbs_of_midi_b_are_all_there() -> None:
    assert set(verbs()) >= OF_MIDI_B


def test_every_verb_has_a_case() -> None:
    assert {case.verb for case in CASES} == set(verbs())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.verb)
def test_the_example_of_a_verb_passes(case: Case) -> None:
    found = run(case.passes, verbs()[case.verb].example, case.source)
    assert [(check.status, check.message) for check in found] == [("passed", "")] * len(found)
    assert found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.verb)
def test_the_example_of_a_verb_fails(case: Case) -> None:
    found = run(case.fails, verbs()[case.verb].example, case.source)
    failed = next(check for check in found if check.status == "failed")
    assert failed.verb == case.verb
    assert failed.message.startswith(case.message)
    assert not case.found or failed.found == case.found
    assert "error" not in {check.status for check in found}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.verb)
def test_a_verb_is_documented_with_an_example(case: Case) -> None:
    verb = verbs()[case.verb]
    assert verb.prose.endswith(".")
    assert verb.example.startswith(f"{verb.name} = ")


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ('unchanged = ["PatientComments"]', "the input has no PatientComments (0010,4000)"),
        ('tag_retained = ["PatientComments"]', "the input has no PatientComments (0010,4000)"),
        ('text_retained = { StudyDescription = "hip" }', "the input has no word 'hip'"),
        ('text_removed = ["Miller"]', "the input has no word 'Miller'"),
        ('date_shifted = ["ContentDate"]', "the input has no date in ContentDate"),
        ('uid_changed = ["FrameOfReferenceUID"]', "the input has no UID in FrameOfReferenceUID"),
        (
            'uid_consistent = ["StudyInstanceUID"]',
            "there is nothing to compare: give the test a second input",
        ),
        ("patid_consistent = true", "there is nothing to compare: give the test a second input"),
        ("pixels_hidden = [0, 0, 2, 2]", "the input has no pixel data"),
        ("pixels_retained = true", "the input has no pixel data"),
        ('equals = { "(0008,1140)" = "x" }', "ReferencedImageSequence (0008,1140) is a sequence"),
    ],
)
def test_an_expectation_that_says_nothing_about_the_script_is_an_error(expect: str, message: str) -> None:
    (found,) = failures(NOTHING, expect)
    assert found[0] == "error"
    assert found[1].startswith(message)


@pytest.mark.parametrize(
    ("script", "expect", "message"),
    [
        ("-(0008,0020)", "StudyDate = -30", "has no value any more, so it is removed and not shifted"),
        ('(0008,0020) := "20240230"', "StudyDate = -30", "is not a date any more"),
        (NOTHING, "StudyDate = -30", "is still the same date"),
        (SHIFT, "StudyDate = -31", "moves by -30 days"),
        ('(0008,002A) := "20240130101113.5"', "AcquisitionDateTime = -30", "the time of day in"),
    ],
)
def test_a_date_counts_as_shifted_only_when_it_is_one_still(script: str, expect: str, message: str) -> None:
    ((status, text),) = failures(script, f"date_shifted = {{ {expect} }}")
    assert status == "failed"
    assert message in text


def test_dates_of_one_patient_move_alike_and_those_of_others_may_not() -> None:
    by_patient = (
        '(0010,0020) = "1" ? (0008,0020) := shiftDateByIncrement[(0008,0020), -3]'
        " : (0008,0020) := shiftDateByIncrement[(0008,0020), -4]"
    )
    assert failures(by_patient, 'date_shifted = ["StudyDate"]', TWO) == []
    by_date = by_patient.replace('(0010,0020) = "1"', '(0008,0020) = "20240101"')
    ((status, message),) = failures(by_date, 'date_shifted = ["StudyDate"]', TWO)
    assert (status, message[:8]) == ("failed", "input 2:")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ('(0020,000D) := "1.02"', "is not a valid UID"),
        ("-(0020,000D)", "has no UID any more"),
        ('(0020,000D) := "2.25.1\\\\2.25.2"', "has another number of UIDs"),
    ],
)
def test_a_changed_uid_must_be_one(script: str, message: str) -> None:
    ((status, text),) = failures(script, 'uid_changed = ["StudyInstanceUID"]')
    assert status == "failed"
    assert message in text


def test_references_count_for_consistent_uids() -> None:
    # (0008,1155) of item 0 names the object itself.
    assert failures(NOTHING, "uid_consistent = true") == []
    (found,) = failures(HASH, "uid_consistent = true")
    assert found[1].startswith("the UID 1.2.3.1 becomes 1.2.3.1 here, but 2.25.")


def test_words_are_found_in_nested_private_and_binary_values() -> None:
    for path in ("(0040,0275)[0]/(0010,0010)", "(0029,{ACME 1.1}10)", "(0042,0011)"):
        cleaned = [
            line for line in CLEAN.splitlines() if not line.startswith((path, f"-{path}", f"-{path[:11]}"))
        ]
        found = failures("\n".join(cleaned), 'text_removed = ["Doe", "Jane"]')
        assert found
        assert all(path[:11] in message for _, message in found), found


def test_short_words_count_only_as_words_of_their_own() -> None:
    source = '[test.input.tags]\nStudyDescription = "AB study of Doell"\nPatientName = "Doell^A"\n'
    assert failures('(0008,1030) := "ABC"\n-(0010,0010)', 'text_removed = ["AB"]', source) == []
    ((_, message),) = failures('-(0010,0010)\n(0008,1030) := "mcdoell"', 'text_removed = ["Doell"]', source)
    assert message == "StudyDescription (0008,1030) still holds the word 'Doell'"


def test_pixels_may_change_where_they_are_hidden_and_nowhere_else() -> None:
    both = "pixels_retained = true\npixels_hidden = [0, 0, 40, 12]"
    assert failures(HIDE, both, SAMPLE) == []
    ((_, message),) = failures(HIDE.replace("r=40", "r=41"), both, SAMPLE)
    assert message.startswith("the pixels have changed: 12 pixels with another value")


def test_compressed_pixels_are_compared_decoded() -> None:
    source = '[test.input]\nsample = "MR_small_RLE.dcm"\n'
    assert failures(HIDE, "pixels_retained = true\npixels_hidden = [0, 0, 40, 12]", source) == []
    assert [status for status, _ in failures(HIDE, "pixels_retained = true", source)] == ["failed"]


def test_a_rejected_or_failed_object_fails_every_test_that_expects_a_result() -> None:
    expect = 'absent = ["PatientName"]'
    ((status, message),) = failures("reject[]", expect)
    assert (status, message) == (
        "failed", "the script rejects the object; if it should, write `rejected = true`",
    )  # fmt: skip
    (check,) = run('(0028,0010) := "many"', expect)
    assert check.message.startswith("the script fails in line 2: the value is not a whole number")
    assert [(each.line, each.text) for each in check.statements] == [(2, '(0028,0010) := "many"')]


def test_a_failure_names_the_statements_that_touched_the_element() -> None:
    script = '(0010,0010) := "A"\n(0010,0020) := "B"\n(0010,0010) := "C"'
    (check,) = run(script, 'equals = { PatientName = "A" }')
    assert [(each.line, each.text) for each in check.statements] == [
        (2, '(0010,0010) := "A"'),
        (4, '(0010,0010) := "C"'),
    ]
    (untouched,) = run(script, 'absent = ["Modality"]')
    assert untouched.statements == ()


def test_variables_and_the_lookup_table_come_from_the_file_of_tests() -> None:
    script = '(0010,0020) := lookup["pid", (0010,0020)]\n(0010,0010) := subject'
    extra = '[variables]\nsubject = "S1"\n[lookup]\n"pid/12345" = "P7"\n'
    expect = 'equals = { PatientID = "P7", PatientName = "S1" }'
    assert failures(script, expect, extra=extra) == []
    source = TAGS + '\n[test.variables]\nsubject = "S2"\n'
    ((_, message),) = failures(script, expect, source, extra)
    assert message == "PatientName (0010,0010) has another value"


def test_a_missing_variable_is_named() -> None:
    ((status, message),) = failures("(0010,0010) := subject", 'absent = ["PatientName"]')
    assert status == "error"
    assert message == "the script needs 'subject': write such variables below [variables]"


def test_private_elements_are_given_by_creator_or_by_number() -> None:
    source = '[test.input.tags]\n"(0029,{ACME 1.1}10)" = "a"\n"(0031,1001)" = { vr = "SH", value = "b" }\n'
    expect = 'unchanged = ["(0029,{ACME 1.1}10)", "(0031,1001)"]\nequals = { "(0029,0010)" = "ACME 1.1" }'
    assert failures("-(0010,0010)", expect, source) == []
    found = failures("removeAllPrivateTags", expect, source)
    assert [status for status, _ in found] == ["failed"] * 3


def test_values_of_every_kind_can_be_given_and_expected() -> None:
    source = """[test.input.tags]
ImageType = ["ORIGINAL", "PRIMARY"]
StudyDate = 2024-02-29
Rows = 512
PatientName = "Müller^Jörg"
PatientComments = ""
ReferencedImageSequence = []
"""
    expect = """equals = { ImageType = ["ORIGINAL", "PRIMARY"], StudyDate = 2024-02-29, Rows = 512, \
PatientName = "Müller^Jörg", SpecificCharacterSet = "ISO_IR 192" }
empty = ["PatientComments", "ReferencedImageSequence"]"""
    assert failures("-(0010,0020)", expect, source) == []


def test_inputs_can_be_a_sample_with_other_elements() -> None:
    source = '[test.input]\nsample = "MR_small.dcm"\nwithout = ["PatientID"]\ntags = { PatientName = "X" }\n'
    assert failures("-(0010,0030)", 'absent = ["PatientID"]\nunchanged = ["PatientName"]', source) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('[test.input]\nfile = "missing.dcm"', "/nowhere/missing.dcm: No such file or directory"),
        ('[test.input.tags]\nRows = "many"', "Rows (0028,0010): the value is not a whole number"),
        ("[test.input.tags]\nStudyDate = []", 'StudyDate (0008,0020) is no sequence: write "" for no value'),
        ('[test.input.tags]\n"(0008,0000)" = "1"', "(0008,0000) has no place in a data set"),
        ('[test.input]\nfile = "/etc"', "/etc: not a file"),
        (
            '[test.input.tags]\nRows = { vr = "SQ", value = "5" }',
            "Rows (0028,0010) is a sequence: give it []",
        ),
    ],
)
def test_an_input_that_cannot_be_made_is_an_error_of_the_test(source: str, message: str) -> None:
    ((status, text),) = failures("-(0010,0010)", 'absent = ["PatientName"]', source)
    assert status == "error"
    assert text.startswith(message)


def test_scripts_of_dicomedit_4_are_tested_alike() -> None:
    script = 'version "4"\n(0010,0010) := subject\n- (0010,0020)\n'.replace('version "4"\n', "")
    text = (
        f'[variables]\nsubject = "S1"\n[[test]]\nname = "t"\n{TAGS}\n[test.expect]\n'
        'equals = { PatientName = "S1" }\nabsent = ["PatientID"]\n'
    )
    suite = parse_suite(text, "s.tests.toml", Path("/nowhere"))
    assert run_test(compile_for_tests(script, "s.das", suite), suite.tests[0]).status == "passed"


TWO_BLOCKS = """[test.input.tags]
PatientName = "Doe"
"(0019,0010)" = "MAKER"
"(0019,0011)" = "MAKER"
"(0019,1001)" = "Doe, first"
"(0019,1101)" = "Doe, second"
"""


@pytest.mark.parametrize(
    ("script", "expect"),
    [
        ('set["(0019,1001)", "x"]\n-(0010,0010)', 'text_removed = ["Doe"]'),
        ('set["(0019,1001)", "x"]', 'text_removed = { "(0019,1101)" = "Doe" }'),
        ('set["(0019,1101)", "x"]', 'unchanged = ["(0019,1101)"]'),
        ('set["(0019,1001)", "x"]', 'equals = { "(0019,{MAKER}01)" = "x" }'),
        ('delete["(0019,1001)"]', 'absent = ["(0019,{MAKER}01)"]'),
        # its creator is gone, the element is not
        ('delete["(0019,0010)"]\ndelete["(0019,1101)"]', 'absent = ["(0019,{MAKER}01)"]'),
    ],
)
def test_every_block_of_a_creator_is_looked_at(script: str, expect: str) -> None:
    (failed,) = (check for check in run(script, expect, TWO_BLOCKS) if check.status != "passed")
    assert (failed.status, failed.path) == ("failed", "(0019,{MAKER}01)")


def test_a_block_of_a_creator_is_not_taken_for_another_one() -> None:
    expect = 'absent = ["(0019,1101)"]\nunchanged = ["(0019,1001)"]'
    assert failures('delete["(0019,1101)"]', expect, TWO_BLOCKS) == []


@pytest.mark.parametrize(
    "tag",
    [
        "PixelRepresentation = 0",
        '"(0018,9073)" = 0.0',
        '"(0042,0011)" = { vr = "OB", hex = "0000" }',
        '"(0029,{ACME}01)" = { vr = "UN", hex = "00000000" }',
    ],
)
def test_zero_is_a_value(tag: str) -> None:
    name = '"{}"'.format(tag.partition(" = ")[0].strip('"'))
    source = f"[test.input.tags]\n{tag}\n"
    ((status, message),) = failures(NOTHING, f"empty = [{name}]", source)
    assert status == "failed"
    assert message.endswith("still has a value")
    assert failures(NOTHING, f"text_notnull = [{name}]", source) == []


def test_zero_is_equal_to_zero() -> None:
    source = '[test.input.tags]\nPixelRepresentation = 0\nPatientComments = "  "\n'
    assert (
        failures(NOTHING, 'equals = { PixelRepresentation = 0 }\nempty = ["PatientComments"]', source) == []
    )


@pytest.mark.parametrize(
    ("script", "tags"),
    [
        # the bytes stay under another label
        ('(0008,0005) := "ISO_IR 192"', 'SpecificCharacterSet = "ISO_IR 100"\nPatientName = "Müller"'),
        (NOTHING, 'PatientName = "Mu\u0308ller"'),
        (NOTHING, '"(0029,{ACME}01)" = { vr = "UN", hex = "4DFC6C6C6572" }'),
        (NOTHING, '"(0029,{ACME}01)" = { vr = "UN", hex = "4DFC6C6C65720A31" }'),
        (NOTHING, '"(0042,0011)" = { vr = "OB", hex = "014DC39C4C4C4552" }'),
    ],
)
def test_words_are_found_however_their_letters_are_encoded(script: str, tags: str) -> None:
    source = f'[test.input.tags]\n{tags}\nPatientID = "Müller"\n'
    ((status, message),) = failures(f"{script}\n-(0010,0020)", 'text_removed = ["Müller"]', source)
    assert status == "failed"
    assert message.endswith("still holds the word 'Müller'")


def test_short_words_are_found_in_unknown_text_of_several_lines() -> None:
    source = '[test.input.tags]\nPatientID = "Doe"\n"(0029,{ACME}01)" = { vr = "UN", hex = "446F650A31" }\n'
    ((status, _),) = failures("-(0010,0020)", 'text_removed = ["Doe"]', source)
    assert status == "failed"


@pytest.mark.parametrize(
    "expect", ['text_removed = ["Doe", "*"]', 'text_retained = { StudyDescription = "..." }']
)
def test_texts_without_words_are_refused(expect: str) -> None:
    with pytest.raises(FormatError) as caught:
        run(NOTHING, expect)
    (found,) = caught.value.diagnostics
    assert "has no letters or digits to look for" in found.message
