"""What holds for mistakes of any script: places that are there, hints, no cascades, no waiting."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
import vectors
from hypothesis import given, settings
from hypothesis import strategies as st

import anon
from anon.codes import CODES
from anon.render import render
from anon.syntax import explain
from anon.syntax.draft import Draft, View, look

pytestmark = pytest.mark.repeats


@pytest.fixture(autouse=True, scope="module")
def strict_rules() -> Iterator[None]:
    explain.RULES_MUST_HOLD = True
    yield
    explain.RULES_MUST_HOLD = False


V6 = 'version "6.6"\n'
VALID = (
    '// site script\ndescribe project "Project"\n(0010,0010) := subject\n- (0010,0030)\n'
    '(0008,0060) = "MR" : (0008,1030) := "{0}_{1}" project, subject\n(0020,000D) := hashUID[(0020,000D)]\n'
    '(0010,0020) := replace[(0010,0020), "MRN", "X"]\n',
    V6 + 'who := format["{0}_{1}", project, lowercase[subject]]\n(0010,0010) := who\n-*/(0010,1000)\n'
    'if (isPresent[(0010,0030)]) {\n   (0010,0030) := "19000101"\n} elseif ((0008,0060) ~ "MR|CT") {\n'
    "   -(0008,0080)\n"
    '} else {\n   (0008,1140)[%]/(0008,1155) ?= hashUID["x"]\n}\nremoveAllPrivateTags\n'
    '(0008,0060) = "SR" ? reject[] : -(0009,{ACME 1.1}08)\nremoveTags[{(0010,1001), (0010,1002)}]\n',
)
WORDS = re.compile(r'"[^"\n]*"|\([^()\n]*\)|[A-Za-z_]+|[0-9]+|:=|\?=|\s+|.', re.DOTALL)
STRANGE = (
    "=",
    "==",
    ";",
    "'",
    "\u201c",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ",",
    "else if",
    "and",
    "&&",
    "PatientName",
    "(0010,10)",
    "\\",
    '"',
    "#",
    "/*",
    "?",
    ":",
    "\u00a0",
    "\x00",
    "\x1b",
    "0x",
    "delete ",
    "<",
    "\ufeff",
    "\r",
    "\n",
)


def check(text: str) -> list[anon.Diagnostic]:
    """The mistakes of a script; every one can be shown."""
    try:
        anon.compile_script(text)
    except anon.ScriptError as error:
        lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert error.diagnostics
        for found in error.diagnostics:
            assert 1 <= found.line <= len(lines)
            assert 1 <= found.column <= len(lines[found.line - 1]) + 1
            assert (found.end_line, found.end_column) > (found.line, found.column)
            assert found.end_line <= len(lines)
            assert found.hint and found.message and "\n" not in found.message + found.hint
            assert found.code in CODES
        assert "^" in render(error.diagnostics, text, "script")
        return error.diagnostics
    return []


@pytest.mark.parametrize("text", VALID)
def test_the_scripts_that_are_spoilt_are_right(text: str) -> None:
    assert check(text) == []


@st.composite
def spoilt_scripts(draw: st.DrawFn) -> str:
    words = WORDS.findall(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(words) - 1))
        change = draw(st.sampled_from(("leave out", "repeat", "replace", "insert", "swap", "letter")))
        if change == "leave out":
            del words[at]
        elif change == "repeat":
            words.insert(at, words[at])
        elif change == "replace":
            words[at] = draw(st.sampled_from(STRANGE))
        elif change == "insert":
            words.insert(at, draw(st.sampled_from(STRANGE)))
        elif change == "swap":
            other = draw(st.integers(0, len(words) - 1))
            words[at], words[other] = words[other], words[at]
        else:
            place = draw(st.integers(0, max(len(words[at]) - 1, 0)))
            words[at] = words[at][:place] + words[at][place + 1 :]
    return "".join(words)


@settings(max_examples=400, deadline=None)
@given(spoilt_scripts())
def test_a_spoilt_script_gives_mistakes_that_can_be_shown_or_is_one(text: str) -> None:
    found = check(text)
    # One place cannot be told twice in the same words.
    told = [(each.line, each.column, each.code, each.message) for each in found]
    assert len(set(told)) == len(told)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(VALID), st.integers(0, 30), st.sampled_from(("leave out", "repeat")))
def test_a_single_slip_is_not_told_many_times(text: str, number: int, change: str) -> None:
    lines = text.split("\n")
    line = number % (len(lines) - 1)
    words = WORDS.findall(lines[line])
    at = number % len(words)
    words[at : at + 1] = [] if change == "leave out" else [words[at]] * 2
    lines[line] = "".join(words)
    assert len(check("\n".join(lines))) <= 3


def test_mistakes_of_different_lines_are_all_told() -> None:
    for version, start in (("", 1), (V6, 2)):
        wrong = ['(0010,0010) = "x"', "delete (0010,0030)", "- (10,20)", "(0010,0020) := 'x'", "- PatientSex"]
        found = check(version + "\n".join(wrong))
        assert [each.line for each in found] == list(range(start, start + len(wrong)))


@pytest.mark.parametrize("wrong", ["-(0010,0010", "(0010,0010) = 'x'"])
def test_lines_that_are_right_are_not_told_where_another_is_wrong(wrong: str) -> None:
    scripts = {vector["script"].rstrip("\r\n") for vector in vectors.read_vectors()}
    longer = [text for text in scripts if text.count("\n") >= 3 and text[-1] != "\\" and not check(text)]
    assert len(longer) > 60
    for text in longer:
        lines = re.split(r"\r\n|\r|\n", f"{text}\n{wrong}")
        assert {each.line for each in check(f"{text}\n{wrong}\n")} == {len(lines)}, text


@pytest.mark.parametrize("version", ["", V6])
@pytest.mark.parametrize(
    "kind", ["letters", "bytes", "brackets", "quotes", "lines", "long line", "late", "block"]
)
def test_much_rubbish_is_told(version: str, kind: str) -> None:
    size = 30_000  # with work that grows by the square, this and the limit of a test's time would not agree
    chance = random.Random(1)
    text = {
        "letters": lambda: "".join(chance.choices("abc (),:=\"'[]{}\n-+0123456789", k=size)),
        "bytes": lambda: "".join(map(chr, chance.choices(range(256), k=size))),
        "brackets": lambda: "([{" * (size // 3),
        "quotes": lambda: '"\n' * (size // 2),
        "lines": lambda: '(0010,0010) = "x"\n' * (size // 18),
        "long line": lambda: "(0010,0010) := " + "x " * (size // 2 - 10),
        "late": lambda: "- (0010,0010)\n" * (size // 14) + "(0010,0010) = 1\n" * 20,
        "block": lambda: 'if ((0008,0060) = "MR") {\n' + "-(0010,0010)\n" * (size // 13) + "x = 1\n" * 20,
    }[kind]()
    assert check(version + text)


@pytest.mark.parametrize(
    "line", ["(" * 1500, "{a}" * 600, "a " * 900, "*/" * 900, "(0010,0010) := " + "a-" * 900]
)
@pytest.mark.parametrize("version", ["", V6])
def test_a_line_of_a_thousand_signs_is_tried_few_times(
    version: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Draft] = []

    def counted(draft: Draft, dialect: int) -> View | None:
        tried.append(draft)
        return look(draft, dialect)

    monkeypatch.setattr(explain, "look", counted)
    with pytest.raises(anon.ScriptError):
        anon.compile_script(version + line)
    assert len(tried) < 1000
