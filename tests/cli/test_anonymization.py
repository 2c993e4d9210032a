from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from builders import make_dataset, part10_bytes
from command_line import CommandLineSite, prearc

from cli.exits import UsageError
from cli.script_runs import parse_variables

GOOD = "- (0010,0030)\n(0010,0010) := subject\n"
BAD = '(0010,0020) := hashUDI[(0010,0020)]\n(0010,0030) := noSuch["x"]\n'
FAILS = '(0010,0010) := "x"\n(0010,0020) := session\n'


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with two DICOM files, a text and a broken DICOM file."""
    folder = tmp_path / "scans"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.dcm").write_bytes(part10_bytes(make_dataset(PatientName="Doe^Jane")))
    (folder / "deep" / "b.dcm").write_bytes(part10_bytes(make_dataset(PatientName="Roe^Rick")))
    (folder / "readme.txt").write_text("no DICOM")
    (folder / "broken.dcm").write_bytes(bytes(128) + b"DICM" + b"\xff" * 50)
    return folder


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "good.das"
    path.write_text(GOOD)
    return path


def test_check_tells_all_mistakes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.das"
    path.write_text(BAD)
    result = prearc("--json", "anon", "check", path)
    assert result.exit_code == 3
    rows = json.loads(result.stdout)
    assert [list(row) for row in rows] == [
        ["file", "severity", "code", "message", "line", "column", "end_line", "end_column", "hint"]
    ] * 2
    assert [(row["code"], row["line"], row["column"]) for row in rows] == [
        ("unknown-function", 1, 16),
        ("unknown-function", 2, 16),
    ]
    assert "hashUID" in rows[0]["hint"]
    drawn = prearc("anon", "check", path)
    assert drawn.exit_code == 3
    assert "^^^^^^^" in drawn.stdout


def test_check_of_good_scripts_is_an_empty_array(script: Path, tmp_path: Path) -> None:
    result = prearc("anon", "check", script, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "fine (DicomEdit 4.x)" in prearc("anon", "check", tmp_path).stdout
    assert prearc("anon", "check", tmp_path / "none.das").exit_code == 4
    (tmp_path / "binary.das").write_bytes(b"\xff\xfe")
    assert prearc("anon", "check", tmp_path / "binary.das").exit_code == 3


def test_apply_writes_new_files_and_leaves_the_originals(script: Path, scans: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in scans.rglob("*") if path.is_file()}
    result = prearc(
        "--json", "anon", "apply", script, scans, "--output", tmp_path / "out", "--var", "subject=S1"
    )
    assert result.exit_code == 1  # one file cannot be read
    rows = {Path(row["path"]).name: row for row in json.loads(result.stdout)}
    assert {name: row["status"] for name, row in rows.items()} == {
        "a.dcm": "ok",
        "b.dcm": "ok",
        "readme.txt": "skipped",
        "broken.dcm": "unreadable",
    }
    assert rows["b.dcm"]["output"] == str(tmp_path / "out" / "deep" / "b.dcm")
    assert rows["readme.txt"]["output"] is None
    written = sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert written == ["a.dcm", "b.dcm"]
    assert str(pydicom.dcmread(tmp_path / "out" / "a.dcm").PatientName) == "S1"
    assert {path: path.read_bytes() for path in before} == before


def test_apply_tells_a_failure_with_its_place(scans: Path, tmp_path: Path) -> None:
    path = tmp_path / "fails.das"
    path.write_text(FAILS)
    result = prearc("--json", "anon", "apply", path, scans / "a.dcm", "--output", tmp_path / "out")
    assert result.exit_code == 3
    (row,) = json.loads(result.stdout)
    assert (row["status"], row["line"], row["output"]) == ("failed", 2, None)
    assert list((tmp_path / "out").iterdir()) == []
    text = prearc("anon", "apply", path, scans / "a.dcm", "--output", tmp_path / "out").stdout
    assert "2:" in text
    assert "Doe" not in text


def test_apply_with_a_bad_script_draws_it_and_does_nothing(scans: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.das"
    path.write_text(BAD)
    result = prearc("anon", "apply", path, scans, "--output", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "hashUDI" in result.stderr
    assert not (tmp_path / "out").exists()


def test_apply_never_overwrites_and_never_mixes(script: Path, scans: Path, tmp_path: Path) -> None:
    def refused(*words: str | Path) -> str:
        result = prearc("anon", "apply", script, *words, "--var", "subject=S1")
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        return result.stderr

    assert "inside" in refused(scans, "--output", scans / "out")
    assert "inside" in refused(scans, "--output", scans)
    assert "exists already" in refused(scans / "a.dcm", "--output", scans)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.dcm").write_bytes(b"")
    assert "both become" in refused(
        scans / "a.dcm", tmp_path / "other" / "a.dcm", "--output", tmp_path / "out"
    )
    nothing = prearc("anon", "apply", script, tmp_path / "none", "--output", tmp_path / "out")
    assert nothing.exit_code == 4
    assert not (tmp_path / "out").exists()


def test_a_named_file_that_is_no_dicom_is_a_failure(script: Path, scans: Path, tmp_path: Path) -> None:
    result = prearc(
        "anon", "apply", script, scans / "readme.txt", "-o", tmp_path / "out", "--var", "subject=S1"
    )
    assert result.exit_code == 1


def test_an_output_that_cannot_be_written_is_a_failure(script: Path, scans: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = prearc(
        "--json",
        "anon",
        "apply",
        script,
        scans / "a.dcm",
        "-o",
        tmp_path / "file" / "out",
        "--var",
        "subject=S1",
    )
    assert result.exit_code == 1
    (row,) = json.loads(result.stdout)
    where = tmp_path / "file" / "out"
    assert (row["status"], row["message"]) == (
        "unwritable",
        f"{where}: a part of this path is a file, not a folder",
    )


def test_variables_are_name_and_text() -> None:
    assert parse_variables(["a=b", "c=", "d=e=f"]) == {"a": "b", "c": "", "d": "e=f"}
    for wrong in ("a", "=b", "a b=c", "1=c"):
        with pytest.raises(UsageError):
            parse_variables([wrong])


def test_the_functions_are_listed_and_explained() -> None:
    rows = json.loads(prearc("--json", "anon", "functions").stdout)
    assert {("hashUID", "4.x"), ("hashUID", "6.x")} <= {(row["name"], row["language"]) for row in rows}
    assert "hashUID[value]" in prearc("anon", "functions").stdout
    assert "no key" in prearc("anon", "functions", "hashuid").stdout
    unknown = prearc("anon", "functions", "hashUDI")
    assert unknown.exit_code == 4 and "did you mean 'hashUID'? `prearc anon functions`" in unknown.stderr
    assert prearc("anon", "functions", "nope").exit_code == 4


def test_the_scripts_of_a_site_are_shown(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    shown = site.json("anon", "project", "Four", "show")
    assert list(shown) == ["project", "name", "path", "enabled", "sha256", "text", "version"]
    assert (shown["project"], shown["enabled"]) == ("P4", True)
    result = site.run("anon", "site", "show")
    assert result.stdout == (site.folder / "anon" / "site.das").read_text()
    assert "enabled" in result.stderr
    assert site.json("anon", "project", "P5", "show")["text"] is None
    assert "no such file" in site.run("anon", "project", "P5", "show").stderr
    site.run("anon", "project", "NOPE", "show", code=4)


def test_set_takes_only_a_script_that_compiles(tmp_path: Path, script: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    before = site.json("anon", "site", "show")["text"]
    bad = tmp_path / "bad.das"
    bad.write_text(BAD)
    assert "hashUDI" in site.run("anon", "site", "set", bad, code=3).stderr
    assert site.json("anon", "site", "show")["text"] == before
    assert "wrote" in site.run("anon", "site", "set", script).stdout
    assert site.json("anon", "site", "show")["text"] == GOOD
    site.run("anon", "project", "P5", "set", "-", typed="(0010,0010) := subject\n")
    assert site.json("anon", "project", "P5", "show")["text"] == "(0010,0010) := subject\n"
    site.run("anon", "site", "set", tmp_path / "none.das", code=4)


def test_standard_input_is_taken_as_it_is(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    before = site.json("anon", "site", "show")["text"]
    for way in ([], ["--without-tests", "--why", "now"]):
        refused = site.run("anon", "site", "set", "-", *way, typed=b'(0010,0010) := "M\xfcller"\n', code=3)
        assert "not-utf8" in refused.stderr
    assert site.json("anon", "site", "show")["text"] == before
    site.run("anon", "site", "set", "-", typed=b"- (0010,0010)\r\n")
    assert (site.folder / "anon" / "site.das").read_bytes() == b"- (0010,0010)\r\n"


def test_enable_and_disable_switch_the_setting(tmp_path: Path, script: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    assert not site.json("anon", "site", "disable")["enabled"]
    assert "enabled" in site.run("anon", "site", "enable").stdout
    assert site.json("anon", "site", "show")["enabled"]
    assert "set FILE" in site.run("anon", "project", "P5", "enable", code=2).stderr
    site.run("anon", "project", "P5", "set", script)
    assert not site.json("anon", "project", "P5", "show")["enabled"]
    assert site.json("anon", "project", "P5", "enable")["enabled"]
    (site.folder / "anon" / "projects" / "P4.das").write_text(BAD)
    site.run("anon", "project", "P4", "disable")
    site.run("anon", "project", "P4", "enable", code=3)
    assert not site.json("anon", "project", "P4", "show")["enabled"]


# -- tables and keys


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.txt"
    path.write_text("pid/PID-1 = S007\n")
    return path


def test_check_knows_the_table_it_is_given(table: Path, tmp_path: Path) -> None:
    script = tmp_path / "finds.das"
    script.write_text('version "6.6"\n(0010,0020) := lookup["pid", (0010,0020)]\n')
    rows = json.loads(prearc("--json", "anon", "check", script).stdout)
    assert [(row["severity"], row["code"]) for row in rows] == [("warning", "no-lookup-table")]
    assert json.loads(prearc("--json", "anon", "check", script, "--lookup", table).stdout) == []
    table.write_text("other/PID-1 = S007\n")
    rows = json.loads(prearc("--json", "anon", "check", script, "--lookup", table).stdout)
    assert [row["code"] for row in rows] == ["no-such-key-type"]


def test_mistakes_of_a_table_are_drawn(table: Path, script: Path, scans: Path, tmp_path: Path) -> None:
    table.write_text("pid/PID-1 = S007\nnonsense\n")
    for words in (
        ("anon", "check", script),
        ("anon", "apply", script, scans / "a.dcm", "-o", tmp_path / "out", "--var", "subject=S"),
    ):
        result = prearc(*words, "--lookup", table)
        assert result.exit_code == 3
        assert "bad-table-line" in result.stderr and "2 | nonsense" in result.stderr
    assert prearc("anon", "check", script, "--lookup", tmp_path / "none").exit_code == 4


def test_apply_finds_values_in_a_table(table: Path, scans: Path, tmp_path: Path) -> None:
    script = tmp_path / "finds.das"
    script.write_text('version "6.6"\n(0010,0020) := lookup["pid", (0010,0020)]\n')
    out = tmp_path / "out"
    words = ("anon", "apply", script, scans / "a.dcm", "--output", out)
    assert prearc(*words).exit_code == 3
    assert prearc(*words, "--lookup", table).exit_code == 0
    assert pydicom.dcmread(out / "a.dcm").PatientID == "S007"


def test_apply_with_a_sites_key_maps_uids_as_the_site_does(tmp_path: Path) -> None:
    text = 'version "6.6"\n(0020,000D) := mapUID[(0020,000D), "1.2.840.99999"]\n'
    site = CommandLineSite(tmp_path / "site", site_script=text)
    dataset = make_dataset(StudyInstanceUID="1.2.3")
    site.receive(dataset)
    (row,) = site.json("list")
    source = tmp_path / "a.dcm"
    source.write_bytes(part10_bytes(dataset))
    made: list[str] = []
    for key in (("--key", site.folder / "data" / "site.key"), ()):
        out = tmp_path / f"out{len(made)}"
        words = ("anon", "apply", site.folder / "anon" / "site.das", source, "--output", out, *key)
        subprocess.run([sys.executable, "-m", "cli.main", *map(str, words)], check=True, capture_output=True)
        made.append(str(pydicom.dcmread(out / "a.dcm").StudyInstanceUID))
    assert made[0] == row["study_uid"] != made[1]
    for key_file in (tmp_path / "none", source):
        words = ("anon", "apply", site.folder / "anon" / "site.das", source, "--output", out)
        assert prearc(*words, "--key", key_file).exit_code == 2


def test_diff_of_a_session_takes_the_table_of_the_site(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    site.receive(make_dataset(PatientID="PID-1"))
    (site.folder / "anon" / "lookup.txt").write_text("pid/PID-1 = S007\n")
    script = tmp_path / "finds.das"
    script.write_text('version "6.6"\n(0010,0020) := lookup["pid", (0010,0020)]\n')
    result = site.run("anon", "diff", script, "--session", str(site.numbers()[0]))
    assert "S007" in result.stdout


def test_switching_a_script_that_is_switched_so_already_changes_nothing(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    assert "site.das is disabled" in site.run("anon", "site", "disable").stdout
    before = site.run("anon", "site", "history").stdout
    again = site.run("anon", "site", "disable")
    assert (again.exit_code, again.stdout) == (0, "nothing changed: site.das is disabled already\n")
    assert site.run("anon", "site", "history").stdout == before


def test_apply_tells_each_file_and_how_many_there_are(script: Path, scans: Path, tmp_path: Path) -> None:
    result = prearc("anon", "apply", script, scans, "-o", tmp_path / "out", "--var", "subject=S1")
    lines = result.stdout.splitlines()
    assert f"ok          {scans / 'a.dcm'} -> {tmp_path / 'out' / 'a.dcm'}" in lines
    assert lines[-1] == "4 files: 2 ok, 1 unreadable, 1 skipped"


@pytest.mark.parametrize(
    "words", [("functions",), ("functions", "uppercase"), ("explain",), ("library", "list")]
)
def test_lists_stay_within_80_columns(words: tuple[str, ...]) -> None:
    result = prearc("anon", *words)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
