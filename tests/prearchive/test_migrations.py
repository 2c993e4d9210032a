from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from intake_site import make_settings

from config.settings import Settings
from prearchive.db import script_changes
from prearchive.db.engine import database_url, integrity_problems, open_engine
from prearchive.db.migrations import HEAD, REVISIONS, SchemaAge, migrate, schema_age
from prearchive.db.models import Base
from prearchive.errors import ConfigurationProblemError
from prearchive.site import Site


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path, script=None)


def set_revision(settings: Settings, revision: str) -> None:
    connection = sqlite3.connect(settings.storage.root / "prearc.db")
    connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.commit()
    connection.close()


def test_the_migrated_schema_is_the_one_of_the_models(settings: Settings) -> None:
    migrate(settings)
    engine = open_engine(database_url("", settings.storage.root))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    assert differences == []


def test_the_known_revisions_are_those_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", "prearchive:db")
    config.set_main_option("path_separator", "os")
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())
    assert tuple(script.revision for script in reversed(scripts)) == REVISIONS


def test_a_new_database_is_made_without_a_backup_and_the_second_time_nothing_happens(
    settings: Settings,
) -> None:
    made = migrate(settings)
    assert (made.from_revision, made.to_revision, made.backup) == (None, HEAD, None)
    again = migrate(settings)
    assert (again.from_revision, again.to_revision, again.backup) == (HEAD, HEAD, None)
    assert not (settings.storage.root / "backups").exists()


def test_a_newer_database_is_refused_with_one_line_and_stays_as_it_is(settings: Settings) -> None:
    migrate(settings)
    set_revision(settings, "9999")
    before = (settings.storage.root / "prearc.db").read_bytes()
    for refused in (
        lambda: migrate(settings),
        lambda: Site.open(settings),
        lambda: Site.open(settings, create=True),
    ):
        with pytest.raises(ConfigurationProblemError, match="newer version") as caught:
            refused()
        assert "\n" not in str(caught.value)
    assert (settings.storage.root / "prearc.db").read_bytes() == before


def upgrade_to(settings: Settings, revision: str) -> None:
    """Make the database of a site as an older version of the program left it."""
    settings.storage.root.mkdir(parents=True)
    alembic_config = Config()
    alembic_config.set_main_option("script_location", "prearchive:db")
    alembic_config.set_main_option("path_separator", "os")
    engine = open_engine(database_url("", settings.storage.root))
    with engine.begin() as connection:
        alembic_config.attributes["connection"] = connection
        command.upgrade(alembic_config, revision)
    engine.dispose()


@pytest.fixture
def older(settings: Settings) -> Settings:
    """A site whose database is of the first schema, and scripts ran on it."""
    upgrade_to(settings, "0001")
    connection = sqlite3.connect(settings.storage.root / "prearc.db")
    connection.executemany(
        "INSERT INTO script_version (id, sha256, name, language, script_text, first_used_at)"
        " VALUES (?, ?, ?, '6.7', ?, ?)",
        [
            (1, "aa" * 32, "site.das", "first", "2024-03-02 10:00:00.000000"),
            (2, "bb" * 32, "projects/P4.das", "of a project", "2024-03-02 11:00:00.000000"),
            # Came with a manifest, so its number says nothing about its time.
            (3, "cc" * 32, "site.das", "before the first", "2024-03-01 10:00:00.000000"),
        ],
    )
    connection.commit()
    connection.close()
    return settings


def test_an_older_database_is_copied_before_it_is_changed(older: Settings) -> None:
    report = migrate(older)
    assert (report.from_revision, report.to_revision) == ("0001", HEAD)
    assert report.backup is not None
    assert report.backup.parent == older.storage.root / "backups"
    assert report.backup.stat().st_mode & 0o777 == 0o600
    assert report.backup.parent.stat().st_mode & 0o777 == 0o700
    copy = sqlite3.connect(report.backup)
    assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    copy.close()


def test_an_upgraded_schema_is_the_one_of_the_models(older: Settings) -> None:
    migrate(older)
    engine = open_engine(database_url("", older.storage.root))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert integrity_problems(connection) == []
    engine.dispose()


def test_texts_that_ran_before_there_were_histories_get_numbers_by_name_in_the_order_of_their_use(
    older: Settings,
) -> None:
    migrate(older)
    engine = open_engine(database_url("", older.storage.root))
    with engine.connect() as connection:
        site_script = script_changes.changes_of(connection, "site.das")
        of_project = script_changes.changes_of(connection, "projects/P4.das")
        texts = [script_changes.text_of(connection, change.script_id or 0) for change in site_script]
    engine.dispose()
    assert texts == ["before the first", "first"]
    assert [(change.version, change.action, change.who) for change in site_script] == [
        (1, "ran", "unknown"),
        (2, "ran", "unknown"),
    ]
    assert [change.at.isoformat() for change in site_script] == [
        "2024-03-01T10:00:00+00:00",
        "2024-03-02T10:00:00+00:00",
    ]
    assert [(change.version, change.sha256) for change in of_project] == [(1, "bb" * 32)]


def test_an_older_database_is_not_opened_but_names_the_command_that_helps(older: Settings) -> None:
    with pytest.raises(ConfigurationProblemError, match="prearc migrate"):
        Site.open(older)


def test_without_a_backup_nothing_is_changed(older: Settings) -> None:
    (older.storage.root / "backups").write_text("in the way")
    with pytest.raises(ConfigurationProblemError, match="nothing was changed"):
        migrate(older)
    connection = sqlite3.connect(older.storage.root / "prearc.db")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    connection.close()


def test_a_migration_that_fails_leaves_no_half_schema(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **keywords: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(op, "create_index", fail)
    with pytest.raises(RuntimeError):
        migrate(settings)
    connection = sqlite3.connect(settings.storage.root / "prearc.db")
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


def test_a_damaged_database_is_told_with_what_to_do(settings: Settings) -> None:
    settings.storage.root.mkdir(parents=True)
    (settings.storage.root / "prearc.db").write_bytes(b"this is no database at all" * 200)
    with pytest.raises(ConfigurationProblemError, match="damaged"):
        migrate(settings)


@pytest.mark.parametrize(
    ("revision", "age"),
    [
        (None, SchemaAge.EMPTY),
        ("0001", SchemaAge.OLDER),
        (HEAD, SchemaAge.CURRENT),
        ("9999", SchemaAge.NEWER),
    ],
)
def test_ages_of_schemas(revision: str | None, age: SchemaAge) -> None:
    assert schema_age(revision) is age
