from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from anon.lookup import parse_table
from config.errors import ConfigError, SiteExistsError, UnknownProjectError
from config.load import load_settings
from config.scripts import (
    get_script_file,
    read_script,
    set_script_enabled,
    write_script,
    write_site_folder,
)


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "deep" / "site"
    write_site_folder(folder)
    return folder


def modes_below(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}


def test_a_new_site_holds_commented_settings_and_the_two_training_scripts(site_folder: Path) -> None:
    settings = load_settings(site_folder, {})
    assert settings.projects["TRAINING"].anonymize
    assert settings.anonymization.site_enabled
    site_script, project_script = (get_script_file(settings, project) for project in (None, "TRAINING"))
    assert (site_script.name, project_script.name) == ("site.das", "projects/TRAINING.das")
    assert "hashUID[(0020,000D)]" in (read_script(site_script) or "")
    assert "makeSessionLabel" in (read_script(project_script) or "")
    comments = [line for line in settings.config_path.read_text().splitlines() if "#" in line]
    assert len(comments) > 20


def test_a_new_site_has_a_lookup_table_without_entries(site_folder: Path) -> None:
    settings = load_settings(site_folder, {})
    assert parse_table(settings.lookup_path.read_text("utf-8")).values == {}


def test_the_template_says_the_defaults(site_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "prearc.toml").write_text("")
    written, default = load_settings(site_folder, {}), load_settings(tmp_path, {})
    for table in ("receivers", "sessions", "limits", "routing", "anonymization", "database"):
        assert getattr(written, table) == getattr(default, table)


def test_a_new_site_is_private(site_folder: Path) -> None:
    for name, mode in modes_below(site_folder).items():
        assert mode == (0o600 if "." in name else 0o700), name


def test_an_existing_site_is_never_overwritten(site_folder: Path) -> None:
    (site_folder / "prearc.toml").write_text("# mine\n")
    with pytest.raises(SiteExistsError, match="nothing was changed"):
        write_site_folder(site_folder)
    assert (site_folder / "prearc.toml").read_text() == "# mine\n"


def test_a_left_over_script_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "anon").mkdir()
    (tmp_path / "anon" / "site.das").write_text("mine")
    with pytest.raises(SiteExistsError):
        write_site_folder(tmp_path)
    assert not (tmp_path / "prearc.toml").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match="taken"):
        write_site_folder(tmp_path / "taken" / "site")


def test_scripts_are_found_by_id_and_alias(site_folder: Path) -> None:
    (site_folder / "prearc.toml").write_text('[projects.P4]\naliases = ["Four"]\n')
    settings = load_settings(site_folder, {})
    assert get_script_file(settings, "Four").project == "P4"
    assert read_script(get_script_file(settings, "P4")) is None
    with pytest.raises(UnknownProjectError, match="'NOPE'"):
        get_script_file(settings, "NOPE")


def test_a_script_is_replaced_whole_and_stays_private(site_folder: Path) -> None:
    settings = load_settings(site_folder, {})
    script_file = get_script_file(settings, None)
    write_script(script_file, "- (0010,0010)\n")
    assert read_script(script_file) == "- (0010,0010)\n"
    assert sorted(path.name for path in script_file.path.parent.iterdir()) == [
        "lookup.txt",
        "projects",
        "site.das",
    ]
    assert stat.S_IMODE(script_file.path.stat().st_mode) == 0o600
    script_file.path.chmod(0o640)
    write_script(script_file, "- (0010,0020)\n")
    assert stat.S_IMODE(script_file.path.stat().st_mode) == 0o640


def test_a_failed_write_leaves_the_old_script_and_nothing_else(
    site_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script_file = get_script_file(load_settings(site_folder, {}), None)
    before = read_script(script_file)

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ConfigError, match="No space left"):
        write_script(script_file, "- (0010,0010)\n")
    assert read_script(script_file) == before
    assert sorted(path.name for path in script_file.path.parent.iterdir()) == [
        "lookup.txt",
        "projects",
        "site.das",
    ]


def test_a_script_that_is_a_link_keeps_being_one(site_folder: Path, tmp_path: Path) -> None:
    script_file = get_script_file(load_settings(site_folder, {}), None)
    elsewhere = tmp_path / "shared.das"
    script_file.path.rename(elsewhere)
    script_file.path.symlink_to(elsewhere)
    write_script(script_file, "- (0010,0010)\n")
    assert script_file.path.is_symlink()
    assert elsewhere.read_text() == "- (0010,0010)\n"


def test_scripts_that_are_no_text_are_told(site_folder: Path) -> None:
    script_file = get_script_file(load_settings(site_folder, {}), None)
    script_file.path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_script(script_file)
    script_file.path.unlink()
    script_file.path.mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        read_script(script_file)


def test_switching_a_script_keeps_every_other_line(site_folder: Path) -> None:
    settings = load_settings(site_folder, {})
    before = settings.config_path.read_text().splitlines()
    set_script_enabled(settings, None, False)
    set_script_enabled(settings, "TRAINING", False)
    after = settings.config_path.read_text().splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [new.split("#")[0].strip() for _, new in changed] == ["site_enabled = false", "anonymize = false"]
    again = load_settings(site_folder, {})
    assert not again.anonymization.site_enabled
    assert not again.projects["TRAINING"].anonymize


def test_switching_adds_the_keys_that_were_left_out(tmp_path: Path) -> None:
    (tmp_path / "prearc.toml").write_text("# mine\n[projects]\nP4 = {aliases = []}\n")
    settings = load_settings(tmp_path, {})
    set_script_enabled(settings, None, False)
    set_script_enabled(settings, "P4", True)
    again = load_settings(tmp_path, {})
    assert not again.anonymization.site_enabled
    assert again.projects["P4"].anonymize
    assert again.config_path.read_text().startswith("# mine\n")
