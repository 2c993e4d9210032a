from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset
from command_line import CommandLineSite
from structlog.testing import capture_logs

from cli.upkeep import Chore, Upkeep
from config.load import load_settings
from prearchive.script_versions import read_history
from prearchive.site import Site
from prearchive.status import site_status
from receiver.scp import ListeningAddress


def test_a_chore_is_done_when_its_time_has_come() -> None:
    done: list[int] = []
    chore = Chore("count", lambda: done.append(1), every_seconds=10)
    for now in (0.0, 5.0, 10.0, 11.0, 25.0):
        chore.do_when_due(now)
    assert len(done) == 3


def test_a_chore_that_fails_is_tried_again_and_told_once_a_minute() -> None:
    def fail() -> None:
        raise ValueError("Doe^John")

    chore = Chore("fail", fail, every_seconds=1)
    with capture_logs() as logged:
        for now in range(120):
            chore.do_when_due(float(now))
    assert [entry["event"] for entry in logged] == ["server_chore_failed"] * 2
    assert logged[0]["error"] == "ValueError"
    assert "Doe" not in str(logged)


class StoppingAfter(threading.Event):
    """Stops the server after a number of rounds, without any waiting."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds

    def wait(self, timeout: float | None = None) -> bool:
        self.rounds -= 1
        if self.rounds <= 0:
            self.set()
        return self.is_set()


@pytest.fixture
def silent_site(tmp_path: Path) -> CommandLineSite:
    site = CommandLineSite(tmp_path / "site", extra="[sessions]\nquiet_seconds = 0\n")
    site.receive(make_dataset(StudyDescription="P4"))
    return site


def test_silent_sessions_become_ready_and_auto_projects_archive(silent_site: CommandLineSite) -> None:
    text = (silent_site.folder / "prearc.toml").read_text()
    (silent_site.folder / "prearc.toml").write_text(text.replace('["Four"]', '["Four"]\nprearchive = "auto"'))
    settings = load_settings(silent_site.folder, {})
    with Site.open(settings, clock=lambda: datetime(2999, 1, 1, tzinfo=UTC)) as site:
        # Which of its threads comes to act before a server stops is chance: it may take a few of them.
        for _ in range(20):
            upkeep = Upkeep(site, StoppingAfter(2), [])
            upkeep.run()
            upkeep.finish()
            if silent_site.json("archived", "list"):
                break
    (row,) = silent_site.json("archived", "list")
    assert row["status"] == "ARCHIVED"


def test_a_server_says_that_it_lives_and_signs_off(silent_site: CommandLineSite) -> None:
    with Site.open(load_settings(silent_site.folder, {})) as site:
        upkeep = Upkeep(site, StoppingAfter(1), [ListeningAddress("127.0.0.1", 8104, ("XNAT",))])
        upkeep.beat()
        assert site_status(site).servers[0].listening == ["XNAT@127.0.0.1:8104"]
        upkeep.run()
        upkeep.finish()
        assert site_status(site).servers == []


def test_new_settings_with_mistakes_are_told_once_and_the_old_ones_stay(silent_site: CommandLineSite) -> None:
    def reload() -> Any:
        return load_settings(silent_site.folder, {})

    with Site.open(reload(), reload=reload) as site:
        site.scripts.load_all()
        upkeep = Upkeep(site, StoppingAfter(3), [])
        (silent_site.folder / "anon" / "site.das").write_text(
            "(0010,0010) := nonsense[\n# longer than before\n" * 5
        )
        with (silent_site.folder / "prearc.toml").open("a") as config:
            config.write("nonsense = 1\n")
        with capture_logs() as logged:
            for chore_round in range(3):
                upkeep._refresh()
                assert site.problems, chore_round
        events = [entry["event"] for entry in logged if entry["event"] != "script_changed"]
        assert sorted(events) == ["script_refused", "server_settings_refused"]
        assert site.settings.sessions.quiet_seconds == 0


def test_a_script_that_is_mended_is_told_at_once(silent_site: CommandLineSite) -> None:
    script = silent_site.folder / "anon" / "site.das"
    good = script.read_text()
    with Site.open(load_settings(silent_site.folder, {})) as site:
        site.scripts.load_all()
        upkeep = Upkeep(site, StoppingAfter(1), [])
        script.write_text("(0010,0010) := nonsense[\n# longer than before\n" * 5)
        upkeep._refresh()
        assert site_status(site).problems
        script.write_text(good)
        upkeep._refresh()
        assert site_status(site).problems == []


def test_what_is_in_force_and_what_is_edited_by_hand_gets_a_version(silent_site: CommandLineSite) -> None:
    script = silent_site.folder / "anon" / "site.das"
    with Site.open(load_settings(silent_site.folder, {})) as site:
        site.scripts.load_all()
        upkeep = Upkeep(site, StoppingAfter(1), [])
        upkeep._refresh()
        assert [found.version for found in site_status(site).scripts] == [1, 1]
        script.write_text(script.read_text() + "// edited\n")
        upkeep._refresh()
        (found, _) = site_status(site).scripts
        assert (found.name, found.version, found.in_force) == ("site.das", 2, [found.sha256])
        assert [entry.action for entry in read_history(site, "site.das")] == ["first", "edited"]
    (line,) = [line for line in silent_site.run("status").stdout.splitlines() if line.startswith("site.das ")]
    assert line.split()[2] == "2"


def test_the_server_stops_receiving_before_it_waits_for_archiving(
    silent_site: CommandLineSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping, may_end = threading.Event(), threading.Event()

    def archive_for_long(_site: Site) -> None:
        stopping.set()
        may_end.wait(20)

    monkeypatch.setattr("prearchive.archive.auto_archive_ready", archive_for_long)
    with Site.open(load_settings(silent_site.folder, {})) as site:
        upkeep = Upkeep(site, stopping, [])
        upkeep.beat()
        upkeep.run()
        assert site_status(site).running
        may_end.set()
        upkeep.finish()
        assert not site_status(site).running
