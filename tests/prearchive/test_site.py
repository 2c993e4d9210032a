from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from builders import make_dataset
from intake_site import IntakeSite, make_settings, opened

from config.settings import Settings
from prearchive.errors import ConfigurationProblemError
from prearchive.incoming import OutcomeKind
from prearchive.keys import KEY_VARIABLE
from prearchive.site import Site


def test_a_new_site_gets_its_folders_key_and_database_all_private(tmp_path: Path) -> None:
    with Site.open(make_settings(tmp_path), create=True) as site:
        names = {path.name: path.stat().st_mode & 0o777 for path in site.root.iterdir()}
    assert set(names) >= {"prearchive", "archive", "trash", "tmp", "logs", "site.key", "prearc.db"}
    folders = {"prearchive", "archive", "trash", "tmp", "logs"}
    assert {names[name] for name in folders} == {0o700}
    assert {mode for name, mode in names.items() if name not in folders} == {0o600}


def test_without_create_nothing_is_made_and_the_message_says_what_makes_it(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    with pytest.raises(ConfigurationProblemError, match="prearc serve"):
        Site.open(settings)
    assert not settings.storage.root.exists()
    settings.storage.root.mkdir()
    with pytest.raises(ConfigurationProblemError, match="prearc serve"):
        Site.open(settings)
    assert list(settings.storage.root.iterdir()) == []


def test_a_lost_key_is_asked_for_when_the_database_was_filled_with_it(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        door.send(make_dataset(SOPInstanceUID=None))  # an audit row is enough
        settings = door.settings
    (settings.storage.root / "site.key").unlink()
    for create in (True, False):
        with pytest.raises(ConfigurationProblemError, match=r"site\.key.*backup"):
            Site.open(settings, create=create)
    assert not (settings.storage.root / "site.key").exists()


def test_a_lost_key_of_an_unused_site_is_made_anew_by_serve_only(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    Site.open(settings, create=True).close()
    (settings.storage.root / "site.key").unlink()
    with pytest.raises(ConfigurationProblemError, match="prearc serve"):
        Site.open(settings)
    Site.open(settings, create=True).close()
    assert (settings.storage.root / "site.key").exists()


def test_the_key_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "ab" * 32)
    settings = make_settings(tmp_path)
    Site.open(settings, create=True).close()
    assert not (settings.storage.root / "site.key").exists()


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"sessions": {"file_name": "${SeriesNumber}"}}, r"sessions\.file_name"),
        ({"routing": {"project": ["no rule"]}}, r"routing\.project.*no rule"),
        ({"receivers": [{"routing": {"subject": ["(0010,0010):((("]}}]}, r"receivers\[0\]\.routing\.subject"),
        ({"storage": {"group": "nosuchgroup"}}, "nosuchgroup"),
        ({"database": {"url": "nonsense"}}, r"database\.url"),
    ],
)
def test_settings_that_cannot_work_stop_the_start_and_name_the_key(
    tmp_path: Path, tables: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigurationProblemError, match=words):
        Site.open(make_settings(tmp_path, **tables), create=True)  # type: ignore[arg-type]


class Reloading:
    """A site whose settings file changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.next: Settings | Exception = make_settings(folder)
        self.reads = 0
        (folder / "prearc.toml").write_text("")
        self.site = Site.open(make_settings(folder), create=True, reload=self.reload)

    def reload(self) -> Settings:
        self.reads += 1
        if isinstance(self.next, Exception):
            raise self.next
        return self.next

    def change(self, settings: Settings | Exception) -> None:
        self.next = settings
        path = self.folder / "prearc.toml"
        path.write_text(path.read_text() + "# changed\n")
        self.site.refresh()


def test_changed_settings_are_taken_over_and_unchanged_ones_not_even_read(tmp_path: Path) -> None:
    reloading = Reloading(tmp_path)
    site = reloading.site
    site.refresh()
    assert reloading.reads == 0
    reloading.change(make_settings(tmp_path, sessions={"quiet_seconds": 7}, limits={"min_free_bytes": 5}))
    assert site.settings.sessions.quiet_seconds == 7 and site.files.min_free_bytes == 5
    assert site.problems == []
    site.refresh()
    assert reloading.reads == 1
    site.close()


def test_wrong_settings_leave_the_good_ones_in_force_and_are_told(tmp_path: Path) -> None:
    reloading = Reloading(tmp_path)
    site = reloading.site
    before = site.settings
    reloading.change(ValueError("unknown key 'quiet'"))
    assert site.settings is before and "unknown key" in site.problems[0]
    reloading.change(make_settings(tmp_path, sessions={"file_name": "${SeriesNumber}"}))
    assert site.settings is before and "file_name" in site.problems[0]
    reloading.change(make_settings(tmp_path, storage={"root": "elsewhere"}))
    assert site.settings is before and "restart" in site.problems[0]
    reloading.change(make_settings(tmp_path, projects={"P9": {"anonymize": True}}))
    assert site.settings is before and "P9" in site.problems[0]
    reloading.change(make_settings(tmp_path))
    assert site.problems == []
    site.close()


def test_a_broken_script_leaves_the_good_one_in_force_and_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        assert door.send().kind is OutcomeKind.STORED
        door.settings.site_script_path.write_text("this is no script [")
        door.site.refresh()
        assert len(door.site.problems) == 1 and "site.das" in door.site.problems[0]
        assert door.send().kind is OutcomeKind.STORED


def test_a_lease_names_this_process_and_ends(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        lease = door.site.new_lease(60)
        assert lease == {
            "lease_owner": door.site.owner,
            "lease_expires_at": door.clock() + timedelta(seconds=60),
        }
        assert door.site.files.is_alive(door.site.owner)
        assert not door.site.files.is_alive("f" * 16) and not door.site.files.is_alive(None)
        other = IntakeSite(tmp_path)
        assert other.site.files.is_alive(door.site.owner) and door.site.files.is_alive(other.site.owner)
        gone = other.site.owner
        other.close()
        assert not door.site.files.is_alive(gone)


def test_who_reads_slowly_puts_no_older_settings_over_newer_ones(tmp_path: Path) -> None:
    reloading = Reloading(tmp_path)
    site, path = reloading.site, tmp_path / "prearc.toml"
    is_reading, may_go_on = threading.Event(), threading.Event()
    older = make_settings(tmp_path, sessions={"quiet_seconds": 1})
    newer = make_settings(tmp_path, sessions={"quiet_seconds": 2})

    def read() -> Settings:
        if is_reading.is_set():
            return newer
        is_reading.set()
        may_go_on.wait(10)
        return older

    site._reload = read
    path.write_text("# older\n")
    slow = threading.Thread(target=site.refresh)
    slow.start()
    assert is_reading.wait(10)
    path.write_text("# newer, and longer\n")
    quick = threading.Thread(target=site.refresh)
    quick.start()
    quick.join(0.2)
    may_go_on.set()
    slow.join(10)
    quick.join(10)
    assert site.settings.sessions.quiet_seconds == 2
    site.close()
