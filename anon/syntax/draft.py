"""A statement that is being repaired: its text, and where every letter of it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from lark import Token

from anon.syntax.reading import Stop, lex_arranged, read
from anon.syntax.span import Span
from anon.syntax.trees import MistakeError
from anon.syntax.words import LINE_END, end_of, make_word, shape_of, start_of

_LONGEST_KEPT: Final = 300  # characters of a text that is compared with what takes its place
_NOT_CODE: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*')


class Edit(NamedTuple):
    """Text that takes the place of a stretch of a draft."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A mistake that somebody probably made, and what would repair it.

    Attributes:
        code: names the mistake.
        message: what is wrong, in a sentence.
        span: the culprit, in the draft.
        edits: the repair, in the order of the text; none when there is no way to tell.
        hint: the likely repair in words; "" means the repaired line, which `{line}` stands for.
    """

    code: str
    message: str
    span: Span
    edits: tuple[Edit, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a statement and the place of each of its letters in the script."""

    text: str
    origin: tuple[int, ...]  # one more than there are letters

    @classmethod
    def of(cls, text: str, start: int) -> Draft:
        """A stretch of a script."""
        return cls(text, tuple(range(start, start + len(text) + 1)))

    def edited(self, edits: Sequence[Edit], *, keeps_places: bool = False) -> Draft:
        """With these changes; what a change keeps can keep its place, too, which takes longer."""
        parts: list[str] = []
        origin: list[int] = []
        position = 0
        for start, end, text in edits:
            parts += [self.text[position:start], text]
            origin += self.origin[position:start]
            if keeps_places and end - start <= _LONGEST_KEPT:
                origin += self._kept(start, end, text)
            else:
                origin += [self.origin[start]] * len(text)
            position = end
        parts.append(self.text[position:])
        origin += self.origin[position:]
        return Draft("".join(parts), tuple(origin))

    def _kept(self, start: int, end: int, text: str) -> Iterator[int]:
        """Where the letters of a changed text come from, as far as they were there before."""
        same = SequenceMatcher(None, self.text[start:end], text, autojunk=False).get_matching_blocks()
        known = {block.b + at: start + block.a + at for block in same for at in range(block.size)}
        place = start
        for at in range(len(text)):
            place = known.get(at, place)
            yield self.origin[place]

    def place(self, span: Span) -> Span:
        """Where a stretch of the draft is in the script."""
        start = self.origin[span.start]
        end = self.origin[span.end - 1] + 1 if span.end > span.start else start
        return Span(start, max(start, end))

    def shown(self) -> str:
        """The statement without what stands around it, as a hint shows it."""
        comment = [found.start() for found in _NOT_CODE.finditer(self.text) if found[0][0] == "/"]
        shown = self.text[: comment[-1]] if comment else self.text
        return shown.replace("\t", " ").strip()


@dataclass(frozen=True, slots=True)
class View:
    """What the rules look at.

    Attributes:
        draft: the text of the statement.
        words: of it, without line ends at its end.
        shape: a letter a word, see `words.shape_of`.
        stop: the number of the word where reading stopped.
        mistake: what a word says that is not written as it must be.
        dialect: 4 or 6.
        code: the text, with blanks for comments and underscores in strings.
    """

    draft: Draft
    words: list[Token]
    shape: str
    stop: int
    mistake: MistakeError | None
    dialect: int
    code: str = field(compare=False)

    @property
    def text(self) -> str:
        """The text of the statement."""
        return self.draft.text

    def span(self, first: int, last: int | None = None) -> Span:
        """From the beginning of one word to the end of another."""
        return Span(start_of(self.words[first]), end_of(self.words[first if last is None else last]))

    def end(self) -> int:
        """Where the last word ends."""
        return end_of(self.words[-1]) if self.words else len(self.text.rstrip())

    def stop_span(self) -> Span:
        """Where reading stopped; behind the last word when the statement ends too early."""
        if self.stop < len(self.words):
            return self.span(self.stop)
        return Span(self.end(), self.end())

    def substitute(self, number: int, text: str) -> Edit:
        """Another text in place of a word."""
        span = self.span(number)
        return Edit(span.start, span.end, text)


def blank_code(text: str) -> str:
    """The text with blanks for comments and underscores in strings, as long as before."""

    def blanked(found: re.Match[str]) -> str:
        if found[0][0] == '"':
            return f'"{"_" * (len(found[0]) - 2)}"'
        return " " * len(found[0])

    return _NOT_CODE.sub(blanked, text)


def look(draft: Draft, dialect: int) -> View | None:
    """What is to be seen of a draft; None when it can be read."""
    words = lex_arranged(draft.text, dialect)
    stop = try_words(words, dialect)
    if stop is None:
        return None
    while words and words[-1].type == LINE_END:
        words.pop()
    number = min(stop.number, len(words))
    return View(
        draft, words, shape_of(words), number, stop.mistake, dialect, blank_code(draft.text)
    )  # fmt: skip


def try_words(words: list[Token], dialect: int) -> Stop | None:
    """Where reading the words of a statement, or of a line of one, stops; None when it does not."""
    before, after = (_before(words), _after(words)) if dialect == 6 else ([], [])
    outcome = read([*before, *words, *after], dialect)
    if not isinstance(outcome, Stop):
        return None
    return Stop(max(outcome.number - len(before), 0), outcome.mistake)


def holds_several(draft: Draft, dialect: int) -> bool:
    """Whether a line of DicomEdit 6 without a block is read as more than one statement."""
    if dialect == 4 or "{" in draft.text or "\n" in draft.text:
        return False
    outcome = read(lex_arranged(draft.text, dialect), dialect)
    return not isinstance(outcome, Stop) and len(outcome) > 1


def _before(words: Iterable[Token]) -> list[Token]:
    """What makes a line that begins within a block a whole: a block for each } that closes one."""
    depth = lowest = 0
    first = ""
    for word in words:
        first = first or (word.type if word.type != LINE_END else "")
        depth += (word.type == "LBRACE") - (word.type == "RBRACE")
        lowest = min(lowest, depth)
    made = block_opening(Span(0, 0)) * -lowest
    if first in ("ELSE", "ELSEIF"):
        made += [*block_opening(Span(0, 0)), make_word("RBRACE", "}", Span(0, 0))]
    return made


def _after(words: Iterable[Token]) -> list[Token]:
    """A } for each block that a line begins and does not end."""
    opened: list[bool] = []
    previous = ""
    for word in words:
        if word.type == "LBRACE":
            opened.append(previous in ("RPAR", "ELSE"))
        elif word.type == "RBRACE" and opened:
            opened.pop()
        previous = word.type
    return [make_word("RBRACE", "}", Span(0, 0))] * (len(opened) if all(opened) else 0)


def block_opening(place: Span) -> list[Token]:
    """`if (...) {`, for lines that could not be read and open a block."""
    kinds = {"IF": "if", "LPAR": "(", "TAG": "(0008,0060)", "OPERATOR": "=", "STRING": '""'}
    kinds |= {"RPAR": ")", "LBRACE": "{"}
    return [make_word(kind, text, place) for kind, text in kinds.items()]
