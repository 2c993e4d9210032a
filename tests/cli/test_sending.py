from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import make_dataset, part10_bytes
from command_line import prearc
from receiving import running_server

from cli.exits import UsageError
from cli.sending import parse_destination


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("XNAT@127.0.0.1:8104", ("XNAT", "127.0.0.1", 8104)),
        ("MY AE@host.example:104", ("MY AE", "host.example", 104)),
        ("A@[::1]:104", ("A", "::1", 104)),
    ],
)
def test_a_receiver_is_written_as_title_host_and_port(text: str, wanted: tuple[str, str, int]) -> None:
    assert parse_destination(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "XNAT",
        "XNAT@host",
        "XNAT@host:0",
        "XNAT@host:99999",
        "@host:104",
        "x" * 17 + "@host:104",
        " A@h:1",
    ],
)
def test_anything_else_is_no_receiver(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        parse_destination(text)
    assert prearc("send", tmp_path, text).exit_code == 2


def test_files_are_sent_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(part10_bytes(make_dataset()))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.dcm").write_bytes(part10_bytes(make_dataset()))
    (tmp_path / "readme.txt").write_text("no DICOM")
    with running_server() as running:
        result = prearc("--json", "send", tmp_path, f"XNAT@127.0.0.1:{running.port}", "--calling", "MODALITY")
        assert result.exit_code == 0, result.output
        rows = {Path(row["path"]).name: row for row in json.loads(result.stdout)}
        assert {name: row["result"] for name, row in rows.items()} == {
            "a.dcm": "sent",
            "b.dcm": "sent",
            "readme.txt": "skipped",
        }
        assert rows["a.dcm"]["status"] == 0
        text = prearc("send", tmp_path / "a.dcm", tmp_path / "readme.txt", f"XNAT@127.0.0.1:{running.port}")
        assert (text.exit_code, text.stdout) == (0, "1 sent, 1 skipped\n")
        assert "readme.txt" in text.stderr
        only_text = prearc("send", tmp_path / "readme.txt", f"XNAT@127.0.0.1:{running.port}")
        assert only_text.exit_code == 1
        wrong_title = prearc("send", tmp_path, f"NOBODY@127.0.0.1:{running.port}")
        assert wrong_title.exit_code == 1


def test_what_cannot_be_sent_is_told(tmp_path: Path) -> None:
    assert prearc("send", tmp_path / "none", "XNAT@127.0.0.1:104").exit_code == 4
    assert prearc("send", tmp_path, "XNAT@127.0.0.1:104", "--calling", "x" * 17).exit_code == 2
