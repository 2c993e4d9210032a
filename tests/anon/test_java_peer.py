"""Random regular expressions, formats and numbers: the engine and a real Java agree.

What is left out, because nobody writes it and the two differ: groups around nothing at all in a loop, empty
matches inside a character beyond 16 bits, a colon or blank that joins letters with a capital sigma.
"""

from __future__ import annotations

import random
import re
import struct
from collections import Counter
from collections.abc import Iterator

import pytest
from java_peer import Answer, JavaPeer, java_peer, needs_java

from anon.errors import StatementError
from anon.functions.message_format import FormatError, fill, parse_format
from anon.java_case import lower_case
from anon.java_numbers import number_text
from anon.java_regex import JavaRegexError, compile_java
from anon.java_replacement import compile_replacement

pytestmark = [pytest.mark.slow, needs_java]

ATOMS = (  # noqa: SIM905 (shorter like this)
    r"a b A . \d \w \s \W \S \D [abc] [^a] [a-c&&[^b]] [\w-] \p{Alpha} \p{Lu} \p{L} \p{Upper} \P{Alpha} "
    r"\p{Punct} \h \v \. \Qa.\E \x41 \u00e9 \t \n é ^ $ \b \B \A \z \Z - _ 1 \\ / [\Qa]\E] [^\d\s] "
    r"[a[b]] [^a[b]] [-a] [a-] []a] \- = : @ [.] [\p{L}&&[^é]] \p{IsAlphabetic} \p{IsDigit} \pL [\x30-\x39] "
    r"\e 漢 \p{IsLatin} \p{Lower} \p{Space} \p{Graph} [a&&b] [a-z&&[def]] [a-z&&[^m-p]&&[^x]] (?i) (?-i) "
    r"(?s) (?m) \1 \2 \k<n> \0101 \cA"
).split()
QUANTIFIERS = ["*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{0,1}?", "{1,}", "{,2}"]
GROUPS = ["(", "(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?<n>", "(?s-i:", "(?m:"]
LETTERS = [*"aAbBcC1 _-.é/\n\r\t\\=:漢Éx@]", "\r\n", "a", "A.", "\u0301", "\u2028", "\x85"]


@pytest.fixture(scope="module")
def java() -> Iterator[JavaPeer]:
    with java_peer() as peer:
        yield peer


def random_pattern(chance: random.Random, depth: int = 0) -> str:
    pattern = ""
    for _ in range(chance.randrange(1, 4)):
        kind = chance.random()
        if kind < 0.25 and depth < 3:
            part = f"{chance.choice(GROUPS)}{random_pattern(chance, depth + 1)})"
        else:
            part = "|" if kind < 0.3 else chance.choice(ATOMS)
        pattern += part + (chance.choice(QUANTIFIERS) if chance.random() < 0.3 else "")
    return pattern


def random_text(chance: random.Random) -> str:
    return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(5)))


def what_we_say(question: str, pattern: str, text: str) -> Answer:
    try:
        compiled = compile_java(pattern)
    except JavaRegexError:
        return Answer("refused")
    found = compiled.fullmatch(text) if question == "matches" else compiled.search(text)
    if found is None:
        return Answer("no")
    if question == "find":
        return Answer("yes", (f"{found.start()}-{found.end()}",))
    return Answer("yes", (found[0], *found.groups()))


def test_what_both_take_for_a_pattern_matches_the_same(java: JavaPeer) -> None:
    chance = random.Random(17)
    outcomes: Counter[str] = Counter()
    for _ in range(20_000):
        pattern = random_pattern(chance)
        if re.search(r"\([^()]*\(?\?[a-z-]*\)|\(\||\|\)|\|\|", pattern) or "((" in pattern:
            continue  # groups around nothing
        for question in ("matches", "find"):
            text = random_text(chance)
            asked, ours = java.ask(question, pattern, text), what_we_say(question, pattern, text)
            outcomes[ours.outcome if ours == asked else f"{asked.outcome}/{ours.outcome}"] += 1
            # We refuse a little that Java takes, and take a little that it refuses; the rest means the same.
            assert ours == asked or "refused" in (ours.outcome, asked.outcome), (pattern, text, asked, ours)
    assert outcomes["yes"] > 3_000 and outcomes["no"] > 10_000
    assert outcomes["refused/yes"] + outcomes["refused/no"] < 300  # mostly endless look-behind


def test_replacements_are_the_same(java: JavaPeer) -> None:
    chance = random.Random(18)
    patterns = [
        "(a)(b)?",
        "(?<n>a)|(b)",
        ".",
        "",
        "a*",
        "(((((((((((a)))))))))))",
        r"\b",
        "$",
        "[^a]+",
        "(?<=a)b",
    ]
    parts = [
        "$1",
        "$0",
        "$2",
        "$12",
        "$11",
        "${n}",
        "${m}",
        "\\",
        "\\$",
        "\\\\",
        "x",
        "$",
        "1",
        "é",
        "\\n",
        "{",
    ]
    for _ in range(10_000):
        pattern = chance.choice(patterns)
        replacement = "".join(chance.choice(parts) for _ in range(chance.randrange(4)))
        text = "".join(chance.choice(["a", "b", "x", "\n", "é", "\r\n"]) for _ in range(chance.randrange(6)))
        asked = java.ask("replaceAll", pattern, text, replacement)
        compiled = compile_java(pattern)
        try:
            ours = Answer("yes", (compiled.sub(compile_replacement(replacement, compiled), text),))
        except JavaRegexError:
            ours = Answer("failed")
        # Java looks at the replacement only when there is something to replace.
        assert ours == asked or (ours.outcome == "failed" and asked.texts == (text,)), (
            pattern,
            replacement,
            text,
        )


def test_message_formats_are_the_same(java: JavaPeer) -> None:
    chance = random.Random(19)
    parts = [
        "'",
        "''",
        "{0}",
        "{1}",
        "{2}",
        "{0,}",
        "{a}",
        " ",
        "x",
        "{ 0}",
        "{00}",
        "{+1}",
        "{-1}",
        "{}",
        "}",
    ]
    parts += ["{1}{0}", "'{", "}'", "{0 }", "{0, }", "'{0}'", "\n"]
    for _ in range(10_000):
        pattern = "".join(chance.choice(parts) for _ in range(chance.randrange(7)))
        values = [chance.choice(["A", "", None, "q'{0}"]) for _ in range(chance.randrange(1, 4))]
        try:
            ours = Answer("yes", (fill(parse_format(pattern), values),))
        except (FormatError, StatementError):
            ours = Answer("failed")
        assert ours == java.ask("format", pattern, *values), (pattern, values)


def test_letters_are_the_same(java: JavaPeer) -> None:
    for number in range(0x2C00):
        letter = chr(number)
        assert (letter, (lower_case(letter),)) == (letter, java.ask("lower", letter).texts)
        assert (letter, (letter.upper(),)) == (letter, java.ask("upper", letter).texts)
    chance = random.Random(20)
    for _ in range(10_000):
        text = "".join(chance.choice("ΑΒΣΣΣσςAa^.'-\\= İé") for _ in range(chance.randrange(1, 9)))
        assert (text, (lower_case(text),)) == (text, java.ask("lower", text).texts)


def test_numbers_are_the_same(java: JavaPeer) -> None:
    (version,) = java.ask("version").texts
    if version is None or int(version) > 18:
        pytest.skip("newer ones write fewer digits")
    chance = random.Random(21)
    values = [2.0**power for power in range(-1074, 1024)] + [10.0**power for power in range(-323, 309)]
    values += [round(chance.uniform(-2000, 2000), chance.randrange(8)) for _ in range(5_000)]
    values += [chance.randrange(1, 99_999) * 10.0 ** chance.randrange(-12, 20) for _ in range(5_000)]
    values += [float(chance.getrandbits(chance.randrange(1, 64))) for _ in range(2_000)]
    for value in values:
        bits = struct.pack(">d", value).hex()
        assert (number_text(value, single=False),) == java.ask("double", bits).texts
        if abs(value) < 1e24:
            packed = struct.pack(">f", value)
            (single,) = struct.unpack(">f", packed)
            assert (number_text(single, single=True),) == java.ask("float", packed.hex()).texts
