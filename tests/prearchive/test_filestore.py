from __future__ import annotations

import errno
import grp
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from prearchive import filestore as filestore_module
from prearchive.errors import ConfigurationProblemError, DamagedFileError, StorageTroubleError
from prearchive.filestore import FileStore
from prearchive.paths import UnsafePathError

FOLDER = "prearchive/P1/20240301_120000000/S1/SCANS/1/DICOM"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    store = FileStore(tmp_path / "data")
    store.prepare()
    yield store
    store.close()


def keep(store: FileStore, name: str, content: bytes = b"content", folder: str = FOLDER) -> str:
    with store.store(folder, name, [content]) as stored:
        stored.keep()
    return stored.path


def everything(store: FileStore) -> set[str]:
    """Every file and every folder below the top ones, but logs."""
    found = {str(path.relative_to(store.root)) for path in store.root.rglob("*")}
    return {name for name in found if "/" in name and not name.startswith("tmp/intake-")}


# Storing


def test_a_stored_file_has_content_digest_and_size_and_is_private(store: FileStore) -> None:
    with store.store(FOLDER, "a.dcm", [b"ab", b"", memoryview(b"cd")]) as stored:
        stored.keep()
    path = store.root / stored.path
    assert path.read_bytes() == b"abcd"
    assert stored.size_bytes == 4 and stored.file_name == "a.dcm"
    assert stored.digest == f"blake3:{blake3(b'abcd').hexdigest()}" == store.digest_of(stored.path)[1]
    assert path.stat().st_mode & 0o777 == 0o600
    folders = [folder for folder in path.parents if folder.is_relative_to(store.root)]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}


def test_a_file_without_keep_is_taken_back_with_the_folders_that_were_made_for_it(store: FileStore) -> None:
    with store.store(FOLDER, "a.dcm", [b"abcd"]):
        pass
    assert everything(store) == set()


def test_a_file_in_doubt_stays_and_stays_noted(store: FileStore) -> None:
    with store.store(FOLDER, "a.dcm", [b"abcd"]) as stored:
        stored.leave_in_doubt()
    keep(store, "b.dcm")
    assert (store.root / stored.path).is_file()
    assert stored.path in store.in_flight_paths()


def test_a_file_is_taken_back_even_when_its_folder_was_moved_meanwhile(store: FileStore) -> None:
    keep(store, "first.dcm")
    with store.store(FOLDER, "late.dcm", [b"late"]):
        store.move_folder("prearchive/P1/20240301_120000000/S1", "prearchive/P2/20240301_120000000/S1")
    names = [path.name for path in store.root.rglob("*.dcm")]
    assert names == ["first.dcm"]


def test_a_taken_name_gets_a_number_and_nothing_is_overwritten(store: FileStore) -> None:
    paths = [keep(store, "a.dcm", content) for content in (b"0", b"1", b"2")]
    assert [path.rpartition("/")[2] for path in paths] == ["a.dcm", "a_1.dcm", "a_2.dcm"]
    assert [(store.root / path).read_bytes() for path in paths] == [b"0", b"1", b"2"]


def test_threads_that_write_the_same_name_at_once_share_nothing(store: FileStore) -> None:
    written: dict[str, bytes] = {}
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        for turn in range(5):
            content = b"%d/%d" % (number, turn)
            written[keep(store, "same.dcm", content)] = content

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 40
    assert all((store.root / path).read_bytes() == content for path, content in written.items())


def test_threads_whose_files_are_all_taken_back_leave_no_folders(store: FileStore) -> None:
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(10):
                with store.store(FOLDER, f"{number}-{turn}.dcm", [b"x"]):
                    pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert everything(store) == set()


def test_many_large_and_small_pieces_are_written_whole(store: FileStore) -> None:
    pieces = [bytes([number % 256]) * (number % 700) for number in range(1500)]
    with store.store(FOLDER, "a.dcm", pieces) as stored:
        stored.keep()
    assert (store.root / stored.path).read_bytes() == b"".join(pieces)


def test_short_writes_are_continued(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.writev

    def write_little(descriptor: int, buffers: Any) -> int:
        return real(descriptor, [memoryview(buffers[0])[:7]])

    monkeypatch.setattr(os, "writev", write_little)
    pieces = [b"0123456789" * 8000, b"abc"]
    with store.store(FOLDER, "a.dcm", [b"0123456789abc" * 3, b"xyz"]) as stored:
        stored.keep()
    monkeypatch.undo()
    assert (store.root / stored.path).read_bytes() == b"0123456789abc" * 3 + b"xyz"
    assert stored.digest == f"blake3:{blake3((store.root / stored.path).read_bytes()).hexdigest()}"
    assert pieces


# Order, durability, failures


def traced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that matter for safety, in order, with the name of what a descriptor belongs to."""
    calls: list[str] = []
    fsync, rename = os.fsync, os.rename

    def name(descriptor: int) -> str:
        return Path(f"/proc/self/fd/{descriptor}").readlink().name

    def traced_fsync(descriptor: int) -> None:
        calls.append(f"fsync {name(descriptor)}")
        fsync(descriptor)

    def traced_rename(source: str, target: str, **keywords: Any) -> None:
        calls.append(f"rename {target}")
        rename(source, target, **keywords)

    monkeypatch.setattr(os, "fsync", traced_fsync)
    monkeypatch.setattr(os, "rename", traced_rename)
    return calls


def test_file_then_rename_then_folder_and_every_new_ancestor_is_synced(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = traced(monkeypatch)
    keep(store, "a.dcm")
    assert calls[0].startswith("fsync ") and calls[0].endswith(".part")
    ancestors = ["data", "prearchive", "P1", "20240301_120000000", "S1", "SCANS", "1"]
    assert calls[1:-2] == [f"fsync {ancestor}" for ancestor in ancestors]
    assert calls[-2:] == ["rename a.dcm", "fsync DICOM"]


def test_known_folders_are_not_synced_again(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, "a.dcm")
    calls = traced(monkeypatch)
    keep(store, "b.dcm")
    assert [call.rpartition(".")[2] for call in calls] == ["part", "dcm", calls[2]]
    assert calls[1:] == ["rename b.dcm", "fsync DICOM"]


def test_a_folder_that_another_process_made_is_synced_once_by_us_too(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, "a.dcm")
    other = FileStore(store.root)
    calls = traced(monkeypatch)
    keep(other, "b.dcm")
    assert "fsync 1" in calls and "fsync P1" in calls
    other.close()


FAILURES = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE]


def fail_on(monkeypatch: pytest.MonkeyPatch, name: str, code: int, when: Callable[..., bool]) -> None:
    real = getattr(os, name)

    def maybe_fail(*args: Any, **keywords: Any) -> Any:
        if when(*args, **keywords):
            raise OSError(code, os.strerror(code))
        return real(*args, **keywords)

    monkeypatch.setattr(os, name, maybe_fail)


@pytest.mark.parametrize("code", FAILURES)
@pytest.mark.parametrize("name", ["writev", "rename", "mkdir"])
def test_a_disk_that_refuses_leaves_nothing_behind(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    store.in_flight_paths()
    assert store.writer_id
    fail_on(monkeypatch, name, code, lambda *args, **keywords: True)
    with pytest.raises(StorageTroubleError, match=os.strerror(code)):
        store.store(FOLDER, "a.dcm", [b"abcd"])
    monkeypatch.undo()
    assert everything(store) == set()
    keep(store, "a.dcm")


@pytest.mark.parametrize("number", range(9))
def test_a_sync_that_fails_at_any_place_leaves_nothing_behind(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    assert store.writer_id
    count = iter(range(100))
    fail_on(monkeypatch, "fsync", errno.EIO, lambda descriptor: next(count) == number)
    with pytest.raises(StorageTroubleError):
        store.store(FOLDER, "a.dcm", [b"abcd"])
    monkeypatch.undo()
    assert everything(store) == set()


def test_a_reservation_that_fails_leaves_nothing_behind(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.writer_id
    fail_on(monkeypatch, "open", errno.ENOSPC, lambda name, *args, **keywords: name == "a.dcm")
    with pytest.raises(StorageTroubleError):
        store.store(FOLDER, "a.dcm", [b"abcd"])
    monkeypatch.undo()
    assert everything(store) == set()


def test_below_the_reserve_nothing_is_written(store: FileStore) -> None:
    store.min_free_bytes = store.free_bytes() + (1 << 40)
    with pytest.raises(StorageTroubleError, match="min_free_bytes"):
        store.store(FOLDER, "a.dcm", [b"abcd"])
    assert everything(store) == set()


def test_a_storage_error_holds_no_path(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.writer_id
    fail_on(monkeypatch, "rename", errno.ENOSPC, lambda *args, **keywords: True)
    with pytest.raises(StorageTroubleError) as caught:
        store.store(FOLDER, "a.dcm", [b"abcd"])
    assert "a.dcm" not in str(caught.value) and "P1" not in str(caught.value)


# Paths


@pytest.mark.parametrize(
    "path",
    [
        "",
        "..",
        "prearchive/../..",
        "/etc",
        "prearchive//x",
        "prearchive/./x",
        "a/b\0c",
        "a/b\nc",
        "a/\u00e9",
        "a/ b",
    ],
)
def test_paths_that_could_lead_elsewhere_are_refused(store: FileStore, path: str) -> None:
    with pytest.raises(UnsafePathError):
        store.store(path, "a.dcm", [b"x"])
    with pytest.raises(UnsafePathError):
        store.create_folder(path)
    with pytest.raises(UnsafePathError):
        store.write_atomically(f"{path}/manifest.json" if path else "", b"x")
    assert everything(store) == set()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "\0", "a" * 256])
def test_file_names_that_are_no_names_are_refused(store: FileStore, name: str) -> None:
    with pytest.raises(UnsafePathError):
        store.store(FOLDER, name, [b"x"])


def test_a_symbolic_link_below_the_root_is_never_followed(store: FileStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (store.root / "prearchive" / "P1").symlink_to(outside)
    with pytest.raises(StorageTroubleError):
        store.store(FOLDER, "a.dcm", [b"x"])
    with pytest.raises(DamagedFileError):
        store.read_instance("prearchive/P1/secret")
    keep(store, "b.dcm", folder="prearchive/P2")
    (store.root / "prearchive/P2/link.dcm").symlink_to(outside / "secret")
    with pytest.raises(DamagedFileError):
        store.read_instance("prearchive/P2/link.dcm")
    assert keep(store, "link.dcm", folder="prearchive/P2") == "prearchive/P2/link_1.dcm"
    assert list(outside.iterdir()) == [outside / "secret"]


def test_removing_a_folder_does_not_go_through_links(store: FileStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    keep(store, "b.dcm", folder="prearchive/P2/x")
    (store.root / "prearchive/P2/x/link").symlink_to(outside)
    store.remove_folder("prearchive/P2/x")
    assert (outside / "kept").read_text() == "x"
    assert everything(store) == set()


# Reading


def test_reading_checks_the_digest(store: FileStore) -> None:
    path = keep(store, "a.dcm", b"abcd")
    size_bytes, digest = store.digest_of(path)
    assert bytes(store.read_instance(path, digest)) == b"abcd" and size_bytes == 4
    (store.root / path).write_bytes(b"abce")
    with pytest.raises(DamagedFileError, match="digest"):
        store.read_instance(path, digest)


def test_missing_empty_and_special_files_are_damage(store: FileStore) -> None:
    path = keep(store, "a.dcm", b"")
    with pytest.raises(DamagedFileError, match="empty"):
        store.read_instance(path)
    with pytest.raises(DamagedFileError):
        store.read_instance(f"{FOLDER}/missing.dcm")
    os.mkfifo(store.root / FOLDER / "pipe")
    with pytest.raises(DamagedFileError):
        store.read_instance(f"{FOLDER}/pipe")
    with pytest.raises(FileNotFoundError):
        store.digest_of("archive/none/a.dcm")


# Other files and folders


def test_a_file_is_replaced_in_one_step_and_stays_when_that_fails(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_atomically("prearchive/x/manifest.json", b"old")
    store.write_atomically("prearchive/x/manifest.json", b"new")
    path = store.root / "prearchive/x/manifest.json"
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o600
    fail_on(monkeypatch, "rename", errno.ENOSPC, lambda *args, **keywords: True)
    with pytest.raises(StorageTroubleError):
        store.write_atomically("prearchive/x/manifest.json", b"newer")
    monkeypatch.undo()
    assert path.read_bytes() == b"new"
    assert everything(store) == {"prearchive/x", "prearchive/x/manifest.json"}


def test_a_second_name_is_a_link_that_can_be_taken_back(store: FileStore) -> None:
    source = keep(store, "a.dcm", b"abcd")
    with store.link(source, FOLDER, "a.dcm") as linked:
        linked.keep()
    assert linked.path == f"{FOLDER}/a_1.dcm" and linked.size_bytes == 4
    assert (store.root / source).stat().st_nlink == 2
    with store.link(source, "prearchive/P2/x", "a.dcm"):
        pass
    assert not (store.root / "prearchive/P2").exists()
    with pytest.raises(FileNotFoundError):
        store.link(f"{FOLDER}/missing.dcm", "prearchive/P2/x", "a.dcm")


def test_moving_a_folder_syncs_both_parents_and_prunes_the_old_ones(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, "a.dcm")
    calls = traced(monkeypatch)
    store.move_folder("prearchive/P1/20240301_120000000/S1", "archive/P1/SUBJECT/S1")
    assert calls[-3:] == ["rename S1", "fsync SUBJECT", "fsync 20240301_120000000"]
    assert not (store.root / "prearchive/P1").exists()
    assert store.has_folder("archive/P1/SUBJECT/S1/SCANS/1/DICOM")


def test_a_folder_is_never_moved_over_another(store: FileStore) -> None:
    keep(store, "a.dcm", folder="prearchive/P1/x")
    store.create_folder("prearchive/P2/x")
    with pytest.raises(FileExistsError):
        store.move_folder("prearchive/P1/x", "prearchive/P2/x")
    with pytest.raises(FileNotFoundError):
        store.move_folder("prearchive/P1/missing", "prearchive/P3/x")
    assert store.has_folder("prearchive/P1/x")


def test_a_folder_is_made_once(store: FileStore) -> None:
    store.create_folder("prearchive/P1/x")
    with pytest.raises(FileExistsError):
        store.create_folder("prearchive/P1/x")
    assert store.list_folders("prearchive/P1") == ["x"]
    assert store.list_folders("prearchive/none") == []


def test_a_hollow_folder_goes_and_one_with_a_file_stays(store: FileStore) -> None:
    (store.root / "prearchive/P1/x/SCANS/1/DICOM").mkdir(parents=True)
    keep(store, "a.dcm", folder="prearchive/P1/y/SCANS/1/DICOM")
    (store.root / "prearchive/P1/y/SCANS/2/DICOM").mkdir(parents=True)
    for folder in ("x", "y", "missing"):
        store.remove_hollow_folder(f"prearchive/P1/{folder}")
    assert store.list_folders("prearchive/P1") == ["y"]
    assert [listed.path for listed in store.list_files("prearchive")] == [
        "prearchive/P1/y/SCANS/1/DICOM/a.dcm"
    ]


def test_files_are_listed_with_their_sizes(store: FileStore) -> None:
    path = keep(store, "a.dcm", b"abcd")
    (listed,) = store.list_files("prearchive/P1")
    assert (listed.path, listed.size_bytes) == (path, 4)
    assert [listed.path for listed in store.list_files(FOLDER)] == [path]
    assert list(store.list_files("archive/none")) == []


def test_staging_is_built_synced_and_moved(store: FileStore) -> None:
    staging = store.create_staging()
    keep(store, "a.dcm", folder=f"{staging}/SCANS/1/DICOM")
    store.sync_folders(staging)
    store.move_folder(staging, "archive/P1/A/B")
    assert store.has_folder("archive/P1/A/B/SCANS/1/DICOM") and store.has_folder("tmp")


def test_removing_what_is_not_there_is_no_error(store: FileStore) -> None:
    store.remove_folder("prearchive/none/x")
    store.remove_file("prearchive/none/x.dcm")
    path = keep(store, "a.dcm")
    store.remove_file(path)
    assert everything(store) == set()


# The root


def test_a_root_that_cannot_be_written_is_a_configuration_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationProblemError, match="storage root"):
        FileStore(tmp_path / "file" / "data").prepare()
    with pytest.raises(ConfigurationProblemError, match="storage root"):
        FileStore(tmp_path / "file").prepare()


def test_a_full_disk_at_the_start_is_a_configuration_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path / "data")
    monkeypatch.setattr(
        filestore_module, "_NEW_FILE_FLAGS", os.O_WRONLY | os.O_DIRECTORY
    )  # an open that fails
    with pytest.raises(ConfigurationProblemError, match="storage root"):
        store.prepare()


def test_an_unknown_group_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationProblemError, match=r"storage\.group.*nosuchgroup"):
        FileStore(tmp_path, group="nosuchgroup")


def test_a_group_may_read_everything_whatever_the_umask(tmp_path: Path) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    before = os.umask(0o077)
    try:
        store = FileStore(tmp_path / "data", group=group)
        store.prepare()
        path = store.root / keep(store, "a.dcm")
        store.close()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o7777 == 0o640
    modes = {folder.stat().st_mode & 0o7777 for folder in path.parents if folder.is_relative_to(store.root)}
    assert modes == {0o2750}


def test_a_disk_too_full_for_the_log_costs_no_descriptors(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    keep(store, "a.dcm")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        for _ in range(5):
            with pytest.raises(StorageTroubleError):
                store.store(f"{FOLDER}2", "b.dcm", [b"x"])
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not store.has_folder(f"{FOLDER}2")
    store.close()
    assert not list((store.root / "tmp").iterdir())
