"""Sessions are closed after a quiet time, or at once by rebuild."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset
from intake_site import IntakeSite, opened
from pydicom import uid
from pydicom.dataset import Dataset

from prearchive import busy, settle
from prearchive.db import queries
from prearchive.errors import DamagedFileError, NotFoundError, StateRefusedError, StorageTroubleError
from prearchive.manifest import read_manifest, write_rows
from prearchive.recovery import recover
from prearchive.settle import close_quiet_sessions, rebuild_session, undo_build
from prearchive.site import Site
from prearchive.states import SessionEvent, SessionState

QUIET = 300


@pytest.fixture
def intake_site(tmp_path: Path) -> Iterator[IntakeSite]:
    with opened(tmp_path) as found:
        yield found


def receive(intake_site: IntakeSite, dataset: Dataset | None = None, **changes: Any) -> int:
    session_id = intake_site.send(dataset, **changes).session_id
    assert session_id is not None
    return session_id


def close_all(intake_site: IntakeSite) -> list[int]:
    return close_quiet_sessions(intake_site.site, intake_site.clock())


def history(intake_site: IntakeSite, session_id: int) -> list[tuple[str, str | None]]:
    rows = intake_site.rows(queries.EVENT, session_id=session_id)
    return [(row.action, row.to_state) for row in rows]


def stored_paths(intake_site: IntakeSite) -> list[Path]:
    return [intake_site.site.root / path for path in sorted(intake_site.row_paths())]


def test_a_session_is_closed_when_nothing_came_for_its_quiet_time(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    intake_site.clock.go_on(QUIET - 1)
    assert close_all(intake_site) == []
    intake_site.clock.go_on(1)
    assert close_all(intake_site) == [session_id]
    session = intake_site.session(session_id)
    assert session.state is SessionState.READY
    assert (session.session_type, session.modality_label) == ("xnat:mrSessionData", "MR")
    assert (session.instance_count, session.lease_owner, session.work) == (1, None, None)
    assert session.open_key is not None
    assert history(intake_site, session_id)[-2:] == [("went_quiet", "BUILDING"), ("built", "READY")]
    assert close_all(intake_site) == []


def test_each_session_has_the_quiet_time_of_its_receiver(intake_site: IntakeSite) -> None:
    short = receive(intake_site, quiet_seconds=10)
    long = receive(intake_site, quiet_seconds=100)
    intake_site.clock.go_on(50)
    assert close_all(intake_site) == [short]
    intake_site.clock.go_on(50)
    assert close_all(intake_site) == [long]


def test_a_ready_session_has_a_manifest_that_says_the_same(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    intake_site.clock.go_on(QUIET)
    close_all(intake_site)
    session = intake_site.session(session_id)
    rows = read_manifest(intake_site.site.files, session.path).rows
    assert rows.session["state"] == SessionState.READY
    assert rows.session["modality_label"] == "MR"
    assert rows.scans[0].scan_type == "xnat:mrScanData"
    assert [event.action for event in rows.history] == [
        action for action, _ in history(intake_site, session_id)
    ]


def test_types_come_from_all_instances_of_scan_and_session(intake_site: IntakeSite) -> None:
    first = make_dataset()
    same_series = {
        "StudyInstanceUID": first.StudyInstanceUID,
        "SeriesInstanceUID": first.SeriesInstanceUID,
    }
    raw = make_dataset(SOPClassUID=uid.RawDataStorage, Modality="OT", **same_series)
    ct = make_dataset(
        SOPClassUID=uid.CTImageStorage, Modality="CT", SeriesNumber=2, StudyInstanceUID=first.StudyInstanceUID
    )
    for dataset in (raw, first, ct):
        session_id = receive(intake_site, dataset)
    rebuild_session(intake_site.site, session_id, "ann")
    scans = {row.label: row for row in intake_site.rows(queries.SCAN)}
    assert (scans["1"].scan_type, scans["1"].modality) == ("xnat:mrScanData", "MR")
    assert (scans["2"].scan_type, scans["2"].modality) == ("xnat:ctScanData", "CT")
    assert intake_site.session(session_id).session_type == "xnat:mrSessionData"


def test_rebuild_closes_at_once_and_says_who(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    row = rebuild_session(intake_site.site, session_id, "ann")
    assert row.status == "READY"
    events = intake_site.rows(queries.EVENT, session_id=session_id)
    assert [(event.action, event.who) for event in events[-2:]] == [("rebuild", "ann"), ("built", "ann")]
    again = rebuild_session(intake_site.site, session_id, "ann")
    assert again.status == "READY"


def test_a_late_instance_opens_the_session_again(intake_site: IntakeSite) -> None:
    first = make_dataset()
    session_id = receive(intake_site, first)
    rebuild_session(intake_site.site, session_id, "ann")
    late = make_dataset(StudyInstanceUID=first.StudyInstanceUID)
    assert intake_site.send(late).session_id == session_id
    assert intake_site.session(session_id).state is SessionState.RECEIVING
    intake_site.clock.go_on(QUIET)
    assert close_all(intake_site) == [session_id]
    assert intake_site.session(session_id).instance_count == 2


def test_two_versions_of_an_instance_keep_a_session_in_conflict(intake_site: IntakeSite) -> None:
    first = make_dataset()
    session_id = receive(intake_site, first)
    first.StudyDescription = "Another one"
    assert intake_site.send(first).kind == "conflicting"
    assert intake_site.session(session_id).state is SessionState.CONFLICT
    assert intake_site.session(session_id).session_type is None
    intake_site.clock.go_on(QUIET)
    assert close_all(intake_site) == [session_id]
    session = intake_site.session(session_id)
    assert session.state is SessionState.CONFLICT
    assert session.session_type == "xnat:mrSessionData"
    assert close_all(intake_site) == []
    assert rebuild_session(intake_site.site, session_id, "ann").status == "CONFLICT"
    other = make_dataset(StudyInstanceUID=first.StudyInstanceUID)
    intake_site.send(other)
    intake_site.clock.go_on(QUIET)
    assert close_all(intake_site) == [session_id]
    assert intake_site.session(session_id).state is SessionState.CONFLICT


@pytest.mark.parametrize("spoil", ["remove", "change", "lengthen", "replace"])
def test_a_rebuild_reads_every_file_and_says_what_is_wrong(intake_site: IntakeSite, spoil: str) -> None:
    session_id = receive(intake_site)
    (path,) = stored_paths(intake_site)
    content = path.read_bytes()
    if spoil in ("remove", "replace"):
        path.unlink()
    if spoil == "change":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif spoil == "lengthen":
        path.write_bytes(content + b"\0")
    elif spoil == "replace":
        path.symlink_to("/dev/zero")
    with pytest.raises(DamagedFileError, match=path.name):
        rebuild_session(intake_site.site, session_id, "ann")
    session = intake_site.session(session_id)
    assert session.state is SessionState.ERROR
    assert intake_site.warnings(session_id) == {settle.DAMAGED_WARNING}
    assert history(intake_site, session_id)[-1] == ("failed", "ERROR")
    if spoil == "replace":
        path.unlink()
    path.write_bytes(content)
    assert rebuild_session(intake_site.site, session_id, "ann").status == "READY"
    assert intake_site.warnings(session_id) == set()


def test_many_damaged_files_are_counted(intake_site: IntakeSite) -> None:
    first = make_dataset()
    for _ in range(8):
        session_id = receive(intake_site, make_dataset(StudyInstanceUID=first.StudyInstanceUID))
    for path in stored_paths(intake_site):
        path.unlink()
    with pytest.raises(DamagedFileError, match="and 3 more"):
        rebuild_session(intake_site.site, session_id, "ann")


def test_a_rebuild_that_takes_long_renews_its_lease(
    intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "_RENEW_EVERY", 1)
    session_id = receive(intake_site)
    renewed: list[SessionState] = []
    renew = busy.renew

    def note(site: Site, number: int, state: SessionState) -> None:
        renewed.append(state)
        renew(site, number, state)

    monkeypatch.setattr(busy, "renew", note)
    rebuild_session(intake_site.site, session_id, "ann")
    assert renewed == [SessionState.BUILDING]


def test_a_session_without_instances_becomes_ready_without_types(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    with intake_site.site.engine.begin() as connection:
        connection.execute(queries.INSTANCE.delete())
    row = rebuild_session(intake_site.site, session_id, "ann")
    assert (row.status, row.instances) == ("READY", 0)
    assert intake_site.session(session_id).session_type is None


@pytest.mark.parametrize("state", ["BUILDING", "ARCHIVING", "MOVING", "DELETING", "ARCHIVED", "DELETED"])
def test_a_rebuild_is_refused_where_the_state_forbids_it(intake_site: IntakeSite, state: str) -> None:
    session_id = receive(intake_site)
    intake_site.set_session(session_id, state=SessionState(state))
    with pytest.raises(StateRefusedError, match=state):
        rebuild_session(intake_site.site, session_id, "ann")
    assert intake_site.session(session_id).state == state


def test_a_rebuild_of_nothing_is_not_found(intake_site: IntakeSite) -> None:
    with pytest.raises(NotFoundError):
        rebuild_session(intake_site.site, 77, "ann")


def test_a_session_that_waits_for_another_is_left_alone(intake_site: IntakeSite) -> None:
    first = receive(intake_site)
    second = receive(intake_site)
    intake_site.set_session(first, state=SessionState.MOVING)
    intake_site.set_session(second, waits_for_id=first)
    intake_site.clock.go_on(QUIET)
    assert close_all(intake_site) == []
    with pytest.raises(StateRefusedError, match=f"waits to join session {first}"):
        rebuild_session(intake_site.site, second, "ann")


def test_an_instance_that_arrives_while_a_session_is_built_joins_it_afterwards(
    intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_dataset()
    session_id = receive(intake_site, first)
    late = make_dataset(StudyInstanceUID=first.StudyInstanceUID)

    def write_while_something_arrives(*arguments: Any) -> None:
        assert intake_site.send(late).session_id != session_id
        write_rows(*arguments)

    monkeypatch.setattr("prearchive.settle.write_rows", write_while_something_arrives)
    rebuild_session(intake_site.site, session_id, "ann")
    session = intake_site.session(session_id)
    assert (session.state, session.instance_count) == (SessionState.RECEIVING, 2)
    assert len(intake_site.row_paths()) == 2


def test_an_instance_that_arrives_just_before_a_session_is_closed_keeps_it_open(
    intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_dataset()
    session_id = receive(intake_site, first)
    intake_site.clock.go_on(QUIET)
    arriving = [make_dataset(StudyInstanceUID=first.StudyInstanceUID)]

    def find_first(connection: Any, now: Any) -> list[int]:
        for dataset in arriving:
            intake_site.send(dataset)
        return [session_id]

    monkeypatch.setattr("prearchive.db.upkeep.find_quiet_sessions", find_first)
    assert close_all(intake_site) == []
    assert intake_site.session(session_id).state is SessionState.RECEIVING


def test_somebody_faster_is_no_error(intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    session_id = receive(intake_site)
    other = receive(intake_site)
    intake_site.clock.go_on(QUIET)
    monkeypatch.setattr("prearchive.db.upkeep.find_quiet_sessions", lambda *_: [session_id, other])
    intake_site.set_session(session_id, state=SessionState.DELETED)
    assert close_all(intake_site) == [other]


def test_trouble_of_the_disk_leaves_a_session_as_it_was_and_is_tried_again_later(
    intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = receive(intake_site)
    other = receive(intake_site, quiet_seconds=0)
    intake_site.clock.go_on(QUIET)

    def refuse(files: Any, path: str, *rest: Any) -> None:
        if path == intake_site.session(session_id).path:
            raise StorageTroubleError("the disk refuses")
        write_rows(files, path, *rest)

    monkeypatch.setattr("prearchive.settle.write_rows", refuse)
    assert close_all(intake_site) == [other]
    session = intake_site.session(session_id)
    assert (session.state, session.work) == (SessionState.RECEIVING, None)
    assert session.open_key is not None
    monkeypatch.setattr("prearchive.settle.write_rows", write_rows)
    assert close_all(intake_site) == []  # not at every tick
    intake_site.clock.go_on(61)
    assert close_all(intake_site) == [session_id]


def test_a_rebuild_that_breaks_off_leaves_the_state_before(
    intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = receive(intake_site)
    rebuild_session(intake_site.site, session_id, "ann")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(settle, "find_damage", interrupt)
    with pytest.raises(KeyboardInterrupt):
        rebuild_session(intake_site.site, session_id, "ann")
    assert intake_site.session(session_id).state is SessionState.READY


def test_a_build_that_a_dead_process_left_is_undone_at_the_start(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    with intake_site.site.engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        busy.begin(
            intake_site.site, connection, record, SessionEvent.REBUILD, {"action": settle.ACTION}, who="ann"
        )
    intake_site.set_session(session_id, lease_owner="0" * 16)
    assert recover(intake_site.site).sessions_repaired == 1
    session = intake_site.session(session_id)
    assert (session.state, session.lease_owner) == (SessionState.RECEIVING, None)
    with pytest.raises(StateRefusedError):
        undo_build(intake_site.site, session_id)


def test_a_clock_that_was_put_back_keeps_no_session_open(intake_site: IntakeSite) -> None:
    received = receive(intake_site)
    dataset = make_dataset()
    conflicting = receive(intake_site, dataset)
    dataset.PatientComments = "another version"
    assert receive(intake_site, dataset) == conflicting
    intake_site.clock.go_on(-365 * 24 * 3600)
    assert sorted(close_all(intake_site)) == [received, conflicting]
    assert close_all(intake_site) == []
    states = [intake_site.session(number).state for number in (received, conflicting)]
    assert states == [SessionState.READY, SessionState.CONFLICT]
    intake_site.clock.go_on(QUIET)
    assert close_all(intake_site) == []
