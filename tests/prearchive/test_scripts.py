"""The shelf of scripts: fail closed, take over what changed, keep what was good."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset

from anon import ScriptError
from config.settings import Settings
from prearchive.errors import ConfigurationProblemError, NotFoundError
from prearchive.keys import SiteKeys
from prearchive.scripts import LoadedScript, ScriptShelf, explain, script_path

GOOD = "- (0010,0030)\n"
BETTER = '(0012,0063) := "v02"\n'
BAD = "- (0010,0030)\n(0010,0010) := hashUDI[(0010,0010)]\n- (0010,0040\n"


class Folder:
    """A site folder with scripts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "anon" / "projects").mkdir(parents=True)

    def write(self, name: str, text: str | bytes) -> Path:
        """Replace a script as `prearc anon ... set` does."""
        path = self.root / "anon" / name
        draft = path.with_name(path.name + ".new")
        draft.write_bytes(text if isinstance(text, bytes) else text.encode())
        draft.replace(path)
        return path

    def settings(self, **tables: Any) -> Settings:
        """Settings of this folder."""
        return Settings.model_validate({"folder": self.root, **tables})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_site_script_is_compiled_once_and_known_by_its_digest(folder: Folder) -> None:
    folder.write("site.das", GOOD)
    shelf = ScriptShelf(folder.settings())
    loaded = shelf.site()
    assert loaded is not None
    assert (loaded.name, loaded.text, loaded.language) == ("site.das", GOOD, "4.x")
    assert loaded.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    assert shelf.site() is loaded
    assert shelf.in_force() == [loaded]


def test_a_script_that_is_switched_off_is_none_and_needs_no_file(folder: Folder) -> None:
    settings = folder.settings(
        anonymization={"site_enabled": False}, projects={"P1": {"anonymize": False}, "P2": {}}
    )
    shelf = ScriptShelf(settings)
    assert shelf.site() is None
    assert shelf.project("P1") is None
    assert shelf.project("P2") is None  # no script, and nothing asks for one
    assert shelf.load_all() == []


def test_a_script_that_is_asked_for_but_missing_is_an_error(folder: Folder) -> None:
    shelf = ScriptShelf(folder.settings(projects={"P1": {"anonymize": True}}))
    with pytest.raises(ConfigurationProblemError, match="site_enabled"):
        shelf.site()
    with pytest.raises(ConfigurationProblemError, match=r"\[projects\.P1\] anonymize"):
        shelf.project("P1")
    with pytest.raises(ConfigurationProblemError):
        shelf.load_all()
    folder.write("site.das", GOOD)
    assert shelf.site() is not None  # nothing wrong was remembered


def test_a_project_that_the_settings_do_not_have_is_not_found(folder: Folder) -> None:
    with pytest.raises(NotFoundError):
        ScriptShelf(folder.settings()).project("P1")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"- (0010,0010) // \xe4\n"])
def test_a_file_that_is_no_text_is_an_error(folder: Folder, content: bytes) -> None:
    folder.write("site.das", content)
    with pytest.raises(ConfigurationProblemError, match="UTF-8"):
        ScriptShelf(folder.settings()).site()


def test_a_folder_in_place_of_a_script_is_an_error(folder: Folder) -> None:
    (folder.root / "anon" / "site.das").mkdir()
    with pytest.raises(ConfigurationProblemError, match="cannot be read"):
        ScriptShelf(folder.settings()).site()


def test_all_mistakes_of_a_script_come_at_once_when_it_is_first_asked_for(folder: Folder) -> None:
    folder.write("site.das", BAD)
    with pytest.raises(ScriptError) as caught:
        ScriptShelf(folder.settings()).load_all()
    assert len(caught.value.diagnostics) >= 2


def test_a_changed_file_comes_into_force_at_the_next_refresh(folder: Folder) -> None:
    folder.write("site.das", GOOD)
    folder.write("projects/P1.das", GOOD)
    shelf = ScriptShelf(folder.settings(projects={"P1": {}}))
    first, project_first = shelf.site(), shelf.project("P1")
    folder.write("site.das", BETTER)
    assert shelf.site() is first
    shelf.refresh()
    assert shelf.site().text == BETTER
    assert shelf.project("P1") is project_first
    assert shelf.problems == []


def test_a_newer_version_with_mistakes_leaves_the_good_one_in_force_and_is_shown_drawn(
    folder: Folder,
) -> None:
    folder.write("site.das", GOOD)
    shelf = ScriptShelf(folder.settings())
    first = shelf.site()
    folder.write("site.das", BAD)
    shelf.refresh()
    shelf.refresh()
    assert shelf.site() is first
    (problem,) = shelf.problems
    assert "hashUDI" in problem
    assert "site.das:2:" in problem
    folder.write("site.das", BETTER)
    shelf.refresh()
    assert shelf.site().text == BETTER
    assert shelf.problems == []


def test_a_file_that_disappears_leaves_the_good_version_in_force(folder: Folder) -> None:
    path = folder.write("site.das", GOOD)
    shelf = ScriptShelf(folder.settings())
    first = shelf.site()
    path.unlink()
    shelf.refresh()
    assert shelf.site() is first
    assert "missing" in shelf.problems[0]


def test_a_script_that_was_never_asked_for_is_not_compiled_by_a_refresh(folder: Folder) -> None:
    folder.write("site.das", BAD)
    shelf = ScriptShelf(folder.settings())
    shelf.refresh()
    assert shelf.problems == []
    assert shelf.in_force() == []


def test_settings_that_switch_on_a_script_that_cannot_be_used_are_refused(folder: Folder) -> None:
    off = folder.settings(anonymization={"site_enabled": False})
    shelf = ScriptShelf(off)
    with pytest.raises(ConfigurationProblemError):
        shelf.use_settings(folder.settings())
    assert shelf.site() is None
    folder.write("site.das", BAD)
    with pytest.raises(ScriptError):
        shelf.use_settings(folder.settings())
    folder.write("site.das", GOOD)
    shelf.use_settings(folder.settings())
    assert shelf.site() is not None
    shelf.use_settings(off)
    assert shelf.site() is None


def test_problems_of_a_script_that_is_switched_off_are_forgotten(folder: Folder) -> None:
    folder.write("site.das", GOOD)
    shelf = ScriptShelf(folder.settings())
    shelf.site()
    folder.write("site.das", BAD)
    shelf.refresh()
    assert shelf.problems
    shelf.use_settings(folder.settings(anonymization={"site_enabled": False}))
    assert shelf.problems == []


def test_a_projects_first_script_is_noticed(folder: Folder) -> None:
    settings = folder.settings(projects={"P1": {}})
    shelf = ScriptShelf(settings)
    assert not shelf.has_new_files()
    folder.write("projects/P1.das", GOOD)
    assert shelf.has_new_files()
    shelf.use_settings(folder.settings(projects={"P1": {}}))
    assert not shelf.has_new_files()
    assert shelf.project("P1") is not None


def test_the_newest_versions_are_tried_without_coming_into_force(folder: Folder) -> None:
    folder.write("site.das", BAD)
    folder.write("projects/P1.das", GOOD)
    settings = folder.settings(projects={"P1": {}, "P2": {"anonymize": True}})
    shelf = ScriptShelf(settings)
    newest = shelf.newest()
    assert isinstance(newest["site.das"], ScriptError)
    assert isinstance(newest["projects/P1.das"], LoadedScript)
    assert isinstance(newest["projects/P2.das"], ConfigurationProblemError)
    assert shelf.in_force() == []
    drawn = explain(newest["site.das"], script_path(settings, "site.das"))
    assert "(0010,0010) := hashUDI" in drawn
    assert explain(newest["site.das"], Path("/nowhere")) == str(newest["site.das"])
    assert script_path(settings, "projects/P1.das") == settings.project_script_path("P1")


def test_threads_that_ask_at_once_get_the_same_script(folder: Folder) -> None:
    folder.write("site.das", GOOD)
    shelf = ScriptShelf(folder.settings())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shelf.site(), range(32)))
    assert len({id(loaded) for loaded in found}) == 1


# -- what scripts are compiled with: the lookup table, the key, the hosts that may be asked

USES_TABLE = 'version "6.6"\n(0010,0020) := lookup["pid", (0010,0020)]\n'
MAPS = 'version "6.6"\n(0020,000D) := mapUID[(0020,000D), "1.2.840.99999"]\n'
BAD_TABLE = "pid/PID-1 = S007\npid/JONES\npid/a/b = c\n"


def patient_id(loaded: LoadedScript | None) -> str:
    """What a script makes of the patient's ID of an object."""
    assert loaded is not None
    dataset = make_dataset(PatientID="PID-1")
    loaded.script.apply(dataset)
    return str(dataset.PatientID)


def test_scripts_find_values_in_the_sites_table_and_a_changed_one_reaches_them(folder: Folder) -> None:
    folder.write("site.das", USES_TABLE)
    table = folder.write("lookup.txt", "pid/PID-1 = S007\n")
    shelf = ScriptShelf(folder.settings())
    first = shelf.site()
    assert patient_id(first) == "S007"
    shelf.refresh()
    assert shelf.site() is first
    folder.write("lookup.txt", "pid/PID-1 = S008\n")
    shelf.refresh()
    loaded = shelf.site()
    assert patient_id(loaded) == "S008"
    assert loaded is not None and first is not None and loaded.sha256 == first.sha256
    table.unlink()
    shelf.refresh()
    with pytest.raises(ScriptError) as caught:
        patient_id(shelf.site())
    assert caught.value.diagnostics[0].code == "no-lookup-table"
    folder.write("lookup.txt", "pid/PID-1 = S009\n")
    shelf.refresh()
    assert patient_id(shelf.site()) == "S009"


def test_a_table_with_mistakes_is_an_error_when_a_script_is_first_asked_for(folder: Folder) -> None:
    folder.write("site.das", GOOD)
    table = folder.write("lookup.txt", BAD_TABLE)
    shelf = ScriptShelf(folder.settings())
    for ask in (shelf.site, shelf.load_all):
        with pytest.raises(ScriptError) as caught:
            ask()
        assert caught.value.name == "lookup.txt"
        assert [found.line for found in caught.value.diagnostics] == [2, 3]
    newest = shelf.newest()
    assert list(newest) == ["lookup.txt", "site.das"]
    assert isinstance(newest["lookup.txt"], ScriptError)
    assert isinstance(newest["site.das"], LoadedScript)
    assert script_path(folder.settings(), "lookup.txt") == table
    folder.write("lookup.txt", "")
    assert shelf.site() is not None


def test_a_newer_table_with_mistakes_leaves_the_good_one_in_force_and_its_lines_are_not_told(
    folder: Folder,
) -> None:
    folder.write("site.das", USES_TABLE)
    folder.write("projects/P1.das", USES_TABLE)
    folder.write("lookup.txt", "pid/PID-1 = S007\n")
    shelf = ScriptShelf(folder.settings(projects={"P1": {}}))
    first = shelf.site()
    folder.write("lookup.txt", BAD_TABLE)
    shelf.refresh()
    shelf.refresh()
    assert shelf.site() is first
    assert patient_id(shelf.project("P1")) == "S007"  # asked for only now
    (problem,) = shelf.problems
    assert "lookup.txt:2:1: " in problem and "lookup.txt:3:1: " in problem
    assert "JONES" not in problem
    shelf.use_settings(folder.settings())
    assert shelf.problems == [problem]
    folder.write("lookup.txt", "pid/PID-1 = S008\n")
    shelf.refresh()
    assert (patient_id(shelf.site()), shelf.problems) == ("S008", [])


@pytest.mark.parametrize("content", [b"pid/\xff = S1\n", None])
def test_a_table_that_cannot_be_read_is_no_reason_to_go_without(
    folder: Folder, content: bytes | None
) -> None:
    folder.write("site.das", USES_TABLE)
    if content is None:
        (folder.root / "anon" / "lookup.txt").mkdir()
    else:
        folder.write("lookup.txt", content)
    shelf = ScriptShelf(folder.settings())
    with pytest.raises(ConfigurationProblemError, match=r"lookup\.txt"):
        shelf.site()
    assert isinstance(shelf.newest()["lookup.txt"], ConfigurationProblemError)


def test_a_changed_script_sees_the_table_in_force(folder: Folder) -> None:
    folder.write("site.das", GOOD)
    folder.write("lookup.txt", "pid/PID-1 = S007\n")
    shelf = ScriptShelf(folder.settings())
    shelf.site()
    folder.write("site.das", USES_TABLE)
    folder.write("lookup.txt", "pid/PID-1 = S008\n")
    shelf.refresh()
    assert patient_id(shelf.site()) == "S008"
    folder.write("lookup.txt", BAD_TABLE)
    folder.write("site.das", USES_TABLE + "-(0010,0030)\n")
    shelf.refresh()
    assert patient_id(shelf.site()) == "S008"


@pytest.mark.parametrize("script", [MAPS, "(0020,000D) := new UID\n"])
def test_scripts_of_one_key_map_a_uid_alike_whichever_process_runs_them(folder: Folder, script: str) -> None:
    folder.write("site.das", script)
    folder.write("projects/P1.das", f"{script}-(0010,0030)\n")
    settings = folder.settings(projects={"P1": {}})

    def study_uid(loaded: LoadedScript | None) -> str:
        assert loaded is not None
        dataset = make_dataset(StudyInstanceUID="1.2.3")
        loaded.script.apply(dataset)
        return str(dataset.StudyInstanceUID)

    key = SiteKeys(bytes(32)).script_key
    made = {
        study_uid(ScriptShelf(settings, key).site()),
        study_uid(ScriptShelf(settings, key).project("P1")),
    }
    assert len(made) == 1
    assert study_uid(ScriptShelf(settings, SiteKeys(bytes(range(32))).script_key).site()) not in made
    shelf = ScriptShelf(settings, key)
    shelf.site()
    folder.write("lookup.txt", "a/b = c\n")
    shelf.refresh()
    assert {study_uid(shelf.site())} == made


def test_changed_hosts_count_for_scripts_that_are_in_force(folder: Folder) -> None:
    folder.write("site.das", 'version "6.6"\n(0010,4000) := getURL["http://localhost:1/x"]\n')
    shelf = ScriptShelf(folder.settings())

    def failure() -> str:
        loaded = shelf.site()
        assert loaded is not None
        with pytest.raises(ScriptError) as caught:
            loaded.script.apply(make_dataset())
        return caught.value.diagnostics[0].code

    assert failure() == "not-allowed"
    shelf.use_settings(folder.settings(anonymization={"allowed_hosts": ["localhost:1"]}))
    assert failure() == "url-failed"
    shelf.use_settings(folder.settings(anonymization={"allowed_hosts": ["localhost:2"]}))
    assert failure() == "not-allowed"
