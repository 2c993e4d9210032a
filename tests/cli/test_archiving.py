"""`prearc archive` shows what the project's script changes before it asks for a confirmation."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from builders import make_dataset
from command_line import CommandLineSite
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from cli import archiving

PROJECT_SCRIPT = (
    'version "6.6"\n(0010,0010) := subject\n(0020,0013) = "2" ? reject[]\n'
    '(0020,0013) = "3" ? (0028,0010) := "no number"\n'
)
GOOD_SCRIPT = "(0008,1030) := project\n(0010,0010) := subject\n- (0010,1010)\n"


def study(count: int, series: int = 1) -> list[Dataset]:
    """Some instances of each series of one study, in P4."""
    study_uid = generate_uid()
    found = []
    for number in range(series):
        series_uid = generate_uid()
        for instance in range(count):
            dataset = make_dataset(
                StudyInstanceUID=study_uid, SeriesInstanceUID=series_uid, StudyDescription="P4",
                SeriesNumber=number + 1, InstanceNumber=instance + 1, PatientAge="042Y",
                PatientName=f"Doe^{number}-{instance}", PatientID="E1",
            )  # fmt: skip
            found.append(dataset)
    return found


def ready(folder: Path, script: str, datasets: list[Dataset]) -> CommandLineSite:
    site = CommandLineSite(folder)
    (folder / "anon" / "projects" / "P4.das").write_text(script)
    site.receive(*datasets)
    site.run("rebuild", "1")
    site.run("label", "1", "--subject", "S1", "--session", "S1_MR1")
    return site


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody sits there and says no; how often is counted."""
    questions: list[str] = []
    monkeypatch.setattr("cli.actions.is_interactive", lambda: True)

    def answer() -> str:
        questions.append("asked")
        return "n"

    monkeypatch.setattr("cli.actions.read_answer", answer)
    return questions


def test_the_changes_come_before_the_question(tmp_path: Path, asked: list[str]) -> None:
    site = ready(tmp_path / "site", GOOD_SCRIPT, study(2))
    result = site.run("archive", "1", code=2)
    assert asked == ["asked"]
    lines = result.stderr.splitlines()
    start = lines.index("What projects/P4.das changes")
    assert lines[start + 1 : start + 7] == [
        "(0010,0010) PatientName  in 2 of 2 files",
        "  - Doe^0-0",
        "  + S1",
        "  - Doe^0-1",
        "  + S1",
        "(0010,1010) PatientAge  in 2 of 2 files",
    ]
    assert "Archive it with these labels? [y/N]" in result.stderr[result.stderr.index("PatientAge") :]
    assert result.stdout == ""
    assert site.json("show", "1")["status"] == "READY"


def test_nobody_waits_for_a_summary_that_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = ready(tmp_path / "site", GOOD_SCRIPT, study(1))
    assert "What projects/P4.das changes" not in site.run("archive", "1", code=2).stderr
    assert site.run("archive", "1", "--yes").stderr == ""
    monkeypatch.setattr("cli.actions.is_interactive", lambda: True)
    monkeypatch.setattr("cli.actions.read_answer", lambda: "y")
    site.receive(*study(1))
    site.run("rebuild", "2")
    result = site.run("--json", "archive", "2", "--subject", "S2", "--session", "S2_MR1")
    assert "What projects/P4.das changes" in result.stderr
    assert json.loads(result.stdout)["status"] == "ARCHIVED"


def test_of_many_files_some_of_each_scan_are_looked_at(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "MOST_LOOKED_AT", 4)
    site = ready(tmp_path / "site", GOOD_SCRIPT, study(5, series=2))
    error = site.run("archive", "1", code=2).stderr
    assert "What projects/P4.das changes, seen in 4 of 10 files" in error
    assert "(0010,0010) PatientName  in 4 of 4 files" in error
    assert "Doe^0-0" in error
    assert "Doe^1-0" in error
    assert "`--dry-run` shows every change in all files" in error
    plan = site.json("archive", "1", "--dry-run")
    assert sum(change["files"] for change in plan["changes"] if change["path"] == "(0010,0010)") == 10


def test_long_summaries_are_cut(tmp_path: Path, asked: list[str]) -> None:
    script = "".join(f'(0009,{number:04X}) := "x"\n' for number in range(0x1001, 0x1001 + 30))
    site = ready(tmp_path / "site", '(0009,0010) := "OURS"\n' + script, study(1))
    error = site.run("archive", "1", code=2).stderr
    assert "... and 11 more elements" in error
    assert error.count("(0009,") == 20
    assert "`--dry-run` shows every change" in error


def test_files_that_the_script_fails_on_are_not_called_rejected(tmp_path: Path) -> None:
    failing = 'version "6.6"\n(0010,0030) := shiftDateByIncrement[(0008,0060), 3]\n'
    site = ready(tmp_path / "site", failing, study(2))
    result = site.run("archive", "1", "--dry-run", code=3)
    assert "rejects" not in result.stdout
    assert "failed on 2 of 2 files" in result.stderr
    site.run("anon", "project", "P4", "set", "-", typed='version "6.6"\nreject[]\n')
    assert "It rejects 2 of 2 files." in site.run("archive", "1", "--dry-run", code=6).stdout


def test_rejections_and_sessions_without_a_script_are_told(tmp_path: Path, asked: list[str]) -> None:
    site = ready(tmp_path / "site", PROJECT_SCRIPT, study(2))
    assert "It rejects 1 of 2 files." in site.run("archive", "1", code=2).stderr
    site.run("anon", "project", "P4", "disable")
    assert "No script runs: the files are archived as they are." in site.run("archive", "1", code=2).stderr


def test_a_script_that_fails_is_told_before_anybody_is_asked(tmp_path: Path, asked: list[str]) -> None:
    site = ready(tmp_path / "site", PROJECT_SCRIPT, study(3))
    error = site.run("archive", "1", code=3).stderr
    assert "projects/P4.das:4" in error
    assert "failed on 1 of 3 files" in error
    assert asked == []
    assert site.json("show", "1")["status"] == "READY"


def test_on_a_terminal_the_summary_is_coloured_and_the_answer_counts(tmp_path: Path) -> None:
    site = ready(tmp_path / "site", GOOD_SCRIPT, study(2))
    person, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "--config", str(site.folder), "archive", "1"],
        stdin=terminal, stdout=terminal, stderr=terminal, env={**os.environ, "TERM": "xterm", "NO_COLOR": ""},
    )  # fmt: skip
    os.close(terminal)
    try:
        text = _read_until(person, "[y/N]")
        assert "What projects/P4.das changes" in text
        assert "\x1b[31m  - Doe^0-0\x1b[0m" in text
        assert "\x1b[32m  + S1\x1b[0m" in text
        assert text.index("PatientName") < text.index("Archive it with these labels?")
        os.write(person, b"y\n")
        assert "ARCHIVED" in _read_until(person, None)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(person)
    assert site.json("archived", "show", "S1_MR1")["instances"] == 2


def _read_until(person: int, wanted: str | None) -> str:
    """What the process prints until this comes, or until it has ended."""
    seen = ""
    while wanted is None or wanted not in seen:
        try:
            chunk = os.read(person, 4096)
        except OSError:  # the other side is closed: Linux says EIO
            chunk = b""
        if not chunk:
            break
        seen += chunk.decode()
    return seen
