"""A site in a temporary folder with an intake, for tests of the way in; the clock is set by hand."""

from __future__ import annotations

import contextlib
import functools
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from builders import encode_dataset, make_dataset
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from config.settings import Settings
from prearchive.db import queries
from prearchive.db.migrations import migrate
from prearchive.incoming import IncomingInstance, Outcome, Sender
from prearchive.intake import Intake
from prearchive.site import Site

START = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
SITE_SCRIPT = '- (0010,0030)\n(0012,0063) := "site script v01"\n(0020,000D) := hashUID[(0020,000D)]\n'


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, seconds: float) -> None:
        """Move the clock."""
        self.now += timedelta(seconds=seconds)


def make_settings(folder: Path, script: str | None = SITE_SCRIPT, **tables: Any) -> Settings:
    """Settings of a site below `folder`; without a script the site script is off."""
    (folder / "anon").mkdir(parents=True, exist_ok=True)
    if script is None:
        tables.setdefault("anonymization", {"site_enabled": False})
    else:
        (folder / "anon" / "site.das").write_text(script)
    tables.setdefault("projects", {"P1": {}, "P2": {"aliases": ["Two"]}})
    tables.setdefault("limits", {"min_free_bytes": 0})
    return Settings.model_validate({"folder": folder, **tables})


@functools.cache
def _empty_database() -> bytes:
    """A migrated database without rows: making one anew for each test would cost most of the time."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(folder=Path(folder))
        migrate(settings)
        with contextlib.closing(sqlite3.connect(settings.storage.root / "prearc.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode = DELETE")
        return (settings.storage.root / "prearc.db").read_bytes()


def _prepare_database(settings: Settings) -> None:
    path = settings.storage.root / "prearc.db"
    if not path.exists():
        path.parent.mkdir(parents=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_bytes(_empty_database())


class IntakeSite:
    """A site, its intake and short ways to use them."""

    def __init__(self, folder: Path, script: str | None = SITE_SCRIPT, **tables: Any) -> None:
        self.clock = Clock()
        self.settings = make_settings(folder, script, **tables)
        _prepare_database(self.settings)
        self.site = Site.open(self.settings, create=True, clock=self.clock)
        self.intake = Intake(self.site, status_of=lambda outcome: 0)
        self.sender = make_sender()

    def send(self, dataset: Dataset | None = None, **changes: Any) -> Outcome:
        """Send a data set (a new one by default); `changes` go into the IncomingInstance."""
        return self.intake.accept(self.incoming(make_dataset() if dataset is None else dataset, **changes))

    def incoming(self, dataset: Dataset | bytes, **changes: Any) -> IncomingInstance:
        """What the receiver would hand over for a data set."""
        syntax = changes.pop("transfer_syntax_uid", ExplicitVRLittleEndian)
        encoded = dataset if isinstance(dataset, bytes) else encode_dataset(dataset, syntax)
        values: dict[str, Any] = {
            "encoded_dataset": encoded,
            "transfer_syntax_uid": str(syntax),
            "sender": self.sender,
            "received_at": self.clock(),
        }
        return IncomingInstance(**(values | changes))

    def rows(self, table: sa.Table, **equal: Any) -> list[Any]:
        """All rows of a table, oldest first, that have these values."""
        statement = sa.select(table).order_by(table.c.id)
        for name, value in equal.items():
            statement = statement.where(table.c[name] == value)
        with self.site.read_engine.begin() as connection:
            return list(connection.execute(statement))

    def sessions(self) -> list[Any]:
        """All session rows."""
        return self.rows(queries.SESSION)

    def session(self, session_id: int | None) -> Any:
        """One session row."""
        (row,) = self.rows(queries.SESSION, id=session_id)
        return row

    def instances(self, **equal: Any) -> list[Any]:
        """Instance rows."""
        return self.rows(queries.INSTANCE, **equal)

    def discarded(self) -> list[Any]:
        """Rows of discarded instances."""
        return self.rows(queries.DISCARDED)

    def warnings(self, session_id: int | None) -> set[str]:
        """Codes of a session's warnings."""
        return {row.code for row in self.rows(queries.WARNING, session_id=session_id)}

    def files(self) -> set[str]:
        """Every file of prearchive, archive, trash and tmp but logs and locks, relative to the root."""
        found = (path for path in self.site.root.rglob("*") if path.is_file() or path.is_symlink())
        names = {str(path.relative_to(self.site.root)) for path in found}
        return {
            name for name in names if name.partition("/")[0] in ("prearchive", "archive", "trash", "tmp")
        } - {name for name in names if name.endswith((".log", ".lock"))}

    def row_paths(self) -> set[str]:
        """The paths that the instance rows name."""
        statement = sa.select(
            queries.SESSION.c.path, queries.SCAN.c.label, queries.INSTANCE.c.file_name
        ).select_from(
            queries.INSTANCE.join(queries.SCAN, queries.INSTANCE.c.scan_id == queries.SCAN.c.id).join(
                queries.SESSION, queries.INSTANCE.c.session_id == queries.SESSION.c.id
            )
        )
        with self.site.read_engine.begin() as connection:
            return {
                f"{path}/SCANS/{label}/DICOM/{name}" for path, label, name in connection.execute(statement)
            }

    def set_session(self, session_id: int | None, **columns: Any) -> None:
        """Change a session's row directly, as another process would."""
        with self.site.engine.begin() as connection:
            connection.execute(
                queries.SESSION.update().where(queries.SESSION.c.id == session_id).values(**columns)
            )

    def close(self) -> None:
        """Close the site."""
        self.site.close()


def make_sender(**changes: Any) -> Sender:
    """Who sends."""
    values: dict[str, Any] = {
        "association_id": secrets.token_hex(16),
        "calling_ae_title": "SCANNER1",
        "called_ae_title": "XNAT",
        "peer": "10.0.0.7",
        "started_at": START,
    }
    return Sender(**(values | changes))


@contextlib.contextmanager
def opened(folder: Path, script: str | None = SITE_SCRIPT, **tables: Any) -> Iterator[IntakeSite]:
    """A site with an intake, closed at the end."""
    found = IntakeSite(folder, script, **tables)
    try:
        yield found
    finally:
        found.close()
