"""Which regular expressions can match one text in so many ways that trying all of them takes for ever.

A repetition is ambiguous when a part of it is repeated too and the same letters can go to the inner or to the
outer one, as in `(a+)+`, or when two of its alternatives take the same letters, as in `(a|a)+`. That is told
from the pattern alone: it is read here into pieces, and which letters a piece takes is asked of the pattern
machine, one letter at a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final

from anon.errors import StatementError
from anon.matching import compile_pattern

_LETTERS: Final = (*map(chr, range(9, 14)), *map(chr, range(32, 127)), "ä", "Ж", "\u3042")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})([?+]?)")
_ESCAPE = re.compile(r"\\(?:[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|x..|u....|0[0-7]{1,3}|.)", re.DOTALL)
_GROUP = re.compile(r"\((\?(?:[:>=!]|<[=!]|<[A-Za-z][A-Za-z0-9]*>|[a-zA-Z-]*:|[a-zA-Z-]*\)))?")
_MANY: Final = 10  # as good as without end: 2 to the power of that, for every ten letters


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a pattern with its quantifier.

    Attributes:
        text: as written, with the quantifier.
        item: what is repeated, without the quantifier.
        alternatives: of a group: what it holds; of a single letter or class: nothing.
        is_optional: it may take no letter at all.
        is_repeated: it may be taken many times, and given back.
    """

    text: str
    item: str
    alternatives: tuple[tuple[_Piece, ...], ...]
    is_optional: bool
    is_repeated: bool


def find_ambiguous(pattern: str) -> str | None:
    """The first repetition of a pattern of Java's that is ambiguous; None when there is none.

    A pattern that cannot be read is none.
    """
    try:
        compile_pattern(pattern)
        alternatives, end = _Reader(pattern).alternatives(0)
    except (StatementError, RecursionError):
        return None
    return _search(alternatives) if end == len(pattern) else None


def _search(alternatives: tuple[tuple[_Piece, ...], ...]) -> str | None:
    for pieces in alternatives:
        for piece in pieces:
            found = _search(piece.alternatives)
            if found is not None:
                return found
            if piece.is_repeated and piece.alternatives and _is_ambiguous(piece.alternatives):
                return piece.text
    return None


def _is_ambiguous(alternatives: tuple[tuple[_Piece, ...], ...]) -> bool:
    """Whether repeating this leaves a choice at one and the same text."""
    for number, pieces in enumerate(alternatives):
        if any(_share(pieces, other) for other in alternatives[number + 1 :]):
            return True
        if _gives_choice(pieces) or _can_swap(pieces):
            return True
    return False


def _share(one: tuple[_Piece, ...], other: tuple[_Piece, ...]) -> bool:
    """Whether two alternatives can take the same single letter, or the same run of letters."""
    return all(_is_one_letter(pieces) for pieces in (one, other)) and bool(_takes(one[0]) & _takes(other[0]))


def _is_one_letter(pieces: tuple[_Piece, ...]) -> bool:
    return len(pieces) == 1


def _gives_choice(pieces: tuple[_Piece, ...]) -> bool:
    """Whether a repeated piece of a sequence can go on with letters that the next round begins with."""
    for number, piece in enumerate(pieces):
        if not piece.is_repeated:
            continue
        # What follows, round and round, until something must take a letter that the piece does not.
        others = pieces[number + 1 :] + pieces[:number]
        needed = [other for other in others if not other.is_optional]
        letters = _takes(piece)
        if all(_takes(other) & letters for other in needed):
            return True
    return False


def _can_swap(pieces: tuple[_Piece, ...]) -> bool:
    """Whether two pieces that may be left out take the same letter, with nothing else that must be there."""
    if not all(piece.is_optional for piece in pieces):
        return False
    return any(_takes(one) & _takes(other) for one, other in combinations(pieces, 2))


@lru_cache(maxsize=512)
def _letters_of(item: str) -> frozenset[str]:
    try:
        compiled = compile_pattern(item)
        return frozenset(letter for letter in _LETTERS if compiled.fullmatch(letter) is not None)
    except StatementError:
        return frozenset()


def _takes(piece: _Piece) -> frozenset[str]:
    """The letters that a piece can take, anywhere in it."""
    if not piece.alternatives:
        return _letters_of(piece.item)
    return frozenset().union(*(_takes(inner) for pieces in piece.alternatives for inner in pieces))


class _Reader:
    """Reads a pattern that is known to be well formed."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def alternatives(self, start: int) -> tuple[tuple[tuple[_Piece, ...], ...], int]:
        """The alternatives from here to the end of the group, and where that is."""
        found: list[tuple[_Piece, ...]] = []
        pieces: list[_Piece] = []
        position = start
        while position < len(self._pattern) and self._pattern[position] != ")":
            if self._pattern[position] == "|":
                found.append(tuple(pieces))
                pieces = []
                position += 1
                continue
            piece, position = self._piece(position)
            if piece is not None:
                is_plain_group = len(piece.alternatives) == 1 and piece.text == piece.item
                pieces.extend(piece.alternatives[0] if is_plain_group else (piece,))
        return (*found, tuple(pieces)), position

    def _piece(self, start: int) -> tuple[_Piece | None, int]:
        inner: tuple[tuple[_Piece, ...], ...] = ()
        letter = self._pattern[start]
        takes_nothing = letter in "^$"
        is_closed = False
        if letter == "(":
            opened = _GROUP.match(self._pattern, start)
            assert opened is not None
            kind = opened[1] or ""
            if kind.endswith(")"):
                return None, opened.end()  # flags for what follows
            inner, end = self.alternatives(opened.end())
            end += 1
            takes_nothing = kind in ("?=", "?!", "?<=", "?<!")
            is_closed = takes_nothing or kind == "?>"
        elif letter == "[":
            end = self._end_of_class(start)
        elif letter == "\\":
            end = self._end_of_escape(start)
            takes_nothing = self._pattern[start + 1 : start + 2] in tuple("bBAZzG")
        else:
            end = start + 1
        item = self._pattern[start:end]
        quantifier = _QUANTIFIER.match(self._pattern, end)
        is_optional = takes_nothing or _is_optional(inner)
        is_repeated = False
        if quantifier is not None:
            end = quantifier.end()
            least, most = _counts(quantifier[0])
            is_optional = is_optional or least == 0
            is_repeated = most >= _MANY and most > least and quantifier[1] != "+"
        if is_closed:
            inner = ()  # what is in there is never tried again
        if takes_nothing:
            return None, end
        return _Piece(self._pattern[start:end], item, inner, is_optional, is_repeated), end

    def _end_of_class(self, start: int) -> int:
        position, depth, is_first = start, 0, True
        while position < len(self._pattern):
            letter = self._pattern[position]
            if letter == "\\":
                position = self._end_of_escape(position)
                is_first = False
                continue
            if letter == "[":
                depth += 1
                is_first = True
                position += 1 + self._pattern.startswith("^", position + 1)
                continue
            position += 1
            if letter == "]" and not is_first:
                depth -= 1
                if depth == 0:
                    break
            is_first = False
        return position

    def _end_of_escape(self, start: int) -> int:
        if self._pattern.startswith("\\Q", start):
            end = self._pattern.find("\\E", start)
            return len(self._pattern) if end < 0 else end + 2
        found = _ESCAPE.match(self._pattern, start)
        return start + 1 if found is None else found.end()


def _is_optional(alternatives: tuple[tuple[_Piece, ...], ...]) -> bool:
    return bool(alternatives) and any(all(piece.is_optional for piece in pieces) for pieces in alternatives)


def _counts(quantifier: str) -> tuple[int, int]:
    """The least and the greatest number of times; many for without end."""
    if quantifier[0] in "*+?":
        return int(quantifier[0] == "+"), 1 if quantifier[0] == "?" else _MANY
    least, comma, most = quantifier[1 : quantifier.index("}")].partition(",")
    first = int(least)
    if not comma:
        return first, first
    return first, int(most) if most else max(first + 1, _MANY)
