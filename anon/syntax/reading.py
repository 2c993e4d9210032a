"""Reading words with the grammars. This and `words` are the only modules that know the parser generator."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from lark import Lark, Token
from lark.exceptions import UnexpectedToken, VisitError

from anon.syntax.span import Span
from anon.syntax.trees import MistakeError, Trees4, Trees6
from anon.syntax.words import FOREIGN_SIGNS, NO_WORDS, arrange, end_of, make_word, start_of


class _KeepAll:
    """Keeps the words that no rule uses: they are the mistakes to be reported."""

    always_accept = (*NO_WORDS, *FOREIGN_SIGNS)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


class Stop(NamedTuple):
    """Where reading stopped.

    Attributes:
        number: of the word; the number of all words when they end too early.
        mistake: what a word says that is not written as the language wants it.
    """

    number: int
    mistake: MistakeError | None


def _text_of_grammar(dialect: int) -> str:
    return files("anon.syntax").joinpath(f"dicomedit{dialect}.lark").read_text("utf-8")


@lru_cache(maxsize=2)
def _lexer(dialect: int) -> Lark:
    """The grammar for words alone: with a parser, Lark would build its lexer anew for each text."""
    return Lark(_text_of_grammar(dialect), parser=None, lexer="basic", postlex=_KeepAll())


@lru_cache(maxsize=2)
def _grammar(dialect: int) -> Lark:
    trees = Trees4() if dialect == 4 else Trees6()
    return Lark(
        _text_of_grammar(dialect),
        parser="lalr",
        lexer="basic",
        transformer=trees,  # any object with a method a rule will do
        postlex=_KeepAll(),
        maybe_placeholders=True,
    )


def lex(text: str, dialect: int) -> Iterator[Token]:
    """The words of a text, one after the other, with its line ends as they are."""
    return _lexer(dialect).lex(text)


def lex_arranged(text: str, dialect: int, offset: int = 0) -> list[Token]:
    """The words of a text, arranged for `read`; their places moved by `offset`."""
    words = arrange(lex(text, dialect), dialect)
    if offset:
        words = [
            make_word(word.type, str(word), Span(start_of(word) + offset, end_of(word) + offset))
            for word in words
        ]
    return words


def read(words: list[Token], dialect: int) -> tuple[Any, ...] | Stop:
    """The statements that the words make, or where that ends."""
    reader = _grammar(dialect).parse_interactive()
    number = 0
    try:
        for number in range(len(words)):
            reader.feed_token(words[number])
        number = len(words)
        return tuple(reader.feed_eof(words[-1] if words else None))  # type: ignore[no-untyped-call]
    except UnexpectedToken:
        return Stop(number, None)
    except MistakeError as mistake:
        return Stop(number, mistake)
    except VisitError as error:
        if isinstance(error.orig_exc, MistakeError):
            return Stop(number, error.orig_exc)
        raise
