from __future__ import annotations

import enum
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from cli import output
from cli.output import complain, print_document, print_facts, print_table, safe_text, size_text, to_document


class Colour(enum.Enum):
    RED = "red"


class Pair(NamedTuple):
    left: int
    right: Path


@dataclass
class Row:
    at: datetime
    pair: Pair
    colours: set[Colour]
    nothing: None = None


class Drawn:
    def as_json(self) -> dict[str, object]:
        return {"path": Path("a")}


def test_control_characters_never_reach_the_terminal() -> None:
    assert safe_text("a\x1b[31mb\x9b\x7f\u202e\x00") == "a\\x1b[31mb\\x9b\\x7f\\u202e\\x00"
    assert safe_text("a\tb\nc") == "a\tb\nc"
    assert safe_text("a\tb\nc\r", one_line=True) == "a\\tb\\nc\\r"
    assert safe_text("Müller 日本") == "Müller 日本"
    assert safe_text("a\udcffb") == "a\\udcffb"


def test_documents_are_made_of_plain_things() -> None:
    row = Row(datetime(2026, 5, 31, 12, 0, tzinfo=UTC), Pair(1, Path("/x")), {Colour.RED})
    document = to_document([row])
    assert datetime.fromisoformat(document[0]["at"]) == row.at
    assert document[0]["pair"] == {"left": 1, "right": "/x"}
    assert document[0]["colours"] == ["red"]
    assert document[0]["nothing"] is None
    assert to_document({Colour.RED: (1, 2.5, True)}) == {"red": [1, 2.5, True]}
    assert to_document(Drawn()) == {"path": "a"}


def test_a_document_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_document({"name": "Müller\x9b"})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == {"name": "Müller\x9b"}


def test_tables_for_pipes_are_aligned_and_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2026, 5, 31, 12, 0, tzinfo=UTC)
    print_table(
        ("ID", "NAME", "AT"), [(1, "x" * 300, at), (10, None, ""), (2, "a\nb", Colour.RED)], right=("ID",)
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ID  NAME")
    assert lines[1].startswith(" 1  " + "x" * 300 + "  " + at.astimezone().strftime("%Y-%m-%d %H:%M"))
    assert lines[2].split() == ["10", "-", "-"]
    assert lines[3].split() == ["2", "a\\nb", "red"]
    assert len(lines) == 4


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("ID",), [], empty="no sessions")
    assert capsys.readouterr().out == "(no sessions)\n"


def test_tables_for_terminals_fit_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    print_table(
        ("ID", "STATUS", "TEXT"), [(1, "READY", "word " * 20), (2, "x\x1b[31m", "[bold]")], right=("ID",)
    )
    printed = capsys.readouterr().out
    assert max(len(line) for line in printed.splitlines()) <= 40
    assert "\x1b[31m" not in printed
    assert "[bold]" in printed


def test_facts_stand_under_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts([("a", 1), ("long name", None)])
    assert capsys.readouterr().out == "a          1\nlong name  -\n"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 * 1024**3, "5.0 GiB"), (2 * 1024**5, "2048.0 TiB")],
)
def test_sizes_are_told_in_units(size: int, text: str) -> None:
    assert size_text(size) == text


def test_prose_in_the_last_column_goes_on_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("CODE", "MEANING"), [("some-code", "word " * 30), ("b", "short")], wrap=True)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "CODE       MEANING"
    assert lines[2].startswith(" " * 11 + "word")
    assert " ".join(" ".join(lines[1:-1]).split()) == "some-code " + "word " * 29 + "word"
    assert lines[-1] == "b          short"


def test_messages_are_as_wide_as_the_window_and_keep_names_of_files_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "/a/folder/with-a-long-name/" + "x" * 60
    text = f"{path}: there is no such file, so nothing was done with it"
    complain(text)
    assert capsys.readouterr().err == f"prearc: {text}\n"  # one line for who is no person
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    complain(text)
    lines = capsys.readouterr().err.splitlines()
    assert any(path in line for line in lines)
    assert all(len(line) <= 60 or path in line for line in lines)


def test_a_name_with_a_line_end_does_not_make_a_second_message(capsys: pytest.CaptureFixture[str]) -> None:
    complain("a\nprearc: all is fine: there is no such file")
    assert capsys.readouterr().err == "prearc: a\\nprearc: all is fine: there is no such file\n"
