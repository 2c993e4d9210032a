"""`prearc anon diff`, `trace` and `values`, on files and on sessions."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset, part10_bytes
from command_line import CommandLineSite, prearc
from pydicom.uid import generate_uid

SCRIPT = 'version "6.6"\n(0010,0010) := "X"\n(0008,0018) := hashUID[(0008,0018)]\n-(0010,0020)\n'


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(5):
        dataset = make_dataset(PatientName="Doe^Jane", PatientID="1", SOPInstanceUID=generate_uid())
        (folder / f"{number}.dcm").write_bytes(part10_bytes(dataset))
    (folder / "notes.txt").write_text("no DICOM file")
    (tmp_path / "s.das").write_text(SCRIPT)
    return tmp_path


def test_diff_groups_the_same_change_over_files(files: Path) -> None:
    result = prearc("anon", "diff", files / "s.das", files / "scans")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "(0008,0018) SOPInstanceUID  in 5 of 5 files" in lines
    assert "    ... and 2 more pairs of values" in lines
    name = lines.index("(0010,0010) PatientName  in 5 of 5 files")
    assert lines[name + 1 : name + 3] == ["  - Doe^Jane", "  + X"]
    removed = lines.index("(0010,0020) PatientID  in 5 of 5 files")
    assert lines[removed + 1 : removed + 3] == ["  - 1", ""]
    assert lines[-1] == "5 files looked at"


def test_diff_as_json_has_a_row_for_each_path_and_pair_of_values(files: Path) -> None:
    result = prearc("--json", "anon", "diff", files / "s.das", files / "scans")
    rows = json.loads(result.stdout)
    assert {tuple(row) for row in rows} == {("path", "keyword", "before", "after", "files")}
    assert [row for row in rows if "UID" not in row["keyword"]] == [
        {"path": "(0010,0010)", "keyword": "PatientName", "before": "Doe^Jane", "after": "X", "files": 5},
        {"path": "(0010,0020)", "keyword": "PatientID", "before": "1", "after": None, "files": 5},
    ]


def test_diff_writes_nothing(files: Path) -> None:
    before = {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
    prearc("anon", "diff", files / "s.das", files / "scans")
    assert {path: path.read_bytes() for path in files.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("statement", "code", "message"),
    [("reject[]", 6, ""), ('(0010,0020) := substring["a", 1, 9]', 3, "out-of-range")],
)
def test_diff_tells_of_rejected_and_failing_files(
    files: Path, statement: str, code: int, message: str
) -> None:
    (files / "s.das").write_text(f'version "6.6"\n{statement}\n')
    result = prearc("anon", "diff", files / "s.das", files / "scans")
    assert result.exit_code == code
    assert message in result.stderr
    assert "nothing changes" in result.stdout


def test_diff_says_which_variable_is_missing(files: Path) -> None:
    (files / "s.das").write_text("(0010,0010) := subject\n")
    result = prearc("anon", "diff", files / "s.das", files / "scans")
    assert result.exit_code == 3
    assert "'subject' has no value" in result.stderr


@pytest.mark.parametrize("words", [[], ["s.das"], ["s.das", "scans", "--session", "1"]])
def test_diff_without_clear_input_explains_itself(files: Path, words: list[str]) -> None:
    result = prearc("anon", "diff", *words)
    assert result.exit_code == 2
    assert "diff SCRIPT INPUT" in result.stderr


def test_control_characters_of_values_never_reach_the_terminal(files: Path) -> None:
    dataset = make_dataset(PatientName="\x1b[31mred")
    (files / "one.dcm").write_bytes(part10_bytes(dataset))
    for words in (["diff", files / "s.das"], ["trace", files / "s.das"], ["values"]):
        result = prearc("anon", *words, files / "one.dcm")
        assert result.exit_code == 0, result.output
        assert "\x1b" not in result.output
        assert "\\x1b[31mred" in result.stdout


def test_trace_shows_each_step_with_its_line(files: Path) -> None:
    (files / "s.das").write_text(
        'version "6.6"\n(0008,0060) = "MR" ? (0010,0010) := "X" : (0010,0010) := "Y"\n-(0010,2160)\n'
    )
    result = prearc("anon", "trace", files / "s.das", files / "scans" / "0.dcm")
    assert result.stdout.splitlines() == [
        '2 | (0008,0060) = "MR"  is true',
        '2 | (0010,0010) := "X"',
        "  |   (0010,0010) PatientName: Doe^Jane -> X",
        "3 | -(0010,2160)",
        "  |   changes nothing",
        "",
        "1 element changed",
    ]


def test_texts_in_private_elements_are_shown(files: Path) -> None:
    (files / "s.das").write_text('version "6.6"\n(0011,{ACME}01) := "Müller"\n')
    scan = files / "scans" / "0.dcm"
    dataset = make_dataset()
    dataset.private_block(0x0011, "ACME", create=True).add_new(1, "UN", "Jörg".encode())
    scan.write_bytes(part10_bytes(dataset))
    assert "  |   (0011,{ACME}01): Jörg -> Müller\n" in prearc("anon", "trace", files / "s.das", scan).stdout
    shown = prearc("anon", "diff", files / "s.das", scan).stdout
    assert shown == "(0011,{ACME}01)\n  - Jörg\n  + Müller\n\n1 file looked at\n"


def test_bytes_that_change_without_their_number_are_called_others(files: Path) -> None:
    (files / "s.das").write_text('version "6.6"\n(0011,{ACME}01) := "\x7f\x02"\n')
    scan = files / "scans" / "0.dcm"
    dataset = make_dataset()
    dataset.private_block(0x0011, "ACME", create=True).add_new(1, "UN", b"\1\2")
    scan.write_bytes(part10_bytes(dataset))
    traced = prearc("anon", "trace", files / "s.das", scan).stdout
    assert "(0011,{ACME}01): (2 bytes) -> (2 other bytes)" in traced
    assert "  - (2 bytes)\n  + (2 other bytes)\n" in prearc("anon", "diff", files / "s.das", scan).stdout


def test_trace_as_json_has_a_row_for_each_step(files: Path) -> None:
    result = prearc("--json", "anon", "trace", files / "s.das", files / "scans" / "0.dcm")
    rows = json.loads(result.stdout)
    assert [row["line"] for row in rows] == [2, 3, 4]
    assert rows[0]["source"] == '(0010,0010) := "X"'
    assert rows[0]["changes"] == [
        {"path": "(0010,0010)", "keyword": "PatientName", "before": "Doe^Jane", "after": "X"}
    ]


def test_trace_of_a_failing_script_draws_the_culprit(files: Path) -> None:
    (files / "s.das").write_text('version "6.6"\n(0010,0010) := substring["ab", 1, 9]\n')
    result = prearc("anon", "trace", files / "s.das", files / "scans" / "0.dcm")
    assert result.exit_code == 3
    assert "^" in result.stderr and "out-of-range" in result.stderr


@pytest.mark.parametrize("command", ["diff", "trace", "values"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "it is no DICOM file [not-dicom]"),
        (b"", "it is no DICOM file [not-dicom]"),
        (part10_bytes(make_dataset())[:-3], "it ends too early, part of it is missing [truncated]"),
    ],
    ids=["text", "empty", "cut"],
)
def test_what_cannot_be_read_is_told_in_the_same_words_everywhere(
    files: Path, command: str, content: bytes, words: str
) -> None:
    path = files / "odd.dcm"
    path.write_bytes(content)
    result = prearc("anon", command, *([] if command == "values" else [files / "s.das"]), path)
    assert result.exit_code == 1
    assert result.stderr == f"prearc: {path}: {words}\n"
    assert "nothing changes" not in result.stdout


@pytest.mark.parametrize("command", ["diff", "values", "apply"])
def test_a_folder_without_dicom_files_is_no_success(files: Path, command: str) -> None:
    (files / "none").mkdir()
    (files / "texts").mkdir()
    (files / "texts" / "a.txt").write_text("hello")
    for folder in (files / "none", files / "texts"):
        script = [] if command == "values" else [files / "s.das"]
        output: list[str | Path] = ["-o", files / "out"] if command == "apply" else []
        result = prearc("anon", command, *script, folder, *output)
        assert result.exit_code == 4
        assert f"there are no DICOM files in {folder}" in result.stderr


def test_files_of_a_folder_that_are_left_out_are_counted(files: Path) -> None:
    result = prearc("anon", "values", files / "scans")
    assert "note: 1 file in the folders left out: no DICOM" in result.stderr


@pytest.mark.parametrize("command", [("diff", "s.das"), ("values",), ("apply", "--output", "out", "s.das")])
def test_a_folder_that_cannot_be_looked_into_is_no_success(
    files: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    closed = files / "scans" / "closed"
    closed.mkdir()
    look_into = os.scandir

    def refuse(path: str) -> Any:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return look_into(path)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.chdir(files)
    result = prearc("anon", *command, files / "scans")
    assert result.exit_code == 1
    assert str(closed) in result.output


def test_a_file_that_vanishes_does_not_stop_the_others(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes

    def vanish(path: Path) -> bytes:
        if path.name == "1.dcm":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", vanish)
    for words in (["diff", files / "s.das"], ["values"]):
        result = prearc("anon", *words, files / "scans")
        assert result.exit_code == 1
        assert "1.dcm: there is no such file" in result.stderr
        assert "4 files" in result.stdout


def test_a_missing_variable_says_how_it_is_given(files: Path) -> None:
    (files / "s.das").write_text("(0010,0010) := subject\n")
    output: list[str | Path] = ["-o", files / "out"]
    for command in ("diff", "trace", "apply"):
        options = output if command == "apply" else []
        result = prearc("anon", command, files / "s.das", files / "scans" / "0.dcm", *options)
        assert result.exit_code == 3
        assert "'subject' has no value" in result.output
        assert "--var" in result.stderr and "=TEXT" in result.stderr


def test_a_trace_of_a_script_that_does_nothing_says_so(files: Path) -> None:
    (files / "s.das").write_text("// nothing\n")
    assert prearc("anon", "trace", files / "s.das", files / "scans" / "0.dcm").stdout == (
        "the script changes nothing\n"
    )


def test_long_values_and_paths_stay_within_80_columns(files: Path) -> None:
    (files / "s.das").write_text(f'version "6.6"\n(0008,1030) := "{"long text " * 6}"\n-(0040,0275)\n')
    item = make_dataset(PatientName="Doe^Jane", StudyDescription="what " * 12)
    dataset = make_dataset(StudyDescription="before " * 9, RequestAttributesSequence=[item])
    (files / "one.dcm").write_bytes(part10_bytes(dataset))
    for words in (["diff", files / "s.das"], ["trace", files / "s.das"], ["values"]):
        result = prearc("anon", *words, files / "one.dcm")
        assert result.exit_code == 0, result.output
        assert max(map(len, result.stdout.splitlines())) <= 80


def test_values_lists_free_text_first_with_counts(files: Path) -> None:
    result = prearc("anon", "values", files / "scans", "--free-text")
    lines = result.stdout.splitlines()
    name = lines.index("(0010,0010) PatientName  PN  in 5 of 5 files")
    assert lines[name + 1] == "       5  Doe^Jane"
    assert not any("SOPInstanceUID" in line for line in lines)
    everything = prearc("anon", "values", files / "scans", "--limit", "2").stdout
    assert "          ... and 3 more values" in everything


def test_values_as_json(files: Path) -> None:
    rows = json.loads(prearc("--json", "anon", "values", files / "scans").stdout)
    row = next(row for row in rows if row["path"] == "(0010,0010)")
    assert row == {
        "path": "(0010,0010)",
        "tag": "(0010,0010)",
        "vr": "PN",
        "keyword": "PatientName",
        "files": 5,
        "values": [{"value": "Doe^Jane", "count": 5}],
        "more": 0,
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLineSite]:
    made = CommandLineSite(tmp_path_factory.mktemp("looks"))
    study = generate_uid()
    made.receive(
        *(
            make_dataset(
                StudyInstanceUID=study, SOPInstanceUID=generate_uid(), PatientComments="Project:P4 Subject:S1"
            )
            for _ in range(3)
        )
    )
    yield made


def test_diff_of_a_session_takes_its_projects_script_and_labels(site: CommandLineSite) -> None:
    (number,) = site.numbers()
    rows = site.json("anon", "diff", "--session", str(number))
    by_path = {row["path"]: row for row in rows}
    assert by_path["(0008,1030)"]["after"] == "P4"
    assert by_path["(0010,0010)"]["after"] == "S1"
    assert by_path["(0010,0010)"]["files"] == 3


def test_diff_of_a_session_with_a_script_that_is_not_in_force(site: CommandLineSite, tmp_path: Path) -> None:
    (number,) = site.numbers()
    script = tmp_path / "new.das"
    script.write_text('(0010,4000) := "{0}" session\n')
    (row,) = site.json("anon", "diff", script, "--session", str(number))
    label = site.json("show", str(number))["session"]
    assert (row["path"], row["after"], row["files"]) == ("(0010,4000)", label, 3)


def test_diff_and_values_of_a_session_that_is_not_there(site: CommandLineSite) -> None:
    site.run("anon", "diff", "--session", "99", code=4)
    site.run("anon", "values", "--session", "99", code=4)
    site.run("anon", "values", "--archived", "1", code=4)


def test_values_of_a_session(site: CommandLineSite) -> None:
    (number,) = site.numbers()
    rows = site.json("anon", "values", "--session", str(number))
    row = next(row for row in rows if row["path"] == "(0012,0063)")
    assert row["values"] == [{"value": "seen by the site script", "count": 3}]
