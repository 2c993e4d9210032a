"""Folders below the storage root: opened safely, made and moved so that they survive a crash.

Paths are relative to the root and walked component by component with O_NOFOLLOW: a symbolic link below the
root is never followed. A folder changes place by one rename, with both parents synced afterwards. Folders are
0700 and files 0600; with a group, 2750 and 0640. See `filestore` for the files themselves.
"""

from __future__ import annotations

import contextlib
import grp
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prearchive import paths
from prearchive.errors import ConfigurationProblemError, StorageTroubleError

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_REMEMBERED_FOLDERS = 20_000
WALK_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file found below a folder."""

    path: str
    size_bytes: int
    modified_at: float  # seconds since 1970


class FolderTree:
    """The folders below one storage root. Safe to use from several threads and processes.

    Args:
        root: the storage root.
        group: name of a group that may read everything, or None.
    """

    def __init__(self, root: Path, *, group: str | None = None) -> None:
        self.root = root
        self._group_id = None if group is None else _group_id(group)
        self._folder_mode = 0o700 if group is None else 0o2750
        self._file_mode = 0o600 if group is None else 0o640
        self._lock = threading.Lock()
        self._root_fd: int | None = None
        self._temporary_fd: int | None = None
        self._synced: dict[str, tuple[int, int]] = {}  # folders whose entry in the parent is on the disk

    def prepare(self) -> None:
        """Make the root and its top folders where they are missing.

        Raises:
            ConfigurationProblemError: that is not possible.
        """
        try:
            for folder in (self.root, *(self.root / name for name in paths.TOP_FOLDERS)):
                if not folder.is_dir():
                    folder.mkdir(mode=0o700, parents=folder == self.root, exist_ok=True)
                    self._own_folder(folder)
                    with contextlib.suppress(PermissionError):  # of the root's parent, which is not ours
                        _sync_folder_at(folder.parent)
        except OSError as error:
            raise ConfigurationProblemError(
                f"{self.root}: the storage root cannot be written: {error.strerror}"
            ) from None

    def close(self) -> None:
        """Let go of the root."""
        with self._lock:
            for descriptor in (self._temporary_fd, self._root_fd):
                if descriptor is not None:
                    os.close(descriptor)
            self._temporary_fd = self._root_fd = None

    def create_folder(self, path: str) -> None:
        """Make a folder that must not exist, with its parents, synced.

        Raises:
            FileExistsError: it exists.
        """
        names = paths.components(path)
        with storage_trouble():
            for attempt in range(WALK_ATTEMPTS):
                parent_fd = self._open_folder(names[:-1], create=True)
                try:
                    self._make_folder(names[-1], parent_fd)
                    os.fsync(parent_fd)
                    return
                except FileNotFoundError:  # somebody removed the parent, which was empty
                    if attempt == WALK_ATTEMPTS - 1:
                        raise
                finally:
                    os.close(parent_fd)

    def has_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        try:
            os.close(self._open_folder(paths.components(path)))
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def move_folder(self, source: str, target: str) -> None:
        """Move a whole folder by one rename; afterwards both parents are synced.

        Raises:
            FileExistsError: something is at `target`.
            FileNotFoundError: there is no `source`.
        """
        source_names, target_names = paths.components(source), paths.components(target)
        with storage_trouble():
            source_fd = self._open_folder(source_names[:-1])
            try:
                os.stat(source_names[-1], dir_fd=source_fd, follow_symlinks=False)
                target_fd = self._open_folder(target_names[:-1], create=True)
                try:
                    if _exists(target_names[-1], target_fd):
                        raise FileExistsError("the target folder exists")
                    os.rename(source_names[-1], target_names[-1], src_dir_fd=source_fd, dst_dir_fd=target_fd)
                    os.fsync(target_fd)
                finally:
                    os.close(target_fd)
                os.fsync(source_fd)
            finally:
                os.close(source_fd)
        self._forget_folders(source, target)
        self.remove_empty_folders(paths.parent(source))

    def remove_empty_folders(self, path: str) -> None:
        """Remove a folder and then its parents as long as they are empty; the top folders stay."""
        names = list(paths.components(path))
        while len(names) > 1:
            try:
                parent_fd = self._open_folder(names[:-1])
            except OSError:
                names.pop()
                continue
            try:
                os.rmdir(names[-1], dir_fd=parent_fd)
            except FileNotFoundError:
                pass
            except OSError:
                return
            finally:
                os.close(parent_fd)
            self._synced.pop("/".join(names), None)
            names.pop()

    def remove_hollow_folder(self, path: str) -> None:
        """Remove a folder that holds nothing but folders; a file in it, even a new one, keeps it there."""
        try:
            folder_fd = self._open_folder(paths.components(path))
        except (FileNotFoundError, NotADirectoryError):
            return
        try:
            for _, below, _, descriptor in os.fwalk(dir_fd=folder_fd, topdown=False, follow_symlinks=False):
                for name in below:
                    with contextlib.suppress(OSError):
                        os.rmdir(name, dir_fd=descriptor)
        finally:
            os.close(folder_fd)
        self._forget_folders(path)
        self.remove_empty_folders(path)

    def sync_folders(self, path: str) -> None:
        """Sync a folder and all folders below it: every name in them is on the disk afterwards."""
        with storage_trouble():
            folder_fd = self._open_folder(paths.components(path))
            try:
                for _, _, _, descriptor in os.fwalk(dir_fd=folder_fd, topdown=False, follow_symlinks=False):
                    os.fsync(descriptor)
            finally:
                os.close(folder_fd)

    def list_files(self, path: str) -> Iterator[ListedFile]:
        """Every file below a folder, links and other special ones too; nothing if there is no folder."""
        try:
            folder_fd = self._open_folder(paths.components(path))
        except (FileNotFoundError, NotADirectoryError):
            return
        try:
            for folder, _, names, descriptor in os.fwalk(dir_fd=folder_fd, follow_symlinks=False):
                below = path if folder == "." else f"{path}/{folder.removeprefix('./')}"
                for name in sorted(names):
                    with contextlib.suppress(FileNotFoundError):
                        found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                        yield ListedFile(f"{below}/{name}", found.st_size, found.st_mtime)
        finally:
            os.close(folder_fd)

    def list_folders(self, path: str) -> list[str]:
        """Names of the folders directly in a folder."""
        try:
            folder_fd = self._open_folder(paths.components(path))
        except (FileNotFoundError, NotADirectoryError):
            return []
        try:
            with os.scandir(folder_fd) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        finally:
            os.close(folder_fd)

    def free_bytes(self) -> int:
        """How much can still be written."""
        figures = os.statvfs(self._open_root())
        return figures.f_bavail * figures.f_frsize

    def _open_root(self) -> int:
        if self._root_fd is None:
            with self._lock:
                if self._root_fd is None:
                    self._root_fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self._root_fd

    def _open_temporary(self) -> int:
        if self._temporary_fd is None:
            root_fd = self._open_root()
            with self._lock:
                if self._temporary_fd is None:
                    self._temporary_fd = os.open(paths.TEMPORARY, FOLDER_FLAGS, dir_fd=root_fd)
        return self._temporary_fd

    def _open_folder(self, names: Sequence[str], *, create: bool = False) -> int:
        """Open a folder; with `create` missing ones are made, and the parents of all of them are synced."""
        for attempt in range(WALK_ATTEMPTS):
            try:
                return self._walk(names, create)
            except FileNotFoundError:
                # Somebody removed a folder that was empty while we were about to use it.
                if not create or attempt == WALK_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _walk(self, names: Sequence[str], create: bool) -> int:
        current = os.dup(self._open_root())
        try:
            for depth, name in enumerate(names):
                created = False
                try:
                    below = os.open(name, FOLDER_FLAGS, dir_fd=current)
                except FileNotFoundError:
                    if not create:
                        raise
                    with contextlib.suppress(FileExistsError):
                        self._make_folder(name, current)
                    created = True
                    below = os.open(name, FOLDER_FLAGS, dir_fd=current)
                if create:
                    try:
                        self._sync_entry("/".join(names[: depth + 1]), below, current, created)
                    except BaseException:
                        os.close(below)
                        raise
                os.close(current)
                current = below
        except BaseException:
            os.close(current)
            raise
        return current

    def _sync_entry(self, path: str, folder_fd: int, parent_fd: int, created: bool) -> None:
        """Sync the parent of a folder once: whoever made it may not have got that far yet."""
        found = os.fstat(folder_fd)
        identity = (found.st_dev, found.st_ino)
        if created or self._synced.get(path) != identity:
            os.fsync(parent_fd)
            if len(self._synced) >= _MOST_REMEMBERED_FOLDERS:
                self._synced.clear()
            self._synced[path] = identity

    def _forget_folders(self, *changed: str) -> None:
        for path in changed:
            below = f"{path}/"
            for known in [known for known in list(self._synced) if known == path or known.startswith(below)]:
                self._synced.pop(known, None)

    def _make_folder(self, name: str, parent_fd: int) -> None:
        os.mkdir(name, 0o700, dir_fd=parent_fd)
        if self._group_id is not None:
            descriptor = os.open(name, FOLDER_FLAGS, dir_fd=parent_fd)
            try:
                os.fchown(descriptor, -1, self._group_id)
                os.fchmod(descriptor, self._folder_mode)
            finally:
                os.close(descriptor)

    def _own_folder(self, folder: Path) -> None:
        if self._group_id is not None:
            os.chown(folder, -1, self._group_id)
            folder.chmod(self._folder_mode)


@contextlib.contextmanager
def storage_trouble() -> Iterator[None]:
    """Turn what the disk says into StorageTroubleError; missing and existing files keep their own errors."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        raise StorageTroubleError(f"the disk refuses: {error.strerror or type(error).__name__}") from error


def _exists(name: str, folder_fd: int) -> bool:
    try:
        os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _sync_folder_at(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _group_id(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigurationProblemError(f"storage.group: there is no group {group!r}") from None
