"""The state of a site in one look, and the heartbeat of servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from intake_site import SITE_SCRIPT, START, IntakeSite, opened

from prearchive.db import queries, upkeep
from prearchive.errors import StorageTroubleError
from prearchive.incoming import Outcome, OutcomeKind
from prearchive.settle import rebuild_session
from prearchive.states import SessionState
from prearchive.status import beat, sign_off, site_status


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int
    ae_titles: tuple[str, ...]


@pytest.fixture
def intake_site(tmp_path: Path) -> Iterator[IntakeSite]:
    receivers = [{"ae_title": "XNAT", "port": 8104}, {"ae_title": "RAW", "port": 8105, "anonymize": False}]
    with opened(tmp_path, receivers=receivers) as found:
        yield found


def send_bytes(intake_site: IntakeSite, encoded: bytes) -> Outcome:
    return intake_site.intake.accept(intake_site.incoming(encoded))


def test_an_empty_site_is_not_running_and_has_nothing(intake_site: IntakeSite) -> None:
    status = site_status(intake_site.site)
    assert not status.running
    assert [(receiver.ae_title, receiver.listening, receiver.anonymize) for receiver in status.receivers] == [
        ("XNAT", False, True),
        ("RAW", False, False),
    ]
    assert (status.servers, status.sessions, status.discarded, status.errors) == ([], [], [], [])
    assert status.disk is not None
    assert status.disk.enough


def test_sessions_are_counted_by_state_with_the_oldest(intake_site: IntakeSite) -> None:
    intake_site.send()
    intake_site.clock.go_on(60)
    session_id = intake_site.send().session_id
    assert session_id is not None
    intake_site.send()
    rebuild_session(intake_site.site, session_id, "ann")
    states = {state.status: state for state in site_status(intake_site.site).sessions}
    assert {name: state.sessions for name, state in states.items()} == {"READY": 1, "RECEIVING": 2}
    assert states["RECEIVING"].oldest == START


def test_a_session_that_was_merged_into_another_is_not_counted(intake_site: IntakeSite) -> None:
    first, second = (intake_site.send().session_id for _ in range(2))
    assert first is not None
    assert second is not None
    intake_site.set_session(second, state=SessionState.DELETED, merged_into_id=first)
    states = {state.status: state.sessions for state in site_status(intake_site.site).sessions}
    assert states == {"RECEIVING": 1}


def test_discarded_instances_are_counted_for_a_day_and_in_all(intake_site: IntakeSite) -> None:
    assert send_bytes(intake_site, b"\x01garbage").kind is OutcomeKind.FAILED
    intake_site.clock.go_on(2 * 86400)
    send_bytes(intake_site, b"\x08\x00\x18\x00UI\xff\xff")
    (kind,) = site_status(intake_site.site).discarded
    assert (kind.outcome, kind.reason, kind.last_24_hours, kind.total) == ("failed", "cannot-parse", 1, 2)


def test_the_last_errors_come_first_and_hold_codes_only(intake_site: IntakeSite) -> None:
    for _ in range(12):
        intake_site.clock.go_on(1)
        send_bytes(intake_site, b"\x01garbage")
    session_id = intake_site.send().session_id
    assert session_id is not None
    intake_site.clock.go_on(1)
    with intake_site.site.engine.begin() as connection:
        queries.add_event(
            connection,
            session_id,
            at=intake_site.clock(),
            who="x",
            action="failed",
            to_state=SessionState.ERROR,
        )
    errors = site_status(intake_site.site).errors
    assert len(errors) == 10
    assert (errors[0].code, errors[0].session) == ("failed", session_id)
    assert {error.code for error in errors[1:]} == {"cannot-parse"}
    assert errors[1].at > errors[2].at


def test_a_failed_script_is_told_with_its_place(tmp_path: Path) -> None:
    with opened(tmp_path, "(0010,0010) := nobody\n") as found:
        outcome = found.send()
        assert outcome.kind is OutcomeKind.FAILED
        (error,) = site_status(found.site).errors
    assert (error.code, error.script_line) == ("script-failed", 1)
    assert error.hashed_sop_instance_uid is not None


def test_a_server_that_lives_shows_where_it_listens_and_which_scripts_it_uses(
    intake_site: IntakeSite,
) -> None:
    site = intake_site.site
    loaded = site.scripts.site()
    assert loaded is not None
    beat(site, [Address("127.0.0.1", 8104, ("XNAT", "OTHER"))])
    intake_site.clock.go_on(5)
    beat(site, [Address("127.0.0.1", 8104, ("XNAT", "OTHER"))])
    status = site_status(site)
    assert status.running
    (server,) = status.servers
    assert (server.owner, server.started_at, server.alive) == (site.owner, START, True)
    assert server.listening == ["XNAT@127.0.0.1:8104", "OTHER@127.0.0.1:8104"]
    assert [receiver.listening for receiver in status.receivers] == [True, False]
    (script,) = status.scripts
    assert (script.name, script.sha256, script.in_force) == ("site.das", loaded.sha256, [loaded.sha256])
    intake_site.clock.go_on(upkeep.SERVER_SILENT_AFTER.total_seconds())
    later = site_status(site)
    assert not later.running
    assert not later.servers[0].alive
    sign_off(site)
    assert site_status(site).servers == []


def test_servers_that_were_silent_for_a_day_are_forgotten_when_another_starts(
    intake_site: IntakeSite,
) -> None:
    site = intake_site.site
    with site.engine.begin() as connection:
        upkeep.record_heartbeat(connection, "old", now=intake_site.clock(), receivers={}, scripts={})
    intake_site.clock.go_on(2 * 86400)
    beat(site, [])
    assert [server.owner for server in site_status(site).servers] == [site.owner]


def test_a_newer_script_with_mistakes_is_a_problem(intake_site: IntakeSite) -> None:
    site = intake_site.site
    loaded = site.scripts.site()
    assert loaded is not None
    intake_site.settings.site_script_path.write_text(SITE_SCRIPT + "- (0010,0040\n")
    site.refresh()
    beat(site, [])
    status = site_status(site)
    (script,) = status.scripts
    assert script.sha256 is None
    assert script.problem is not None
    assert script.in_force == [loaded.sha256]
    (problem,) = status.problems
    assert "site.das:4:" in problem


def test_a_newer_lookup_table_with_mistakes_is_a_problem(intake_site: IntakeSite) -> None:
    site = intake_site.site
    site.scripts.site()
    intake_site.settings.lookup_path.write_text("no entry\n")
    site.refresh()
    status = site_status(site)
    (problem,) = status.problems
    assert "lookup.txt:1:1:" in problem
    table, script = status.scripts
    assert (table.name, table.sha256) == ("lookup.txt", None)
    assert table.problem is not None and script.problem is None


def test_a_disk_that_cannot_be_asked_is_left_out(
    intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise StorageTroubleError("gone")

    monkeypatch.setattr(intake_site.site.files, "free_bytes", refuse)
    assert site_status(intake_site.site).disk is None
