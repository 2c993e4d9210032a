"""`prearc anon check --profile`: what a script leaves of what the Basic Profile protects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import prearc

from anon.profile.generate import make_script

ALMOST = "".join(
    line for line in make_script().splitlines(keepends=True) if "(0018,4000)" not in line
)  # keeps a comment


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "p4.das"
    path.write_text(ALMOST)
    return path


def test_without_a_profile_nothing_is_said_of_it(script: Path) -> None:
    assert "PS3.15 2026c" not in prearc("anon", "check", script).stdout


def test_what_stays_is_a_table_with_a_sum(script: Path) -> None:
    result = prearc("anon", "check", script, "--profile", "basic")
    assert result.exit_code == 0
    assert f"{script}: Basic Profile of DICOM PS3.15 2026c\n" in result.stdout
    lines = result.stdout.splitlines()
    (row,) = (line for line in lines if line.startswith("(0018"))
    assert row.split() == ["(0018,4000)", "AcquisitionComments", "remove", "unchanged", "unchanged"]
    assert lines[-2:] == [
        "652 of 653 protected attributes are removed, emptied or replaced",
        "1 stays as it was",
    ]


def test_the_table_of_a_script_that_does_little_fits_a_narrow_terminal(tmp_path: Path) -> None:
    path = tmp_path / "site.das"
    path.write_text("- (0010,0030)\n")
    result = prearc("anon", "check", path, "--profile", "basic")
    table = [line for line in result.stdout.splitlines() if line.startswith(("(", "tag", "private"))]
    assert len(table) == 654
    assert max(map(len, table)) <= 80
    (row,) = (line for line in table if "PatientBirthDate" in line)
    assert row.split()[-3:] == ["empty", "removed", "unchanged"]
    assert result.stdout.endswith("653 stay as they were, 1 of them only in items of sequences\n")


def test_programs_get_a_warning_for_each_attribute(script: Path) -> None:
    rows = json.loads(prearc("--json", "anon", "check", script, "--profile", "basic").stdout)
    assert [(row["code"], row["severity"], row["file"]) for row in rows] == [
        ("profile-gap", "warning", str(script))
    ]
    assert rows[0]["message"] == "(0018,4000) AcquisitionComments stays as it was (profile: remove)"
    annotated = prearc("anon", "check", script, "--profile", "basic", "--format", "github").stdout
    assert "title=profile-gap" in annotated


def test_programs_are_told_that_a_value_is_copied(script: Path) -> None:
    script.write_text(make_script().replace("removeAll", "(0020,0010) := (0010,0010)\nremoveAll"))
    script.write_text(script.read_text().replace('*/(0020,0010) ?= ""', ""))
    rows = json.loads(prearc("--json", "anon", "check", script, "--profile", "basic").stdout)
    messages = [row["message"] for row in rows if row["code"] == "profile-gap"]
    assert "(0010,0010) PatientName is copied to another attribute (profile: empty)" in messages


def test_strict_fails_on_what_stays(script: Path) -> None:
    assert prearc("anon", "check", script, "--strict").exit_code == 0
    assert prearc("anon", "check", script, "--strict", "--profile", "basic").exit_code == 1
    script.write_text(make_script())
    assert prearc("anon", "check", script, "--strict", "--profile", "basic").exit_code == 0


def test_options_are_counted_by_what_they_keep(script: Path) -> None:
    script.write_text(make_script(["retain-uids", "retain-device"]))
    words = ["--profile", "basic", "--profile", "retain-uids", "--profile", "retain-device"]
    lines = prearc("anon", "check", script, *words).stdout.splitlines()
    assert "  with retain-uids, retain-device" in lines
    assert lines[-1] == "88 of 88 attributes that the options keep are kept"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("reject[]", "The script rejects every object that it was tried on"),
        (
            '(0010,0020) := substring["a", 5, 9]',
            "the script fails on the objects that it was tried on, in line 2",
        ),
    ],
)
def test_a_script_that_takes_no_object_is_told(script: Path, statement: str, told: str) -> None:
    script.write_text(f'version "6.6"\n{statement}\n')
    assert told in " ".join(prearc("anon", "check", script, "--profile", "basic").stdout.split())


def test_a_script_that_fails_when_it_is_tried_is_a_warning_for_programs(script: Path) -> None:
    script.write_text('version "6.6"\n(0010,0020) := substring["a", 5, 9] // prearc: allow method-unset\n')
    rows = json.loads(prearc("--json", "anon", "check", script, "--profile", "basic").stdout)
    assert ("profile-untested", "warning", 2) in [(row["code"], row["severity"], row["line"]) for row in rows]


def test_a_script_with_mistakes_is_not_tried(script: Path) -> None:
    script.write_text('version "6.6"\nnosuch[]\n')
    result = prearc("anon", "check", script, "--profile", "basic")
    assert result.exit_code == 3
    assert "PS3.15" not in result.stdout


def test_profiles_that_there_are_not_are_refused(script: Path) -> None:
    result = prearc("anon", "check", script, "--profile", "retain-uid")
    assert result.exit_code == 2
    assert "did you mean 'retain-uids'?" in " ".join(result.stderr.split())
