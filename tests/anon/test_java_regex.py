"""Regular expressions as Java reads them."""

from __future__ import annotations

import pytest

from anon.java_regex import JavaRegexError, compile_java
from anon.java_replacement import compile_replacement

# pattern, text, whether Java's `matches` says yes
MATCHES = [
    (r".*", "a b", True),
    (r".*", "a\nb", False),
    (r".*", "a\rb", False),
    (r".*", "a\u2028b", False),
    (r"(?s).*", "a\nb", True),
    (r"(?s:.)b", "\nb", True),
    (r"(?s)a(?-s).", "a\n", False),
    (r"[.]", "x", False),
    (r"\w+", "ü", False),
    (r"\w+", "az_09", True),
    (r"\d", "٣", False),
    (r"(?i)straße", "STRASSE", False),
    (r"(?i)abc", "ABC", True),
    (r"a{2,3}", "aaa", True),
    (r"a++a", "aaa", False),
    (r"(?>a+)b", "aab", True),
    (r"[a-z&&[^bc]]+", "ade", True),
    (r"[a-z&&[^bc]]+", "abe", False),
    (r"[[ab]c]+", "abc", True),
    (r"[^]]", "]", False),
    (r"[]a]+", "]a", True),
    (r"[a|b]+", "a|b", True),
    (r"[a~~b:&]+", "~:&ab", True),
    (r"[[:alpha:]]+", ":alph", True),
    (r"[!--]+", "-!,", True),
    (r"\Q.*[\E+", ".*[[[", True),
    (r"\Qa.b", "a.b", True),
    (r"[\Q]^\E]+", "]^", True),
    (r"\p{Alpha}+", "abC", True),
    (r"\p{Alpha}", "ü", False),
    (r"\P{Digit}", "x", True),
    (r"[\p{Upper}\d]+", "A1", True),
    (r"\p{L}+", "üa", True),
    (r"\pL", "ü", True),
    (r"\p{L}\w\d\s", "üa1 ", True),
    (r"\p{L}\w", "üü", False),
    (r"[\p{L}\W\D\S]+", "ü", True),
    (r"[\w-]\p{IsGreek}", "-α", True),
    (r"\h\v", " \n", True),
    (r"[\h]\H\V", "\txx", True),
    (r"a\R", "a\r\n", True),
    (r"a$", "a", True),
    (r"(?m)a$\nb", "a\nb", True),
    (r"(?m)(?-m)a$", "a", True),
    (r"a\z", "a", True),
    (r"\e", "\x1b", True),
    (r"\x41\u0042\t", "AB\t", True),
    (r"(?<name>a)\k<name>", "aa", True),
    (r"(a)\1", "aa", True),
    (r"\.\-\{\}", ".-{}", True),
    (r"(?:a|b)(?=c)c(?!d)", "ac", True),
    (r"ab(?<=b)(?<!a)", "ab", True),
    (r"(?<=a+)b|aab", "aab", True),
    (r"a(?<!b.*)c(?<=.{1,2}c)(?<=a*c)", "ac", True),
    (r"M.|C.", "MR", True),
    (r"[^\w]+", "é-", True),
    (r"a{2,}?", "aaa", True),
    (r"[\]\-^]+", "]-^", True),
    (r"a|", "", True),
    (r"漢字", "漢字", True),
    (r"(?s:.).", "\na", True),
    (r"(?s:.).", "\n\n", False),
    (r"(a(?i)b)c", "aBc", True),
    (r"(a(?i)b)c", "aBC", False),
    (r"(?i)é", "É", False),
    (r"(?i)[b-d]x", "CX", True),
    (r"(?i)[^b-d]", "C", False),
    (r"(?i)[Z-b]", "z", True),
    (r"(?i)\x41\Qb\E[\Qc\E]", "aBC", True),
    (r"(?i)[\x41-\x43]\t", "b\t", True),
    (r"(?m)(?:^a$\s*)+", "a\ra\r\na", True),
    (r"(?m)^", "", False),
    (r"é\b.*", "é-", True),
    (r"e\u0301?\b", "e\u0301", True),
    (r".\Ba", "éa", True),
    (r"\bé\b", "é", True),
    (r"(a)(b)\11", "aba1", True),
    (r"\0101\07\cA", "A\x07\x01", True),
    (r"\x{1F600}\uD83D\uDE00", "\U0001f600\U0001f600", True),
    (r"[a-b-c]+", "a-c", True),
    (r"[\d-z]+", "1-z", True),
    (r"[^a[b]]", "b", False),
    (r"[[a]&&[ab]&&a]", "a", True),
    (r"\p{LD}\p{L1}\p{LC}\p{IsAssigned}\p{IsAlphabetic}\p{IsLu}", "1éaxyZ", True),
    (r"\_\,\<", "_,<", True),
    (r"[ ~||]+", " ~|", True),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), MATCHES)
def test_patterns_match_what_java_matches(pattern: str, text: str, expected: bool) -> None:
    assert (compile_java(pattern).fullmatch(text) is not None) is expected


def test_the_end_of_text_is_also_before_a_last_line_end() -> None:
    assert compile_java(r"a$").search("a\r\n")
    assert compile_java(r"a\Z").search("a\n")
    assert not compile_java(r"a\z").search("a\n")
    assert not compile_java(r"a$").search("a\nb")


@pytest.mark.parametrize(
    "pattern",
    [
        "(", ")", "[a", "a{", "a{e}", "[z--a]", "(?:ab){e<=1}", "(?P<x>a)", "(?R)", "(?|a|b)", r"\K", r"\m",
        r"\L<x>", "a\\", r"\p{Foo",
        r"\k<none>", r"\k", "[", "a**", "{1}", "a{2,1}", "a{99999999999}", "(?P<a>b)", "(?#x)",
        r"[a-\d]", "[b-a]", "(?<n>a)(?<n>b)", r"\x{110000}", r"\xg", r"\0", r"\c", "a)", "[a-", "[a\\",
        "^*a)",
        r"\p", r"\p{NoSuchClass}", r"[\1]", r"[\b]", "*a", r"[\Z]", "(?<1a>x)",
    ],
)  # fmt: skip
def test_what_java_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(JavaRegexError) as caught:
        compile_java(pattern)
    assert str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "(?x)a", "[&&a]", "[a&&]", "[a&&&b]", "^*", r"\1(a)", r"(a)(?<=\1)", r"(?i)(a)\1",
        r"(?<n>a)(?i)\k<n>",
        r"(?i)\p{Lu}", r"\X", r"\G", r"[\Qa\E-z]", r"\b{g}", "(?u)a", "(?d)a", r"\N{DIGIT ONE}", "x" * 20_000,
        "(?<!a++)b", "(?<=a?+)b", "(?<=(?>a)b)", "(?<=a*b*)c", "(?<=a+[^b]{2,})c",
    ],
)  # fmt: skip
def test_what_cannot_be_translated_is_refused_though_java_takes_it(pattern: str) -> None:
    with pytest.raises(JavaRegexError):
        compile_java(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "a{2147483647}",
        "a{50001,}",
        "(?:ab){10000000}",
        "((((a{99}){99}){99}){99})",
        "(?<=a{999999})",
        r"\b" * 2_000,
    ],
)
def test_a_pattern_that_would_fill_the_memory_is_refused(pattern: str) -> None:
    with pytest.raises(JavaRegexError, match="too large"):
        compile_java(pattern)


@pytest.mark.parametrize(
    "pattern", ["a{20000}", "(?:a{100}){100}", "a{1,2147483647}", "(?i)(?:a{0,99}){0,9999}"]
)
def test_repetitions_that_need_no_memory_are_fine(pattern: str) -> None:
    assert compile_java(pattern).fullmatch("a" * 20_000) is not None or "100" in pattern


@pytest.mark.parametrize("repetition", ["*", "{2}", "+", "{2,}", "{1,2}?", "{2}+"])
def test_repetitions_in_each_other_end_before_they_take_hours_to_compile(repetition: str) -> None:
    def nested(levels: int) -> str:
        return "(?:" * levels + "a" + f"){repetition}" * levels

    assert compile_java(nested(8)).pattern
    with pytest.raises(JavaRegexError, match="in each other"):
        compile_java(nested(9))
    with pytest.raises(JavaRegexError, match="in each other"):
        compile_java(nested(20))


def test_repetitions_beside_each_other_and_nested_options_are_fine() -> None:
    assert compile_java("(?:[ab]*c)*" * 30).fullmatch("abc" * 30) is not None
    assert compile_java("(?:a" * 20 + ")?" * 20).fullmatch("a" * 7) is not None


def test_a_deeply_nested_pattern_is_an_error_and_no_crash() -> None:
    try:
        compile_java("(" * 2_000 + ")" * 2_000)
    except JavaRegexError as error:
        assert "nested" in str(error)


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "expected"),
    [
        (r"6", "X", "1661", "1XX1"),
        (r"(a)(b)?", r"<$1$2>", "aab", "<a><ab>"),
        (r"(?<year>\d{4})", r"${year}y", "2024", "2024y"),
        (r"a", r"\$1\\", "a", "$1\\"),
        (r"(a)", r"$12", "a", "a2"),
        (r"$", "42", "SIE", "SIE42"),
        (r".*", "X", "abc", "XX"),
        (r".+", "", "abc", ""),
        (r"a", "$0$0", "ab", "aab"),
    ],
)
def test_replacements_are_those_of_replace_all(
    pattern: str, replacement: str, text: str, expected: str
) -> None:
    compiled = compile_java(pattern)
    assert compiled.sub(compile_replacement(replacement, compiled), text) == expected


@pytest.mark.parametrize("replacement", ["$", "a\\", "$2", "${no}", "$x"])
def test_replacements_that_java_refuses_are_refused(replacement: str) -> None:
    with pytest.raises(JavaRegexError):
        compile_replacement(replacement, compile_java("(a)"))
