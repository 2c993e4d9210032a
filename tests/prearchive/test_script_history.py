"""The history of scripts follows the files, whoever changes them, whenever somebody dies over it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from filelock import FileLock
from intake_site import START, IntakeSite, make_settings, opened
from killing import Child, run_killed_at
from review_site import review_site, study
from structlog.testing import capture_logs

from anon import compile_script
from config.scripts import get_script_file, set_script_enabled, write_script
from config.settings import Settings
from prearchive import script_history
from prearchive.archive import archive_session
from prearchive.check import check_site
from prearchive.db import script_changes
from prearchive.db.models import ScriptChange, ScriptVersion
from prearchive.errors import (
    AmbiguousReferenceError,
    ConfigurationProblemError,
    DamagedFileError,
    NotFoundError,
    StorageTroubleError,
)
from prearchive.script_history import Action, note, note_all, note_use, replacing, switching
from prearchive.script_versions import HistoryEntry, get_version, read_history
from prearchive.scripts import LoadedScript, project_of
from prearchive.settle import rebuild_session
from prearchive.site import Site
from prearchive.views import list_files, list_scripts_of_files, show_session

SITE = "site.das"
ONE = '(0012,0063) := "one"\n'
TWO = '(0012,0063) := "two"\n'
THREE = '(0012,0063) := "three"\n'
BROKEN = "(0012,0063) := nonsense[\n"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[IntakeSite]:
    with opened(tmp_path, ONE) as found:
        yield found


def script_of(door: IntakeSite) -> Path:
    return door.settings.site_script_path


def put(site: Site, text: str, *, who: str = "mara", why: str = "", name: str = SITE) -> int | None:
    """Put a text in force as the command `set` does."""
    script_file = get_script_file(site.settings, project_of(name))
    with replacing(
        site, name, text,
        language=compile_script(text).language, action=Action.SET, who=who, why=why,
    ) as replacement:  # fmt: skip
        write_script(script_file, text)
    return replacement.version


def told(site: Site, name: str = SITE) -> list[tuple[int | None, str, str]]:
    return [(entry.version, entry.action, entry.who) for entry in read_history(site, name)]


def texts(site: Site, name: str = SITE) -> list[str]:
    entries = [entry for entry in read_history(site, name) if entry.version is not None]
    return [get_version(site, name, str(entry.version)).text for entry in entries]


def current(entries: list[HistoryEntry]) -> list[int | None]:
    return [entry.version for entry in entries if entry.in_force]


# -- what is written


def test_versions_count_from_one_and_the_text_that_was_there_is_the_first(door: IntakeSite) -> None:
    door.clock.go_on(60)
    assert put(door.site, TWO, who="mara", why="because") == 2
    first, second = read_history(door.site, SITE)
    assert (first.version, first.action, first.who, first.in_force) == (1, "first", "unknown", False)
    assert (second.version, second.action, second.who, second.why) == (2, "set", "mara", "because")
    assert second.in_force
    assert second.at == START + timedelta(seconds=60)
    assert second.language == "4.x"
    assert second.sha256 == script_history.sha256_of(TWO)
    assert texts(door.site) == [ONE, TWO]
    assert script_of(door).read_text() == TWO


def test_each_script_counts_its_own_versions_even_of_the_same_text(door: IntakeSite) -> None:
    put(door.site, TWO)
    assert put(door.site, TWO, name="projects/P1.das") == 1
    assert put(door.site, ONE, name="projects/P1.das") == 2
    assert told(door.site) == [(1, "first", "unknown"), (2, "set", "mara")]
    assert texts(door.site, "projects/P1.das") == [TWO, ONE]
    with door.site.read_engine.begin() as connection:
        assert len(list(script_changes.kept_texts(connection))) == 2


def test_a_file_that_was_changed_by_hand_is_a_new_version_for_whoever_looks(door: IntakeSite) -> None:
    note(door.site, SITE)
    script_of(door).write_text(TWO)
    os.utime(script_of(door), (1_700_000_000, 1_700_000_000))
    entries = read_history(door.site, SITE)
    assert [(entry.version, entry.action) for entry in entries] == [(1, "first"), (2, "edited")]
    assert entries[-1].who == "unknown"
    assert entries[-1].why.startswith("file of 2023-11-1")
    assert read_history(door.site, SITE) == entries
    script_of(door).write_text(ONE)
    assert texts(door.site) == [ONE, TWO, ONE]
    assert current(read_history(door.site, SITE)) == [3]


def test_a_text_with_mistakes_is_no_version(door: IntakeSite) -> None:
    note(door.site, SITE)
    for content in (BROKEN.encode(), b"\xff\xfe", b""):
        script_of(door).write_bytes(content)
        read_history(door.site, SITE)
    # An empty script is one without statements.
    assert texts(door.site) == [ONE, ""]
    script_of(door).unlink()
    assert texts(door.site) == [ONE, ""]


def test_bytes_are_kept_as_they_are(door: IntakeSite) -> None:
    odd = '\ufeff// Größe\r\n(0012,0063) := "x"'
    script_of(door).write_bytes(odd.encode())
    version = get_version(door.site, SITE)
    assert version.text == odd
    assert version.sha256 == door.site.scripts.load_all()[0].sha256


def test_a_text_that_runs_is_noted_with_the_first_instance(door: IntakeSite) -> None:
    with capture_logs() as logged:
        first = door.send()
        door.send()
        script_of(door).write_text(TWO + "// longer\n")
        door.intake.association_started(door.sender)
        door.send()
    changes = [entry for entry in logged if entry["event"] == "script_changed"]
    assert [(entry["version"], entry["action"]) for entry in changes] == [(1, "first"), (2, "edited")]
    (stored,) = [row for row in door.instances() if row.session_id == first.session_id][:1]
    assert stored.site_script_id == read_history(door.site, SITE)[0].record_id


def test_a_text_that_ran_is_noted_although_the_file_has_another_one_by_now(door: IntakeSite) -> None:
    door.site.scripts.load_all()
    script_of(door).write_text(TWO)
    note_all(door.site)
    assert texts(door.site) == [ONE, TWO]
    loaded = LoadedScript(compile_script(THREE), THREE, script_history.sha256_of(THREE), SITE)
    row_id = note_use(door.site, loaded)
    assert texts(door.site) == [ONE, TWO, THREE, TWO]
    script_of(door).write_text(BROKEN)
    assert note_use(door.site, loaded) == row_id
    assert texts(door.site) == [ONE, TWO, THREE, TWO]


def test_a_failed_replacement_leaves_nothing_behind(door: IntakeSite) -> None:
    note(door.site, SITE)
    with (
        pytest.raises(OSError, match="full"),
        replacing(door.site, SITE, TWO, language="6.x", action=Action.SET, who="mara", why="") as replacement,
    ):
        raise OSError("full")
    assert replacement.version is None
    script_of(door).write_text(TWO)
    assert told(door.site) == [(1, "first", "unknown"), (2, "edited", "unknown")]


def test_somebody_who_keeps_the_lock_is_told_about(door: IntakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_history, "_LOCK_SECONDS", 0.05)
    path = door.site.root / "tmp" / "scripts.lock"
    with FileLock(path, mode=0o600), pytest.raises(StorageTroubleError, match="somebody else"):
        note(door.site, SITE)
    note(door.site, SITE)
    with FileLock(path):
        assert read_history(door.site, SITE)[0].version == 1  # looking waits for nobody
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_told_about(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script_history, "_LOCK_NAME", "no/such/folder/scripts.lock")
    (door.site.root / "tmp" / "no").write_text("in the way")
    with pytest.raises(ConfigurationProblemError, match="server's user"):
        note(door.site, SITE)


# -- switched on and off


def reloading(tmp_path: Path) -> Site:
    settings = make_settings(tmp_path, ONE)
    (tmp_path / "prearc.toml").write_text("[projects.P1]\n")

    def reload() -> Settings:
        from config.load import load_settings

        return load_settings(tmp_path, {})

    return Site.open(settings, create=True, reload=reload)


def test_switches_are_lines_of_the_history(tmp_path: Path) -> None:
    with reloading(tmp_path) as site:
        for enabled in (False, True, True):
            with switching(site, SITE, enabled, who="mara", why="a trial"):
                set_script_enabled(site.settings, None, enabled)
            assert current(read_history(site, SITE)) == ([1] if enabled else [])
        entries = read_history(site, SITE)
        assert told(site) == [(1, "first", "unknown"), (None, "disabled", "mara"), (None, "enabled", "mara")]
        assert {(entry.sha256, entry.record_id, entry.why) for entry in entries[1:]} == {
            (None, None, "a trial")
        }


def test_a_switch_that_was_set_by_hand_is_noticed_once(tmp_path: Path) -> None:
    with reloading(tmp_path) as site:
        note_all(site)
        set_script_enabled(site.settings, None, False)
        site.refresh()
        for _ in range(2):
            note_all(site)
        assert told(site) == [(1, "first", "unknown"), (None, "disabled", "unknown")]
        assert read_history(site, SITE)[-1].why == "found in the settings"
        # A process whose settings are older than the file does not note what they say.
        with switching(site, SITE, True, who="mara"):
            set_script_enabled(site.settings, None, True)
        assert not site.settings.anonymization.site_enabled
        note(site, SITE)
        assert told(site)[-1] == (None, "enabled", "mara")
        assert told(site, "projects/P1.das") == []


def test_a_switch_that_broke_off_after_the_settings_were_written_is_noticed(tmp_path: Path) -> None:
    with reloading(tmp_path) as site:
        with pytest.raises(RuntimeError), switching(site, SITE, False, who="mara"):
            set_script_enabled(site.settings, None, False)
            raise RuntimeError("as if killed")
        site.refresh()
        assert told(site) == [(1, "first", "unknown"), (None, "disabled", "unknown")]
        with pytest.raises(RuntimeError), switching(site, SITE, True, who="mara"):
            raise RuntimeError("before anything was written")
        assert told(site) == [(1, "first", "unknown"), (None, "disabled", "unknown")]


def test_settings_that_cannot_be_read_switch_nothing(tmp_path: Path) -> None:
    with reloading(tmp_path) as site:
        note_all(site)
        (tmp_path / "prearc.toml").write_text("nonsense")
        script_of_site = tmp_path / "anon" / SITE
        script_of_site.write_text(TWO)
        assert told(site) == [(1, "first", "unknown"), (2, "edited", "unknown")]


# -- several processes, and sudden death


def test_two_processes_that_set_scripts_at_once_count_without_gaps(door: IntakeSite, tmp_path: Path) -> None:
    rounds = 12
    children = []
    for name in ("anna", "berta"):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with Site.open(door.settings) as site:
                    for number in range(rounds):
                        version = put(site, f'(0012,0063) := "{name} {number}"\n', who=name)
                        assert version is not None
                    code = 0
            finally:
                os._exit(code)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    entries = read_history(door.site, SITE)
    assert [entry.version for entry in entries] == list(range(1, 2 * rounds + 2))
    assert [entry.who for entry in entries].count("anna") == rounds
    assert [entry.who for entry in entries].count("berta") == rounds
    assert {entry.action for entry in entries[1:]} == {"set"}
    for name in ("anna", "berta"):
        own = [get_version(door.site, SITE, str(entry.version)) for entry in entries if entry.who == name]
        assert [version.text for version in own] == [
            f'(0012,0063) := "{name} {number}"\n' for number in range(rounds)
        ]
    assert get_version(door.site, SITE).text == script_of(door).read_text()
    assert check_site(door.site) == []


def test_whenever_the_process_dies_file_and_history_agree_with_author_and_reason(tmp_path: Path) -> None:
    ends = set()
    for kill_at in range(1, 200):
        folder = tmp_path / str(kill_at)
        with opened(folder, ONE) as door:
            note(door.site, SITE)
            settings = door.settings

        def set_two(child: Child, settings: Settings = settings) -> None:
            with Site.open(settings) as site:
                child.arm()
                put(site, TWO, who="mara", why="because")
                child.say("done")

        was_killed, said = run_killed_at(kill_at, set_two, tmp_path / "report")
        with opened(folder, None) as door:
            text = door.settings.site_script_path.read_text()
            door.site._settings = replace_script_switch(door.settings)
            entries = read_history(door.site, SITE)
            assert get_version(door.site, SITE).text == text
            if text == TWO:
                assert [(entry.version, entry.action, entry.who, entry.why) for entry in entries[1:]] == [
                    (2, "set", "mara", "because")
                ]
            else:
                assert text == ONE
                assert said == []
                assert [entry.version for entry in entries] == [1]
            with door.site.read_engine.begin() as connection:
                assert not script_changes.has_intention(connection, SITE)
            ends.add((was_killed, text))
        if not was_killed:
            assert said == ["done"]
            break
    assert ends == {(True, ONE), (True, TWO), (False, TWO)}


def replace_script_switch(settings: Settings) -> Settings:
    """The settings with the site script switched on: `opened` writes the script anew otherwise."""
    anonymization = settings.anonymization.model_copy(update={"site_enabled": True})
    return settings.model_copy(update={"anonymization": anonymization})


# -- finding versions


def test_a_version_is_found_by_its_number_or_the_beginning_of_its_sha256(door: IntakeSite) -> None:
    put(door.site, TWO)
    put(door.site, ONE)
    first = get_version(door.site, SITE, "1")
    assert (first.version, first.text, first.in_force) == (1, ONE, False)
    assert get_version(door.site, SITE, script_history.sha256_of(TWO)[:4]).version == 2
    assert get_version(door.site, SITE, script_history.sha256_of(TWO).upper()).version == 2
    # The same text came back: the newer one is meant.
    assert get_version(door.site, SITE, script_history.sha256_of(ONE)[:12]).version == 3
    assert get_version(door.site, SITE).version == 3


@pytest.mark.parametrize("reference", ["0", "9", "-1", "abc", "fffffffff", "", "one", "1.0", "٣"])
def test_an_unknown_version_is_told_with_those_there_are(door: IntakeSite, reference: str) -> None:
    with pytest.raises(NotFoundError, match="there is version 1 "):
        get_version(door.site, SITE, reference)
    put(door.site, TWO)
    with pytest.raises(NotFoundError, match="there are versions 1 to 2 "):
        get_version(door.site, SITE, reference)
    with pytest.raises(NotFoundError, match="no versions yet"):
        get_version(door.site, "projects/P1.das", reference)


def test_a_beginning_of_several_texts_is_told_with_their_versions(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(door.site, TWO)
    entries = read_history(door.site, SITE)
    twins = [replace(entry, sha256=f"abcd{number}" + "0" * 59) for number, entry in enumerate(entries)]
    monkeypatch.setattr("prearchive.script_versions.read_history", lambda site, name: twins)
    with pytest.raises(AmbiguousReferenceError) as caught:
        get_version(door.site, SITE, "abcd")
    assert [candidate.partition(":")[0] for candidate in caught.value.candidates] == [
        "version 1",
        "version 2",
    ]


# -- texts that are not what was kept


def test_a_text_that_was_changed_in_the_database_is_never_given_out(door: IntakeSite) -> None:
    put(door.site, TWO)
    assert check_site(door.site) == []
    with door.site.engine.begin() as connection:
        connection.execute(
            sa.update(ScriptVersion).where(ScriptVersion.script_text == ONE).values(script_text=ONE + " ")
        )
    with pytest.raises(DamagedFileError, match=r"version 1 of site\.das was changed"):
        get_version(door.site, SITE, "1")
    assert get_version(door.site, SITE, "2").text == TWO
    (finding,) = check_site(door.site)
    assert (finding.severity, finding.code, finding.where) == ("error", "script-text-changed", SITE)


def test_check_finds_a_version_that_was_taken_out(door: IntakeSite) -> None:
    put(door.site, TWO)
    put(door.site, THREE)
    with door.site.engine.begin() as connection:
        connection.execute(sa.delete(ScriptChange).where(ScriptChange.version == 2))
    (finding,) = check_site(door.site)
    assert (finding.code, finding.where) == ("script-history-gap", SITE)


# -- which versions ran


def test_a_session_and_its_files_say_which_versions_ran(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(2)
        session_id = made.arrive(datasets[:1])
        (used,) = show_session(made.site, session_id).scripts
        assert (used.role, used.name, used.version, used.files) == ("site", SITE, 1, 1)
        made.clock.go_on(10)
        put(made.site, TWO)
        made.site.refresh()
        made.clock.go_on(10)
        made.send(datasets[1])
        assert [(used.version, used.files) for used in show_session(made.site, session_id).scripts] == [
            (1, 1),
            (2, 1),
        ]
        made.clock.go_on(10)
        put(made.site, TWO.replace("two", "three"))
        put(made.site, TWO)  # version 4 has the text of version 2, which is the one that ran
        rebuild_session(made.site, session_id, "anna")
        archive_session(made.site, session_id, subject="S1", session="L1", who="anna", confirm=True)
        details = show_session(made.site, session_id)
        assert [(used.role, used.name, used.version, used.files) for used in details.scripts] == [
            ("site", SITE, 1, 1),
            ("site", SITE, 2, 1),
            ("project", "projects/P1.das", 1, 2),
        ]
        of_project = read_history(made.site, "projects/P1.das")[0]
        assert details.scripts[-1].sha256 == of_project.sha256
        assert details.scripts[-1].record_id == of_project.record_id
        ran = list_scripts_of_files(made.site, session_id)
        assert set(ran) == {row.path for row in list_files(made.site, session_id)}
        assert sorted(found.site.version or 0 for found in ran.values() if found.site) == [1, 2]
        assert {found.project.version for found in ran.values() if found.project} == {1}
        assert {found.project.sha256 for found in ran.values() if found.project} == {of_project.sha256}


def test_what_no_script_ran_on_says_so(tmp_path: Path) -> None:
    with opened(tmp_path, None) as door:
        session_id = door.send().session_id
        assert session_id is not None
        assert show_session(door.site, session_id).scripts == []
        (ran,) = list_scripts_of_files(door.site, session_id).values()
        assert (ran.site, ran.project) == (None, None)
