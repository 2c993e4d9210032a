from __future__ import annotations

import json
import logging
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from cli import logs
from cli.logs import LogFile, LogSink
from config.settings import Settings


@pytest.fixture(autouse=True)
def _default_logs_afterwards() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_events_go_to_the_file_of_their_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(folder=tmp_path), serving=True)
    log = structlog.get_logger()
    with structlog.contextvars.bound_contextvars(association_id="a1", calling_ae_title="SCANNER1"):
        log.info("association_accepted", peer="10.0.0.7")
        log.info("instance_stored", sop_instance_uid="1.2", size_bytes=5)
        log.warning("script_failed", code="bad-date", line=3, column=1, hashed_sop_instance_uid="2.25.1")
        log.info("session_opened", session_id=4)
    folder = tmp_path / "data" / "logs"
    (accepted,) = lines_of(folder / "dicom.log")
    assert accepted["event"] == "association_accepted"
    assert (accepted["association_id"], accepted["peer"], accepted["level"]) == ("a1", "10.0.0.7", "info")
    (stored,) = lines_of(folder / "received.log")
    assert (stored["sop_instance_uid"], stored["size_bytes"]) == ("1.2", 5)
    (failed,) = lines_of(folder / "anon.log")
    assert (failed["code"], failed["line"], failed["hashed_sop_instance_uid"]) == ("bad-date", 3, "2.25.1")
    printed = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert printed == ["association_accepted", "instance_stored", "script_failed", "session_opened"]


def test_only_known_fields_pass(tmp_path: Path) -> None:
    logs.configure(Settings(folder=tmp_path))
    log = structlog.get_logger()
    log.info("instance_stored", patient_name="Doe^John", reason="x" * 900, status={"a": [1, None]})
    text = (tmp_path / "data" / "logs" / "received.log").read_text()
    assert "Doe" not in text
    (line,) = lines_of(tmp_path / "data" / "logs" / "received.log")
    assert len(line["reason"]) == logs.LONGEST_TEXT
    assert line["status"] == {"a": [1, None]}


def test_of_an_exception_only_its_class_is_logged(tmp_path: Path) -> None:
    logs.configure(Settings(folder=tmp_path))
    log = structlog.get_logger()
    try:
        raise ValueError("Doe^John")
    except ValueError as error:
        log.exception("instance_failed")
        log.error("instance_failed", exc_info=error)
    lines = lines_of(tmp_path / "data" / "logs" / "received.log")
    assert [line["error"] for line in lines] == ["ValueError", "ValueError"]
    assert "Doe" not in json.dumps(lines)


def test_commands_tell_on_standard_error_only_what_went_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings(folder=tmp_path))
    structlog.get_logger().info("archive_started", session_id=1)
    structlog.get_logger().error("archive_failed", session_id=1)
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["archive_failed"]
    logs.configure(None, verbose=True)
    structlog.get_logger().debug("archive_looked")
    assert "archive_looked" in capsys.readouterr().err


def test_on_a_terminal_events_are_lines_for_people(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure(None, serving=True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    structlog.get_logger().info("association_accepted", calling_ae_title="A\x1b[31m\n", peer=None)
    printed = capsys.readouterr().err
    assert "association_accepted" in printed
    assert "calling_ae_title=A\\x1b[31m\\n" in printed
    assert printed.count("\n") == 1


def test_libraries_stay_silent(capsys: pytest.CaptureFixture[str]) -> None:
    logs.silence_libraries()
    logging.getLogger("pydicom").warning("Doe^John")
    logging.getLogger("pynetdicom.events").error("Doe^John")
    assert "Doe" not in capsys.readouterr().err


def test_log_files_are_private_and_made_when_first_needed(tmp_path: Path) -> None:
    log_file = LogFile(tmp_path / "data" / "logs" / "dicom.log")
    assert not (tmp_path / "data").exists()
    log_file.write(b"{}\n")
    log_file.close()
    log_file.write(b"{}\n")
    log_file.close()
    log_file.close()
    assert log_file.path.read_bytes() == b"{}\n{}\n"
    assert stat.S_IMODE(log_file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(log_file.path.parent.stat().st_mode) == 0o700


def test_rotation_keeps_every_line_of_several_writers(tmp_path: Path) -> None:
    path = tmp_path / "dicom.log"
    files = [LogFile(path, max_bytes=400, backups=20) for _ in range(4)]  # as four processes would have

    def write(writer: int) -> None:
        for number in range(25):
            files[writer].write(json.dumps({"writer": writer, "number": number}).encode() + b"\n")

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [line for part in tmp_path.glob("dicom.log*") for line in lines_of(part)]
    assert {(line["writer"], line["number"]) for line in found} == {
        (w, n) for w in range(4) for n in range(25)
    }
    assert len(list(tmp_path.glob("dicom.log*"))) > 3


def test_only_so_many_old_files_are_kept(tmp_path: Path) -> None:
    log_file = LogFile(tmp_path / "dicom.log", max_bytes=10, backups=2)
    for number in range(6):
        log_file.write(f"line {number}\n".encode())
    assert sorted(path.name for path in tmp_path.glob("dicom.log*")) == [
        "dicom.log",
        "dicom.log.1",
        "dicom.log.2",
    ]
    assert (tmp_path / "dicom.log.2").read_text() == "line 3\n"


def test_a_log_that_cannot_be_written_stops_nothing_and_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("in the way")
    sink = LogSink({"dicom.log": LogFile(tmp_path / "logs" / "dicom.log")}, threshold=40)
    sink.msg(event="server_started", level="info")
    sink.msg(event="server_stopped", level="info")
    assert capsys.readouterr().err.count("log_failed") == 1
