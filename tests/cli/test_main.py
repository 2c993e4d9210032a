from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import prearc

from cli.context import Invocation
from cli.exits import UsageError
from cli.main import app, hoist_options

PREARC = [sys.executable, "-m", "cli.main"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["list", "--json"], ["--json", "list"]),
        (["list", "--config", "x", "-v"], ["--config", "x", "-v", "list"]),
        (["--json", "list", "--config=x"], ["--json", "--config=x", "list"]),
        (["label", "1", "--as", "me"], ["--as", "me", "label", "1"]),
        (["anon", "check", "--", "--json"], ["anon", "check", "--", "--json"]),
        (["list", "--config"], ["--config", "list"]),
        (["anon", "apply", "--var", "a=b"], ["anon", "apply", "--var", "a=b"]),
    ],
)
def test_options_of_prearc_may_stand_anywhere(given: list[str], wanted: list[str]) -> None:
    assert hoist_options(given) == wanted


def test_without_a_command_the_help_is_shown_and_the_exit_code_is_2() -> None:
    result = prearc()
    assert result.exit_code == 2
    assert "prearc serve" in result.output


def test_the_help_reads_well_on_80_columns() -> None:
    for words in ((), ("list",), ("archive",), ("anon", "apply"), ("anon", "project")):
        result = prearc(*words, "--help")
        assert result.exit_code == 0
        assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_every_command_explains_itself() -> None:
    def commands(words: tuple[str, ...]) -> list[tuple[str, ...]]:
        result = prearc(*words, "--help")
        assert result.exit_code == 0, words
        _, found, listed = result.stdout.partition("\nCommands:\n")
        if not found:
            return [words]
        lines = [line for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]
        assert all(len(line.split(maxsplit=1)) == 2 for line in lines)
        assert not any(line.endswith("...") for line in lines), "a summary is cut off"
        names = [line.split()[0] for line in lines]
        return [leaf for name in names for leaf in commands((*words, name, *["P"] * (name == "project")))]

    leaves = {" ".join(words) for words in commands(())}
    for words in map(str.split, leaves):
        lines = prearc(*words, "--help").stdout.splitlines()
        assert max(map(len, lines)) <= 80, words
        assert not any(re.search(r"<(path|str|list|int)", line) for line in lines), words
        if words[0] == "anon":
            assert any(line.strip() in ("Example:", "Examples:") for line in lines), words
    actions = ("show", "set", "history", "diff", "rollback", "enable", "disable")
    wanted = (
        "init serve migrate status check list show tags files rebuild move label delete restore archive send"
    )
    assert set(wanted.split()) <= leaves
    assert {f"archived {name}" for name in ("list", "show", "tags", "files")} <= leaves
    assert {f"anon {scope} {action}" for scope in ("site", "project P") for action in actions} <= leaves
    assert {"anon check", "anon apply", "anon functions"} <= leaves


@pytest.mark.parametrize(
    "words", [("nope",), ("list", "--nope"), ("show",), ("archive", "1", "--overwrite", "x")]
)
def test_wrong_usage_is_exit_code_2(words: tuple[str, ...]) -> None:
    result = prearc(*words)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_folder_without_site_gets_one_line_and_exit_code_2(tmp_path: Path) -> None:
    for words in (("list",), ("--json", "status"), ("serve",), ("check",)):
        result = prearc("--config", tmp_path, *words)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        assert "prearc init" in result.stderr


def test_the_folder_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREARC_CONFIG", str(tmp_path / "there"))
    assert prearc("init").exit_code == 0
    assert (tmp_path / "there" / "prearc.toml").is_file()


def test_the_version_is_told() -> None:
    result = prearc("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("prearc ")


def test_an_unforeseen_error_tells_its_class_and_place_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(_folder: Path) -> None:
        raise ValueError("Doe^John")

    monkeypatch.setattr("config.scripts.write_site_folder", burst)
    result = prearc("init", "x")
    assert result.exit_code == 1
    assert "unexpected ValueError at test_main.py" in result.stderr
    assert "Doe" not in result.output


def test_who_did_it_is_the_given_name_else_who_called_sudo_else_the_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def who(given: str | None) -> str:
        return Invocation(Path("site"), False, given, False).who

    monkeypatch.setenv("SUDO_USER", "alice")
    assert who("Dr. Müller\x1b") == "Dr. Müller_"
    assert who(None) == "alice"
    monkeypatch.delenv("SUDO_USER")
    monkeypatch.setattr("getpass.getuser", lambda: "bob")
    assert who(None) == "bob"

    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert who(None).startswith("uid ")
    with pytest.raises(UsageError):
        who("x" * 200)


def test_as_a_process_it_ends_with_the_same_codes_and_survives_a_closed_pipe(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PREARC, "init", tmp_path / "site", "--json"], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout)["folder"] == str(tmp_path / "site")
    again = subprocess.run([*PREARC, "init", tmp_path / "site"], capture_output=True, text=True, timeout=60)
    assert (again.returncode, again.stdout) == (2, "")
    piped = subprocess.run(
        ["bash", "-c", f"{' '.join(PREARC)} anon functions | true"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in piped.stderr
    assert "Exception" not in piped.stderr


def test_light_commands_do_not_load_what_only_heavy_ones_need() -> None:
    heavy = "sqlalchemy pydicom pynetdicom lark rich structlog alembic pydantic tomlkit"
    code = f"import sys; import cli.main; print([name for name in {heavy.split()} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_app_is_what_the_console_script_runs() -> None:
    assert app.info.name == "prearc"
