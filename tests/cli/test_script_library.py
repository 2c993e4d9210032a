"""`prearc anon library`: what there is, what is shown, and what a copy leaves alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command_line import prearc

from anon import check_script
from anon.profile.generate import SCRIPT_OPTIONS, make_script
from config.library import LibraryScript, library_scripts

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "config" / "defaults" / "library"
NAMES = [script.name for script in library_scripts()]


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_the_index_names_all_scripts_and_each_has_tests() -> None:
    assert {path.name for path in LIBRARY.iterdir()} == {
        "library.toml",
        *(f"{name}.das" for name in NAMES),
        *(f"{name}.tests.toml" for name in NAMES),
    }


def test_the_tests_of_all_scripts_pass() -> None:
    result = prearc("--json", "anon", "test", LIBRARY)
    assert result.exit_code == 0, result.output
    verdicts = json.loads(result.stdout)
    assert {Path(row["script"]).name.removesuffix(".das") for row in verdicts} == set(NAMES)
    assert {row["status"] for row in verdicts} == {"passed"}


@pytest.mark.parametrize("script", library_scripts(), ids=NAMES)
def test_a_script_has_no_findings_where_it_is_meant_to_be_used(script: LibraryScript) -> None:
    report = check_script(
        script.text, f"{script.name}.das", purpose="site" if script.use == "site" else "project"
    )
    assert report.diagnostics == []


def test_the_training_pair_is_what_init_writes() -> None:
    scripts = {script.name: script.text for script in library_scripts()}
    written = ROOT / "config" / "defaults" / "anon"
    assert scripts["xnat-training-site"] == (written / "site.das").read_text()
    assert scripts["xnat-training-project"] == (written / "projects" / "TRAINING.das").read_text()


def test_list_fits_a_narrow_terminal_and_names_scripts_and_options() -> None:
    result = prearc("anon", "library", "list")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    for name in (*NAMES, *SCRIPT_OPTIONS):
        assert name in result.stdout
    rows = json.loads(prearc("--json", "anon", "library", "list").stdout)
    assert [row["name"] for row in rows] == NAMES
    assert all(row["title"] and row["does"] and row["keeps"] for row in rows)
    assert {row["for"] for row in rows} == {"site", "project", "any"}


def test_the_page_names_all_scripts_and_options() -> None:
    page = (ROOT / "docs" / "library.md").read_text()
    named = re.findall(r"^\| `([a-z-]+)` \| (site|project|both) \|", page, re.MULTILINE)
    assert named == [(script.name, script.use.replace("any", "both")) for script in library_scripts()]
    assert [option for option in SCRIPT_OPTIONS if f"`{option}`" not in page] == []


def test_show_prints_the_script_and_nothing_else() -> None:
    result = prearc("anon", "library", "show", "starter")
    assert result.stdout == (LIBRARY / "starter.das").read_text()
    document = json.loads(prearc("--json", "anon", "library", "show", "starter.das").stdout)
    assert document["text"] == result.stdout
    assert document["tests"] == (LIBRARY / "starter.tests.toml").read_text()


def test_a_copy_is_the_script_with_its_tests(tmp_path: Path) -> None:
    result = prearc("anon", "library", "copy", "xnat-default", tmp_path / "new" / "folder")
    assert result.exit_code == 0
    for name in ("xnat-default.das", "xnat-default.tests.toml"):
        assert (tmp_path / "new" / "folder" / name).read_bytes() == (LIBRARY / name).read_bytes()
        assert name in result.stdout
    assert "prearc anon diff" in result.stdout


def test_a_copy_with_options_and_another_name_passes_its_tests(tmp_path: Path) -> None:
    options = ["retain-institution", "keyed-uids", "retain-dates"]
    words = [word for option in options for word in ("--option", option)]
    result = prearc("--json", "anon", "library", "copy", "basic-profile", tmp_path, "--name", "P4", *words)
    assert json.loads(result.stdout)["files"] == [
        str(tmp_path / "P4.das"),
        str(tmp_path / "P4.tests.toml"),
    ]
    assert (tmp_path / "P4.das").read_text() == make_script(options)
    tested = prearc("anon", "test", tmp_path)
    assert tested.exit_code == 0, tested.output


def test_options_are_added_to_those_that_a_variant_has() -> None:
    shown = prearc("anon", "library", "show", "basic-profile-retain-uids", "--option", "retain-device")
    assert shown.stdout == make_script(["retain-uids", "retain-device"])


@pytest.mark.parametrize("there", ["starter.das", "starter.tests.toml"])
def test_nothing_is_overwritten_and_nothing_written_by_halves(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    result = prearc("anon", "library", "copy", "starter", tmp_path)
    assert result.exit_code == 2
    assert f"{there} exists already; nothing is overwritten" in unwrapped(result.stderr)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "mine")]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["show", "basic-profil"], 4, "did you mean 'basic-profile'?"),
        (["show", "../prearc"], 4, "the library has no script '../prearc'; it has starter"),
        (["show", "starter", "--option", "retain-uids"], 2, "starter has no options"),
        (["show", "basic-profile", "--option", "retain-uid"], 2, "did you mean 'retain-uids'?"),
        (["show", "basic-profile-retain-uids", "--option", "keyed-uids"], 2, "exclude each other"),
        (["copy", "starter", "--name", "../P4"], 2, "--name: a name has letters"),
    ],
)
def test_what_there_is_not_is_refused_in_words(words: list[str], code: int, message: str) -> None:
    result = prearc("anon", "library", *words)
    assert result.exit_code == code
    assert message in unwrapped(result.stderr)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = prearc("anon", "library", "copy", "starter", tmp_path / "file")
    assert result.exit_code == 2
    assert f"{tmp_path / 'file'} is a file and no folder" in unwrapped(result.stderr)
