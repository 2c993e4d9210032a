"""`prearc anon test`: which tests run, what is told about them, and how the command ends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLineSite, prearc

import anon.testing.expectations  # noqa: F401  (imports the verbs)
import cli.output
from anon.testing.registry import verbs
from cli import script_tests

SCRIPT = """\
version "6.6"
(0010,0010) := "ANONYMOUS"
-(0010,0030)
(0008,1030) := "Knee"
(0010,0010) := lowercase[(0010,0010)]
"""
TESTS = """\
[[test]]
name = "the birth date goes"
input.tags = { PatientBirthDate = "19700101" }
expect = { absent = ["PatientBirthDate"] }

[[test]]
name = "names go"

[test.input.tags]
PatientName = "Doe^Jane"
PatientID = "Doe-4711"
StudyDescription = "Knee left, to be read by somebody who knows how to read knees, and only by them"

[test.expect]
equals = { PatientName = "ANONYMOUS" }
text_removed = ["Doe", "Miller"]
unchanged = ["StudyDescription"]

[[test]]
name = "wrong objects are turned away"
input = { tags = { Modality = "OT" } }
expect = { rejected = true }
"""
OUTPUT = """\
s.das  (3 tests)
  ok      the birth date goes
  ERROR   names go
  FAILED  wrong objects are turned away

ERROR names go
  s.tests.toml:6
  equals: PatientName (0010,0010) has another value
    expected  ANONYMOUS
    found     anonymous
    line 2    (0010,0010) := "ANONYMOUS"
    line 5    (0010,0010) := lowercase[(0010,0010)]
  text_removed: PatientID (0010,0020) still holds the word 'Doe'
    expected  without 'Doe'
    found     Doe-4711
    no statement of s.das changes it
  text_removed: the input has no word 'Miller', so nothing can be removed
  unchanged: StudyDescription (0008,1030) has changed
    expected  Knee left, to be read by somebody who knows how...and only by them
    found     Knee
    line 4    (0008,1030) := "Knee"

FAILED wrong objects are turned away
  s.tests.toml:19
  rejected: the script should reject the object, but it accepts it
    expected  (rejected)
    found     (accepted)

1 passed, 1 failed, 1 with an error in 0.00 s
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.das").write_text(SCRIPT)
    (tmp_path / "s.tests.toml").write_text(TESTS)
    return tmp_path


def one_test(name: str, expect: str, tags: str = 'PatientName = "Doe"') -> str:
    return f"[[test]]\nname = {json.dumps(name)}\n[test.input.tags]\n{tags}\n[test.expect]\n{expect}\n"


def without_time(text: str) -> str:
    return re.sub(r"[0-9]+\.[0-9]{2} s\n$", "0.00 s\n", text)


def test_the_output_is_that_of_a_test_runner(folder: Path) -> None:
    result = prearc("anon", "test")
    assert without_time(result.stdout) == OUTPUT
    assert (result.exit_code, result.stderr) == (1, "")


def test_lines_are_short_when_nobody_knows_how_wide_the_terminal_is(folder: Path) -> None:
    assert max(len(line) for line in prearc("anon", "test").stdout.splitlines()) <= 80


@pytest.mark.parametrize("word", [".", "s.das", "s.tests.toml"])
def test_a_folder_a_script_or_its_tests_can_be_named(folder: Path, word: str) -> None:
    assert without_time(prearc("anon", "test", word).stdout) == OUTPUT


def test_the_same_script_is_tested_once(folder: Path) -> None:
    result = prearc("anon", "test", "s.das", "s.tests.toml", ".", folder / "s.das")
    assert result.stdout.count("(3 tests)") == 2  # once by its name and once by its whole path


def test_colours_are_for_terminals(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in prearc("anon", "test").stdout
    monkeypatch.setattr(cli.output, "wants_colour", lambda stream=None: True)
    coloured = prearc("anon", "test").stdout
    assert "\x1b[32mok    \x1b[0m  the birth date goes" in coloured
    assert "\x1b[31mFAILED\x1b[0m" in coloured
    assert without_time(re.sub("\x1b\\[[0-9]*m", "", coloured)) == OUTPUT


def rows_of(*words: str, code: int) -> list[dict[str, Any]]:
    result = prearc("--json", "anon", "test", *words)
    assert result.exit_code == code, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_json_has_a_row_for_each_expectation(folder: Path) -> None:
    rows = rows_of(code=1)
    assert [(row["test"], row["status"], row["verb"]) for row in rows] == [
        ("the birth date goes", "passed", "absent"),
        ("names go", "failed", "equals"),
        ("names go", "failed", "text_removed"),
        ("names go", "error", "text_removed"),
        ("names go", "failed", "unchanged"),
        ("wrong objects are turned away", "failed", "rejected"),
    ]
    assert rows[1] == {
        "script": "s.das",
        "tests": "s.tests.toml",
        "test": "names go",
        "line": 6,
        "status": "failed",
        "verb": "equals",
        "path": "(0010,0010)",
        "expected": "ANONYMOUS",
        "found": "anonymous",
        "message": "PatientName (0010,0010) has another value",
        "statements": [
            {"line": 2, "text": '(0010,0010) := "ANONYMOUS"'},
            {"line": 5, "text": "(0010,0010) := lowercase[(0010,0010)]"},
        ],
    }
    assert {tuple(row) for row in rows} == {tuple(rows[0])}


def test_tests_can_be_chosen_by_their_names(folder: Path) -> None:
    result = prearc("anon", "test", "-k", "BIRTH")
    assert result.exit_code == 0
    assert "s.das  (1 test)\n  ok      the birth date goes\n" in result.stdout
    nothing = prearc("anon", "test", "-k", "nonsense")
    assert nothing.exit_code == 4
    assert "no test has 'nonsense' in its name" in nothing.stderr


def test_the_first_failure_can_be_the_last(folder: Path) -> None:
    (folder / "z.das").write_text(SCRIPT)
    rows = rows_of("-x", code=1)
    assert {row["test"] for row in rows} == {"the birth date goes", "names go"}


def test_everything_passes_with_exit_code_0(folder: Path) -> None:
    (folder / "s.tests.toml").write_text(one_test("n", 'equals = { PatientName = "anonymous" }'))
    result = prearc("anon", "test")
    assert (result.exit_code, without_time(result.stdout)) == (
        0,
        "s.das  (1 test)\n  ok      n\n\n1 passed in 0.00 s\n",
    )


# -- what keeps tests from being run


def test_a_script_without_tests_is_named(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "p4.das").write_text("- (0010,0010)\n")
    (folder / "s.tests.toml").write_text(one_test("n", 'equals = { PatientName = "anonymous" }'))
    result = prearc("anon", "test")
    assert result.exit_code == 0
    assert "more/p4.das  (0 tests)" in result.stdout
    assert "without tests: more/p4.das" in result.stdout
    untested = [row for row in rows_of(code=0) if row["status"] == "untested"]
    assert [(row["script"], row["tests"]) for row in untested] == [("more/p4.das", None)]


@pytest.mark.parametrize("has_tests", [True, False])
def test_a_script_that_does_not_compile_ends_with_exit_code_3(folder: Path, has_tests: bool) -> None:
    (folder / "s.das").write_text('version "6.6"\n(0010,0010) := nonsense["x"]\n')
    if not has_tests:
        (folder / "s.tests.toml").unlink()
    result = prearc("anon", "test")
    assert result.exit_code == 3
    assert "s.das  (cannot be tested)" in result.stdout
    assert " --> s.das:2:16\n" in result.stdout
    assert "^^^^^^^^" in result.stdout
    (row,) = rows_of(code=3)
    assert row["status"] == "error"
    assert row["message"].startswith("s.das:2:16: ")


def test_a_broken_file_of_tests_ends_with_exit_code_2(folder: Path) -> None:
    (folder / "s.tests.toml").write_text(TESTS.replace("absent", "abset").replace("unchanged", "PatientName"))
    result = prearc("anon", "test")
    assert result.exit_code == 2
    assert " --> s.tests.toml:4:12\n" in result.stdout
    assert "did you mean 'absent'?" in result.stdout
    assert result.stdout.endswith("0 passed, 1 script not tested in " + result.stdout[-7:])
    assert [row["message"].partition(": ")[0] for row in rows_of(code=2)] == [
        "s.tests.toml:4:12",
        "s.tests.toml:17:1",
    ]


def test_tests_without_a_script_are_named(folder: Path) -> None:
    (folder / "s.das").unlink()
    result = prearc("anon", "test")
    assert result.exit_code == 2
    assert "s.tests.toml: there is no s.das beside it" in result.stdout


def test_the_worst_decides_and_the_others_run(folder: Path) -> None:
    (folder / "a.das").write_text("nonsense\n")
    (folder / "b.das").write_text("- (0010,0010)\n")
    (folder / "b.tests.toml").write_text("x = 1\n")
    result = prearc("anon", "test")
    assert result.exit_code == 3
    assert "FAILED  wrong objects are turned away" in result.stdout
    assert "1 passed, 1 failed, 1 with an error, 2 scripts not tested" in result.stdout


@pytest.mark.parametrize(("word", "code"), [("missing.das", 4), ("empty", 4)])
def test_nothing_to_test_is_said(folder: Path, word: str, code: int) -> None:
    (folder / "empty").mkdir()
    result = prearc("anon", "test", word)
    assert result.exit_code == code
    assert word in result.stderr


def test_without_a_folder_the_scripts_of_the_site_are_tested(folder: Path) -> None:
    site = CommandLineSite(folder / "here")
    tests = one_test("n", "absent = ['PatientBirthDate']")
    (site.folder / "anon" / "site.tests.toml").write_text(tests)
    result = site.run("anon", "test")
    assert f"{site.folder}/anon/site.das  (1 test)" in result.stdout
    assert f"{site.folder}/anon/projects/P4.das  (0 tests)" in result.stdout


def test_the_tests_of_the_library_pass_beside_the_scripts_that_init_writes(folder: Path) -> None:
    prearc("init", folder / "new")
    for name, target in (("xnat-training-site", "site"), ("xnat-training-project", "projects/TRAINING")):
        prearc("anon", "library", "copy", name, folder / "library")
        tests = (folder / "library" / f"{name}.tests.toml").read_text()
        (folder / "new" / "anon" / f"{target}.tests.toml").write_text(tests)
    result = prearc("--config", folder / "new", "anon", "test")
    assert result.exit_code == 0
    assert "4 passed" in result.stdout
    assert "0 tests" not in result.stdout


@pytest.mark.parametrize("scope", [["site"], ["project", "TRAINING"]])
def test_after_init_any_script_that_compiles_can_replace_the_examples(folder: Path, scope: list[str]) -> None:
    prearc("init", folder / "new")
    (folder / "own.das").write_text('version "6.6"\n(0008,0080) := "here"\n')
    result = prearc("--config", folder / "new", "anon", *scope, "set", "own.das")
    assert result.exit_code == 0, result.output
    assert prearc("--config", folder / "new", "check").stdout == "nothing is wrong\n"


def test_hostile_names_and_values_never_reach_the_terminal(folder: Path) -> None:
    tests = one_test(
        "\x1b[2Jname\nof two lines", 'equals = { PatientID = "x" }', 'PatientID = "\\u001b[31mred\\n"'
    )
    (folder / "s.tests.toml").write_text(tests + '[test.variables]\n"\\u001b[2J" = "x"\n')
    for words in ([], ["--json"], ["-k", "\x1b[2J"]):
        result = prearc("anon", "test", *words)
        assert result.exit_code == 1
        assert "\x1b" not in result.output
    plain = prearc("anon", "test").stdout
    assert "\\x1b[2Jname\\nof two lines" in plain
    assert "found     \\x1b[31mred" in plain


# -- a first file of tests


def test_a_first_file_of_tests_is_written_and_passes(folder: Path) -> None:
    (folder / "new.das").write_text(SCRIPT)
    result = prearc("anon", "test", "new.das", "--init")
    assert (result.exit_code, result.stdout) == (0, "wrote new.tests.toml\n")
    assert prearc("anon", "test", "new.das").exit_code == 0
    again = prearc("anon", "test", "new.das", "--init")
    assert again.exit_code == 2
    assert "new.tests.toml exists already" in again.stderr


def test_a_first_file_of_tests_needs_a_script_that_compiles(folder: Path) -> None:
    assert prearc("anon", "test", "--init").exit_code == 2
    (folder / "new.das").write_text("nonsense\n")
    assert prearc("anon", "test", "new.das", "--init").exit_code == 3
    assert not (folder / "new.tests.toml").exists()


def test_help_lists_every_verb(folder: Path) -> None:
    assert set(" ".join(script_tests.VERBS).split()) == set(verbs())
    text = " ".join(prearc("anon", "test", "--help").stdout.split())
    assert all(name in text for name in verbs())


def test_tests_stand_beside_their_script() -> None:
    from anon.testing.model import script_path_of, tests_path_of

    assert tests_path_of(Path("a/site.das")) == Path("a/site.tests.toml")
    assert tests_path_of(Path("a/odd")) == Path("a/odd.tests.toml")
    assert script_path_of(Path("a/site.tests.toml")) == Path("a/site.das")


# -- before a script comes into force


@pytest.fixture
def site(folder: Path) -> CommandLineSite:
    made = CommandLineSite(folder / "here")
    tests = one_test("the birth date goes", "absent = ['PatientBirthDate']", "PatientBirthDate = '19700101'")
    (made.folder / "anon" / "site.tests.toml").write_text(tests)
    (folder / "s.tests.toml").unlink()
    return made


def test_a_script_that_passes_comes_into_force(site: CommandLineSite) -> None:
    result = site.run("anon", "site", "set", "s.das")
    assert "[method-unset]" in result.stderr  # what a check warns of, and nothing about tests
    assert "FAILED" not in result.stderr and "tests" not in result.stderr
    assert (site.folder / "anon" / "site.das").read_text() == SCRIPT


@pytest.mark.parametrize("scope", [["site"], ["project", "Four"]])
def test_a_script_that_fails_its_tests_is_refused(site: CommandLineSite, scope: list[str]) -> None:
    name = "site" if scope == ["site"] else "projects/P4"
    in_force = site.folder / "anon" / f"{name}.das"
    tests = site.folder / "anon" / f"{name}.tests.toml"
    tests.write_text((site.folder / "anon" / "site.tests.toml").read_text())
    before = in_force.read_text()
    (site.folder / "weak.das").write_text("- (0010,0040)\n")
    result = site.run("anon", *scope, "set", site.folder / "weak.das", code=1)
    assert in_force.read_text() == before
    assert result.stdout == ""
    assert "FAILED the birth date goes" in result.stderr
    assert "PatientBirthDate (0010,0030) is still there" in result.stderr
    assert f"prearc: 1 failed: {in_force} stays as it was" in result.stderr.replace("0 passed, ", "")
    assert f"what is expected in {tests}" in result.stderr
    typed = site.run("anon", *scope, "set", "-", typed="- (0010,0040)\n", code=1)
    assert "FAILED the birth date goes" in typed.stderr
    assert in_force.read_text() == before


def test_the_tests_beside_the_new_script_count_too(site: CommandLineSite, folder: Path) -> None:
    before = (site.folder / "anon" / "site.das").read_text()
    (folder / "s.tests.toml").write_text(TESTS)
    result = site.run("anon", "site", "set", "s.das", code=1)
    assert "FAILED wrong objects are turned away" in result.stderr
    assert "what is expected in s.tests.toml" in result.stderr
    assert (site.folder / "anon" / "site.das").read_text() == before


def test_new_tests_can_replace_those_in_force(site: CommandLineSite, folder: Path) -> None:
    in_force = site.folder / "anon" / "site.tests.toml"
    (folder / "weak.das").write_text("- (0010,0040)\n")
    new_tests = folder / "weak.tests.toml"
    new_tests.write_text(one_test("the sex goes", "absent = ['PatientSex']", "PatientSex = 'F'"))
    result = site.run("anon", "site", "set", "weak.das", code=1)
    assert f"all of weak.tests.toml pass: if they replace the others, copy that file to {in_force} first" in (
        result.stderr
    )
    in_force.write_text(new_tests.read_text())
    site.run("anon", "site", "set", "weak.das")


def test_broken_tests_let_no_script_pass(site: CommandLineSite) -> None:
    tests = site.folder / "anon" / "site.tests.toml"
    tests.write_text(tests.read_text().replace("absent", "abset"))
    result = site.run("anon", "site", "set", "s.das", code=2)
    assert "did you mean 'absent'?" in result.stderr
    assert (site.folder / "anon" / "site.das").read_text() != SCRIPT


def test_a_script_without_tests_comes_into_force(site: CommandLineSite) -> None:
    site.run("anon", "project", "P4", "set", "s.das")
    assert (site.folder / "anon" / "projects" / "P4.das").read_text() == SCRIPT


def test_the_tests_can_be_left_out_when_somebody_says_why(site: CommandLineSite) -> None:
    (site.folder / "weak.das").write_text("- (0010,0040)\n")
    words = ["anon", "site", "set", str(site.folder / "weak.das"), "--without-tests"]
    refused = site.run(*words, code=2)
    assert "say why with --why" in refused.stderr
    site.run(*words, "--why", "a leak tonight")
    assert (site.folder / "anon" / "site.das").read_text() == "- (0010,0040)\n"
    assert site.json("anon", "site", "history")[-1]["why"] == "a leak tonight (without tests)"


# -- who edits a script by hand


def test_check_finds_a_script_in_force_that_fails_its_tests(site: CommandLineSite) -> None:
    assert site.json("check") == []
    (site.folder / "anon" / "site.das").write_text("- (0010,0040)\n")
    (finding,) = site.json("check", code=1)
    assert (finding["severity"], finding["code"], finding["where"]) == (
        "warning", "script-tests-fail", "site.das",
    )  # fmt: skip
    assert finding["text"] == "1 of 1 tests fail: 'the birth date goes'; `prearc anon test` tells why"


@pytest.mark.parametrize(
    ("tests", "text"),
    [
        ("x = 1\n", "site.tests.toml:1:1: a file of tests has no key 'x'; no test was run"),
        ('lookup = "missing.txt"\n' + TESTS, "site.tests.toml:1:10: the lookup table cannot be read"),
        (
            TESTS,
            "2 of 3 tests fail: 'names go', 'wrong objects are turned away'; `prearc anon test` tells why",
        ),
    ],
)
def test_check_finds_tests_that_cannot_be_run(site: CommandLineSite, tests: str, text: str) -> None:
    (site.folder / "anon" / "site.tests.toml").write_text(tests)
    (finding,) = site.json("check", code=1)
    assert finding["code"] == "script-tests-fail"
    assert text in finding["text"]


def test_check_does_not_mind_scripts_that_are_switched_off(site: CommandLineSite) -> None:
    (site.folder / "anon" / "site.tests.toml").write_text("x = 1\n")
    site.run("anon", "site", "disable")
    assert site.json("check") == []


def test_a_script_that_is_no_utf8_does_not_stop_the_tests_of_others(folder: Path) -> None:
    (folder / "mixed").mkdir()
    (folder / "mixed" / "a.das").write_bytes('(0010,0010) := "Müller"\n'.encode("latin-1"))
    (folder / "mixed" / "b.das").write_text("- (0010,0010)\n")
    result = prearc("anon", "test", folder / "mixed")
    assert result.exit_code == 3
    assert "a.das  (cannot be tested)" in result.stdout
    assert "b.das  (0 tests)" in result.stdout
    assert "[not-utf8]" in result.stdout
