"""Logs: structlog events to standard error and, as JSON lines, to the three files that XNAT's people know.

`association_*` and `server_*` go to dicom.log, `instance_*` to received.log, `script_*` to anon.log. The last
steps let only known fields through, so that a mistake elsewhere cannot put a value of a data set into a log.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from cli.output import safe_text

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

    from config.settings import Settings

LONGEST_TEXT = 500
KNOWN_FIELDS = frozenset(
    {
        "event", "level", "timestamp",
        "association_id", "calling_ae_title", "called_ae_title", "peer", "host", "port", "ae_titles",
        "session_id", "other_session_id", "sop_instance_uid", "hashed_sop_instance_uid", "sop_class_uid",
        "transfer_syntax_uid", "status", "from_state", "to_state", "outcome",
        "script_name", "script_sha256", "code", "line", "column",
        "duration_ms", "size_bytes", "reason", "error", "action", "problems",
        "count", "instances", "failures", "files", "cut_associations",
        "sessions_repaired", "sessions_failed", "sessions_removed", "files_removed",
    }
)  # fmt: skip
FILES_BY_PREFIX = {
    "association_": "dicom.log",
    "server_": "dicom.log",
    "instance_": "received.log",
    "script_": "anon.log",
}
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


def configure(settings: Settings | None, *, verbose: bool = False, serving: bool = False) -> None:
    """Decide where events go.

    Args:
        settings: the site whose log files are written; None: standard error alone.
        verbose: tell everything on standard error.
        serving: a server tells what it does; other commands only what went wrong.
    """
    silence_libraries()
    threshold = _LEVELS["debug" if verbose else "info" if serving else "warning"]
    folder = settings.storage.root / "logs" if settings is not None else None
    files = {} if folder is None else {name: LogFile(folder / name) for name in set(FILES_BY_PREFIX.values())}
    sink = LogSink(files, threshold)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            name_exception,
            keep_known_fields,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS["debug" if verbose else "info"]),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=False,
    )


def silence_libraries() -> None:
    """Keep the words of pydicom, pynetdicom and SQLAlchemy away from every stream: they quote values."""
    warnings.simplefilter("ignore")
    if not logging.root.handlers:
        logging.root.addHandler(logging.NullHandler())  # else warnings go to standard error by default
    for name in ("pydicom", "pynetdicom", "sqlalchemy", "alembic"):
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False


def name_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep the class of an exception; its text and traceback may hold values."""
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    if isinstance(exc_info, BaseException):
        event.setdefault("error", type(exc_info).__name__)
    return event


def keep_known_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop fields that nobody agreed on, and cut long texts."""
    first = {name: event[name] for name in ("timestamp", "level", "event") if name in event}
    ordered = {**first, **event}
    return {name: _plain(value) for name, value in ordered.items() if name in KNOWN_FIELDS}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key)[:LONGEST_TEXT]: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)[:LONGEST_TEXT]


class LogSink:
    """Where events end: a line on standard error, and a line in the file of the event's kind."""

    def __init__(self, files: Mapping[str, LogFile], threshold: int) -> None:
        self._files = files
        self._threshold = threshold
        self._complained = False

    def msg(self, **event: Any) -> None:
        """Write one event."""
        name = str(event.get("event", ""))
        for prefix, file_name in FILES_BY_PREFIX.items():
            if name.startswith(prefix) and file_name in self._files:
                self._write_to_file(self._files[file_name], event)
        if _LEVELS.get(str(event.get("level")), 50) >= self._threshold:
            self._write_to_console(event)

    debug = info = warning = error = critical = msg

    def _write_to_file(self, log_file: LogFile, event: Mapping[str, Any]) -> None:
        try:
            log_file.write(json.dumps(event).encode("ascii") + b"\n")
        except OSError as error:
            # Receiving goes on without logs: every instance has its row in the database.
            if not self._complained:
                self._complained = True
                problem = {"event": "log_failed", "level": "error", "reason": error.strerror}
                self._write_to_console(problem)

    def _write_to_console(self, event: Mapping[str, Any]) -> None:
        with suppress(OSError, ValueError):  # a closed terminal stops nothing
            line = _console_line(event) if sys.stderr.isatty() else json.dumps(event)
            print(line, file=sys.stderr, flush=True)  # noqa: T201


def _console_line(event: Mapping[str, Any]) -> str:
    fields = " ".join(
        f"{name}={value}"
        for name, value in event.items()
        if name not in ("event", "level", "timestamp") and value is not None
    )
    time = datetime.now().strftime("%H:%M:%S")
    line = f"{time} {event.get('level', ''):8} {event.get('event', '')}  {safe_text(fields, one_line=True)}"
    return line.rstrip()


class LogFile:
    """A file of JSON lines that several processes append to; it is rotated by size.

    Each line is one write to a descriptor in append mode, so lines of different processes never mix. Whoever
    finds the file too big rotates it under a lock; the others see that the name leads elsewhere and reopen.
    """

    def __init__(self, path: Path, *, max_bytes: int = 10 * 1024 * 1024, backups: int = 10) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._backups = backups
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._identity: tuple[int, int] | None = None

    def write(self, line: bytes) -> None:
        """Append one line."""
        with self._lock:
            if self._size() + len(line) > self._max_bytes:
                self._rotate(len(line))
                self._size()
            assert self._descriptor is not None
            os.write(self._descriptor, line)

    def close(self) -> None:
        """Close the descriptor; the next line opens the file again."""
        with self._lock:
            self._close()

    def _size(self) -> int:
        """Return the size of the file under our name, opening it where that is another one than before."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            found = None
        if self._descriptor is None or found is None or (found.st_dev, found.st_ino) != self._identity:
            self._close()
            for folder in reversed([self.path.parent, *self.path.parent.parents]):
                if not folder.exists():
                    folder.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o600)
            found = os.fstat(self._descriptor)
            self._identity = (found.st_dev, found.st_ino)
        assert found is not None
        return found.st_size

    def _rotate(self, coming: int) -> None:
        from filelock import FileLock

        with FileLock(self.path.with_name(f".{self.path.name}.lock"), mode=0o600):
            if self._size() + coming <= self._max_bytes:
                return  # another process was faster
            for number in range(self._backups - 1, -1, -1):
                older = self._numbered(number)
                if older.exists():
                    older.replace(self._numbered(number + 1))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
