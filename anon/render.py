"""Drawing script errors: the source line, a caret under the whole culprit, a hint, what tags are called."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from anon.errors import Diagnostic
from anon.tag_names import describe_tag

Style = Literal["", "error", "warning", "caret", "hint", "margin"]

# General help by code, said once below the drawing.
_HELP: Final[Mapping[str, str]] = {
    "unknown-function": "`prearc anon functions` lists them all",
}
_NARROWEST: Final = 40
_TAB: Final = 4
_TAG: Final = re.compile(r"\(([0-9A-Fa-f]{4}), ?([0-9A-Fa-f]{4})\)")
_MOST_TAGS: Final = 6
_CUT: Final = "..."


class Part(NamedTuple):
    """A piece of a line, and the style it is printed in where that is possible."""

    text: str
    style: Style = ""


Line = list[Part]


def render(diagnostics: Iterable[Diagnostic], text: str, name: str, *, width: int = 80) -> str:
    """Draw diagnostics one below the other, as `prearc anon check` shows them.

    Args:
        diagnostics: what to draw.
        text: the script they belong to.
        name: its name, for the line with the position.
        width: of a line, in columns. Names of files and words without blanks are not broken.
    """
    lines = draw(diagnostics, text, name, width=width)
    return "\n".join("".join(part.text for part in line) for line in lines)


def draw(diagnostics: Iterable[Diagnostic], text: str, name: str, *, width: int = 80) -> Iterator[Line]:
    """The same as lines of parts with their styles; between two diagnostics there is an empty line."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, found in enumerate(diagnostics):
        if number:
            yield []
        yield from _draw(found, lines, name, max(width, _NARROWEST))


def _draw(found: Diagnostic, lines: list[str], name: str, width: int) -> Iterator[Line]:
    number = str(found.line)
    margin = " " * len(number)
    source = lines[found.line - 1] if found.line <= len(lines) else ""
    title = f"{found.severity}[{found.code}]"
    first, *more = _wrapped(f"{title}: {visible(found.message)}", width, "    ")
    yield [Part(title, found.severity), Part(first[len(title) :])]
    for line in more:
        yield [Part(line)]
    yield [Part(f"{margin}-->", "margin"), Part(f" {visible(name)}:{found.line}:{found.column}")]
    yield [Part(f"{margin} |", "margin")]
    end = found.end_column if found.end_line == found.line else len(source) + 1
    shown, before, marked = _windowed(source, found.column - 1, end - 1, width - len(margin) - 3)
    yield [Part(f"{number} |", "margin"), Part(f" {shown}".rstrip())]
    hint = visible(found.hint)
    carets = [Part(f"{margin} |", "margin"), Part(" " * (before + 1)), Part("^" * marked, found.severity)]
    is_beside = hint and len(margin) + 4 + before + marked + _columns(hint) <= width
    yield [*carets, Part(f" {hint}", "hint")] if is_beside else carets
    notes: list[Line] = []
    if hint and not is_beside:
        notes += _note(f"hint: {hint}", margin, width, "hint")
    for tags in _tags_of(source, found):
        notes += _note(tags, margin, width, "")
    if found.code in _HELP and _HELP[found.code] not in hint:
        notes += _note(f"help: {_HELP[found.code]}", margin, width, "")
    if notes:
        yield [Part(f"{margin} |", "margin")]
        yield from notes


def _note(text: str, margin: str, width: int, style: Style) -> list[Line]:
    first, *more = _wrapped(text, width - len(margin) - 3, "    ")
    return [
        [Part(f"{margin} =", "margin"), Part(f" {first}", style)],
        *([Part(f"{margin}   {line}", style)] for line in more),
    ]


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text, max(width, _NARROWEST // 2), subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False, drop_whitespace=True, replace_whitespace=False,
    ) or [""]  # fmt: skip


def _tags_of(source: str, found: Diagnostic) -> list[str]:
    """What the tags are called that the line and the hint name, each once, in the order of the text."""
    named: dict[str, str] = {}
    for group, element in _TAG.findall(f"{source} {found.hint}"):
        if element == "eeee":  # what a hint leaves open
            continue
        written = f"({group.upper()},{element.upper()})"
        named.setdefault(written, describe_tag(int(group + element, 16)))
    return [f"{written} {called}" for written, called in list(named.items())[:_MOST_TAGS]]


# -- columns


def visible(text: str) -> str:
    """Text for a terminal: nothing in it moves the cursor, hides or only looks like a blank."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if " " <= character <= "~":
        return character
    if character == "\t":
        return "\\t"
    kind = unicodedata.category(character)
    if kind[0] in "CZ" and kind != "Co":
        return character.encode("unicode_escape").decode("ascii")
    return character


def _columns(text: str) -> int:
    """How many columns a terminal takes for a text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def _windowed(source: str, start: int, end: int, width: int) -> tuple[str, int, int]:
    """The part of a line that fits and has the culprit: text, columns before the culprit, columns of it."""
    pieces: list[str] = []
    column = 0
    for letter in source:
        piece = " " * (_TAB - column % _TAB) if letter == "\t" else _shown(letter)
        pieces.append(piece)
        column += _columns(piece)
    start = min(start, len(pieces))
    end = min(max(end, start), len(pieces))
    columns = [_columns(piece) for piece in pieces]
    marked = max(sum(columns[start:end]), 1)
    before = sum(columns[:start])
    if sum(columns) <= width or width < 3 * len(_CUT):
        return "".join(pieces), before, marked
    # Too long: cut at the left when the culprit is far to the right, and at the right.
    first = 0
    if before + min(marked, width // 2) > width - len(_CUT):
        while first < start and before - sum(columns[:first]) + len(_CUT) > width // 3:
            first += 1
    left = _CUT if first else ""
    room = width - len(left)
    last, used = first, 0
    while last < len(pieces) and used + columns[last] <= room - len(_CUT):
        used += columns[last]
        last += 1
    right = _CUT if last < len(pieces) else ""
    before = len(left) + sum(columns[first:start])
    return left + "".join(pieces[first:last]) + right, before, max(min(marked, width - before), 1)
