"""Finding values, brackets and targets in the shape of a statement: a text with a letter a word."""

from __future__ import annotations

from typing import Final

from anon.syntax.draft import Edit, View
from anon.syntax.words import end_of, start_of

OPENING: Final = {"(": ")", "[": "]", "{": "}"}
CLOSING: Final = {closing: opening for opening, closing in OPENING.items()}


def partner(shape: str, opening: int) -> int:
    """The number of the bracket that closes this one; -1 when none does."""
    depth = 0
    for number in range(opening, len(shape)):
        if shape[number] in OPENING:
            depth += 1
        elif shape[number] in CLOSING:
            depth -= 1
            if not depth:
                return number if shape[number] == OPENING[shape[opening]] else -1
    return -1


def term_end(shape: str, first: int) -> int:
    """The number of the word behind the value that begins here; `first` itself when none does."""
    letter = shape[first : first + 1]
    following = shape[first + 1 : first + 2]
    if letter and letter in "SN":
        return first + 1
    if letter == "a":
        return _behind(shape, first + 1, first + 1) if following == "[" else first + 1
    if letter == "{":
        return _behind(shape, first, first)
    return path_end(shape, first)


def path_end(shape: str, first: int) -> int:
    """The number of the word behind the tag path that begins here; `first` itself when none does."""
    position = first
    while True:
        letter = shape[position : position + 1]
        if letter == "T":
            position += 1
            if shape[position : position + 1] == "[":
                position = _behind(shape, position, position)
        elif letter and letter in "*+." and shape[position + 1 : position + 2] == "/":
            position += 1
        else:
            return first
        if shape[position : position + 1] != "/":
            return position
        position += 1


def _behind(shape: str, opening: int, otherwise: int) -> int:
    closing = partner(shape, opening)
    return closing + 1 if closing > 0 else otherwise


def depth_at(shape: str, number: int) -> int:
    """How many brackets are open before a word."""
    before = shape[:number]
    return sum(before.count(opening) - before.count(closing) for opening, closing in OPENING.items())


def before(view: View, number: int, text: str) -> Edit:
    """An insertion before a word."""
    start = start_of(view.words[number])
    return Edit(start, start, text)


def behind(view: View, number: int, text: str) -> Edit:
    """An insertion behind a word."""
    end = end_of(view.words[number])
    return Edit(end, end, text)


def without(view: View, number: int) -> Edit:
    """A word left out, with the blanks behind it."""
    start, end = start_of(view.words[number]), end_of(view.words[number])
    while end < len(view.text) and view.text[end] in " \t":
        end += 1
    return Edit(start, end, "")
