"""`prearc anon check`: what it prints, and what it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import CommandLineSite, prearc

DEFAULTS = Path(__file__).parents[2] / "config" / "defaults"
FINE = "- (0010,0030)\n(0010,0010) := subject\n"
WARNED = "(0020,000D) := new UID\n"
WRONG = '(0010,0020) := hashUDI[(0020,000D)]\n- (0100,0010)\n(0010,0030) := noSuch["x"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a script without remarks, one with a warning and one with mistakes."""
    (tmp_path / "anon" / "projects").mkdir(parents=True)
    (tmp_path / "anon" / "fine.das").write_text(FINE)
    (tmp_path / "anon" / "warned.das").write_text(WARNED)
    (tmp_path / "anon" / "projects" / "wrong.das").write_text(WRONG)
    return tmp_path / "anon"


def test_mistakes_and_warnings_come_together_and_mistakes_decide(folder: Path) -> None:
    result = prearc("anon", "check", folder / "projects" / "wrong.das")
    assert result.exit_code == 3
    assert result.stdout.count("error[unknown-function]") == 2
    assert "warning[unknown-tag]" in result.stdout
    assert "1 script: 2 errors, 1 warning" in result.stdout
    assert "prearc anon explain" in result.stdout


def test_warnings_alone_are_fine_unless_they_count(folder: Path) -> None:
    result = prearc("anon", "check", folder / "warned.das")
    assert result.exit_code == 0
    assert "warning[new-uid]" in result.stdout
    assert "fine (DicomEdit 4.x), 1 warning" in result.stdout
    assert prearc("anon", "check", folder / "warned.das", "--strict").exit_code == 1
    assert prearc("anon", "check", folder / "fine.das", "--strict").exit_code == 0
    assert prearc("anon", "check", folder, "--strict").exit_code == 3


def test_a_folder_is_all_scripts_in_it_and_a_line_that_sums_up(folder: Path) -> None:
    result = prearc("anon", "check", folder)
    assert result.exit_code == 3
    assert "3 scripts: 2 errors, 2 warnings" in result.stdout
    empty = folder / "empty"
    empty.mkdir()
    result = prearc("anon", "check", empty)
    assert result.exit_code == 4
    assert "there are no scripts (*.das) in" in result.stderr


def test_a_folder_with_the_name_of_a_script_is_a_folder(folder: Path) -> None:
    (folder / "old.das").mkdir()
    (folder / "old.das" / "inner.das").write_text(FINE)
    for command in ("check", "test"):
        text = prearc("anon", command, folder).stdout
        assert "old.das/inner.das" in text
        assert "warned.das" in text
        assert "old.das: it is a folder" not in text


def test_what_editors_and_systems_put_beside_scripts_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.das").write_text("- (0010,4000)\n")
    (tmp_path / ".#a.das").symlink_to("somebody@somewhere.1")
    (tmp_path / "._a.das").write_bytes(b"\0\5\x16\7\0")
    (tmp_path / "._a.tests.toml").write_bytes(b"\0\5\x16\7\0")
    result = prearc("anon", "check", tmp_path)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'a.das'}: fine (DicomEdit 4.x)\n")
    result = prearc("anon", "test", tmp_path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"{tmp_path / 'a.das'}  (0 tests)"
    assert "._a" not in result.stdout


def test_rows_for_programs_are_the_same_in_both_ways_to_ask(folder: Path) -> None:
    rows = json.loads(prearc("--json", "anon", "check", folder).stdout)
    assert rows == json.loads(prearc("anon", "check", folder, "--format", "json").stdout)
    wanted = ["file", "severity", "code", "message", "line", "column", "end_line", "end_column", "hint"]
    assert [list(row) for row in rows] == [wanted] * 4
    assert {row["severity"] for row in rows} == {"error", "warning"}
    (row,) = [row for row in rows if row["file"].endswith("warned.das")]
    assert (row["code"], row["line"], row["column"], row["end_column"]) == ("new-uid", 1, 20, 23)
    result = prearc("--json", "anon", "check", folder, "--format", "github")
    assert (result.exit_code, result.stdout) == (2, "")


def test_annotations_of_a_workflow(folder: Path) -> None:
    result = prearc("anon", "check", folder, "--format", "github")
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert len(lines) == 4
    warned = next(line for line in lines if "warned.das" in line)
    place = f"file={(folder / 'warned.das').as_posix()},line=1,endLine=1,col=20,endColumn=22,title=new-uid"
    assert warned.startswith(f"::warning {place}::every file gets a (0020,000D)")
    assert sum(line.startswith("::error file=") for line in lines) == 2


def test_what_annotations_hold_cannot_end_them(tmp_path: Path) -> None:
    odd = tmp_path / "100%: a,b.das"
    odd.write_text('(0010,0010) := noSuch["x"]\n')
    (line,) = prearc("anon", "check", odd, "--format", "github").stdout.splitlines()
    properties, _, message = line.removeprefix("::error ").partition("::")
    assert "100%25%3A a%2Cb.das," in properties
    assert properties.count(":") == 0
    assert "noSuch" in message


def test_a_file_that_is_no_text_is_one_mistake_among_others(folder: Path) -> None:
    (folder / "binary.das").write_bytes(b"- (0010,0010)\n- (0010,0020) // M\xfcller\n")
    result = prearc("--json", "anon", "check", folder)
    assert result.exit_code == 3
    rows = [row for row in json.loads(result.stdout) if row["file"].endswith("binary.das")]
    assert [(row["code"], row["severity"], row["line"]) for row in rows] == [("not-utf8", "error", 2)]
    assert "4 scripts: 3 errors, 2 warnings" in prearc("anon", "check", folder).stdout


def test_what_a_script_is_for(folder: Path, tmp_path: Path) -> None:
    site = tmp_path / "site.das"
    site.write_text(FINE)
    early = "early-variable"
    assert early in prearc("anon", "check", site).stdout
    assert early in prearc("anon", "check", folder / "fine.das", "--for", "site").stdout
    assert early not in prearc("anon", "check", folder / "fine.das").stdout
    assert early not in prearc("anon", "check", site, "--for", "project").stdout
    assert prearc("anon", "check", site, "--for", "nobody").exit_code == 2


def test_a_comment_silences_a_warning(tmp_path: Path) -> None:
    script = tmp_path / "allowed.das"
    script.write_text("(0020,000D) := new UID // prearc: allow new-uid\n")
    result = prearc("anon", "check", script, "--strict")
    assert (result.exit_code, "new-uid" in result.stdout) == (0, False)


def test_text_for_people_fits_80_columns(folder: Path) -> None:
    for line in prearc("anon", "check", folder / "projects" / "wrong.das").stdout.splitlines():
        if str(folder) not in line:
            assert len(line) <= 80, line


def test_nothing_is_said_of_the_scripts_of_a_new_site() -> None:
    result = prearc("--json", "anon", "check", DEFAULTS / "anon", "--strict")
    assert json.loads(result.stdout) == []
    assert result.exit_code == 0


def test_a_script_that_comes_into_force_is_warned_of(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    new = tmp_path / "new.das"
    new.write_text('version "6.6"\n(0020,000D) := newUID[]\n(0010,0020) := lookup["pid", (0010,0020)]\n')
    result = site.run("anon", "site", "set", new)
    assert f"{new}:2:16: warning: every file gets a (0020,000D)" in result.stderr
    assert "[no-lookup-table]" in result.stderr
    (site.folder / "anon" / "lookup.txt").write_text("pid/1 = S1\n")
    result = site.run("anon", "project", "P4", "set", new)
    assert "[new-uid]" in result.stderr
    assert "[no-lookup-table]" not in result.stderr
    new.write_text("(0010,0010) := subject\n")
    assert "[early-variable]" in site.run("anon", "site", "set", new).stderr
    assert site.run("anon", "project", "P4", "set", new).stderr == ""


def test_the_example_of_the_page_is_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (DEFAULTS.parents[1] / "docs" / "checking-scripts.md").read_text("utf-8")
    shown = page.partition("$ prearc anon check new.das\n")[2].partition("```")[0]
    silenced = next(line for line in page.splitlines() if "// prearc: allow new-uid. " in line)
    monkeypatch.chdir(tmp_path)
    Path("new.das").write_text("(0020,000D) := new UID\n")
    assert prearc("anon", "check", "new.das").stdout == shown
    Path("silenced.das").write_text(silenced + "\n")
    assert prearc("anon", "check", "silenced.das", "--strict").exit_code == 0
