"""The lines of a script, each with all that belongs to its statement."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

from lark import Token

from anon.syntax.draft import Draft, block_opening, try_words
from anon.syntax.reading import lex, lex_arranged
from anon.syntax.span import Span
from anon.syntax.words import LINE_END, arrange, end_of, make_word, shape_of, start_of

_MOST_LINES_OF_A_LIST: Final = 100_000
_MOST_LINES_OF_A_STATEMENT: Final = 6  # that does not say that it goes on
# What begins a statement of DicomEdit 6, so that a list before it was not closed.
_BEGINS: Final = re.compile(r"-|[ijedxvrc]|a=|(?:[*+.]/)*T(?:\[.\])?(?:/[T*+.](?:\[.\])?)*[=q~]")


@dataclass(frozen=True, slots=True)
class Unit:
    """The words of a line or of several that belong together, their line end included.

    Attributes:
        words: never none.
        is_whole: they can be read.
        was_wrong: a mistake of them was told.
    """

    words: list[Token]
    is_whole: bool = True
    was_wrong: bool = False

    def repaired(self, draft: Draft | None, dialect: int) -> Unit:
        """The unit as it was meant; where that is not known, only what it does to blocks is kept."""
        if draft is not None:
            words = [
                make_word(word.type, str(word), draft.place(Span(start_of(word), end_of(word))))
                for word in lex_arranged(draft.text, dialect)
            ]
            if words and words[-1].type != LINE_END:
                words.append(self._line_end())
            return Unit(words or [self._line_end()], was_wrong=True)
        if dialect == 4:
            return Unit([], is_whole=False, was_wrong=True)
        place = Span(start_of(self.words[0]), start_of(self.words[0]))
        depth = lowest = 0
        for word in self.words:
            depth += (word.type == "LBRACE") - (word.type == "RBRACE")
            lowest = min(lowest, depth)
        made = [make_word("RBRACE", "}", place)] * -lowest
        made += block_opening(place) * (depth - lowest)
        return Unit([*made, self._line_end()], is_whole=False, was_wrong=True)

    def _line_end(self) -> Token:
        last = self.words[-1]
        return last if last.type == LINE_END else make_word(LINE_END, "\n", Span(end_of(last), end_of(last)))


def units_of(text: str, words: list[Token], dialect: int) -> Iterator[Unit]:
    """The lines of a script. A text over several lines belongs together where it can be read like that."""
    if dialect == 6:
        yield from _units6(text, words)
    else:
        yield from _units4(text)


def _units6(text: str, words: list[Token]) -> Iterator[Unit]:
    line: list[Token] = []
    lists = 0  # how many braces of lists are open
    lines = 0
    previous = ""
    for number, word in enumerate(words):
        line.append(word)
        if word.type == "LBRACE" and (lists or not _is_block(line, previous)):
            lists += 1
        elif word.type == "RBRACE" and lists:
            lists -= 1
        elif word.type == LINE_END:
            lines += 1
            goes_on = lists and lines < _MOST_LINES_OF_A_LIST
            following = shape_of(words[number + 1 : number + 12])
            if previous == "ASSIGN" and following.startswith("{"):
                continue
            begins = _BEGINS.match(following) or (
                previous not in ("COMMA", "LBRACE") and following.startswith("a[")
            )
            if goes_on and not begins:
                continue
            next_line = list(takewhile(lambda each: each.type != LINE_END, islice(words, number + 1, None)))
            is_cut = _is_continued(text, line) or _is_whole_with_next(line, next_line, 6)
            if lines >= _MOST_LINES_OF_A_STATEMENT or not is_cut:
                yield Unit(line)
                line, lists, lines = [], 0, 0
        if word.type != LINE_END:
            previous = word.type
    if line:
        yield Unit(line)


_NEXT_LINES: Final = re.compile(
    r"(?:(?!\s*(?:-|//|if\b|else|\}|version|describe|export))[^\n]*\n){0,5}[^\n]*"
)


def _is_cut_by_sign(words: list[Token]) -> bool:
    """Whether the last bracket that is open stands before the := of the line, and so is an item's."""
    signs = [number for number, word in enumerate(words) if word.type.startswith("ASSIGN")]
    return bool(signs) and "LSQB" not in [word.type for word in words[signs[-1] :]]


_OWN_STATEMENT: Final = re.compile(r"\s*(?:removeAllPrivateTags\b|[A-Za-z_]\w*\s*\[)")


def _is_continued(text: str, line: list[Token]) -> bool:
    """Whether brackets or a text end on one of the next lines, which make no statement of their own."""
    words = line[:-1]
    if not words or line[-1].type != LINE_END:
        return False
    is_open = sum((word.type == "LSQB") - (word.type == "RSQB") for word in words) > 0
    is_text = words[-1].type == "UNCLOSED"
    if not is_open and not is_text:
        return _is_head_continued(text, line)
    if is_open and not is_text and _is_cut_by_sign(words):
        return False
    found = _NEXT_LINES.match(text, end_of(line[-1]))
    assert found is not None
    ahead = found[0]
    if words[-1].type not in ("COMMA", "LSQB") and _OWN_STATEMENT.match(ahead):
        return False
    closing = ahead.find('"' if is_text else "]")
    return (
        closing >= 0
        and ":=" not in ahead[:closing]
        and "?=" not in ahead[:closing]
        and (not is_text or ahead.partition("\n")[0].count('"') % 2 == 1)
    )


_MOST_OF_A_HEAD: Final = 1000  # characters on the lines behind the first


def _is_head_continued(text: str, line: list[Token]) -> bool:
    """Whether the round brackets of an `if` end on one of the next lines, before its block begins."""
    kinds = [word.type for word in line]
    depth = kinds.count("LPAR") - kinds.count("RPAR")
    if depth <= 0 or {"LBRACE", "QMARK", "COLON"} & set(kinds) or not {"IF", "ELSEIF"} & set(kinds[:2]):
        return False
    start = end_of(line[-1])
    for letter in text[start : start + _MOST_OF_A_HEAD]:
        depth += (letter == "(") - (letter == ")")
        if not depth or letter in "?:{}":
            return not depth
    return False


_NO_BEGINNINGS: Final = ("ASSIGN", "ASSIGN_IF_PRESENT", "OPERATOR", "QMARK", "COLON")
_NO_ENDS: Final = (*_NO_BEGINNINGS, "MINUS")


def _is_whole_with_next(line: list[Token], next_line: list[Token], dialect: int) -> bool:
    """Whether a statement stops or goes on with a sign, and can be read together with the next line."""
    first = [word for word in line if word.type != LINE_END and str(word) != "\\"]
    if not first or not next_line:
        return False
    wants = first[-1].type in _NO_ENDS or next_line[0].type in _NO_BEGINNINGS
    return wants and try_words(arrange([*first, *next_line], dialect), dialect) is None


def _is_block(line: list[Token], previous: str) -> bool:
    """Whether a brace begins a block, not a list."""
    if previous in ("RPAR", "ELSE", "RBRACE") or len(line) == 1:
        return True
    first = next((word for word in line if word.type not in (LINE_END, "RBRACE", "LBRACE")), line[0])
    return first.type in ("IF", "ELSEIF", "ELSE") or str(first).lower() in (
        "if",
        "elif",
        "elsif",
        "else",
        "while",
        "for",
    )


def _units4(text: str) -> Iterator[Unit]:
    position = 0
    while position < len(text):
        line: list[Token] = []
        lines = 0
        for word in lex(text[position:], 4):
            place = Span(start_of(word) + position, end_of(word) + position)
            line.append(make_word(word.type, str(word), place))
            if word.type != LINE_END:
                continue
            lines += 1
            may_go_on = lines < _MOST_LINES_OF_A_STATEMENT and line[0].type != LINE_END
            next_line = lex(text[end_of(word) :].partition("\n")[0], 4) if may_go_on else ()
            if may_go_on and (_is_continued(text, line) or _is_whole_with_next(line, list(next_line), 4)):
                continue
            arranged = arrange(line, 4)
            line, lines = [], 0
            if not arranged:
                continue
            broken = _first_of_several_lines(arranged)
            if broken is not None and try_words(arranged, 4) is not None:
                position = yield from _cut(text, arranged, broken)
                break
            yield Unit(arranged)
        else:
            if line:
                arranged = arrange(line, 4)
                broken = _first_of_several_lines(arranged)
                if broken is not None and try_words(arranged, 4) is not None:
                    position = yield from _cut(text, arranged, broken)
                    continue
                yield Unit(arranged)
            return


def _first_of_several_lines(words: list[Token]) -> Token | None:
    return next((word for word in words if word.type == "STRING" and "\n" in str(word)), None)


def _cut(text: str, words: list[Token], broken: Token) -> Generator[Unit, None, int]:
    """The line on which a text begins that was not closed; returns where the next one begins."""
    start = start_of(words[0])
    end = text.index("\n", start_of(broken))
    yield Unit(lex_arranged(text[start:end], 4, start))
    return end + 1
