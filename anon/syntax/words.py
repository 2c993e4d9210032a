"""The words of a script as a list: line ends put as the grammars want them.

Positions are those of `Source.text`; a word that was put in for a missing one has no width.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lark import Token

from anon.syntax.span import Span

LINE_END: Final = "_NL"
#: Words that no rule of a grammar uses.
NO_WORDS: Final = ("UNCLOSED", "UNKNOWN")
#: Signs of DicomEdit 6 that the grammar of DicomEdit 4 only knows by name.
FOREIGN_SIGNS: Final = (
    "ASSIGN_IF_PRESENT",
    "LPAR",
    "RPAR",
    "LBRACE",
    "RBRACE",
    "SLASH",
    "QMARK",
    "STAR",
    "PLUS",
    "DOT",
    "PERCENT",
)
# One letter a kind of word, so that the shape of a line is a text that patterns can be looked for in.
_LETTERS: Final = {
    "STRING": "S", "NUMBER": "N", "TAG": "T", "NAME": "a", "LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]",
    "LBRACE": "{", "RBRACE": "}", "COMMA": ",", "COLON": ":", "ASSIGN": "=", "ASSIGN_IF_PRESENT": "q",
    "OPERATOR": "~", "QMARK": "?", "MINUS": "-", "SLASH": "/", "STAR": "*", "PLUS": "+", "DOT": ".",
    "PERCENT": "%", "IF": "i", "ELSEIF": "j", "ELSE": "e", "ECHO": "c", "DESCRIBE": "d", "EXPORT": "x",
    "HIDDEN": "h", "CONST": "h", "IMMUTABLE": "h", "NEW": "w", "VERSION": "v", "REMOVE_ALL_PRIVATE_TAGS": "r",
    "UNKNOWN": "!", "UNCLOSED": "U", LINE_END: "\n",
}  # fmt: skip


def start_of(word: Token) -> int:
    """Where a word begins."""
    return word.start_pos or 0


def end_of(word: Token) -> int:
    """Where a word ends."""
    return word.end_pos or start_of(word)


def span_of_words(first: Token, last: Token) -> Span:
    """From the beginning of one word to the end of another."""
    return Span(start_of(first), end_of(last))


def make_word(kind: str, text: str, span: Span) -> Token:
    """A word that is read instead of what stands there."""
    return Token(kind, text, start_pos=span.start, end_pos=span.end)


def shape_of(words: Iterable[Token]) -> str:
    """The kinds of words, a letter each."""
    return "".join(_LETTERS[word.type] for word in words)


# -- line ends


def arrange(words: Iterable[Token], dialect: int) -> list[Token]:
    """The words with their line ends as the grammar of the dialect wants them."""
    return _arrange4(words) if dialect == 4 else _arrange6(words)


def _arrange4(stream: Iterable[Token]) -> list[Token]:
    """One line end after every statement, none elsewhere."""
    words: list[Token] = []
    for word in stream:
        if word.type == LINE_END and (not words or words[-1].type == LINE_END):
            continue
        words.append(word)
    if words and words[-1].type != LINE_END:
        end = end_of(words[-1])
        words.append(Token(LINE_END, "\n", start_pos=end, end_pos=end + 1))
    return words


def _arrange6(stream: Iterable[Token]) -> list[Token]:
    """No line ends where the language allows any number: around `else`, `elseif` and before a block."""
    words: list[Token] = []
    waiting: list[Token] = []
    for word in stream:
        if word.type == LINE_END:
            waiting.append(word)
            continue
        previous = words[-1].type if words else ""
        is_chained = word.type in ("ELSE", "ELSEIF") and previous == "RBRACE"
        is_block = word.type == "LBRACE" and previous in ("RPAR", "ELSE")
        if not is_chained and not is_block:
            words.extend(waiting)
        waiting.clear()
        words.append(word)
    return words + waiting


# -- nesting


def find_too_deep(words: Iterable[Token], deepest: int) -> Token | None:
    """The first bracket that nests deeper than allowed."""
    depth = 0
    for word in words:
        depth += (word.type in ("LSQB", "LBRACE")) - (word.type in ("RSQB", "RBRACE"))
        if depth > deepest:
            return word
    return None
