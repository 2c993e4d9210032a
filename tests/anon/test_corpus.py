"""Scripts with mistakes and what is shown for them: all of a script at once, each under its culprit.

`REWRITE_SNAPSHOTS=1 pytest tests/anon/test_corpus.py` writes what is shown now beside the scripts; read it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import anon
from anon.codes import CODES
from anon.render import render

CORPUS = Path(__file__).parent / "corpus"
CASES = sorted(CORPUS.rglob("*.das"))
WRONG = sorted((CORPUS / "wrong").glob("*.das"))
# What a parser calls things; a data manager never heard of it.
PARSER_WORDS = re.compile(
    r"\b(tokens?|pars(e|er|ing)|terminals?|lexer|lexical|LALR|grammar|(?<!transfer )syntax|expected"
    r"|unexpected (end|word|token)|EOF|identifiers?|literals?|operands?|operators?"
    r"|expressions?|rvalue|lvalue|AST|node|NoneType|Traceback)\b"
)


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def mistakes(path: Path) -> list[anon.Diagnostic]:
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(text_of(path), path.name)
    return caught.value.diagnostics


def drawn(path: Path) -> str:
    return render(mistakes(path), text_of(path), path.name) + "\n"


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_mistakes_are_drawn_as_wanted(path: Path) -> None:
    snapshot = path.with_suffix(".txt")
    if os.environ.get("REWRITE_SNAPSHOTS"):
        snapshot.write_text(drawn(path), "utf-8")
    assert drawn(path) == snapshot.read_text("utf-8")


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_every_drawing_has_the_line_a_caret_a_sentence_and_a_hint(path: Path) -> None:
    lines = re.split(r"\r\n|\r|\n", text_of(path).removeprefix("\ufeff"))
    drawings = path.with_suffix(".txt").read_text("utf-8").rstrip("\n").split("\n\n")
    found = mistakes(path)
    assert len(drawings) == len(found)
    for drawing, mistake in zip(drawings, found, strict=True):
        rows = drawing.split("\n")
        assert drawing.startswith(f"error[{mistake.code}]: ")
        assert f"--> {path.name}:{mistake.line}:{mistake.column}" in drawing
        assert any(re.fullmatch(rf"{mistake.line} \|( .*)?", row) for row in rows)
        carets = [row for row in rows if re.match(r" *\| *\^+( |$)", row)]
        assert len(carets) == 1
        assert mistake.hint and mistake.hint.split()[0] in drawing
        assert mistake.code in CODES
        assert PARSER_WORDS.search(f"{mistake.message} {mistake.hint}") is None
        assert len(mistake.message) < 130 and ". " not in mistake.message
        # What is underlined is there; only what is missing may stand behind the line.
        assert 1 <= mistake.column <= len(lines[mistake.line - 1]) + 1
        assert all(len(row) <= 80 or " " not in row.strip()[4:] for row in rows if "-->" not in row)


def test_the_corpus_is_not_empty() -> None:
    assert len(WRONG) >= 60
    assert len(CASES) >= len(WRONG) + 12


def test_scripts_of_both_dialects_are_in_the_corpus() -> None:
    sixes = [path for path in WRONG if 'version "6' in text_of(path)]
    assert len(sixes) >= 25 and len(WRONG) - len(sixes) >= 25


def test_nothing_lies_beside_the_scripts_that_belongs_to_none() -> None:
    assert {path.with_suffix(".das") for path in (CORPUS / "wrong").glob("*.txt")} == set(WRONG)
