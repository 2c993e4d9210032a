"""A site that is open: settings, storage root, database, keys, clock. What all of the prearchive is given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from prearchive.db.engine import database_url, open_engine, reading_engine, sqlite_path
from prearchive.db.migrations import SchemaAge, find_revision, migrate, require_current, schema_age
from prearchive.db.queries import has_any_instance
from prearchive.errors import ConfigurationProblemError
from prearchive.filestore import FileStore
from prearchive.keys import SiteKeys, create_keys, key_path, read_keys

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.settings import Settings
    from prearchive.scripts import ScriptShelf

LEASE_SECONDS = 600  # of a busy session; long work renews it


def utc_now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(UTC)


class Site:
    """One site folder with its data, opened by `Site.open`. Safe to use from several threads.

    Attributes:
        engine: `engine.begin()` starts a writing transaction at once.
        read_engine: the same database for look-ups, which block nobody.
        keys: derived from the site key.
        clock: gives the time, aware.
        files: every change of files goes through it.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        keys: SiteKeys,
        filestore: FileStore,
        reload: Callable[[], Settings] | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._reload = reload
        self._settings_seen = _signature(settings.config_path)
        self._settings_problem: str | None = None
        self._refreshing = threading.Lock()
        self._scripts: ScriptShelf | None = None
        self.engine = engine
        self.read_engine = reading_engine(engine)
        self.keys = keys
        self.files = filestore
        self.clock = clock

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        create: bool = False,
        reload: Callable[[], Settings] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> Site:
        """Open a site.

        Args:
            settings: what `prearc.toml` says.
            create: make folders, key and database where they are missing, and check the settings that only
                matter for receiving (`serve` does that).
            reload: reads the settings again, for `refresh`.
            clock: gives the time.

        Raises:
            ConfigurationProblemError: the site cannot be used like this; the message says what to do.
        """
        root = settings.storage.root
        filestore = FileStore(
            root, group=settings.storage.group, min_free_bytes=settings.limits.min_free_bytes
        )
        if create:
            require_usable(settings)
            filestore.prepare()
        elif not root.is_dir():
            raise ConfigurationProblemError(
                f"{root}: there are no data yet; `prearc serve` makes the storage root at its first start"
            )
        url = database_url(settings.database.url, root)
        path = sqlite_path(url)
        if path is not None and not path.exists() and not create:
            raise ConfigurationProblemError(
                f"{path}: there is no database; `prearc serve` makes it at its first start"
            )
        engine = open_engine(url)
        try:
            if create and _is_empty(engine):
                migrate(settings)
            require_current(engine)
            keys = _open_keys(settings, engine, create=create)
        except BaseException:
            engine.dispose()
            filestore.close()
            raise
        return cls(settings, engine, keys, filestore, reload, clock)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    @property
    def root(self) -> Path:
        """The storage root."""
        return self._settings.storage.root

    @property
    def scripts(self) -> ScriptShelf:
        """The scripts in force; they are compiled when they are first asked for."""
        if self._scripts is None:
            from prearchive.scripts import ScriptShelf

            self._scripts = ScriptShelf(self._settings, self.keys.script_key)
        return self._scripts

    @property
    def problems(self) -> list[str]:
        """What is wrong with the newest settings and scripts, while the last good ones stay in force."""
        found = [] if self._settings_problem is None else [self._settings_problem]
        return found if self._scripts is None else [*found, *self._scripts.problems]

    def read_settings(self) -> Settings:
        """Read the settings as `prearc.toml` has them now; they do not come into force by that."""
        return self._settings if self._reload is None else self._reload()

    def refresh(self) -> None:
        """Take over changed settings and scripts; keep the last good ones when the new ones are wrong."""
        # One at a time: who reads slowly must not put older settings over newer ones.
        with self._refreshing:
            seen = _signature(self._settings.config_path)
            is_changed = seen != self._settings_seen or self.scripts.has_new_files()
            if self._reload is not None and is_changed:
                self._settings_seen = seen
                try:
                    self._take_over(self._reload())
                    self._settings_problem = None
                except Exception as error:  # whatever is wrong with the new ones, the old ones are good
                    self._settings_problem = f"{self._settings.config_path}: not taken over: {error}"
            self.scripts.refresh()

    def _take_over(self, settings: Settings) -> None:
        for name in ("storage", "database", "folder"):
            if getattr(settings, name) != getattr(self._settings, name):
                raise ConfigurationProblemError(f"[{name}] cannot change while the server runs; restart it")
        require_usable(settings)
        self.scripts.use_settings(settings)
        self._settings = settings
        self.files.min_free_bytes = settings.limits.min_free_bytes

    @property
    def owner(self) -> str:
        """Names this process in leases: the id of its log of files in flight, locked while it lives."""
        return self.files.writer_id

    def new_lease(self, seconds: int = LEASE_SECONDS) -> dict[str, object]:
        """Return the lease columns of a session that becomes busy, for `queries.change_state`."""
        return {"lease_owner": self.owner, "lease_expires_at": self.clock() + timedelta(seconds=seconds)}

    def close(self) -> None:
        """Let go of database and files."""
        self.engine.dispose()
        self.files.close()

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


#: The lease columns of a session that is busy no more.
NO_LEASE: dict[str, object] = {"lease_owner": None, "lease_expires_at": None, "work": None}


def require_usable(settings: Settings) -> None:
    """Check the rules that are only needed to receive: routing and the template of file names.

    Raises:
        ConfigurationProblemError: names the key and quotes the offending item.
    """
    from prearchive.naming import template_problem
    from prearchive.routing import routing_problems

    problem = template_problem(settings.sessions.file_name)
    if problem is not None:
        raise ConfigurationProblemError(f"{settings.config_path}: sessions.file_name: {problem}")
    for problem in routing_problems(settings):
        raise ConfigurationProblemError(f"{settings.config_path}: {problem}")


def _open_keys(settings: Settings, engine: Engine, *, create: bool) -> SiteKeys:
    keys = read_keys(settings.storage.root, settings.storage.key_file)
    if keys is not None:
        return keys
    path = key_path(settings.storage.root, settings.storage.key_file)
    with reading_engine(engine).begin() as connection:
        is_used = has_any_instance(connection)
    if is_used:
        raise ConfigurationProblemError(
            f"{path}: the site key is missing, and the database belongs to it: restore it from the backup"
        )
    if not create:
        raise ConfigurationProblemError(
            f"{path}: there is no site key; `prearc serve` makes it at its first start"
        )
    return create_keys(settings.storage.root, settings.storage.key_file)


def _is_empty(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            return schema_age(find_revision(connection)) is SchemaAge.EMPTY
    except Exception:
        return False  # `require_current` says what is wrong


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
