"""The words of a script as a list: line ends put as the grammars want them, and statements left out.

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


def find_unclosed_brace(words: Iterable[Token]) -> Token | None:
    """The innermost { that nothing closes."""
    opened: list[Token] = []
    for word in words:
        if word.type == "LBRACE":
            opened.append(word)
        elif word.type == "RBRACE" and opened:
            opened.pop()
    return opened[-1] if opened else None


# -- leaving a statement out


def line_around(words: list[Token], number: int) -> tuple[int, int]:
    """The words of the line where reading stopped, as a slice; a line end belongs to the line before it."""
    first = last = min(number, len(words) - 1)
    if number >= len(words):
        while first > 0 and words[first].type == LINE_END:
            first -= 1
            last -= 1
    elif words[number].type == LINE_END:
        first -= 1
    first = max(first, 0)
    while first > 0 and words[first - 1].type != LINE_END:
        first -= 1
    while last < len(words) and words[last].type != LINE_END:
        last += 1
    return first, last


def without_statement(words: list[Token], number: int, dialect: int) -> list[Token]:
    """The words without the lines of the statement where reading stopped."""
    if number == len(words) and find_unclosed_brace(words) is not None:
        end = end_of(words[-1])
        return [*words, make_word("RBRACE", "}", Span(end, end))]
    if not words:
        return words
    first = last = min(number, len(words) - 1)
    if number < len(words) and words[number].type == LINE_END:
        first -= 1
    while first > 0 and words[first - 1].type != LINE_END:
        first -= 1
    while last < len(words) and words[last].type != LINE_END:
        last += 1
    if dialect == 4:
        return words[: max(first, 0)] + words[last + 1 :]
    first, last = _whole_list(words, first, last)
    dropped = words[first:last]
    depth = sum((word.type == "LBRACE") - (word.type == "RBRACE") for word in dropped)
    rest = words[last:]
    if depth > 0:
        rest = _without_braces(rest, depth)
    return words[:first] + rest


def _whole_list(words: list[Token], first: int, last: int) -> tuple[int, int]:
    """The lines of a list that spans several belong together: widen to where no bracket is open."""
    opened = 0
    start = 0
    for number, word in enumerate(words):
        if word.type == LINE_END and opened <= 0:
            if number >= last:
                break
            start = number + 1
        elif word.type == "LSQB":
            opened += 1
        elif word.type == "RSQB":
            opened = max(opened - 1, 0)
    if opened > 0 or start > first:  # brackets do not balance: nothing is known about later lines
        return first, last
    return start, max(last, number)


def _without_braces(words: list[Token], depth: int) -> list[Token]:
    """Leave out what closes blocks whose beginning was left out; their statements stay."""
    kept: list[Token] = []
    position = 0
    while position < len(words) and depth > 0:
        word = words[position]
        if word.type == "LBRACE":
            depth += 1
        elif word.type == "RBRACE":
            depth -= 1
            follows = words[position + 1].type if position + 1 < len(words) else ""
            if depth == 0 and follows in ("ELSE", "ELSEIF"):
                while position < len(words) and words[position].type != "LBRACE":
                    position += 1
                position += 1
                depth = 1
                continue
            if depth == 0:
                position += 1
                break
        kept.append(word)
        position += 1
    return kept + words[position:]
