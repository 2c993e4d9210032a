"""Files of tests: mistakes and what is shown for them, places of keys, the first file for a script."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from builders import make_dataset, part10_bytes, wheel_file
from pydicom.dataset import Dataset

import anon
from anon.render import render
from anon.testing.format import parse_suite, read_suite
from anon.testing.lines import KeyPlaces, Place
from anon.testing.model import FormatError
from anon.testing.run import compile_for_tests, run_test
from anon.testing.starter import starter_suite

CASES = sorted((Path(__file__).parent / "corpus" / "script_tests").glob("*.toml"))
GOOD = (
    '[[test]]\nname = "t"\n[test.input.tags]\nPatientName = "Doe"\n[test.expect]\nabsent = ["PatientName"]\n'
)


def told(path: Path) -> str:
    """Each mistake with the text that is its culprit, and what to do."""
    with pytest.raises(FormatError) as caught:
        read_suite(path)
    lines = path.read_text("utf-8").split("\n")
    rows = []
    for found in caught.value.diagnostics:
        culprit = lines[found.line - 1][found.column - 1 : found.end_column - 1]
        rows.append(f"line {found.line}, column {found.column}: {culprit}\n")
        rows.append(f"    {found.message}\n    -> {found.hint}\n")
    return "".join(rows)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.partition(".")[0])
def test_mistakes_are_told_as_wanted(path: Path) -> None:
    wanted = path.with_name(path.name.partition(".")[0] + ".txt").read_text("utf-8")
    assert told(path) == wanted


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.partition(".")[0])
def test_every_mistake_has_a_hint_and_a_line(path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read_suite(path)
    lines = path.read_text("utf-8").splitlines()
    for found in caught.value.diagnostics:
        assert found.hint
        assert 1 <= found.line <= len(lines) + 1
        assert found.end_column > found.column or found.line == 1


def test_there_are_many_kinds_of_mistakes() -> None:
    assert len(CASES) >= 15


def test_text_that_is_not_utf_8_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "s.tests.toml"
    path.write_bytes(GOOD.encode() + b"# M\xfcller\n")
    with pytest.raises(FormatError) as caught:
        read_suite(path)
    (found,) = caught.value.diagnostics
    assert (found.line, found.message) == (7, f"not UTF-8 text (byte {len(GOOD) + 3})")


def test_a_byte_order_mark_and_other_line_ends_do_not_matter() -> None:
    suite = parse_suite("\ufeff" + GOOD.replace("\n", "\r\n"), "s", Path())
    assert [test.name for test in suite.tests] == ["t"]


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 100_000, "x = 1" + "0" * 5000, "#" * (1 << 21), "\0", "x = 1\r2"]
)
def test_hostile_files_end_in_a_message(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_suite(text, "s", Path())
    assert render(caught.value.diagnostics, caught.value.text, "s")


LIBRARY = Path(__file__).parents[2] / "config" / "defaults" / "library"
MUTATED = [path.read_text("utf-8") for path in sorted(LIBRARY.glob("xnat-training-*.tests.toml"))]
ODD_TOKENS = [
    "PatientName", "5", "-1", "true", "[]", "[0]", "{}", '""', "[[1]]", "nan", "1e999", "2024-02-29", "=",
    "\n", ".", '"(0028,0010)"', '"(0008,0005)"', '"(0002,0010)"', '"(FFFE,E000)"', '"(0008,0000)"',
    '"*/PatientName"', '"SQ"', "9" * 30, "file", "sample", "vr", "hex", "'/dev/null'", '"\\u0000"', '"é"',
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_files_with_anything_wrong_end_in_a_message_or_in_a_verdict(seed: int) -> None:
    chance = random.Random(seed)
    read = 0
    for _ in range(400):
        tokens = re.findall(r'#[^\n]*|"[^"\n]*"|\w+|\s+|.', chance.choice(MUTATED))
        for _ in range(chance.choice([1, 1, 2])):
            place, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
            tokens[place] = chance.choice([*ODD_TOKENS, tokens[other], ""])
        try:
            suite = parse_suite("".join(tokens), "s", LIBRARY)
        except FormatError as error:
            assert error.diagnostics
            assert render(error.diagnostics, error.text, error.name)
            continue
        script = compile_for_tests((LIBRARY / "xnat-training-site.das").read_text(), "site.das", suite)
        for test in suite.tests:
            read += 1
            verdict = run_test(script, test)
            assert verdict.checks
            assert all(check.message or check.status == "passed" for check in verdict.checks)
    assert read > 10


def test_keys_are_found_where_they_stand() -> None:
    text = (
        'a.b = 1\n[x."y z"]\nlist = [\n  "one",\n  "two",\n]\n[[t]]\nc = 1\n[[t]]\nc = { d = 1, "e" = 2 }\n'
    )
    places = KeyPlaces(text)
    assert places.find(("a", "b")) == Place(1, 1, 4)
    assert places.find(("x", "y z")) == Place(2, 1, 10)
    assert places.find(("x", "y z", "list"), "two") == Place(5, 3, 8)
    assert places.find(("t", 0, "c")) == Place(8, 1, 2)
    assert places.find(("t", 1, "c")) == Place(10, 1, 2)
    assert places.find(("t", 1, "c", "e")) == Place(10, 14, 17)
    assert places.find(("t", 1, "missing")) == Place(9, 1, 6)
    assert places.find(("nowhere",)) == Place(1, 1, 1)


# -- beginning


STARTERS = {
    "constants": 'version "6.6"\n(0010,0010) := "X"\n-(0010,0030)\n(0008,0050) := ""\n',
    "random": 'version "6.6"\n(0008,0018) := newUID[]\n(0010,0020) := newUID[]\n',
    "nested": 'version "6.6"\n(0040,0275)[0]/(0040,0007) := "c"\n-*/(0010,0010)\n',
    "private": 'version "6.6"\n(0029,{ACME 1}10) := "p"\n-(0029,{ACME 2}10)\n',
    "two creators": 'version "6.6"\n(0029,{ACME 1}10) := "p"\n(0029,{ACME 2}10) := "q"\n',
    "variables": "(0010,0010) := subject\n(0008,1030) := project\n",
    "rejects": 'version "6.6"\n(0008,0060) = "MR" ? reject[]\n',
    "fails": 'version "6.6"\n(0028,0010) := "many"\n',
    "looks up": 'version "6.6"\n(0010,0020) := lookup["pid", (0010,0020)]\n',
    "not given": 'version "6.6"\n-(50X@,XXXX)\n-(0002,0016)\n-(0008,0005)\n-(7FE0,0010)\n',
    "nothing": 'version "6.6"\n',
}


@pytest.mark.parametrize("script", STARTERS.values(), ids=STARTERS)
def test_the_first_file_of_tests_of_a_script_passes(script: str) -> None:
    text = starter_suite(anon.compile_script(script, "s.das"), "s.das")
    suite = parse_suite(text, "s.tests.toml", Path("/nowhere"))
    verdicts = [run_test(compile_for_tests(script, "s.das", suite), test) for test in suite.tests]
    assert [(verdict.status, verdict.checks) for verdict in verdicts if verdict.status != "passed"] == []
    assert verdicts[0].checks


def test_the_first_file_of_tests_says_what_the_script_does_and_no_more_passes_when_it_does_less() -> None:
    text = starter_suite(anon.compile_script(STARTERS["constants"], "s.das"), "s.das")
    assert 'absent = ["PatientBirthDate"]' in text
    assert 'empty = ["AccessionNumber"]' in text
    assert 'PatientName = "X"' in text
    suite = parse_suite(text, "s.tests.toml", Path("/nowhere"))
    for line in STARTERS["constants"].splitlines()[1:]:
        less = STARTERS["constants"].replace(line, "")
        assert run_test(compile_for_tests(less, "s.das", suite), suite.tests[0]).status == "failed", line


def test_inputs_are_read_from_the_folder_of_the_tests(tmp_path: Path) -> None:
    (tmp_path / "scan.dcm").write_bytes(wheel_file("MR_small.dcm").read_bytes())
    path = tmp_path / "s.tests.toml"
    path.write_text(
        '[[test]]\nname = "t"\ninput = { file = "scan.dcm" }\nexpect = { unchanged = ["PatientID"] }\n'
    )
    suite = read_suite(path)
    script = compile_for_tests('version "6.6"\n-(0010,0010)\n', "s.das", suite)
    assert run_test(script, suite.tests[0]).status == "passed"


@pytest.mark.parametrize("tags", ["", 'tags = { PatientName = "X" }\n'])
@pytest.mark.parametrize("damage", ["a sequence that breaks off", "nothing but text"])
def test_an_input_that_cannot_be_read_is_an_error_of_the_test(tmp_path: Path, damage: str, tags: str) -> None:
    item = Dataset()
    item.CodeValue = "A1"
    content = part10_bytes(make_dataset(RequestAttributesSequence=[item]))
    place = content.index(b"\xfe\xff\x00\xe0") + 4
    broken = content[:place] + b"\xff\xff\x00\x00" + content[place + 4 :]
    (tmp_path / "scan.dcm").write_bytes(broken if damage.startswith("a sequence") else b"once upon a time")
    expect = '[test.expect]\nabsent = ["(0040,0275)"]\n'
    text = f'[[test]]\nname = "t"\n[test.input]\nfile = "scan.dcm"\n{tags}{expect}'
    suite = parse_suite(text, "s.tests.toml", tmp_path)
    (check,) = run_test(compile_for_tests("- (0010,0010)\n", "s.das", suite), suite.tests[0]).checks
    assert check.status == "error"
    assert check.message.startswith(f"{tmp_path / 'scan.dcm'}: cannot be read as DICOM (")
