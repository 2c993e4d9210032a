from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset
from command_line import CommandLineSite, prearc
from pydicom.dataset import Dataset
from vectors import FOLDER


def test_init_writes_a_site_that_checks_out(tmp_path: Path) -> None:
    result = prearc("init", tmp_path / "site")
    assert result.exit_code == 0
    assert "serve" in result.stdout
    assert prearc("anon", "check", tmp_path / "site" / "anon").exit_code == 0
    check = prearc("--config", tmp_path / "site", "check")
    assert (check.exit_code, check.stdout) == (0, "nothing is wrong\n")


def statements(text: str) -> list[str]:
    """The lines of a DicomEdit 4 script, without comments."""
    lines = (line.partition("//")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def test_the_scripts_that_init_writes_are_those_of_the_golden_results(tmp_path: Path) -> None:
    prearc("init", tmp_path / "site")
    anon = tmp_path / "site" / "anon"
    texts = [(anon / name).read_text() for name in ("site.das", "projects/TRAINING.das")]
    vectors = (FOLDER / "vectors4" / "training.jsonl").read_text("utf-8").splitlines()
    golden = [statements(json.loads(line)["script"]) for line in vectors]
    for text in (*texts, "".join(texts)):  # each of them, and both in one
        assert statements(text) in golden


def test_init_refuses_an_existing_site(tmp_path: Path) -> None:
    prearc("init", tmp_path)
    result = prearc("--json", "init", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1


def test_check_finds_what_is_wrong_before_the_first_start(tmp_path: Path) -> None:
    site = CommandLineSite(
        tmp_path / "site",
        site_script="(0010,0010) := nonsense[\n",
        extra='[sessions]\nfile_name = "${SeriesNumber}"\n[routing]\nproject = ["nonsense"]\n',
    )
    (site.folder / "anon" / "projects" / "P4.das").unlink()
    findings = site.json("check", code=1)
    assert [list(finding) for finding in findings] == [["severity", "code", "where", "text"]] * len(findings)
    assert len({finding["code"] for finding in findings}) == 4
    text = site.run("check", code=1).stdout
    assert "sessions.file_name" in text
    assert "'nonsense'" in text


def test_before_the_first_start_there_are_no_sessions_but_a_status(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    status = site.json("status")
    assert (status["running"], status["sessions"], status["disk"]) == (False, [], None)
    assert [receiver["listening"] for receiver in status["receivers"]] == [False]
    assert [script["name"] for script in status["scripts"]] == ["site.das", "projects/P4.das"]
    assert "not running" in site.run("status").stdout
    assert site.json("list") == site.json("archived", "list") == []
    for words in (("show", "1"), ("files", "1"), ("rebuild", "1"), ("archive", "1", "--yes")):
        assert "no sessions yet" in site.run(*words, code=4).stderr
    assert not (site.folder / "data").exists()


def test_a_lost_database_is_not_taken_for_a_new_site(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    site.receive(make_dataset())
    for path in (site.folder / "data").glob("prearc.db*"):
        path.unlink()
    for command in ("list", "check", "status"):
        assert "there is no database" in site.run(command, code=2).stderr


def test_check_finds_a_missing_file(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    site.receive(make_dataset(StudyDescription="P4"))
    site.run("rebuild", "1")
    assert site.json("check") == []
    stored = site.folder / "data" / site.json("files", "1")[0]["path"]
    stored.unlink()
    assert site.json("check", code=1)
    assert stored.name in site.run("check", code=1).stdout


def test_status_names_the_scripts_that_are_switched_off(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    assert site.json("status")["switched_off"] == []
    assert "Switched off" not in site.run("status").stdout
    site.run("anon", "site", "disable")
    assert "Switched off: site.das\n" in site.run("status").stdout
    site.receive(make_dataset())
    site.run("anon", "project", "P4", "disable")
    assert site.json("status")["switched_off"] == ["site.das", "projects/P4.das"]


def test_status_counts_sessions_and_tells_failures(tmp_path: Path) -> None:
    script = '(0012,0063) := "x"\n(0008,0060) = "XX" : (0008,103E) := (0008,1140)\n'  # of a sequence
    site = CommandLineSite(tmp_path / "site", site_script=script)
    site.receive(
        make_dataset(StudyDescription="P4"),
        make_dataset(Modality="XX", ReferencedImageSequence=[Dataset()]),
    )
    report = site.json("status")
    assert not report["running"]
    assert [(state["status"], state["sessions"]) for state in report["sessions"]] == [("RECEIVING", 1)]
    (discarded,) = report["discarded"]
    assert (discarded["outcome"], discarded["reason"], discarded["total"]) == ("failed", "script-failed", 1)
    assert {script["name"] for script in report["scripts"]} == {"site.das", "projects/P4.das"}
    text = site.run("status").stdout
    assert "not running" in text
    assert "script-failed" in text
    assert "site.das" in text


def test_a_bad_setting_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site", extra="[sesions]\n")
    for words in (("list",), ("serve",), ("check",), ("status",), ("anon", "site", "show")):
        result = site.run(*words, code=2)
        assert result.stderr.count("\n") == 1
        assert "the nearest known key is 'sessions'" in result.stderr


def test_migrate_makes_the_database_and_says_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    assert "migrated the database from nothing" in site.run("migrate").stdout
    assert "up to date" in site.run("migrate").stdout
    report = site.json("migrate")
    assert report["from_revision"] == report["to_revision"]


def test_a_migration_tells_where_the_backup_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prearchive.db.migrations import MigrationReport

    def migrated(_settings: Any) -> MigrationReport:
        return MigrationReport("0001", "0002", Path("backups/old.db"))

    monkeypatch.setattr("prearchive.db.migrations.migrate", migrated)
    text = CommandLineSite(tmp_path / "site").run("migrate").stdout
    assert "from 0001 to 0002" in text
    assert "backups/old.db" in text
