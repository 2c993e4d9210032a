"""A site folder with a real `prearc serve` behind it, driven only through its public doors."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from dcmtk import find_dcmtk
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.dimse_primitives import C_STORE

from receiver.sender import _Answers

SITE_SCRIPT = """\
- (0010,0030) //Remove Patient Birth Date
- (0010,1000) //Remove Other Patient IDs
- (0010,1001) //Remove Other Patient Names
- (0010,1005) //Remove Patient Birth Name
- (0010,1040) //Remove Patient Address
(0012,0063) := "My XNAT sitewide anon script v01"
(0020,000D) := hashUID[(0020,000D)]     // Study Instance UID
"""
PROJECT_SCRIPT = """\
(0008,1030) := project
(0010,0010) := subject
(0010,0020) := session
session := makeSessionLabel[format["{0}_v##_{1}", subject, lowercase[modalityLabel]]]
"""
PREARC = [sys.executable, "-m", "cli.main"]
STORESCU = find_dcmtk("storescu")
needs_storescu = pytest.mark.skipif(STORESCU is None, reason="DCMTK is not installed")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


class RunningSite:
    """One site folder. Use as a context manager to stop the server in the end."""

    def __init__(
        self,
        folder: Path,
        *,
        site_script: str | None = SITE_SCRIPT,
        projects: dict[str, str | None] | None = None,
        quiet_seconds: int = 300,
        extra: str = "",
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.server: subprocess.Popen[str] | None = None
        self.port = 0
        self.errors: list[str] = []
        (folder / "anon" / "projects").mkdir(parents=True)
        if site_script is not None:
            (folder / "anon" / "site.das").write_text(site_script, encoding="utf-8")
        sections = []
        for project, script in (projects or {}).items():
            sections.append(f"[projects.{project}]\n")
            if script is not None:
                (folder / "anon" / "projects" / f"{project}.das").write_text(script, encoding="utf-8")
                sections.append("anonymize = true\n")
        (folder / "prearc.toml").write_text(
            f'[[receivers]]\nae_title = "XNAT"\nport = 0\n'
            f"[sessions]\nquiet_seconds = {quiet_seconds}\n"
            f"[anonymization]\nsite_enabled = {'true' if site_script is not None else 'false'}\n"
            f"[limits]\nmin_free_bytes = 1\n" + "".join(sections) + extra,
            encoding="utf-8",
        )

    def __enter__(self) -> RunningSite:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def command(self, *words: str | Path) -> list[str]:
        return [*PREARC, "--config", str(self.folder), *(str(word) for word in words)]

    def start(self, wrapper: Sequence[str] = ()) -> RunningSite:
        """Start `prearc serve` and wait for its `ready` line."""
        self.server = subprocess.Popen(
            [*wrapper, *self.command("serve")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.server.stdout is not None
        line = self.server.stdout.readline()
        found = re.search(r"XNAT@127\.0\.0\.1:(\d+)", line)
        if not line.startswith("ready") or found is None:
            output = line + self.server.communicate(timeout=20)[1]
            raise AssertionError(f"serve did not get ready: {output}")
        self.port = int(found[1])
        for stream, sink in ((self.server.stdout, []), (self.server.stderr, self.errors)):
            threading.Thread(target=sink.extend, args=(stream,), daemon=True).start()
        return self

    def stop(self) -> int:
        """Stop the server as an init system does; returns its exit code."""
        if self.server is None:
            return 0
        if self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGTERM)  # a tracer around it does not pass signals on
        code = self.server.wait(timeout=30)
        self.server = None
        return code

    def kill(self) -> None:
        """Kill -9 the server and whatever it started."""
        assert self.server is not None
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait(timeout=30)
        self.server = None

    def run(self, *words: str | Path, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run one command; asserts its exit code unless `code` is None."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )
        if code is not None:
            assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str | Path, code: int | None = 0) -> Any:
        """Run one command with --json and parse what it prints."""
        return json.loads(self.run("--json", *words, code=code).stdout)

    def wait_for(self, status: str, count: int = 1, seconds: float = 30) -> list[Any]:
        """Wait until `count` sessions have a status (the server's own timer decides when)."""
        deadline = time.monotonic() + seconds
        while True:
            rows = [row for row in self.json("list") if row["status"] == status]
            if len(rows) >= count or time.monotonic() > deadline:
                assert len(rows) == count, self.json("list")
                return rows
            time.sleep(0.2)

    def storescu(self, *paths: Path, options: Sequence[str] = (), code: int | None = 0) -> str:
        """Send files with DCMTK's storescu, without waiting for Nagle's algorithm."""
        assert STORESCU is not None
        done = subprocess.run(
            [STORESCU, "-v", "-aet", "MODALITY", "-aec", "XNAT", *options, "127.0.0.1", str(self.port)]
            + [str(path) for path in paths],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "TCP_NODELAY": "1"},
        )
        if code is not None:
            assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def associate(self, *contexts: tuple[str, str], called: str = "XNAT") -> Any:
        """An association with the given (SOP class, transfer syntax) contexts; it may have been refused."""
        entity = AE(ae_title="MODALITY")
        for sop_class_uid, transfer_syntax_uid in contexts:
            entity.add_requested_context(sop_class_uid, transfer_syntax_uid)
        association = entity.associate("127.0.0.1", self.port, ae_title=called)
        association.dimse = _Answers(association)
        return association

    def store_bytes(
        self, encoded: bytes, *, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
    ) -> Dataset:
        """C-STORE these very bytes over an association of their own; returns the response's status."""
        association = self.associate((sop_class_uid, transfer_syntax_uid))
        assert association.is_established
        try:
            return store_bytes(association, encoded, sop_class_uid, sop_instance_uid)
        finally:
            association.release()


def store_bytes(association: Any, encoded: bytes, sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    """C-STORE these very bytes, whatever they are; returns status and error comment, empty when aborted."""
    request = C_STORE()
    request.MessageID = 1
    request.AffectedSOPClassUID = sop_class_uid
    request.AffectedSOPInstanceUID = sop_instance_uid
    request.Priority = 2
    request.DataSet = BytesIO(encoded)
    context = next(iter(association.accepted_contexts))
    association.dimse.send_msg(request, context.context_id)
    _, response = association.dimse.get_msg(block=True)
    status = Dataset()
    if response is not None:
        status.Status = response.Status
        if getattr(response, "ErrorComment", None):
            status.ErrorComment = response.ErrorComment
    return status


def every_byte_below(folder: Path) -> dict[Path, bytes]:
    """The content of every file below a folder, and the names, for searches."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found[path] = path.read_bytes()
    return found
