"""How mistakes are drawn: the caret under its culprit whatever the line holds, nothing wider than wanted."""

from __future__ import annotations

import re
import unicodedata

import pytest

from anon.errors import Diagnostic
from anon.render import draw, render, visible


def drawn(source: str, start: int, end: int, *, hint: str = "a hint", width: int = 80) -> list[str]:
    found = Diagnostic("assign-sign", "a sentence", 1, start + 1, 1, end + 1, hint)
    return render([found], source, "s.das", width=width).split("\n")


def underlined(rows: list[str]) -> str:
    """What stands above the carets, as wide letters count."""
    line, carets = rows[3], rows[4]
    first, last = carets.index("^"), carets.rindex("^")
    columns = "".join(
        letter * (2 if ord(letter) > 0x2E80 else 0 if unicodedata.combining(letter) else 1) for letter in line
    )
    return columns[first : last + 1]


def test_the_format_is_the_one_of_the_manual() -> None:
    found = Diagnostic("unknown-function", "there is no function 'hashUDI' in DicomEdit 6", 4, 16, 4, 23,
                       "did you mean 'hashUID'?")  # fmt: skip
    text = 'version "6.6"\n\n\n(0020,000D) := hashUDI[ (0020,000D) ]\n'
    assert render([found], text, "site.das").split("\n") == [
        "error[unknown-function]: there is no function 'hashUDI' in DicomEdit 6",
        " --> site.das:4:16",
        "  |",
        "4 | (0020,000D) := hashUDI[ (0020,000D) ]",
        "  |                ^^^^^^^ did you mean 'hashUID'?",
        "  |",
        "  = (0020,000D) StudyInstanceUID",
        "  = help: `prearc anon functions` lists them all",
    ]


@pytest.mark.parametrize(
    ("source", "culprit"),
    [
        ("(0010,0010) = x", "="),
        ("\t(0010,0010)\t= x", "="),
        ("日本語 = x", "="),
        ("e\u0301e\u0301 = x", "="),
        ("x\u00a0 = x", "="),
        ("x\x1b[31m = x", "="),
        ("= " + "x" * 300, "="),
        ("x" * 300 + " = y", "="),
        ("x" * 150 + " = " + "y" * 150, "="),
    ],
)
def test_the_caret_stands_under_its_culprit(source: str, culprit: str) -> None:
    start = source.index(culprit)
    rows = drawn(source, start, start + len(culprit))
    assert underlined(rows) == culprit
    assert all(len(row) <= 80 for row in rows)


def test_the_whole_culprit_is_underlined_and_wide_letters_count_twice() -> None:
    assert underlined(drawn("a 日本 b", 2, 4)) == "日日本本"
    assert underlined(drawn("a\tbcd", 2, 5)) == "bcd"
    assert underlined(drawn("x" * 200, 20, 180)).startswith("xxx")


def test_an_invisible_letter_is_shown_as_its_number() -> None:
    rows = drawn("-\u00a0(0010,0010)", 1, 2)
    assert underlined(rows) == "\\xa0"
    assert visible("a\u200bb\x07") == "a\\u200bb\\x07"


def test_a_missing_sign_is_marked_behind_the_line() -> None:
    rows = drawn("lowercase[subject", 17, 18)
    assert rows[4].index("^") == rows[3].index("subject") + len("subject")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_nothing_is_wider_than_wanted(width: int) -> None:
    found = Diagnostic("assign-sign", "many words " * 20, 1, 5, 1, 9, "some advice " * 20)
    for row in render([found], "(0010,0010) := " * 20, "s.das", width=width).split("\n"):
        assert len(row) <= width


def test_a_hint_that_does_not_fit_beside_the_caret_stands_below() -> None:
    rows = drawn(
        "(0010,0010) = x", 12, 13, hint="write something that is long enough to need another line, of its own"
    )
    assert rows[4].endswith("^")
    assert any(row.startswith("  = hint: write something") for row in rows)


def test_each_tag_is_named_once_also_those_of_the_hint() -> None:
    rows = drawn("(0010,0010) = (0010,0010)", 12, 13, hint="write - (0009,1001)")
    assert [row for row in rows if re.match(r"  = \(", row)] == [
        "  = (0010,0010) PatientName",
        "  = (0009,1001) a private element",
    ]
    assert not any("EEEE" in row for row in drawn("x", 0, 1, hint="write - (gggg,eeee) or (0010,eeee)"))


def test_a_place_over_several_lines_is_underlined_to_the_end_of_the_first() -> None:
    found = Diagnostic("x", "a sentence", 1, 3, 2, 2, "hint")
    assert "  |   ^^^ hint" in render([found], "ab cde\nf", "s").replace("^^^^", "^^^")


def test_parts_carry_styles_and_make_the_same_text() -> None:
    found = [Diagnostic("x", "a sentence", 1, 1, 1, 2, "hint", "warning")] * 2
    lines = list(draw(found, "abc", "s"))
    assert "\n".join("".join(part.text for part in line) for line in lines) == render(found, "abc", "s")
    assert {part.style for line in lines for part in line} == {"", "warning", "hint", "margin"}
