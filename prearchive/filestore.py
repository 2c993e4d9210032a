"""Every file-system change of the project, and how it survives a crash at any moment.

An instance is written like this:

1. Its whole content goes into a temporary file below `<root>/tmp`, on the same file system; fsync.
2. Its path is noted in the log of files in flight (`inflight`).
3. The name is reserved with O_CREAT|O_EXCL, so no two writers, threads or processes, ever share a name.
4. The temporary file is renamed over the reservation.
5. The folder is synced; so was the parent of every folder that this process had not seen synced yet.

The caller then commits the row and calls `keep`; without it the file is taken back. Killed before 3: a
temporary file, removed at the next start. Killed later: a file without a row that the log names, removed at
the next start. Power lost: after 5 everything is on the disk, before 5 nobody was told Success.

Removing a folder first renames it into `tmp`: it is there as a whole or not at all. The rest about folders,
how they are opened, made and moved, is in `folders`.
"""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from blake3 import blake3

from prearchive import paths
from prearchive.errors import ConfigurationProblemError, DamagedFileError, StorageTroubleError
from prearchive.folders import WALK_ATTEMPTS, FolderTree, storage_trouble
from prearchive.inflight import InFlightLog, OtherWriter, find_writers, release_writer

DIGEST_PREFIX = "blake3:"
_NEW_FILE_FLAGS = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MOST_VECTORS = 512  # of one writev; the system allows 1024
_SMALL_BYTES = 64 * 1024
_MOST_NAMES = 10_000

Chunk = bytes | bytearray | memoryview


class StoredFile:
    """A file safely on the disk that has no row yet. Leaving the `with` block without `keep` removes it.

    The folder stays open, so the file is found again even if the session's folder was moved meanwhile.
    """

    def __init__(
        self, store: FileStore, folder_fd: int, path: str, size_bytes: int, digest: str, slot: int
    ) -> None:
        self.path = path
        self.file_name = path.rpartition("/")[2]
        self.size_bytes = size_bytes
        self.digest = digest
        self._store = store
        self._folder_fd = folder_fd
        self._slot = slot
        self._kept = False
        self._in_doubt = False

    def keep(self) -> None:
        """The row is committed: the file stays."""
        self._kept = True

    def leave_in_doubt(self) -> None:
        """Nobody knows whether the row was committed: the file stays, and so does its note in the log."""
        self._kept = self._in_doubt = True

    def __enter__(self) -> StoredFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self._kept:
                with contextlib.suppress(OSError):
                    os.unlink(self.file_name, dir_fd=self._folder_fd)
                    os.fsync(self._folder_fd)
        finally:
            os.close(self._folder_fd)
            if not self._in_doubt:
                self._store.forget_in_flight(self._slot)
        if not self._kept:
            self._store.remove_empty_folders(paths.parent(self.path))


class FileStore(FolderTree):
    """The files below one storage root. Safe to use from several threads and processes.

    Args:
        root: the storage root.
        group: name of a group that may read everything, or None.
        min_free_bytes: refuse to write instances when less than this would be left on the disk.
    """

    def __init__(self, root: Path, *, group: str | None = None, min_free_bytes: int = 0) -> None:
        super().__init__(root, group=group)
        self.min_free_bytes = min_free_bytes
        self._log: InFlightLog | None = None
        self._counter = itertools.count()

    def prepare(self) -> None:
        """Make the root and its top folders, and see that they can be written.

        Raises:
            ConfigurationProblemError: they cannot.
        """
        super().prepare()
        try:
            with self.temporary_file():
                pass
        except OSError as error:
            raise ConfigurationProblemError(
                f"{self.root}: the storage root cannot be written: {error.strerror}"
            ) from None

    def close(self) -> None:
        """Remove the log of files in flight and let go of the root."""
        with self._lock:
            if self._log is not None:
                self._log.close()
                self._log = None
        super().close()

    # Instances

    def store(self, folder: str, file_name: str, chunks: Sequence[Chunk]) -> StoredFile:
        """Write an instance into `folder`; the name gets `_1`, `_2` ... when it is taken.

        Raises:
            StorageTroubleError: disk full, below the reserve, or broken; nothing is left behind.
            UnsafePathError: `folder` or `file_name` could lead out of the root.
        """
        paths.components(folder)
        paths.checked_component(file_name)
        size_bytes = sum(len(chunk) for chunk in chunks)
        with storage_trouble():
            if self.min_free_bytes and self.free_bytes() - size_bytes < self.min_free_bytes:
                raise StorageTroubleError("the disk is full: less would be left than limits.min_free_bytes")
            digest = blake3()
            with self.temporary_file() as (temporary_name, descriptor):
                _write_all(descriptor, chunks, digest)
                os.fsync(descriptor)

                def put(name: str, folder_fd: int) -> None:
                    os.close(os.open(name, _NEW_FILE_FLAGS, self._file_mode, dir_fd=folder_fd))
                    with _unlinked_on_error(name, folder_fd):
                        os.rename(
                            temporary_name, name, src_dir_fd=self._open_temporary(), dst_dir_fd=folder_fd
                        )
                        os.fsync(folder_fd)

                folder_fd, path, slot = self._put_under_free_name(folder, file_name, put)
        return StoredFile(self, folder_fd, path, size_bytes, DIGEST_PREFIX + digest.hexdigest(), slot)

    def link(self, source: str, folder: str, file_name: str) -> StoredFile:
        """Give a stored instance a second name in `folder` (a hard link), numbered when the name is taken.

        Raises:
            FileNotFoundError: there is no `source`.
            StorageTroubleError: the disk refuses.
        """
        paths.checked_component(file_name)
        source_name = paths.checked_component(source.rpartition("/")[2])
        with storage_trouble():
            source_fd = self._open_folder(paths.components(paths.parent(source)))
            try:
                size_bytes = os.stat(source_name, dir_fd=source_fd, follow_symlinks=False).st_size

                def put(name: str, folder_fd: int) -> None:
                    os.link(
                        source_name,
                        name,
                        src_dir_fd=source_fd,
                        dst_dir_fd=folder_fd,
                        follow_symlinks=False,
                    )
                    with _unlinked_on_error(name, folder_fd):
                        os.fsync(folder_fd)

                folder_fd, path, slot = self._put_under_free_name(folder, file_name, put)
            finally:
                os.close(source_fd)
        return StoredFile(self, folder_fd, path, size_bytes, "", slot)

    def _put_under_free_name(
        self, folder: str, file_name: str, put: Callable[[str, int], None]
    ) -> tuple[int, str, int]:
        """Let `put` make a file under the first free name; return the open folder, the path and the slot."""
        log = self._open_log()
        number = attempt = 0
        while number < _MOST_NAMES:
            try:
                folder_fd = self._open_folder(paths.components(folder), create=True)
            except BaseException:
                self.remove_empty_folders(folder)
                raise
            path = f"{folder}/{paths.numbered(file_name, number)}"
            slot: int | None = None
            try:
                slot = log.note(path)
                put(path.rpartition("/")[2], folder_fd)
                return folder_fd, path, slot
            except BaseException as error:
                os.close(folder_fd)
                if slot is not None:
                    log.forget(slot)
                if isinstance(error, FileExistsError):
                    number += 1
                elif isinstance(error, FileNotFoundError) and attempt < WALK_ATTEMPTS:
                    attempt += 1  # somebody removed the folder, which was empty
                else:
                    self.remove_empty_folders(folder)
                    raise
        raise StorageTroubleError("no free file name")

    def remove_file(self, path: str) -> None:
        """Remove one file, and its folders as far as they are empty; no error when it is not there."""
        with storage_trouble(), contextlib.suppress(FileNotFoundError):
            folder_fd = self._open_folder(paths.components(paths.parent(path)))
            try:
                os.unlink(path.rpartition("/")[2], dir_fd=folder_fd)
                os.fsync(folder_fd)
            finally:
                os.close(folder_fd)
        self.remove_empty_folders(paths.parent(path))

    def open_file(self, path: str) -> int:
        """Open a file for reading; return its descriptor. Links are not followed.

        Raises:
            FileNotFoundError: it is not there.
        """
        names = paths.components(path)
        folder_fd = self._open_folder(names[:-1])
        try:
            descriptor = os.open(names[-1], _READ_FLAGS, dir_fd=folder_fd)
        finally:
            os.close(folder_fd)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileNotFoundError("not a plain file")
        return descriptor

    def read_instance(self, path: str, digest: str | None = None) -> memoryview:
        """Return a file's content, mapped and not read as a whole; with `digest`, checked against it.

        Raises:
            DamagedFileError: missing, unreadable, empty, or another content than `digest` says.
        """
        try:
            descriptor = self.open_file(path)
        except OSError as error:
            raise DamagedFileError(f"{path}: {error.strerror or 'the file is missing'}") from None
        try:
            if os.fstat(descriptor).st_size == 0:
                raise DamagedFileError(f"{path}: the file is empty")
            content = memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
        finally:
            os.close(descriptor)
        if digest is not None and DIGEST_PREFIX + blake3(content).hexdigest() != digest:
            raise DamagedFileError(f"{path}: the content is not what was stored (digest differs)")
        return content

    def digest_of(self, path: str) -> tuple[int, str]:
        """Return size and digest of a file, read in pieces.

        Raises:
            FileNotFoundError: it is not there.
        """
        digest = blake3()
        size_bytes = 0
        with open(self.open_file(path), "rb", buffering=0) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
                size_bytes += len(block)
        return size_bytes, DIGEST_PREFIX + digest.hexdigest()

    # Other files and folders

    def write_atomically(self, path: str, content: bytes) -> None:
        """Write or replace a file in one step: a reader sees the old or the new content, whole."""
        names = paths.components(path)
        with storage_trouble(), self.temporary_file() as (temporary_name, descriptor):
            _write_all(descriptor, [content], None)
            os.fsync(descriptor)
            folder_fd = self._open_folder(names[:-1], create=True)
            try:
                os.rename(temporary_name, names[-1], src_dir_fd=self._open_temporary(), dst_dir_fd=folder_fd)
                os.fsync(folder_fd)
            finally:
                os.close(folder_fd)

    @contextlib.contextmanager
    def temporary_file(self) -> Iterator[tuple[str, int]]:
        """Give name and descriptor of a new file in `tmp`; it is removed unless it was renamed."""
        temporary_fd = self._open_temporary()
        name = f"{self.writer_id}-{next(self._counter)}.part"
        descriptor = os.open(name, _NEW_FILE_FLAGS, self._file_mode, dir_fd=temporary_fd)
        try:
            if self._group_id is not None:
                os.fchown(descriptor, -1, self._group_id)
                os.fchmod(descriptor, self._file_mode)
            yield name, descriptor
        finally:
            os.close(descriptor)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=temporary_fd)

    def create_staging(self) -> str:
        """Make a folder of our own in `tmp` to build something in; return its path."""
        path = f"{paths.TEMPORARY}/staging-{self.writer_id}-{next(self._counter)}"
        self.create_folder(path)
        return path

    def remove_folder(self, path: str) -> None:
        """Remove a folder with everything in it; no error when it is not there."""
        names = paths.components(path)
        doomed = f"removed-{self.writer_id}-{next(self._counter)}"
        with storage_trouble(), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            temporary_fd = self._open_temporary()
            parent_fd = self._open_folder(names[:-1])
            try:
                os.rename(names[-1], doomed, src_dir_fd=parent_fd, dst_dir_fd=temporary_fd)
                os.fsync(parent_fd)
            finally:
                os.close(parent_fd)
            shutil.rmtree(doomed, dir_fd=temporary_fd)
        self._forget_folders(path)
        self.remove_empty_folders(paths.parent(path))

    # Files in flight

    @property
    def writer_id(self) -> str:
        """The random name of this process in `tmp`."""
        return self._open_log().writer_id

    def _open_log(self) -> InFlightLog:
        if self._log is None:
            temporary_fd = self._open_temporary()
            with self._lock:
                if self._log is None:
                    self._log = InFlightLog(temporary_fd)
        return self._log

    def forget_in_flight(self, slot: int) -> None:
        """The file of this slot has a row, or is gone."""
        self._open_log().forget(slot)

    def in_flight_paths(self) -> set[str]:
        """Paths that living processes, this one too, are just writing: no row yet does not mean stray."""
        found: set[str] = set()
        for writer in find_writers(self._open_temporary()):
            if not writer.is_dead:
                found |= writer.paths
            self.release_writer(writer, remove=False)
        return found

    def is_alive(self, writer_id: str | None) -> bool:
        """Whether the process that has this `writer_id` still runs."""
        if writer_id is None:
            return False
        if self._log is not None and writer_id == self._log.writer_id:
            return True
        alive = False
        for writer in find_writers(self._open_temporary()):
            alive = alive or (writer.writer_id == writer_id and not writer.is_dead)
            self.release_writer(writer, remove=False)
        return alive

    def find_writers(self) -> list[OtherWriter]:
        """Logs of other processes' files in flight; those of dead ones are locked until `release_writer`."""
        return find_writers(self._open_temporary(), self.writer_id)

    def release_writer(self, writer: OtherWriter, *, remove: bool) -> None:
        """Let go of a dead process's log; with `remove` that log and the process's temporary files go."""
        if remove and writer.is_dead:
            self.remove_temporary(writer.writer_id)
        release_writer(self._open_temporary(), writer, remove=remove)

    def temporary_names(self) -> list[str]:
        """What is in `tmp`."""
        return sorted(os.listdir(self._open_temporary()))  # noqa: PTH208  (by descriptor)

    def remove_temporary(self, writer_id: str) -> None:
        """Remove the temporary files and folders of a dead process."""
        temporary_fd = self._open_temporary()
        for name in os.listdir(temporary_fd):  # noqa: PTH208  (by descriptor)
            if name.startswith(f"{writer_id}-"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=temporary_fd)
            elif name.startswith((f"removed-{writer_id}-", f"staging-{writer_id}-")):
                shutil.rmtree(name, dir_fd=temporary_fd)


@contextlib.contextmanager
def _unlinked_on_error(name: str, folder_fd: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder_fd)
        raise


def _write_all(descriptor: int, chunks: Iterable[Chunk], digest: blake3 | None) -> None:
    """Write all chunks and feed them to the digest; small ones are joined."""
    pending = [memoryview(chunk).cast("B") for chunk in chunks if len(chunk)]
    if len(pending) > 1 and sum(len(chunk) for chunk in pending) <= _SMALL_BYTES:
        pending = [memoryview(b"".join(pending))]
    if digest is not None:
        for chunk in pending:
            digest.update(chunk)
    position = 0
    while position < len(pending):
        written = os.writev(descriptor, pending[position : position + _MOST_VECTORS])
        while position < len(pending) and written >= len(pending[position]):
            written -= len(pending[position])
            position += 1
        if written:
            pending[position] = pending[position][written:]
