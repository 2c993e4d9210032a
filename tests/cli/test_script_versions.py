"""`prearc anon site` and `prearc anon project P`: history, show VERSION, diff, set, rollback."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
from builders import make_dataset
from command_line import PROJECT_SCRIPT, SITE_SCRIPT, CommandLineSite, prearc

from cli import output
from config import scripts
from config.errors import ConfigError
from config.load import load_settings
from prearchive.db.models import ScriptVersion
from prearchive.site import Site

ONE = '(0012,0063) := "one"\n- (0010,0030)\n'
TWO = '(0012,0063) := "two"\n- (0010,0030)\n- (0010,0040)\n'
BAD = "(0010,0010) := hashUDI[(0020,000D)]\n"


@pytest.fixture
def site(tmp_path: Path) -> CommandLineSite:
    return CommandLineSite(tmp_path / "site")


def put(site: CommandLineSite, text: str, *words: str, scope: tuple[str, ...] = ("site",)) -> None:
    path = site.folder.parent / "new.das"
    path.write_text(text)
    site.run("anon", *scope, "set", path, *words)


def change_kept(site: CommandLineSite, number: int, **values: str) -> None:
    with Site.open(load_settings(site.folder, {})) as opened, opened.engine.begin() as connection:
        connection.execute(sa.update(ScriptVersion).where(ScriptVersion.id == number).values(**values))


# -- before anything has run


def test_looking_makes_no_data_on_a_new_site(site: CommandLineSite) -> None:
    assert site.json("anon", "site", "history") == []
    assert "no versions yet" in site.run("anon", "site", "history").stdout
    assert site.json("anon", "site", "show")["version"] is None
    assert "no versions yet" in site.run("anon", "site", "show", "1", code=4).stderr
    assert "no versions yet" in site.run("anon", "site", "diff", "1", code=4).stderr
    assert "no versions yet" in site.run("anon", "site", "rollback", "1", code=4).stderr
    assert not (site.folder / "data").exists()


def test_what_is_set_before_the_first_serve_is_in_the_history(site: CommandLineSite) -> None:
    put(site, ONE, "--why", "to begin with")
    first, second = site.json("anon", "site", "history")
    assert (first["version"], first["action"]) == (1, "first")
    assert (second["version"], second["action"], second["why"]) == (2, "set", "to begin with")
    assert site.json("list") == []
    (outcome,) = site.receive(make_dataset())
    assert [used["version"] for used in site.json("show", str(outcome.session_id))["scripts"]] == [2]


# -- history and show


def test_the_history_says_version_when_who_what_and_why(site: CommandLineSite) -> None:
    put(site, ONE, "--as", "mara", "--why", "the ethics board asked for it")
    put(site, TWO, "--as", "jo")
    rows = site.json("anon", "site", "history")
    assert list(rows[0]) == [
        "version", "in_force", "at", "who", "action", "why", "sha256", "language", "record_id",
    ]  # fmt: skip
    told = [(row["version"], row["in_force"], row["who"], row["action"], row["why"]) for row in rows]
    assert told[1:] == [
        (2, False, "mara", "set", "the ethics board asked for it"),
        (3, True, "jo", "set", ""),
    ]
    assert told[0][:4] == (1, False, "unknown", "first")
    assert [row["sha256"] for row in rows] == [
        sha256(text.encode()).hexdigest() for text in (SITE_SCRIPT, ONE, TWO)
    ]
    assert all(datetime.fromisoformat(row["at"]).tzinfo for row in rows)
    assert len({row["record_id"] for row in rows}) == 3
    assert {row["language"] for row in rows} == {"4.x"}


def test_the_table_marks_the_version_in_force_and_is_narrow(site: CommandLineSite) -> None:
    put(site, ONE, "--as", "mara", "--why", "first try")
    put(site, TWO, "--as", "mara")
    site.run("anon", "site", "rollback", "2")
    lines = site.run("anon", "site", "history").stdout.splitlines()
    assert lines[0].split() == ["VERSION", "WHEN", "WHO", "WHAT", "SHA-256", "WHY"]
    assert [line.lstrip().startswith("*4 ") for line in lines[1:]] == [False, False, False, True]
    assert sha256(ONE.encode()).hexdigest()[:8] in lines[2]
    assert sha256(ONE.encode()).hexdigest()[:8] in lines[4]
    assert lines[4].endswith("back to version 2")
    assert max(map(len, lines)) <= 80
    site.run("anon", "site", "disable")
    lines = site.run("anon", "site", "history").stdout.splitlines()
    assert not any("*" in line for line in lines)
    assert "disabled" in lines[-1]


def test_what_was_done_by_hand_is_noticed_by_looking(site: CommandLineSite) -> None:
    put(site, ONE)
    path = site.folder / "anon" / "site.das"
    path.write_text(TWO)
    assert site.json("anon", "site", "show")["version"] == 3
    assert site.json("anon", "site", "history")[-1]["action"] == "edited"
    path.write_text(BAD)
    result = site.run("anon", "site", "history")
    assert "was changed and has mistakes" in result.stderr
    assert "version 3" in result.stderr
    assert "BAD" not in result.stdout
    assert site.json("anon", "site", "show")["version"] is None
    assert "version 3 is the last one without" in site.run("anon", "site", "show").stderr
    path.unlink()
    assert "`rollback 3` writes it again" in site.run("anon", "site", "history").stderr
    site.run("anon", "site", "rollback", "3")
    assert path.read_text() == TWO


@pytest.mark.parametrize("content", [b"// M\xfcller\n", ONE.encode("utf-16")])
def test_the_newest_text_comes_back_over_a_file_that_is_not_utf8(
    site: CommandLineSite, content: bytes
) -> None:
    put(site, ONE)
    path = site.folder / "anon" / "site.das"
    for command in (("rollback", "2"), ("set", site.folder.parent / "new.das")):
        path.write_bytes(content)
        assert "wrote" in site.run("anon", "site", *command).stdout
        assert path.read_text() == ONE


def test_show_prints_a_version_and_what_became_of_it(site: CommandLineSite) -> None:
    put(site, ONE, "--as", "mara", "--why", "a trial")
    put(site, TWO)
    result = site.run("anon", "site", "show", "2")
    assert result.stdout == ONE
    assert "site.das version 2: set by mara" in result.stderr
    assert "a trial" in result.stderr
    assert "in force" in site.run("anon", "site", "show", "3").stderr
    shown = site.json("anon", "site", "show", sha256(ONE.encode()).hexdigest()[:10])
    assert (shown["name"], shown["version"], shown["in_force"], shown["text"]) == ("site.das", 2, False, ONE)
    assert shown["sha256"] == sha256(shown["text"].encode()).hexdigest()
    for words in (("show", "7"), ("diff", "7"), ("diff", "1", "7"), ("rollback", "beef")):
        result = site.run("anon", "site", *words, code=4)
        assert "there are versions 1 to 3" in result.stderr


def test_a_project_has_a_history_of_its_own(site: CommandLineSite) -> None:
    put(site, ONE, scope=("project", "Four"))
    rows = site.json("anon", "project", "P4", "history")
    assert [(row["version"], row["action"]) for row in rows] == [(1, "first"), (2, "set")]
    assert site.json("anon", "project", "P4", "show", "1")["text"] == PROJECT_SCRIPT
    assert site.json("anon", "project", "P5", "history") == []
    site.run("anon", "project", "P4", "rollback", "1")
    assert (site.folder / "anon" / "projects" / "P4.das").read_text() == PROJECT_SCRIPT
    site.run("anon", "project", "NOPE", "history", code=4)


def test_control_characters_reach_no_terminal(site: CommandLineSite) -> None:
    put(site, ONE + "// \x1b[31mred\x1b[0m\n", "--why", "\x1b]0;title\x07")
    for words in (("history",), ("show", "2"), ("diff", "1"), ("show",)):
        result = site.run("anon", "site", *words)
        assert "\x1b" not in result.output and "\x07" not in result.output
    assert "\\x1b" in site.run("anon", "site", "diff", "1").stdout


# -- diff


def test_a_diff_is_unified_and_names_both_versions(site: CommandLineSite) -> None:
    put(site, ONE)
    put(site, TWO)
    lines = site.run("anon", "site", "diff", "2").stdout.splitlines()
    assert lines == [
        f"--- site.das version 2 ({sha256(ONE.encode()).hexdigest()[:12]})",
        f"+++ site.das version 3 ({sha256(TWO.encode()).hexdigest()[:12]})",
        "@@ -1,2 +1,3 @@",
        '-(0012,0063) := "one"',
        '+(0012,0063) := "two"',
        " - (0010,0030)",
        "+- (0010,0040)",
    ]
    document = site.json("anon", "site", "diff", "3", "2")
    assert (document["name"], document["from"]["version"], document["to"]["version"]) == ("site.das", 3, 2)
    assert document["diff"].splitlines()[3:] == [
        '-(0012,0063) := "two"',
        '+(0012,0063) := "one"',
        " - (0010,0030)",
        "-- (0010,0040)",
    ]
    assert site.run("anon", "site", "diff", "3").stdout == "versions 3 and 3 are the same\n"
    assert site.json("anon", "site", "diff", "3")["diff"] == ""


def test_a_diff_shows_line_ends_that_differ(site: CommandLineSite) -> None:
    put(site, ONE)
    put(site, ONE.removesuffix("\n"))
    assert site.run("anon", "site", "diff", "2").stdout.splitlines()[-3:] == [
        "-- (0010,0030)",
        "+- (0010,0030)",
        "\\ no line end here",
    ]
    path = site.folder / "anon" / "site.das"
    path.write_bytes(ONE.replace("\n", "\r\n").encode())
    assert "+- (0010,0030)\\r" in site.run("anon", "site", "diff", "2").stdout


def test_a_diff_is_coloured_on_a_terminal(site: CommandLineSite, monkeypatch: pytest.MonkeyPatch) -> None:
    put(site, ONE)
    put(site, TWO)
    assert "\x1b" not in site.run("anon", "site", "diff", "2").stdout
    monkeypatch.setattr(output, "wants_colour", lambda stream=None: True)
    drawn = site.run("anon", "site", "diff", "2").stdout
    assert '\x1b[31m-(0012,0063) := "one"\x1b[0m' in drawn
    assert '\x1b[32m+(0012,0063) := "two"\x1b[0m' in drawn


# -- set and rollback


def test_what_does_not_compile_gets_no_version(site: CommandLineSite) -> None:
    put(site, ONE)
    before = site.json("anon", "site", "history")
    bad = site.folder.parent / "bad.das"
    bad.write_text(BAD)
    assert "hashUDI" in site.run("anon", "site", "set", bad, "--why", "no", code=3).stderr
    assert site.json("anon", "site", "history") == before
    assert (site.folder / "anon" / "site.das").read_text() == ONE


def test_the_same_text_again_is_no_new_version(site: CommandLineSite) -> None:
    put(site, ONE)
    path = site.folder.parent / "new.das"
    assert "nothing changed: version 2" in site.run("anon", "site", "set", path).stdout
    assert "nothing changed: version 2" in site.run("anon", "site", "rollback", "2").stdout
    assert len(site.json("anon", "site", "history")) == 2


def test_a_rollback_is_a_new_version_with_a_reason(site: CommandLineSite) -> None:
    put(site, ONE)
    put(site, TWO)
    result = site.run("anon", "site", "rollback", sha256(ONE.encode()).hexdigest()[:6])
    assert "version 4" in result.stdout
    assert (site.folder / "anon" / "site.das").read_text() == ONE
    site.run("anon", "site", "rollback", "3", "--why", "it was better", "--as", "mara")
    last = site.json("anon", "site", "history")[-2:]
    assert [(row["version"], row["action"], row["why"]) for row in last] == [
        (4, "rollback", "back to version 2"),
        (5, "rollback", "it was better"),
    ]
    assert site.json("anon", "site", "rollback", "1")["version"] == 6


def test_a_rollback_to_a_text_that_this_version_of_the_program_refuses_changes_nothing(
    site: CommandLineSite,
) -> None:
    put(site, ONE)
    change_kept(site, 1, script_text=BAD, sha256=sha256(BAD.encode()).hexdigest())
    result = site.run("anon", "site", "rollback", "1", code=3)
    assert "site.das version 1" in result.stderr
    assert "hashUDI" in result.stderr
    assert (site.folder / "anon" / "site.das").read_text() == ONE
    assert len(site.json("anon", "site", "history")) == 2


def test_a_text_that_was_changed_in_the_database_is_refused(site: CommandLineSite) -> None:
    put(site, ONE)
    change_kept(site, 1, script_text=SITE_SCRIPT + "// harmless\n")
    for words in (("show", "1"), ("diff", "1"), ("rollback", "1")):
        assert "was changed in the database" in site.run("anon", "site", *words, code=1).stderr
    assert (site.folder / "anon" / "site.das").read_text() == ONE
    (finding,) = site.json("check", code=1)
    assert finding["code"] == "script-text-changed"


def test_a_file_that_cannot_be_written_gets_no_version(
    site: CommandLineSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(site, ONE)

    def refuse(path: Path, content: bytes) -> None:
        raise ConfigError(f"{path}: cannot be written: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(scripts, "_replace_file", refuse)
        path = site.folder.parent / "two.das"
        path.write_text(TWO)
        assert "No space left" in site.run("anon", "site", "set", path, code=2).stderr
    assert [row["version"] for row in site.json("anon", "site", "history")] == [1, 2]


def test_switching_is_in_the_history_with_its_reason(site: CommandLineSite) -> None:
    site.run("anon", "site", "disable", "--why", "a phantom", "--as", "mara")
    put(site, ONE)
    assert "switched off" in site.run("anon", "site", "rollback", "1").stdout
    site.run("anon", "site", "enable")
    rows = site.json("anon", "site", "history")
    assert [(row["version"], row["action"], row["in_force"]) for row in rows] == [
        (1, "first", False),
        (None, "disabled", False),
        (2, "set", False),
        (3, "rollback", True),
        (None, "enabled", False),
    ]
    assert (rows[1]["who"], rows[1]["why"], rows[1]["sha256"]) == ("mara", "a phantom", None)


def test_a_project_that_does_not_say_whether_runs_its_first_script(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site", extra="[projects.P6]\n")
    path = tmp_path / "six.das"
    path.write_text(ONE)
    result = site.run("anon", "project", "P6", "set", path)
    assert "version 1" in result.stdout
    assert "switched off" not in result.stdout
    assert [row["in_force"] for row in site.json("anon", "project", "P6", "history")] == [True]


def test_commands_in_several_processes_at_once_count_without_gaps(
    site: CommandLineSite, tmp_path: Path
) -> None:
    put(site, ONE)
    running = []
    for number in range(3):
        path = tmp_path / f"{number}.das"
        path.write_text(f'(0012,0063) := "number {number}"\n')
        words = ["--config", str(site.folder), "anon", "site", "set", str(path), "--why", str(number)]
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "cli.main", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        )
    said = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    rows = site.json("anon", "site", "history")
    assert [row["version"] for row in rows] == [1, 2, 3, 4, 5]
    assert sorted(row["why"] for row in rows[2:]) == ["0", "1", "2"]
    for row in rows[2:]:
        assert site.json("anon", "site", "show", str(row["version"]))["text"].endswith(
            f'"number {row["why"]}"\n'
        )
        assert f"version {row['version']}".encode() in said[int(row["why"])][0]
    assert (site.folder / "anon" / "site.das").read_text().endswith(f'"number {rows[-1]["why"]}"\n')


# -- which versions ran


def test_show_and_files_say_which_versions_ran(site: CommandLineSite) -> None:
    first = make_dataset(StudyDescription="P4")
    second = make_dataset(StudyDescription="P4", StudyInstanceUID=first.StudyInstanceUID)
    (outcome,) = site.receive(first)
    put(site, TWO)
    site.receive(second)
    number = str(outcome.session_id)
    site.run("rebuild", number)
    site.run("archive", number, "--subject", "S1", "--session", "L1", "--yes")
    used = site.json("archived", "show", "L1")["scripts"]
    assert list(used[0]) == ["role", "name", "version", "sha256", "record_id", "files"]
    assert [(row["role"], row["name"], row["version"], row["files"]) for row in used] == [
        ("site", "site.das", 1, 1),
        ("site", "site.das", 2, 1),
        ("project", "projects/P4.das", 1, 2),
    ]
    text = site.run("archived", "show", "L1").stdout
    (line,) = [line for line in text.splitlines() if line.startswith("projects/P4.das")]
    assert line.split() == ["projects/P4.das", "1", used[2]["sha256"][:12], "2"]
    plain = site.json("archived", "files", "L1")
    rows = site.json("archived", "files", "L1", "--scripts")
    assert [{key: row[key] for key in plain[0]} for row in rows] == plain
    assert list(plain[0]) == ["path", "size", "digest", "sop_instance_uid", "scan"]
    assert sorted(row["site_script"]["version"] for row in rows) == [1, 2]
    project_sha256 = sha256(PROJECT_SCRIPT.encode()).hexdigest()
    assert [row["project_script"] for row in rows] == [{"version": 1, "sha256": project_sha256}] * 2
    table = site.run("archived", "files", "L1", "--scripts").stdout.splitlines()
    assert table[0].split() == ["SCAN", "SITE", "SCRIPT", "PROJECT", "SCRIPT", "PATH"]
    assert f"1 {project_sha256[:12]}" in table[1]


def test_the_commands_are_explained() -> None:
    for scope in (("site",), ("project", "P4")):
        assert "rollback" in prearc("anon", *scope, "--help").stdout
        assert "--why" in prearc("anon", *scope, "set", "--help").stdout
