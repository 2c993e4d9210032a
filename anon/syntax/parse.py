"""Reading scripts: text to syntax tree, with every mistake of a script found at once.

After a mistake the statement around it is left out and the script is read again, so that one mistake does not
hide the next. This is the only module that knows the parser generator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from lark import Lark, Token
from lark.exceptions import UnexpectedToken, VisitError

from anon.errors import Diagnostic, Severity
from anon.syntax.nodes import Statement4, Statement6
from anon.syntax.span import Source, Span
from anon.syntax.trees import MistakeError, Trees4, Trees6

MAX_MISTAKES: Final = 100
MAX_CHARACTERS: Final = 1_000_000
MAX_NESTING: Final = 50
_LINE_END: Final = "_NL"
_NO_WORDS: Final = ("UNCLOSED", "UNKNOWN")


class _KeepAll:
    """Keeps the words that no rule uses: they are the mistakes to be reported."""

    always_accept = _NO_WORDS

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


@lru_cache(maxsize=2)
def _grammar(dialect: int) -> Lark:
    text = files("anon.syntax").joinpath(f"dicomedit{dialect}.lark").read_text("utf-8")
    trees = Trees4() if dialect == 4 else Trees6()
    return Lark(
        text,
        parser="lalr",
        lexer="basic",
        transformer=trees,  # any object with a method a rule will do
        postlex=_KeepAll(),
        maybe_placeholders=True,
    )


@dataclass(frozen=True, slots=True)
class _Mistake:
    code: str
    message: str
    hint: str
    span: Span
    token: int  # the number of the word where reading stopped


def diagnostic(
    source: Source, span: Span, code: str, message: str, hint: str = "", severity: Severity = "error"
) -> Diagnostic:
    """A diagnostic about a stretch of a script."""
    return Diagnostic(code, message, *source.position(span), hint, severity)


def parse4(source: Source) -> tuple[tuple[Statement4, ...], list[Diagnostic]]:
    """Read a script of DicomEdit 4: the statements that could be read, and all mistakes."""
    return _parse(source, 4)


def parse6(source: Source) -> tuple[tuple[Statement6, ...], list[Diagnostic]]:
    """Read a script of DicomEdit 6: the statements that could be read, and all mistakes."""
    return _parse(source, 6)


def _parse(source: Source, dialect: int) -> tuple[tuple[Any, ...], list[Diagnostic]]:
    if len(source.text) > MAX_CHARACTERS:
        message = f"the script is longer than {MAX_CHARACTERS} characters"
        return (), [diagnostic(source, Span(0, 1), "too-long", message)]
    grammar = _grammar(dialect)
    words = _arrange4(grammar.lex(source.text)) if dialect == 4 else _arrange6(grammar.lex(source.text))
    too_deep = _find_too_deep(words)
    if too_deep is not None:
        place = Span(_start(too_deep), _end(too_deep))
        message = f"brackets nest deeper than {MAX_NESTING} levels"
        return (), [diagnostic(source, place, "too-deep", message)]
    found: list[_Mistake] = []
    while True:
        outcome = _read(grammar, words, source)
        if not isinstance(outcome, _Mistake):
            break
        found.append(outcome)
        shorter = _without_statement(words, outcome.token, dialect)
        is_stuck = len(shorter) == len(words) and outcome.token < len(words)
        words = shorter
        if is_stuck or len(found) >= MAX_MISTAKES:
            outcome = ()
            break
    return outcome, [diagnostic(source, each.span, each.code, each.message, each.hint) for each in found]


def _read(grammar: Lark, words: list[Token], source: Source) -> tuple[Any, ...] | _Mistake:
    reader = grammar.parse_interactive()
    for number, word in enumerate(words):
        if word.type in _NO_WORDS:
            return _no_word(word, number)
        try:
            reader.feed_token(word)
        except (UnexpectedToken, VisitError, MistakeError) as error:
            return _mistake(error, word, number)
    last = words[-1] if words else None
    end = Token("$END", "", start_pos=len(source.text), end_pos=len(source.text))
    try:
        return tuple(reader.feed_eof(last))  # type: ignore[no-untyped-call]
    except (UnexpectedToken, VisitError, MistakeError) as error:
        brace = _find_unclosed_brace(words)
        if brace is not None:
            place = Span(_start(brace), _end(brace))
            return _Mistake("unclosed-block", "the { has no }", "add the } that closes it", place, len(words))
        return _mistake(error, end, len(words))


def _find_too_deep(words: list[Token]) -> Token | None:
    depth = 0
    for word in words:
        depth += (word.type in ("LSQB", "LBRACE")) - (word.type in ("RSQB", "RBRACE"))
        if depth > MAX_NESTING:
            return word
    return None


def _find_unclosed_brace(words: list[Token]) -> Token | None:
    """The innermost { that nothing closes."""
    opened: list[Token] = []
    for word in words:
        if word.type == "LBRACE":
            opened.append(word)
        elif word.type == "RBRACE" and opened:
            opened.pop()
    return opened[-1] if opened else None


def _no_word(word: Token, number: int) -> _Mistake:
    place = Span(_start(word), _end(word))
    if word.type == "UNCLOSED":
        return _Mistake("unclosed-string", "the string is not closed", 'a string ends with "', place, number)
    shown = repr(str(word))
    hint = {
        "'": 'strings are written in "double quotes"',
        "“": 'strings are written in "double quotes"',
        "”": 'strings are written in "double quotes"',
        "#": "comments begin with //",
        ";": "statements end with their line",
        "&": "there are no combined conditions here",
        "|": "there are no combined conditions here",
    }.get(str(word), "")
    return _Mistake("unknown-character", f"the language has no character {shown}", hint, place, number)


def _mistake(error: Exception, word: Token, number: int) -> _Mistake:
    origin = error.orig_exc if isinstance(error, VisitError) else error
    if isinstance(origin, MistakeError):
        return _Mistake(origin.code, origin.message, origin.hint, origin.span, number)
    place = Span(_start(word), _end(word))
    expected = set(error.accepts or error.expected) if isinstance(error, UnexpectedToken) else set()
    if word.type == "$END":
        message = "the script ends in the middle of a statement"
        return _Mistake("unexpected-end", message, _wanted(expected), place, number)
    if word.type == _LINE_END:
        return _Mistake(
            "unexpected-end", "the line ends in the middle of a statement", _wanted(expected), place, number
        )
    return _Mistake(
        "unexpected-word", f"{str(word)!r} cannot stand here", _hint(word, expected), place, number
    )


def _hint(word: Token, expected: set[str]) -> str:
    text = str(word)
    if word.type == "OPERATOR" and "OPERATOR" not in expected:
        return "a comparison is written with a single = or ~"
    if text == "else":
        return "`else` follows the } of an `if`"
    if word.type == "LPAR":
        is_tag = "TAG" in expected
        return "a tag is written (gggg,eeee)" if is_tag else "arguments are written in [square brackets]"
    return _wanted(expected)


_NAMES: Final = {
    "RSQB": "]",
    "RPAR": ")",
    "RBRACE": "}",
    "LBRACE": "{",
    "COMMA": ",",
    "COLON": ":",
    "OPERATOR": "= or ~",
    "QMARK": "?",
    "__ANON_0": ":=",
    "TAG": "a tag",
    "STRING": "a string",
    "NAME": "a name",
    "NUMBER": "a number",
    _LINE_END: "the end of the line",
}


def _wanted(expected: set[str]) -> str:
    names = [_NAMES[word] for word in _NAMES if word in expected]
    return f"expected {' or '.join(names)}" if 0 < len(names) <= 4 else ""


def _start(word: Token) -> int:
    return word.start_pos or 0


def _end(word: Token) -> int:
    return word.end_pos or _start(word)


# -- line ends, and leaving a statement out


def _arrange4(stream: Iterator[Token]) -> list[Token]:
    """One line end after every statement, none elsewhere."""
    words: list[Token] = []
    for word in stream:
        if word.type == _LINE_END and (not words or words[-1].type == _LINE_END):
            continue
        words.append(word)
    if words and words[-1].type != _LINE_END:
        end = _end(words[-1])
        words.append(Token(_LINE_END, "\n", start_pos=end, end_pos=end + 1))
    return words


def _arrange6(stream: Iterator[Token]) -> list[Token]:
    """No line ends where the language allows any number: around `else`, `elseif` and before a block."""
    words: list[Token] = []
    waiting: list[Token] = []
    for word in stream:
        if word.type == _LINE_END:
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


def _without_statement(words: list[Token], number: int, dialect: int) -> list[Token]:
    """The words without the lines of the statement where reading stopped."""
    if number == len(words) and _find_unclosed_brace(words) is not None:
        return [*words, Token("RBRACE", "}", start_pos=_end(words[-1]), end_pos=_end(words[-1]))]
    if not words:
        return words
    first = last = min(number, len(words) - 1)
    if number < len(words) and words[number].type == _LINE_END:
        first -= 1
    while first > 0 and words[first - 1].type != _LINE_END:
        first -= 1
    while last < len(words) and words[last].type != _LINE_END:
        last += 1
    if dialect == 4:
        return words[:first] + words[last + 1 :]
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
        if word.type == _LINE_END and opened <= 0:
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
