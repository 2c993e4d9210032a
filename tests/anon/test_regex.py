"""Java's regular expressions."""

from __future__ import annotations

import pytest

from anon.regex import compile_java


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("M.|C.", "MR", True),
        ("[A-Z]", "MR", False),
        (".*", "a\nb", False),
        (".", "\u2028", False),
        ("(?s).*", "a\nb", True),
        ("(?i)mr", "MR", True),
        (r"\d+", "٣", False),
        (r"\w+", "é", False),
        (r"[^\w]+", "é-", True),
        (r"(a)(b)\2", "abb", True),
        (r"(?<year>\d{4}).*", "2020x", True),
        (r"a\z", "a", True),
        (r"a\Z", "a", True),
        (r"^a$", "a", True),
        (r"a{2,}?", "aaa", True),
        (r"\x41\u0042", "AB", True),
        (r"[\]\-^]+", "]-^", True),
        (r"\.\\", ".\\", True),
        (r"(?:a|b)+", "abba", True),
        (r"(?=a)a(?!b)", "a", True),
        (r"\\", "\\", True),
        ("(?m)^a$", "a", True),
        ("a|", "", True),
        ("漢字", "漢字", True),
    ],
)
def test_what_both_languages_read_the_same_way_is_used(pattern: str, text: str, is_match: bool) -> None:
    compiled = compile_java(pattern)
    assert not isinstance(compiled, str), compiled
    assert (compiled.fullmatch(text) is not None) is is_match


@pytest.mark.parametrize(
    "pattern",
    [
        "a*+",
        "a++",
        "a?+",
        "a{1,2}+",
        r"\p{L}",
        r"\P{L}",
        r"\h",
        r"\R",
        r"\X",
        r"\Qa\E",
        "[a&&b]",
        "[a[b]]",
        "[]a]",
        "a(?i)b",
        "(?x)a",
        "(?>a)",
        "(?P<a>b)",
        r"\0",
        r"\e",
        r"\cA",
        r"\G",
        r"\k<a>",
        "[",
        "(",
        ")",
        "*",
        "a{",
        "{1}",
        "a**",
        "\\",
        r"[\b]",
        r"(?<=a+)b",
        "a{99999999999}",
        "(?#x)",
        "[a--b]",
        r"\_",
        "x" * 20000,
        "(|*)",
    ],
)
def test_what_python_would_read_differently_is_refused(pattern: str) -> None:
    assert isinstance(compile_java(pattern), str)
