from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prearchive.inflight import SLOT_BYTES, InFlightLog, find_writers, log_name, release_writer


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_what_is_noted_is_seen_by_others_until_its_slot_is_used_again(folder: int) -> None:
    log = InFlightLog(folder)
    first, second = log.note("prearchive/a.dcm"), log.note("prearchive/b.dcm")
    (writer,) = find_writers(folder)
    assert not writer.is_dead and writer.writer_id == log.writer_id
    assert writer.paths == {"prearchive/a.dcm", "prearchive/b.dcm"}
    log.forget(first)
    assert log.note("prearchive/c.dcm") == first
    (writer,) = find_writers(folder)
    assert writer.paths == {"prearchive/b.dcm", "prearchive/c.dcm"}
    assert second != first
    log.close()


def test_the_log_does_not_grow_with_the_instances(folder: int, tmp_path: Path) -> None:
    log = InFlightLog(folder)
    for number in range(500):
        log.forget(log.note(f"prearchive/{number}.dcm"))
    assert (tmp_path / log_name(log.writer_id)).stat().st_size == SLOT_BYTES
    log.close()


def test_a_closed_log_is_gone_and_a_path_too_long_is_refused(folder: int, tmp_path: Path) -> None:
    log = InFlightLog(folder)
    with pytest.raises(ValueError):
        log.note("x" * SLOT_BYTES)
    (tmp_path / log_name(log.writer_id)).unlink()  # somebody cleaned up
    log.close()
    log = InFlightLog(folder)
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_the_log_of_a_dead_process_is_recognised_kept_by_one_and_removed(folder: int, tmp_path: Path) -> None:
    code = (
        "import os, sys; from prearchive.inflight import InFlightLog;"
        "log = InFlightLog(os.open(sys.argv[1], os.O_RDONLY)); log.note('prearchive/x.dcm');"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (dead,) = find_writers(folder)
    assert dead.is_dead and dead.paths == {"prearchive/x.dcm"}
    (seen_by_another,) = find_writers(folder)
    assert not seen_by_another.is_dead  # the first one deals with it
    release_writer(folder, dead, remove=False)
    (dead,) = find_writers(folder)
    assert dead.is_dead
    release_writer(folder, dead, remove=True)
    assert find_writers(folder) == [] and list(tmp_path.iterdir()) == []


def test_a_log_that_a_recovery_has_taken_for_dead_is_not_used(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    real, calls = fcntl.flock, iter(range(10))

    def flock(descriptor: int, operation: int) -> None:
        number = next(calls)
        if number == 0:  # between creation and lock the recovery removes the log
            for path in tmp_path.iterdir():
                path.unlink()
        elif number == 1:  # or holds its lock
            raise BlockingIOError
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    log = InFlightLog(folder)
    assert next(calls) == 3 and (tmp_path / log_name(log.writer_id)).is_file()
    monkeypatch.setattr(fcntl, "flock", lambda *args: (_ for _ in ()).throw(BlockingIOError()))
    with pytest.raises(OSError, match="cannot lock"):
        InFlightLog(folder)


def test_other_files_are_no_logs(folder: int, tmp_path: Path) -> None:
    for name in ("migrate.lock", "intake-xyz.log", "intake-0123456789abcdef.log.bak"):
        (tmp_path / name).write_text("x")
    (tmp_path / "intake-0123456789abcdef.log").symlink_to("/etc/passwd")
    assert find_writers(folder) == []


def test_a_log_with_something_in_doubt_outlives_its_process(folder: int, tmp_path: Path) -> None:
    log = InFlightLog(folder)
    log.forget(log.note("prearchive/safe.dcm"))
    log.note("prearchive/doubtful.dcm")
    log.close()
    (writer,) = find_writers(folder)
    assert writer.is_dead and writer.paths == {"prearchive/doubtful.dcm"}
    release_writer(folder, writer, remove=True)
