from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset
from intake_site import START, IntakeSite, opened
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from prearchive.db import queries
from prearchive.filestore import FileStore
from prearchive.incoming import OutcomeKind
from prearchive.joining import join_all_waiting, join_waiting, put_back
from prearchive.states import SessionState

S = SessionState


@pytest.fixture
def door(tmp_path: Path) -> Iterator[IntakeSite]:
    with opened(tmp_path, script=None) as found:
        yield found


def fresh(dataset: Dataset, **elements: Any) -> Dataset:
    """The next instance of the same study."""
    dataset.SOPInstanceUID = generate_uid()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def busy_and_waiting(door: IntakeSite, dataset: Dataset, number: int = 2) -> tuple[int, int]:
    """A session that is MOVING, and one in which so many instances wait for it."""
    first = door.send(dataset).session_id
    door.set_session(first, state=S.MOVING, open_key=None, lease_owner=door.site.owner)
    waiting = {door.send(fresh(dataset, InstanceNumber=2 + n)).session_id for n in range(number)}
    assert first is not None
    (waiting_id,) = waiting
    assert waiting_id is not None and waiting_id != first
    return first, waiting_id


def end_work(door: IntakeSite, session_id: int, state: SessionState, **columns: Any) -> None:
    door.set_session(session_id, state=state, lease_owner=None, **columns)


def test_what_waited_joins_when_the_work_has_ended(door: IntakeSite) -> None:
    dataset = make_dataset()
    first, waiting = busy_and_waiting(door, dataset)
    join_waiting(door.site, first)
    assert door.session(waiting).state is S.RECEIVING  # still busy
    end_work(door, first, S.READY, confirmed_at=START)
    door.clock.go_on(5)
    join_waiting(door.site, first)
    joined = door.session(first)
    assert (joined.state, joined.instance_count, joined.confirmed_at) == (S.RECEIVING, 3, None)
    assert joined.last_received_at == door.clock()
    gone = door.session(waiting)
    assert (gone.state, gone.merged_into_id, gone.waits_for_id, gone.instance_count) == (
        S.DELETED,
        first,
        None,
        0,
    )
    assert not (door.site.root / gone.path).exists()
    assert door.files() == door.row_paths() and len(door.files()) == 3
    assert {row.session_id for row in door.instances()} == {first}
    assert len(door.rows(queries.SCAN, session_id=first)) == 1
    assert "joined" in {row.action for row in door.rows(queries.EVENT, session_id=first)}
    assert {path.stat().st_nlink for path in door.site.root.rglob("*.dcm")} == {1}
    join_waiting(door.site, first)
    assert door.session(first).instance_count == 3


def test_it_joins_at_the_new_place_after_a_move(door: IntakeSite) -> None:
    dataset = make_dataset()
    first, _ = busy_and_waiting(door, dataset)
    before = door.session(first).path
    target = before.replace("Unassigned", "P1")
    door.site.files.move_folder(before, target)
    end_work(door, first, S.READY, path=target, project="P1", pinned=True)
    join_all_waiting(door.site)
    assert door.files() == door.row_paths()
    assert all(path.startswith(target) for path in door.files())
    assert door.warnings(first) == set()


def test_scans_meet_by_their_series_and_new_ones_get_free_ids(door: IntakeSite) -> None:
    dataset = make_dataset()
    first, waiting = busy_and_waiting(door, dataset)
    door.send(fresh(dataset, SeriesInstanceUID=generate_uid()))
    assert {row.label for row in door.rows(queries.SCAN, session_id=waiting)} == {"1", "1-MR1"}
    door.send(fresh(dataset, SeriesInstanceUID=generate_uid(), SeriesNumber=4))
    end_work(door, first, S.READY)
    join_waiting(door.site, first)
    assert {row.label for row in door.rows(queries.SCAN, session_id=first)} == {"1", "1-MR1", "4"}
    assert door.files() == door.row_paths() and len(door.files()) == 5


def test_an_identical_duplicate_becomes_an_audit_row(door: IntakeSite) -> None:
    dataset = make_dataset()
    first, waiting = busy_and_waiting(door, dataset, number=1)
    end_work(door, first, S.READY)
    door.set_session(first, state=S.MOVING, open_key=None)
    door.set_session(waiting, waits_for_id=first)
    assert door.send(dataset).kind is OutcomeKind.DUPLICATE  # within the session that waits
    again = make_dataset(StudyInstanceUID=dataset.StudyInstanceUID)
    end_work(door, first, S.READY)
    door.send(again)
    door.set_session(first, state=S.MOVING)
    assert door.send(again).kind is OutcomeKind.STORED
    end_work(door, first, S.READY)
    join_waiting(door.site, first)
    assert [row.outcome for row in door.discarded()] == ["duplicate", "duplicate"]
    assert {row.session_id for row in door.discarded()} == {first}
    assert door.session(first).instance_count == len(door.files()) == 3
    assert door.files() == door.row_paths()


def test_another_version_of_an_instance_brings_the_session_into_conflict(door: IntakeSite) -> None:
    dataset = make_dataset()
    first = door.send(dataset).session_id
    door.set_session(first, state=S.BUILDING, open_key=None)
    dataset.InstitutionName = "elsewhere"
    assert door.send(dataset).kind is OutcomeKind.STORED
    door.set_session(first, state=S.READY)
    assert first is not None
    join_waiting(door.site, first)
    assert door.session(first).state is S.CONFLICT
    assert door.warnings(first) == {"duplicate-sop-instance-uid"}
    assert door.files() == door.row_paths() and len(door.files()) == 2


def test_warnings_and_discarded_rows_come_along_and_other_labels_are_a_warning(door: IntakeSite) -> None:
    dataset = make_dataset()
    first = door.send(dataset).session_id
    door.set_session(first, state=S.MOVING, open_key=None)
    waiting = door.send(fresh(dataset, PatientName="Roe^Jim"), command_sop_class_uid="1.2").session_id
    assert door.warnings(waiting) == {"sop-class-mismatch"}
    door.set_session(first, state=S.READY)
    assert first is not None
    join_waiting(door.site, first)
    assert door.warnings(first) == {"sop-class-mismatch", "subject-disagreement"}


@pytest.mark.parametrize("state", [S.ARCHIVED, S.DELETED])
def test_when_the_session_has_left_the_prearchive_the_other_stays_its_own(
    door: IntakeSite, state: SessionState
) -> None:
    dataset = make_dataset()
    first, waiting = busy_and_waiting(door, dataset)
    end_work(door, first, state)
    join_waiting(door.site, first)
    released = door.session(waiting)
    assert (released.waits_for_id, released.state, released.instance_count) == (None, S.RECEIVING, 2)
    assert released.open_key == queries.open_key(None, released.study_key)
    assert door.send(fresh(dataset)).session_id == waiting
    assert door.files() == door.row_paths()


def test_it_follows_the_session_into_the_one_it_was_merged_with(door: IntakeSite) -> None:
    dataset = make_dataset(PatientComments="Project:P1")
    target = door.send(fresh(dataset)).session_id
    door.set_session(target, open_key=None, state=S.ARCHIVED)
    first, waiting = busy_and_waiting(door, dataset)
    door.set_session(target, state=S.READY)
    end_work(door, first, S.DELETED, merged_into_id=target)
    join_waiting(door.site, first)
    assert door.session(waiting).merged_into_id == target
    assert door.session(target).instance_count == 3


def test_a_place_that_another_session_has_taken_is_joined(door: IntakeSite) -> None:
    dataset = make_dataset()
    first, waiting = busy_and_waiting(door, dataset)
    end_work(door, first, S.ARCHIVED)
    key = queries.open_key(None, door.session(waiting).study_key)
    other = door.send().session_id
    door.set_session(other, open_key=key)
    join_waiting(door.site, first)
    assert door.session(waiting).merged_into_id == other
    assert door.files() == door.row_paths()


def test_work_that_begins_again_stops_the_joining_and_nothing_is_lost(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset()
    first, waiting = busy_and_waiting(door, dataset, number=3)
    end_work(door, first, S.READY)
    real = FileStore.link
    links: list[str] = []

    def begin_work(self: FileStore, *args: Any) -> Any:
        links.append(args[0])
        linked = real(self, *args)
        if len(links) == 2:
            door.set_session(first, state=S.MOVING, open_key=None)
        return linked

    monkeypatch.setattr(FileStore, "link", begin_work)
    join_waiting(door.site, first)
    monkeypatch.undo()
    row = door.session(waiting)
    assert (row.state, row.waits_for_id, row.lease_owner, row.work) == (S.RECEIVING, first, None, None)
    assert door.files() == door.row_paths() and len(door.files()) == 4
    assert door.send(fresh(dataset)).session_id == waiting
    end_work(door, first, S.READY)
    join_waiting(door.site, first)
    assert door.session(first).instance_count == 5
    assert door.files() == door.row_paths() and len(door.files()) == 5


def test_a_disk_that_refuses_leaves_it_waiting_without_an_error(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset()
    first, waiting = busy_and_waiting(door, dataset)
    end_work(door, first, S.READY)

    def fail(*args: Any, **keywords: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "link", fail)
    join_waiting(door.site, first)
    monkeypatch.undo()
    assert door.session(waiting).waits_for_id == first
    assert door.files() == door.row_paths()
    join_all_waiting(door.site)
    assert door.session(first).instance_count == 3


def test_after_a_crash_the_session_waits_again_and_joins_later(door: IntakeSite) -> None:
    dataset = make_dataset()
    first, waiting = busy_and_waiting(door, dataset)
    end_work(door, first, S.READY)
    door.set_session(waiting, state=S.MOVING, open_key=None, work={"action": "join"})
    join_all_waiting(door.site)
    assert door.session(waiting).state is S.MOVING  # somebody else is at it
    put_back(door.site, waiting)
    assert door.session(waiting).state is S.RECEIVING
    join_all_waiting(door.site)
    assert door.session(first).instance_count == 3


def test_two_sessions_that_wait_for_one_both_join(door: IntakeSite) -> None:
    dataset = make_dataset()
    first, waiting = busy_and_waiting(door, dataset)
    door.set_session(waiting, state=S.MOVING, open_key=None)  # was joining when the work began again
    second = door.send(fresh(dataset)).session_id
    assert second not in (first, waiting)
    put_back(door.site, waiting)
    assert door.session(waiting).open_key is None
    end_work(door, first, S.READY)
    join_waiting(door.site, first)
    assert {door.session(waiting).merged_into_id, door.session(second).merged_into_id} == {first}
    assert door.session(first).instance_count == 4
