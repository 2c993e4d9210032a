"""What is wrong with a version line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from anon.syntax.span import Span

_LINE: Final = re.compile(
    r"(?P<indent>[ \t]*)"
    r"(?P<prefix>(?:(?:>+|[0-9]+[.):]?|[\u2022\u00b7*+-]|#+)[ \t]*)?(?:DicomEdit[ \t]+)?)"
    r"(?P<word>[A-Za-z]+)(?P<blank>[ \t]*)"
    r"(?P<sign>[:=]*)[ \t]*"
    r"(?P<open>[\"'\u201c\u201d\u2018\u2019]*)[ \t]*(?P<number>[A-Za-z]*[ \t]*[0-9][\w.,]*|)"
    r"[ \t]*(?P<close>[\"'\u201c\u201d\u2018\u2019]*)(?P<rest>.*)",
    re.IGNORECASE,
)


def judge_version_line(line: str, sixes: Sequence[str], fours: Sequence[str]) -> tuple[str, Span, str]:
    """What is wrong with a line that is to state the version, where in the line, and the likely repair."""
    found = _LINE.match(line)
    assert found is not None
    meant = _meant(found["number"], sixes, fours)
    hint = f'write version "{meant}"'

    def at(name: str) -> Span:
        return Span(*found.span(name)) if found[name] else Span(*found.span("word"))

    if found["indent"]:
        return (
            "the version line must begin at the very left",
            at("indent"),
            f"{hint} without blanks before it",
        )
    if found["prefix"]:
        start, end = found.span("prefix")
        place = Span(start, start + len(line[start:end].rstrip()))
        return "the version line begins with the word version", place, hint
    if found["word"] != "version":
        if found["word"].lower() == "version":
            return "the word version is written in small letters", at("word"), hint
        return f"the word version is misspelled, it says {found['word']}", at("word"), hint
    if found["sign"]:
        return f"the version is stated without a {found['sign']}", at("sign"), hint
    if not found["number"]:
        return "the version line does not say which version", at("word"), hint
    if found["open"] != '"' or found["close"] != '"':
        quoted = Span(found.start("open"), found.end("close"))
        if not found["open"] and not found["close"]:
            return "the number of the version stands in quotes", quoted, hint
        if not found["close"]:
            return "the number of the version is not closed with a quotation mark", quoted, hint
        return "the number of the version stands in straight double quotes", quoted, hint
    number = found["number"].strip()
    if not number[0].isdigit():
        return "the version is stated by its number alone", at("number"), hint
    if number not in (*sixes, *fours):
        offer = f"{hint}; there are {sixes[0]} to {sixes[-1]}, and {fours[0]} to {fours[-1]}"
        return f"there is no DicomEdit {number}", at("number"), offer
    if len(found["blank"]) != 1:
        if not found["blank"]:
            return "between version and its number a blank is missing", Span(*found.span("word")), hint
        return "between version and its number there may be one blank only", at("blank"), hint
    if found["rest"].strip():
        rest = Span(found.start("rest"), len(line.rstrip()))
        if line[rest.start] == ";":
            message = "the version line ends without a ;, what follows it stands on lines of its own"
            return message, Span(rest.start, rest.start + 1), hint
        return "nothing but a blank may follow the number of the version directly", rest, hint
    return "the version line is not written as it must be", Span(0, len(line)), hint


def _meant(number: str, sixes: Sequence[str], fours: Sequence[str]) -> str:
    digits = re.search(r"[0-9]+(\.[0-9]+)?", number.replace(",", "."))
    if digits is not None and digits[0] in (*sixes, *fours):
        return digits[0]
    return fours[0] if digits is not None and digits[0].startswith("4") else "6.6"
