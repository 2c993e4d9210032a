from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builders import make_dataset, part10_bytes
from command_line import CommandLineSite, prearc


@contextmanager
def serving(
    site: CommandLineSite, *words: str, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and the line it printed when it was ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "--config", str(site.folder), *words, "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def port_of(line: str) -> int:
    return int(line.rpartition(":")[2].strip().rstrip('"'))


def test_a_server_gets_ready_receives_follows_changes_and_stops_cleanly(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.bind(str(tmp_path / "notify"))
    (tmp_path / "a.dcm").write_bytes(part10_bytes(make_dataset(StudyDescription="P4")))
    with serving(site, NOTIFY_SOCKET=str(tmp_path / "notify")) as (process, line):
        assert line.startswith("ready XNAT@127.0.0.1:")
        notified.settimeout(20)
        assert notified.recv(100) == b"READY=1"
        sent = prearc("send", tmp_path / "a.dcm", f"XNAT@127.0.0.1:{port_of(line)}")
        assert sent.exit_code == 0, sent.output
        assert site.json("status")["running"]
        assert len(site.numbers()) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert notified.recv(100) == b"STOPPING=1"
        errors = process.stderr.read() if process.stderr else ""
    notified.close()
    events = [json.loads(entry)["event"] for entry in errors.splitlines()]
    assert {
        "recovery_finished",
        "server_started",
        "association_accepted",
        "instance_stored",
        "server_stopped",
    } <= set(events)
    logs = site.folder / "data" / "logs"
    assert "server_started" in (logs / "dicom.log").read_text()
    assert "instance_stored" in (logs / "received.log").read_text()
    assert not site.json("status")["running"]
    assert site.json("check") == []


def test_a_port_in_use_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        site = CommandLineSite(tmp_path / "site")
        config = site.folder / "prearc.toml"
        config.write_text(config.read_text().replace("port = 0", f"port = {port}"))
        result = site.run("serve", code=2)
    assert result.stdout == ""
    told = [line for line in result.stderr.splitlines() if line.startswith("prearc: ")]
    assert len(told) == 1
    assert f"127.0.0.1:{port}" in told[0]


def test_scripts_with_mistakes_stop_the_start_and_all_are_told(tmp_path: Path) -> None:
    site = CommandLineSite(
        tmp_path / "site", site_script="(0010,0010) := noSuch[1]\n(0010,0020) := noOther[1]\n"
    )
    (site.folder / "anon" / "projects" / "P4.das").write_text("(0010,0010) := third[1]\n")
    result = site.run("serve", code=3)
    assert result.stdout == ""
    for name in ("noSuch", "noOther", "third"):
        assert f"'{name}'" in result.stderr


def test_a_lookup_table_with_mistakes_stops_the_start(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    (site.folder / "anon" / "lookup.txt").write_text("pid/JONES\n")
    result = site.run("serve", code=3)
    assert f"{site.folder / 'anon' / 'lookup.txt'}:1:1: the line has no =" in result.stderr
    assert "JONES" not in result.stderr


def test_a_missing_script_stops_the_start(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    (site.folder / "anon" / "site.das").unlink()
    assert "site_enabled" in site.run("serve", code=2).stderr


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site", extra='[storage]\nroot = "file/data"\n')
    (site.folder / "file").write_text("")
    result = site.run("serve", code=2)
    assert len(result.stderr.splitlines()) == 1


def test_a_site_without_receivers_has_nothing_to_listen_for(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    config = site.folder / "prearc.toml"
    config.write_text("receivers = []\n" + config.read_text().replace("[[receivers]]\nport = 0\n", ""))
    assert "no receiver" in site.run("serve", code=2).stderr


def test_with_json_ready_is_a_document_on_one_line(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    with serving(site, "--json") as (process, line):
        (address,) = json.loads(line)["ready"]
        assert address.startswith("XNAT@127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
