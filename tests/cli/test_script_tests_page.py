"""docs/script-tests.md: its chapters of verbs are those of the program, and its examples do what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import prearc

from anon.testing.format import read_suite
from anon.testing.manual import MIDI_B, with_verbs
from anon.testing.registry import verbs

PAGE = (Path(__file__).parents[2] / "docs" / "script-tests.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [match[2] for match in BLOCK.finditer(PAGE) if match[1] == kind]


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The scripts and files of tests of the page, each beginning with its name in a comment."""
    monkeypatch.chdir(tmp_path)
    for text in (*blocks("text"), *blocks("toml")):
        name = re.match(r"(?://|#) (\S+\.(?:das|tests\.toml))\n", text)
        if name is not None:
            (tmp_path / name[1]).write_text(text, "utf-8")
    return tmp_path


def test_the_chapters_of_verbs_are_made_from_the_program() -> None:
    assert with_verbs(PAGE) == PAGE, "run `python -m anon.testing.manual docs/script-tests.md`"
    assert all(f"#### `{name}`\n" in PAGE for name in verbs())


def test_the_verbs_of_midi_b_stand_together() -> None:
    chapter = PAGE.partition("<!-- made: midi-b -->")[2].partition("<!-- until here -->")[0]
    assert tuple(re.findall(r"^#### `(\w+)`$", chapter, re.MULTILINE)) == MIDI_B


def test_the_page_has_examples_of_all_kinds(examples: Path) -> None:
    assert sorted(path.name for path in examples.iterdir()) == [
        "inputs.das",
        "inputs.tests.toml",
        "knee.das",
        "knee.tests.toml",
    ]
    suite = read_suite(examples / "inputs.tests.toml")
    assert len(suite.tests[0].inputs[1].tags) == 10


def test_the_output_of_the_page_is_what_comes_out(examples: Path) -> None:
    (shown,) = blocks("console")
    command, _, wanted = shown.partition("\n")
    words = command.removeprefix("$ prearc ").split()
    result = prearc(*words)
    assert result.exit_code == 1
    assert re.sub(r"[0-9.]+ s\n$", "s\n", result.stdout) == re.sub(r"[0-9.]+ s\n$", "s\n", wanted)


def test_the_inputs_of_the_page_can_be_made(examples: Path) -> None:
    result = prearc("anon", "test", "inputs.das")
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout


def test_with_the_mistake_mended_the_example_passes(examples: Path) -> None:
    script = examples / "knee.das"
    script.write_text(script.read_text() + '(0008,1030) := "Knee left"\n')
    assert prearc("anon", "test", "knee.das").exit_code == 0
