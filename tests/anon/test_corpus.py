"""Scripts with mistakes and what is shown for them: all of a script at once, each under its culprit."""

from __future__ import annotations

from pathlib import Path

import pytest

import anon
from anon.render import render

CASES = sorted((Path(__file__).parent / "corpus").rglob("*.das"))


def drawn(path: Path) -> str:
    text = path.read_text("utf-8")
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(text, path.name)
    return render(caught.value.diagnostics, text, path.name) + "\n"


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_mistakes_are_drawn_as_wanted(path: Path) -> None:
    assert drawn(path) == path.with_suffix(".txt").read_text("utf-8")


def test_the_corpus_is_not_empty() -> None:
    assert len(CASES) >= 12
