"""Run `prearc` inside the test's process, on a site folder whose data came through the real intake."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builders import encode_dataset
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from typer.testing import CliRunner, Result

from cli.main import app
from config.load import load_settings
from prearchive.incoming import IncomingInstance, Outcome, Sender
from prearchive.intake import Intake
from prearchive.site import Site

SITE_SCRIPT = '(0012,0063) := "seen by the site script"\n- (0010,0030)\n'
PROJECT_SCRIPT = "(0008,1030) := project\n(0010,0010) := subject\n(0010,0020) := session\n"


def prearc(*words: str | Path, typed: str | bytes | None = None) -> Result:
    """Run one command; `typed` is what standard input holds (it is no terminal)."""
    return CliRunner().invoke(app, [str(word) for word in words], input=typed)


class CommandLineSite:
    """A site folder with the projects P4 (alias Four, with a script) and P5 (without)."""

    def __init__(self, folder: Path, *, site_script: str = SITE_SCRIPT, extra: str = "") -> None:
        self.folder = folder
        (folder / "anon" / "projects").mkdir(parents=True)
        (folder / "anon" / "site.das").write_text(site_script)
        (folder / "anon" / "projects" / "P4.das").write_text(PROJECT_SCRIPT)
        (folder / "prearc.toml").write_text(
            "[[receivers]]\nport = 0\n"
            "[limits]\nmin_free_bytes = 1\n"
            '[projects.P4]\naliases = ["Four"]\nanonymize = true\n'
            "[projects.P5]\nanonymize = false\n" + extra
        )

    def receive(self, *datasets: Dataset) -> list[Outcome]:
        """Let instances arrive in one association."""
        settings = load_settings(self.folder, {})
        sender = Sender(secrets.token_hex(16), "SCANNER1", "XNAT", "10.0.0.7", datetime.now(UTC))
        with Site.open(settings, create=True) as site:
            intake = Intake(site)
            intake.association_started(sender)
            outcomes = [intake.accept(_incoming(dataset, sender)) for dataset in datasets]
            intake.association_ended(sender)
            intake.shut_down()
        return outcomes

    def copy(self, folder: Path) -> CommandLineSite:
        """The same site once more, with all its data."""
        shutil.copytree(self.folder, folder)
        copied = CommandLineSite.__new__(CommandLineSite)
        copied.folder = folder
        return copied

    def run(self, *words: str | Path, code: int = 0, typed: str | bytes | None = None) -> Result:
        """Run a command on this site."""
        result = prearc("--config", self.folder, *words, typed=typed)
        assert result.exit_code == code, f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        return result

    def json(self, *words: str | Path, code: int = 0) -> Any:
        """Run a command with --json and parse the one document it prints."""
        return json.loads(self.run("--json", *words, code=code).stdout)

    def numbers(self, scope: Sequence[str] = ("list",)) -> list[int]:
        """The numbers of the sessions in a list."""
        return [row["id"] for row in self.json(*scope)]


def _incoming(dataset: Dataset, sender: Sender) -> IncomingInstance:
    return IncomingInstance(
        encoded_dataset=encode_dataset(dataset),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        sender=sender,
        received_at=datetime.now(UTC),
        command_sop_class_uid=dataset.get("SOPClassUID"),
        command_sop_instance_uid=dataset.get("SOPInstanceUID"),
    )
