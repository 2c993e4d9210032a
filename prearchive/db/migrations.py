"""The schema's version: which one a database has, and bringing it to ours.

`serve` and `prearc migrate` call `migrate`; everything else only compares one word with `HEAD`, so that
Alembic is not even imported. A migration runs under a lock, in one transaction, after the database was
copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from prearchive import paths
from prearchive.db.engine import (
    DATABASE_TROUBLE,
    backup_sqlite,
    database_url,
    is_damaged,
    open_engine,
    sqlite_path,
)
from prearchive.db.revisions import HEAD as HEAD
from prearchive.db.revisions import REVISIONS as REVISIONS
from prearchive.errors import ConfigurationProblemError, StorageTroubleError
from prearchive.filestore import FileStore

if TYPE_CHECKING:
    from config.settings import Settings

_LOCK_SECONDS = 120
_ADVISORY_LOCK = 0x70726561  # "prea"
_TOO_NEW = (
    "the database was made by a newer version of dicom-prearchive: install that version, or restore a backup"
)
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.String))


class SchemaAge(StrEnum):
    """How a database's schema compares with ours."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What `migrate` did; nothing when both revisions are equal."""

    from_revision: str | None
    to_revision: str
    backup: Path | None


def find_revision(connection: Connection) -> str | None:
    """Return the revision of a database, None when it holds no tables of ours."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(sa.select(_VERSION.c.version_num)).scalar()


def schema_age(revision: str | None) -> SchemaAge:
    """Compare a database's revision with ours. An unknown one was made by a newer version."""
    if revision is None:
        return SchemaAge.EMPTY
    if revision == HEAD:
        return SchemaAge.CURRENT
    return SchemaAge.OLDER if revision in REVISIONS else SchemaAge.NEWER


def require_current(engine: Engine) -> None:
    """See that the database fits this version.

    Raises:
        ConfigurationProblemError: it is older, newer or damaged.
        StorageTroubleError: it cannot be reached.
    """
    age = schema_age(_read_revision(engine))
    if age is SchemaAge.NEWER:
        raise ConfigurationProblemError(_TOO_NEW)
    if age is not SchemaAge.CURRENT:
        raise ConfigurationProblemError("the database is of an older version: run `prearc migrate` first")


def migrate(settings: Settings) -> MigrationReport:
    """Bring the database of a site to this version's schema; make it if there is none.

    An SQLite database that holds something is copied to `<root>/backups` before it is changed.

    Raises:
        ConfigurationProblemError: the database is newer or damaged, or the storage root cannot be written.
    """
    from filelock import FileLock, Timeout

    root = settings.storage.root
    filestore = FileStore(root, group=settings.storage.group)
    filestore.prepare()
    filestore.close()
    engine = open_engine(database_url(settings.database.url, root))
    try:
        with FileLock(root / paths.TEMPORARY / "migrate.lock", timeout=_LOCK_SECONDS, mode=0o600):
            revision = _read_revision(engine)
            age = schema_age(revision)
            if age is SchemaAge.NEWER:
                raise ConfigurationProblemError(_TOO_NEW)
            if age is SchemaAge.CURRENT:
                return MigrationReport(revision, HEAD, None)
            backup = _back_up(engine, root, revision) if age is SchemaAge.OLDER else None
            _upgrade(engine)
            return MigrationReport(revision, HEAD, backup)
    except Timeout:
        raise ConfigurationProblemError("another process migrates the database; try again later") from None
    finally:
        engine.dispose()


def _read_revision(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return find_revision(connection)
    except DATABASE_TROUBLE:
        raise StorageTroubleError("the database cannot be reached") from None
    except Exception as error:
        if is_damaged(error):
            raise ConfigurationProblemError("the database is damaged: restore it from the backup") from None
        raise


def _back_up(engine: Engine, root: Path, revision: str | None) -> Path | None:
    source = sqlite_path(engine.url)
    if source is None:
        return None  # other databases have their own tools, and their administrators
    folder = root / paths.BACKUPS
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = folder / f"prearc-{revision}-{stamp}.db"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        backup_sqlite(source, target)
    except Exception as error:
        raise ConfigurationProblemError(
            f"{target}: the backup before the migration failed ({type(error).__name__}); nothing was changed"
        ) from error
    return target


def _upgrade(engine: Engine) -> None:
    """Run what is missing, in one transaction."""
    from alembic import command
    from alembic.config import Config

    alembic_config = Config()
    alembic_config.set_main_option("script_location", "prearchive:db")
    alembic_config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        alembic_config.attributes["connection"] = connection
        command.upgrade(alembic_config, "head")
