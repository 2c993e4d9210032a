from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from builders import make_dataset
from intake_site import IntakeSite, opened
from pydicom.uid import generate_uid

from prearchive import recovery
from prearchive.db import queries
from prearchive.filestore import FileStore
from prearchive.inflight import InFlightLog, log_name
from prearchive.recovery import RecoveryReport, recover, repair_broken_off
from prearchive.site import Site
from prearchive.states import SessionState

S = SessionState
NOTHING = RecoveryReport()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[IntakeSite]:
    with opened(tmp_path, script=None) as found:
        yield found


def dead_log(door: IntakeSite, *paths: str) -> str:
    """The log that a killed process leaves: noted paths, and no lock any more."""
    temporary_fd = os.open(door.site.root / "tmp", os.O_RDONLY)
    log = InFlightLog(temporary_fd)
    for path in paths:
        log.note(path)
    os.close(log._descriptor)
    os.close(temporary_fd)
    return log.writer_id


def names_in_tmp(door: IntakeSite) -> list[str]:
    return sorted(path.name for path in (door.site.root / "tmp").iterdir())


def leave_stray(door: IntakeSite, path: str) -> str:
    full = door.site.root / path
    full.parent.mkdir(parents=True, exist_ok=True)
    full.write_bytes(b"half")
    return path


def test_after_a_clean_stop_there_is_nothing_to_do(door: IntakeSite) -> None:
    outcome = door.send()
    with structlog.testing.capture_logs() as logs:
        assert recover(door.site) == NOTHING
    assert [entry["event"] for entry in logs] == ["recovery_finished"]
    assert door.session(outcome.session_id).instance_count == 1
    assert door.files() == door.row_paths()


def test_what_a_dead_process_was_writing_is_removed_and_what_has_a_row_stays(door: IntakeSite) -> None:
    door.send()
    (stored,) = door.files()
    door.set_session(1, state=S.READY)
    stray = leave_stray(door, stored.replace(".dcm", "_1.dcm"))
    writer_id = dead_log(
        door, stored, stray, f"{stray}.never", "tmp/staging-x/SCANS/1/DICOM/a.dcm", "nonsense"
    )
    for name in (f"{writer_id}-3.part", f"removed-{writer_id}-4", f"staging-{writer_id}-5"):
        path = door.site.root / "tmp" / name
        path.write_bytes(b"x") if name.endswith(".part") else path.mkdir()
    report = recover(door.site)
    assert report.files_removed == 1
    assert door.files() == {stored} == door.row_paths()
    assert log_name(writer_id) not in names_in_tmp(door)
    assert not [name for name in names_in_tmp(door) if writer_id in name]


def test_what_a_living_process_writes_is_left_alone(door: IntakeSite) -> None:
    door.send()
    (stored,) = door.files()
    stray = leave_stray(door, stored.replace(".dcm", "_1.dcm"))
    temporary_fd = os.open(door.site.root / "tmp", os.O_RDONLY)
    log = InFlightLog(temporary_fd)
    log.note(stray)
    part = door.site.root / "tmp" / f"{log.writer_id}-0.part"
    part.write_bytes(b"x")
    assert recover(door.site) == NOTHING
    assert stray in door.files() and part.exists()
    log.close()
    os.close(temporary_fd)


def test_strays_of_a_session_being_received_go_even_without_a_log(door: IntakeSite) -> None:
    door.send()
    (stored,) = door.files()
    leave_stray(door, stored.replace(".dcm", "_1.dcm"))
    leave_stray(door, stored.replace("SCANS/1", "SCANS/2"))
    assert recover(door.site).files_removed == 2
    assert door.files() == {stored}


def test_temporary_files_without_any_log_go_and_others_stay(door: IntakeSite) -> None:
    temporary = door.site.root / "tmp"
    (temporary / "0123456789abcdef-7.part").write_bytes(b"x")
    (temporary / "staging-0123456789abcdef-8").mkdir()
    (temporary / "somebodys-notes.txt").write_text("x")
    with door.site.files.temporary_file() as (own, _):
        recover(door.site)
        assert own in names_in_tmp(door)
    assert [name for name in names_in_tmp(door) if not name.endswith(".log")] == ["somebodys-notes.txt"]


def open_empty_session(door: IntakeSite, **changes: Any) -> int:
    """A session that was opened just before a crash."""
    outcome = door.send()
    with door.site.engine.begin() as connection:
        connection.execute(
            queries.INSTANCE.delete().where(queries.INSTANCE.c.session_id == outcome.session_id)
        )
        connection.execute(queries.SCAN.delete().where(queries.SCAN.c.session_id == outcome.session_id))
    door.set_session(outcome.session_id, instance_count=0, **changes)
    assert outcome.session_id is not None
    return outcome.session_id


def test_a_session_that_never_got_an_instance_goes_with_its_folder(door: IntakeSite) -> None:
    kept = door.send().session_id
    open_empty_session(door)
    ready = open_empty_session(door, state=S.READY)
    report = recover(door.site)
    assert report.sessions_removed == 1
    assert {row.id for row in door.sessions()} == {kept, ready}


def test_beside_a_living_process_only_old_empty_sessions_go(door: IntakeSite) -> None:
    temporary_fd = os.open(door.site.root / "tmp", os.O_RDONLY)
    log = InFlightLog(temporary_fd)
    open_empty_session(door)
    assert recover(door.site).sessions_removed == 0
    door.clock.now += timedelta(minutes=11)
    assert recover(door.site).sessions_removed == 1
    log.close()
    os.close(temporary_fd)


def test_a_session_that_others_refer_to_stays(door: IntakeSite) -> None:
    empty = open_empty_session(door)
    other = door.send().session_id
    door.set_session(other, merged_into_id=empty)
    assert recover(door.site).sessions_removed == 0


def test_folders_made_just_before_a_crash_go(door: IntakeSite) -> None:
    door.send()
    hollow = door.site.root / "prearchive/P1/20240301_120000000/S1/SCANS/1/DICOM"
    hollow.mkdir(parents=True)
    unknown = leave_stray(door, "prearchive/P2/20240301_120000000/S1/SCANS/1/DICOM/a.dcm")
    recover(door.site)
    assert not (door.site.root / "prearchive/P1").exists()
    assert unknown in door.files()  # nobody knows whose it is: `check` tells


def busy(door: IntakeSite, state: SessionState, work: dict[str, Any] | None, owner: str | None = None) -> int:
    session_id = door.send(make_dataset(PatientComments="Project:P1")).session_id
    assert session_id is not None
    door.set_session(
        session_id,
        state=state,
        open_key=None,
        work=work,
        lease_owner=owner or "f" * 16,
        lease_expires_at=door.clock() + timedelta(hours=1),
    )
    return session_id


def test_a_build_that_was_broken_off_is_undone(door: IntakeSite) -> None:
    session_id = busy(door, S.BUILDING, {"action": "build", "back_to": "RECEIVING", "who": "prearc"})
    assert recover(door.site).sessions_repaired == 1
    session = door.session(session_id)
    assert (session.state, session.lease_owner, session.work) == (S.RECEIVING, None, None)
    assert session.open_key is not None


def test_a_running_server_repairs_what_another_process_left_in_the_middle(door: IntakeSite) -> None:
    stray = leave_stray(door, "prearchive/P1/20240301_120000000/E1/SCANS/1/DICOM/half.dcm")
    owner = dead_log(door, stray)
    session_id = busy(
        door, S.BUILDING, {"action": "build", "back_to": "RECEIVING", "who": "anna"}, owner=owner
    )
    report = repair_broken_off(door.site)
    assert (report.sessions_repaired, report.files_removed) == (1, 1)
    assert door.session(session_id).state is S.RECEIVING
    assert not (door.site.root / stray).exists()
    assert log_name(owner) not in names_in_tmp(door)
    with structlog.testing.capture_logs() as logs:
        assert repair_broken_off(door.site) == NOTHING
    assert logs == []


def test_work_begun_after_the_logs_were_looked_at_is_left_alone(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary_fd = os.open(door.site.root / "tmp", os.O_RDONLY)
    log = InFlightLog(temporary_fd)
    work = {"action": "build", "back_to": "RECEIVING", "who": "prearc"}
    session_id = busy(door, S.BUILDING, work, owner=log.writer_id)
    monkeypatch.setattr(door.site.files, "find_writers", list)  # it was not there yet
    assert repair_broken_off(door.site) == NOTHING
    assert door.session(session_id).state is S.BUILDING
    log.close()
    os.close(temporary_fd)


def test_work_of_a_living_process_is_left_alone(door: IntakeSite) -> None:
    temporary_fd = os.open(door.site.root / "tmp", os.O_RDONLY)
    log = InFlightLog(temporary_fd)
    work = {"action": "build", "back_to": "RECEIVING", "who": "prearc"}
    theirs = busy(door, S.BUILDING, work, owner=log.writer_id)
    ours = busy(door, S.BUILDING, work, owner=door.site.owner)
    assert recover(door.site) == NOTHING
    assert {door.session(theirs).state, door.session(ours).state} == {S.BUILDING}
    log.close()
    os.close(temporary_fd)


@pytest.mark.parametrize("is_done", [True, False])
def test_a_move_that_was_broken_off_is_finished_or_undone(door: IntakeSite, is_done: bool) -> None:
    session_id = busy(door, S.MOVING, None)
    source = door.session(session_id).path
    target = source.replace("/P1/", "/P2/")
    work = {
        "action": "move",
        "source_path": source,
        "target_path": target,
        "project": "P2",
        "folder": source.rpartition("/")[2],
        "back_to": "READY",
        "who": "somebody",
    }
    door.set_session(session_id, work=work)
    if is_done:
        door.site.files.move_folder(source, target)
    assert recover(door.site).sessions_repaired == 1
    session = door.session(session_id)
    assert (session.state, session.project) == (S.READY, "P2" if is_done else "P1")
    assert session.path == (target if is_done else source)
    assert {path for path in door.files() if path.endswith(".dcm")} == door.row_paths()


@pytest.mark.parametrize("is_done", [True, False])
def test_a_deletion_that_was_broken_off_is_finished_or_undone(door: IntakeSite, is_done: bool) -> None:
    session_id = busy(door, S.DELETING, None)
    source = door.session(session_id).path
    target = f"trash/{session_id}_20240301/{source.rpartition('/')[2]}"
    work = {"action": "delete", "source_path": source, "target_path": target, "back_to": "READY", "who": "x"}
    door.set_session(session_id, work=work)
    if is_done:
        door.site.files.move_folder(source, target)
    recover(door.site)
    assert door.session(session_id).state is (S.DELETED if is_done else S.READY)
    assert {path for path in door.files() if path.endswith(".dcm")} == door.row_paths()


def test_a_join_that_was_broken_off_is_finished(door: IntakeSite) -> None:
    dataset = make_dataset()
    first = door.send(dataset).session_id
    door.set_session(first, state=S.BUILDING, open_key=None)
    dataset.SOPInstanceUID = generate_uid()
    waiting = door.send(dataset).session_id
    door.set_session(first, state=S.READY)
    work = {"action": "join", "target_id": first, "back_to": "RECEIVING"}
    door.set_session(waiting, state=S.MOVING, open_key=None, work=work, lease_owner="f" * 16)
    assert recover(door.site).sessions_repaired == 1
    assert door.session(first).instance_count == 2
    assert door.session(waiting).merged_into_id == first


def test_work_that_nobody_knows_is_an_error_for_a_person(door: IntakeSite) -> None:
    session_id = busy(door, S.ARCHIVING, {"action": "something new"})
    assert recover(door.site).sessions_repaired == 1
    assert door.session(session_id).state is S.ERROR
    assert "broken off" in door.rows(queries.EVENT, session_id=session_id)[-1].text


def test_a_session_that_cannot_be_repaired_does_not_stop_the_server_nor_lose_its_staging(
    door: IntakeSite,
) -> None:
    writer_id = dead_log(door)
    staging = door.site.root / "tmp" / f"staging-{writer_id}-1"
    staging.mkdir()
    broken = busy(door, S.MOVING, {"action": "move"}, owner=writer_id)  # without the paths
    fine = busy(door, S.BUILDING, {"action": "build", "back_to": "READY", "who": "x"}, owner=writer_id)
    with structlog.testing.capture_logs() as logs:
        report = recover(door.site)
    assert (report.sessions_failed, report.sessions_repaired) == (1, 1)
    assert (door.session(broken).state, door.session(fine).state) == (S.MOVING, S.READY)
    assert staging.exists()
    assert "session_not_repaired" in {entry["event"] for entry in logs}


def test_staging_of_a_process_that_started_during_recovery_is_left_alone(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FileStore(door.site.root)
    staged: list[str] = []
    original = recovery._remove_empty_folders

    def meanwhile(site: Site) -> None:
        original(site)
        staged.append(f"{other.create_staging()}/SCANS/1/DICOM")
        with other.store(staged[0], "a.dcm", [b"x"]) as stored:
            stored.keep()

    monkeypatch.setattr(recovery, "_remove_empty_folders", meanwhile)
    recover(door.site)
    assert (door.site.root / staged[0] / "a.dcm").is_file()
    other.close()
