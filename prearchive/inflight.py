"""The log of files that are being written: which of them a dead process left behind.

Each process that writes instances has a file `tmp/intake-<id>.log`, locked (flock) as long as it lives.
Before a file gets its name, the name goes into a slot of that log, and it stays there until the row is
committed or the file is gone again. A file without a row that a living process names is just arriving; one
that a dead process names was never acknowledged and may be removed. Slots are used again: the log does not
grow with the instances.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import threading
from dataclasses import dataclass

SLOT_BYTES = 1024
_LOG_NAME = re.compile(r"intake-([0-9a-f]{16})\.log", re.ASCII)
_ATTEMPTS = 20


class InFlightLog:
    """The log of this process; opened at the first use.

    Args:
        temporary_fd: descriptor of the storage root's `tmp` folder.
    """

    def __init__(self, temporary_fd: int) -> None:
        self._temporary_fd = temporary_fd
        self._lock = threading.Lock()
        self._free: list[int] = []
        self._slots = 0
        self.writer_id, self._descriptor = self._open_locked()

    def _open_locked(self) -> tuple[str, int]:
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        for _ in range(_ATTEMPTS):
            writer_id = secrets.token_hex(8)
            descriptor = os.open(log_name(writer_id), flags, 0o600, dir_fd=self._temporary_fd)
            try:
                # Between creation and lock a recovery may take this for the log of a dead process.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_nlink == 1:
                    return writer_id, descriptor
            except BlockingIOError:
                pass
            os.close(descriptor)
        raise OSError(f"cannot lock a new log after {_ATTEMPTS} attempts")

    def note(self, path: str) -> int:
        """Write down that `path` is about to appear; return the slot, to be given back by `forget`."""
        line = path.encode("utf-8")
        if len(line) >= SLOT_BYTES:
            raise ValueError("path too long")
        with self._lock:
            if self._free:
                slot = self._free.pop()
            else:
                slot = self._slots
                self._slots += 1
        try:
            os.pwrite(self._descriptor, line.ljust(SLOT_BYTES - 1) + b"\n", slot * SLOT_BYTES)
        except BaseException:
            self.forget(slot)
            raise
        return slot

    def forget(self, slot: int) -> None:
        """Give a slot back. Its text stays until it is used again: the path has a row or no file by now."""
        with self._lock:
            self._free.append(slot)

    def close(self) -> None:
        """Remove the log, unless something is in flight or in doubt: then recovery has to look at it."""
        if len(self._free) == self._slots:
            try:
                os.unlink(log_name(self.writer_id), dir_fd=self._temporary_fd)
            except FileNotFoundError:
                pass
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class OtherWriter:
    """A log that was found: of a living process, or of a dead one (then `descriptor` keeps it locked)."""

    writer_id: str
    paths: frozenset[str]
    descriptor: int | None

    @property
    def is_dead(self) -> bool:
        """Whether its process is gone."""
        return self.descriptor is not None


def log_name(writer_id: str) -> str:
    """Return the name of a process's log in `tmp`."""
    return f"intake-{writer_id}.log"


def find_writers(temporary_fd: int, own_id: str | None = None) -> list[OtherWriter]:
    """Read all logs but `own_id`. Those of dead processes stay locked until `release_writer`."""
    found: list[OtherWriter] = []
    for name in sorted(os.listdir(temporary_fd)):
        match = _LOG_NAME.fullmatch(name)
        if match is None or match[1] == own_id:
            continue
        try:
            descriptor = os.open(name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=temporary_fd)
        except OSError:
            continue  # closed in this moment
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_dead = os.fstat(descriptor).st_nlink == 1
        except BlockingIOError:
            is_dead = False
        paths = _read_paths(descriptor)
        if not is_dead:
            os.close(descriptor)
        found.append(OtherWriter(match[1], paths, descriptor if is_dead else None))
    return found


def release_writer(temporary_fd: int, writer: OtherWriter, *, remove: bool) -> None:
    """Let go of a dead process's log, and remove it once everything it names has been dealt with."""
    if writer.descriptor is None:
        return
    if remove:
        try:
            os.unlink(log_name(writer.writer_id), dir_fd=temporary_fd)
        except FileNotFoundError:
            pass
    os.close(writer.descriptor)


def _read_paths(descriptor: int) -> frozenset[str]:
    size = os.fstat(descriptor).st_size
    content = os.pread(descriptor, size, 0) if size else b""
    lines = (line.strip(b" \0").decode("utf-8", "replace") for line in content.split(b"\n"))
    return frozenset(line for line in lines if line)
