"""Files of tests: mistakes and what is shown for them, places of keys, the first file for a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import wheel_file

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


def drawn(path: Path) -> str:
    with pytest.raises(FormatError) as caught:
        read_suite(path)
    error = caught.value
    return render(error.diagnostics, error.text, path.name) + "\n"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.partition(".")[0])
def test_mistakes_are_drawn_as_wanted(path: Path) -> None:
    wanted = path.with_name(path.name.partition(".")[0] + ".txt").read_text("utf-8")
    assert drawn(path) == wanted


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
