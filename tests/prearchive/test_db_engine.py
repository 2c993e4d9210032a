from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from prearchive.db.engine import (
    DATABASE_TROUBLE,
    backup_sqlite,
    database_url,
    integrity_problems,
    is_damaged,
    network_file_system,
    open_engine,
    reading_engine,
    sqlite_path,
)
from prearchive.errors import ConfigurationProblemError

COUNTER = sa.table("counter", sa.column("n", sa.Integer))


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    engine = open_engine(database_url("", tmp_path))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(COUNTER.insert().values(n=0))
    return engine


def test_every_connection_is_durable_and_checks_references(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        settings = {
            name: connection.execute(sa.text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 20000}


def test_the_database_and_its_side_files_are_private(engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(COUNTER.update().values(n=1))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("prearc.db", "prearc.db-wal", "prearc.db-shm"), 0o600)


def test_threads_that_read_and_then_write_all_count(engine: sa.Engine) -> None:
    failures: list[BaseException] = []

    def count() -> None:
        try:
            for _ in range(25):
                with engine.begin() as connection:
                    n = connection.execute(sa.select(COUNTER.c.n)).scalar_one()
                    connection.execute(COUNTER.update().values(n=n + 1))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading_engine(engine).begin() as connection:
        assert connection.execute(sa.select(COUNTER.c.n)).scalar_one() == 200
    assert failures == []


def test_readers_neither_block_nor_see_an_open_transaction(engine: sa.Engine) -> None:
    with engine.begin() as writer:
        writer.execute(COUNTER.update().values(n=7))
        with reading_engine(engine).begin() as reader:
            assert reader.execute(sa.select(COUNTER.c.n)).scalar_one() == 0
    with reading_engine(engine).begin() as reader:
        assert reader.execute(sa.select(COUNTER.c.n)).scalar_one() == 7
        with engine.begin() as writer:
            writer.execute(COUNTER.update().values(n=8))
        assert reader.execute(sa.select(COUNTER.c.n)).scalar_one() == 7


def test_a_locked_database_is_trouble_that_passes(
    tmp_path: Path, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.dispose()
    monkeypatch.setattr("prearchive.db.engine._PRAGMAS", ("PRAGMA busy_timeout = 10",))
    other = sqlite3.connect(tmp_path / "prearc.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DATABASE_TROUBLE), engine.begin():
        pass
    other.execute("ROLLBACK")
    other.close()
    with engine.begin():
        pass


def test_errors_never_repeat_the_values_of_a_row(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.SQLAlchemyError) as caught, engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:name)"), {"name": "Doe^Jane"})
    assert "Doe" not in str(caught.value)


def test_another_database_is_taken_from_the_settings(tmp_path: Path) -> None:
    assert sqlite_path(database_url("", tmp_path)) == tmp_path / "prearc.db"
    assert sqlite_path(database_url("sqlite:////elsewhere/x.db", tmp_path)) == Path("/elsewhere/x.db")
    assert sqlite_path(make_url("postgresql://host/name")) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("no url at all secret", "no database URL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("nosuchdatabase://user:secret@host/x", "no driver"),
        ("postgresql+nosuchdriver://user:secret@host/x", "no driver"),
    ],
)
def test_an_unusable_database_url_is_one_clear_line_without_the_password(
    tmp_path: Path, url: str, words: str
) -> None:
    with pytest.raises(ConfigurationProblemError, match=words) as caught:
        open_engine(database_url(url, tmp_path))
    assert "secret" not in str(caught.value)


def test_a_database_that_cannot_be_opened_is_a_configuration_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationProblemError, match="cannot open"):
        open_engine(database_url("", tmp_path / "missing"))


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:45 / /mnt/share\\040one rw - nfs4 server:/export rw
31 30 8:2 / /mnt/share\\040one/local rw - xfs /dev/sdb rw
32 22 0:46 / /remote rw - ext4 /dev/sdc rw
33 32 0:47 / /remote rw - fuse.sshfs me@host: rw
broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv", None),
        ("/mnt/share one/data", "nfs4"),
        ("/mnt/share one/local/data", None),
        ("/mnt/share oneself", None),
        ("/remote/x", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_recognised(tmp_path: Path, folder: str, kind: str | None) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert network_file_system(Path(folder), tmp_path / "mountinfo") == kind


def test_without_a_list_of_mounts_nothing_is_refused(tmp_path: Path) -> None:
    assert network_file_system(tmp_path, tmp_path / "missing") is None


def test_sqlite_on_a_network_file_system_is_refused_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prearchive.db.engine.network_file_system", lambda folder: "nfs4")
    with pytest.raises(ConfigurationProblemError, match="nfs4") as caught:
        open_engine(database_url("", tmp_path))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "prearc.db").exists()


def test_a_backup_of_a_database_in_use_is_whole_and_private(engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(COUNTER.update().values(n=5))
    target = tmp_path / "copy.db"
    backup_sqlite(tmp_path / "prearc.db", target)
    assert target.stat().st_mode & 0o777 == 0o600
    copy = sqlite3.connect(target)
    assert copy.execute("SELECT n FROM counter").fetchall() == [(5,)]
    copy.close()


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "prearc.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(sqlite3.Error):
        backup_sqlite(tmp_path / "prearc.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_sound_database_has_no_integrity_problems_and_a_dangling_row_is_found(
    tmp_path: Path, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        assert integrity_problems(connection) == []
    other = sqlite3.connect(tmp_path / "prearc.db")  # does not check references
    other.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    other.execute("CREATE TABLE child (p INTEGER REFERENCES parent(id))")
    other.execute("INSERT INTO child VALUES (5)")
    other.commit()
    other.close()
    with engine.begin() as connection:
        problems = integrity_problems(connection)
    assert problems == ["row 1 of child refers to a missing row of parent"]


def test_a_damaged_file_is_told_from_a_busy_one(tmp_path: Path) -> None:
    (tmp_path / "prearc.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(sa.exc.DatabaseError) as caught, open_engine(database_url("", tmp_path)).connect():
        pass
    assert is_damaged(caught.value)
    assert not is_damaged(sa.exc.OperationalError("x", None, sqlite3.OperationalError("locked")))
