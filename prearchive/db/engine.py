"""Engines: how connections behave, and the only place with SQLite's own statements.

SQLite runs in WAL mode, so readers never wait, with `synchronous=FULL`: a commit that returned is on the
disk. The driver's own transaction handling is switched off, because it starts transactions late and
deferred: two threads that read and then write would get "database is locked" instead of waiting. Here
`engine.begin()` emits BEGIN IMMEDIATE. `reading_engine(engine)` gives the same engine for lists and
look-ups: there a plain BEGIN keeps a steady view of the data and blocks nobody.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from prearchive.errors import ConfigurationProblemError

DATABASE_NAME = "prearc.db"
BUSY_SECONDS = 20  # less than the time-outs of senders, so that they get an answer
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA wal_autocheckpoint = 2000",
)
# Locks and shared memory of SQLite do not work there; the index would be damaged sooner or later.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "glusterfs", "lustre",
        "beegfs", "gpfs", "orangefs", "ocfs2", "gfs2", "davfs", "davfs2", "fuse.sshfs", "fuse.glusterfs",
        "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.davfs2", "fuse.gvfsd-fuse", "fuse.mfs",
        "fuse.juicefs",
    }
)  # fmt: skip

#: The database cannot be reached or does not take anything now: a sender should try again.
DATABASE_TROUBLE = (OperationalError, InterfaceError, PoolTimeoutError)
#: Somebody else wrote a row with the same key first.
AlreadyThereError = IntegrityError


def database_url(url: str, root: Path) -> URL:
    """Return the database of a site: `url`, or `<root>/prearc.db` when that is empty."""
    if not url:
        return URL.create("sqlite", database=str(root / DATABASE_NAME))
    try:
        return make_url(url)
    except ArgumentError:
        raise ConfigurationProblemError(
            "database.url: this is no database URL (its text is not shown)"
        ) from None


def sqlite_path(url: URL) -> Path | None:
    """The file of an SQLite database, None for another kind of database."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def open_engine(url: URL) -> Engine:
    """Return an engine whose `begin()` starts a writing transaction at once.

    Raises:
        ConfigurationProblemError: no driver, or SQLite on a network file system.
    """
    path = sqlite_path(url)
    try:
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_size=8, max_overflow=56, pool_pre_ping=True, hide_parameters=True)
        if path is None or url.database == ":memory:":
            raise ConfigurationProblemError("database.url: an SQLite database needs a file")
        kind = network_file_system(path.parent)
        if kind is not None:
            raise ConfigurationProblemError(
                f"{path.parent} is on a network file system ({kind}), where SQLite loses data: "
                "put [storage] root on a local disk, or use another database by [database] url"
            )
        _create_private(path)
        engine = create_engine(
            url,
            pool_size=8,
            max_overflow=120,
            hide_parameters=True,  # errors that name rows stay without their values
            connect_args={"isolation_level": None, "timeout": BUSY_SECONDS},
        )
    except (NoSuchModuleError, ImportError):
        raise ConfigurationProblemError(
            f"database.url: no driver for {url.get_backend_name()!r} is installed"
        ) from None
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def reading_engine(engine: Engine) -> Engine:
    """Return the same engine for reading: its transactions block nobody and wait for nobody."""
    return engine.execution_options(prearc_reading=True)


def integrity_problems(connection: Connection) -> Sequence[str]:
    """Let SQLite look for damage and for rows that refer to nothing; nothing to say about other databases."""
    if connection.dialect.name != "sqlite":
        return []
    problems = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check")) if row[0] != "ok"]
    for table, row_id, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        problems.append(f"row {row_id} of {table} refers to a missing row of {parent}")
    return problems


def backup_sqlite(source: Path, target: Path) -> None:
    """Copy a database that may be in use to `target`, a new file that only the owner may read."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    try:
        with (
            contextlib.closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as current,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            current.backup(copy)
        for path, flags in ((target, os.O_RDONLY), (target.parent, os.O_RDONLY | os.O_DIRECTORY)):
            descriptor = os.open(path, flags)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except (OSError, sqlite3.Error):
        target.unlink(missing_ok=True)
        raise


def network_file_system(folder: Path, mounts_path: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Return the kind of network file system that holds `folder`, None for a local one (or if unknown)."""
    try:
        mounts = mounts_path.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    folder = folder.resolve()
    best, kind = -1, ""
    for line in mounts:
        fields, _, rest = line.partition(" - ")
        try:
            mount_point = Path(_unescape(fields.split(" ")[4]))
            file_system = rest.split(" ")[0]
        except IndexError:
            continue
        # Of two mounts at one place the later one is seen.
        if folder.is_relative_to(mount_point) and len(mount_point.parts) >= best:
            best, kind = len(mount_point.parts), file_system
    return kind if kind in NETWORK_FILE_SYSTEMS else None


def is_damaged(error: BaseException) -> bool:
    """Whether an error says that the file is no database any more (not merely busy or full)."""
    return isinstance(error, DatabaseError) and not isinstance(error, OperationalError | IntegrityError)


def _unescape(mount_point: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        mount_point = mount_point.replace(code, character)
    return mount_point


def _create_private(path: Path) -> None:
    """Make the file before SQLite does: SQLite would use the umask; its WAL files take the mode over."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        raise ConfigurationProblemError(f"{path}: cannot open the database: {error.strerror}") from None


def _prepare_connection(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("prearc_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
