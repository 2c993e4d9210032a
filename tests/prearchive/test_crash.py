"""Killed at steps that touch the disk: what was answered with Success is there, whole, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from builders import make_dataset
from intake_site import IntakeSite, opened
from killing import Child, Work, run_killed_at
from pydicom.uid import generate_uid

from prearchive.incoming import OutcomeKind
from prearchive.joining import join_waiting
from prearchive.recovery import recover
from prearchive.states import SessionState

# Every step takes its time; the normal suite takes every seventh, beginning elsewhere for each test.
STRIDES = [pytest.param(7, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


def verify(door: IntakeSite, acknowledged: set[str]) -> None:
    """Files, rows and answers agree, and nothing is left over."""
    rows = door.instances()
    assert acknowledged <= {row.sop_instance_uid for row in rows}
    assert door.files() == door.row_paths()
    for path in door.files():
        assert door.site.files.digest_of(path) in {(row.size_bytes, row.digest) for row in rows}
    for session in door.sessions():
        count = len([row for row in rows if row.session_id == session.id])
        assert session.instance_count == count
        assert count > 0 or session.state is SessionState.DELETED
    left = [path.name for path in (door.site.root / "tmp").iterdir()]
    assert left == [f"intake-{door.site.owner}.log"]
    folders = [path for path in (door.site.root / "prearchive").rglob("*") if path.is_dir()]
    assert not [folder for folder in folders if not any(folder.iterdir())]


def sending(folder: Path) -> Work:
    """Sends an instance that opens a session, one for the same scan and one for another scan."""

    def work(child: Child) -> None:
        study, series = generate_uid(), generate_uid()
        with opened(folder, script=None) as door:
            child.arm()
            for number in range(3):
                dataset = make_dataset(StudyInstanceUID=study, InstanceNumber=number)
                if number < 2:
                    dataset.SeriesInstanceUID = series
                outcome = door.send(dataset)
                assert outcome.kind is OutcomeKind.STORED
                child.say(outcome.sop_instance_uid)

    return work


@pytest.mark.parametrize("stride", STRIDES)
def test_intake_keeps_what_was_acknowledged_and_nothing_else(tmp_path: Path, stride: int) -> None:
    achieved = set()
    for kill_at in itertools.count(1, stride):
        folder = tmp_path / str(kill_at)
        killed, said = run_killed_at(kill_at, sending(folder), tmp_path / "report")
        with opened(folder, script=None) as door:
            recover(door.site)
            verify(door, set(said))
            assert len(door.files()) - len(said) in (0, 1)
        achieved.add(len(said))
        if not killed:
            break
    assert achieved == {0, 1, 2, 3}


@pytest.mark.parametrize("stride", STRIDES)
def test_a_recovery_that_is_killed_itself_is_done_by_the_next(tmp_path: Path, stride: int) -> None:
    folder = tmp_path / "site"

    def recovering(child: Child) -> None:
        with opened(folder, script=None) as door:
            child.arm()
            recover(door.site)

    acknowledged: set[str] = set()
    for kill_at in itertools.count(3, 2 * stride):
        _, said = run_killed_at(28, sending(folder), tmp_path / "report")
        acknowledged.update(said)
        killed, _ = run_killed_at(kill_at, recovering, tmp_path / "report")
        with opened(folder, script=None) as door:
            recover(door.site)
            verify(door, acknowledged)
        if not killed:
            break


@pytest.mark.parametrize("stride", STRIDES)
def test_a_join_loses_and_doubles_nothing(tmp_path: Path, stride: int) -> None:
    for kill_at in itertools.count(2, stride):
        folder = tmp_path / str(kill_at)
        dataset = make_dataset()
        with opened(folder, script=None) as door:
            first = door.send(dataset).session_id
            assert first is not None
            door.set_session(first, state=SessionState.MOVING, open_key=None)
            sent = {str(dataset.SOPInstanceUID)}
            for number in range(2):
                dataset.SOPInstanceUID, dataset.InstanceNumber = generate_uid(), 5 + number
                sent.add(str(door.send(dataset).sop_instance_uid))
            door.set_session(first, state=SessionState.READY)

        def joining(child: Child, folder: Path = folder, first: int = first) -> None:
            with opened(folder, script=None) as door:
                child.arm()
                join_waiting(door.site, first)

        killed, _ = run_killed_at(kill_at, joining, tmp_path / "report")
        with opened(folder, script=None) as door:
            recover(door.site)
            verify(door, sent)
            assert {row.session_id for row in door.instances()} == {first}
            assert len(door.files()) == 3
        if not killed:
            break
