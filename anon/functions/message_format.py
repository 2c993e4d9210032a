"""Java's `MessageFormat` for text arguments: what `format` and the message formats of DicomEdit 4 use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from anon.errors import StatementError

Parts = tuple[str | int, ...]

ABSENT: Final = "a value is absent and becomes the text `null`"

# Java reads the number as an int; an empty format behind it, as in {0,}, is none.
_INDEX = re.compile(r"(\+?[0-9]{1,10})(?:, *(?:,.*)?)?", re.DOTALL)
_MAX_INDEX: Final = 2**31 - 1
MAX_CHARACTERS: Final = 10_000_000


class FormatError(Exception):
    """The text is not a message format."""


def parse_format(pattern: str) -> Parts:
    """Split a pattern into literal stretches and the numbers of arguments.

    A doubled apostrophe is one apostrophe, a single one starts a literal stretch up to the next.

    Raises:
        FormatError: a brace is not closed, or holds anything but a number.
    """
    parts: list[str | int] = []
    literal: list[str] = []
    is_quoted = False
    position = 0
    while position < len(pattern):
        letter = pattern[position]
        if letter == "'":
            if pattern.startswith("''", position):
                literal.append("'")
                position += 1
            else:
                is_quoted = not is_quoted
        elif letter == "{" and not is_quoted:
            end = pattern.find("}", position)
            if end < 0:
                raise FormatError("a { is not closed")
            inside = pattern[position + 1 : end]
            number = _INDEX.fullmatch(inside)
            if number is None or int(number[1]) > _MAX_INDEX:
                raise FormatError("braces hold the number of a value, {0} is the first")
            parts.append("".join(literal))
            parts.append(int(number[1]))
            literal.clear()
            position = end
        else:
            literal.append(letter)
        position += 1
    parts.append("".join(literal))
    return tuple(part for part in parts if part != "")


def fill(parts: Parts, arguments: Sequence[str | None]) -> str:
    """Put values into a format: an absent one gives `null`, a number beyond the last stays as it is.

    Raises:
        StatementError: the text gets too long.
    """
    out: list[str] = []
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif part < len(arguments):
            value = arguments[part]
            out.append("null" if value is None else value)
        else:
            out.append(f"{{{part}}}")
    return join(out)


def join(texts: Sequence[str]) -> str:
    """Join texts.

    Raises:
        StatementError: the text gets too long; variables in each other can double it any number of times.
    """
    require_length(sum(map(len, texts)))
    return "".join(texts)


def require_length(characters: int) -> None:
    """Make sure that a text is of a length that a script may make.

    Raises:
        StatementError: it gets too long.
    """
    if characters > MAX_CHARACTERS:
        raise StatementError("too-long", f"the value gets longer than {MAX_CHARACTERS} characters")
