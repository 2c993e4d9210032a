"""Reading scripts: text to syntax tree, with every mistake of a script found at once.

A script without mistakes is read in one go. Otherwise it is read line by line: what is wrong in a line is
found by `explain`, and the line goes on as it was probably meant, or is left out, so that one mistake neither
hides the next nor causes others. The blocks that lines begin and end are looked at afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from lark import Token

from anon.errors import Diagnostic, Severity
from anon.hints import BY_CODE
from anon.syntax.blocks import balance
from anon.syntax.draft import Draft, try_words
from anon.syntax.explain import Budget, Mistake, explain
from anon.syntax.fixes.foreign import find_no_script
from anon.syntax.nodes import Statement4, Statement6
from anon.syntax.reading import Stop, lex_arranged, read
from anon.syntax.script_comments import find_block_comments
from anon.syntax.span import Source, Span
from anon.syntax.units import Unit, units_of
from anon.syntax.words import (
    LINE_END,
    arrange,
    end_of,
    find_too_deep,
    make_word,
    shape_of,
    span_of_words,
    start_of,
)

MAX_MISTAKES: Final = 100
MAX_CHARACTERS: Final = 1_000_000
MAX_NESTING: Final = 50
_BATCH: Final = 50


def diagnostic(
    source: Source, span: Span, code: str, message: str, hint: str = "", severity: Severity = "error"
) -> Diagnostic:
    """A diagnostic about a stretch of a script; without a hint it gets the general one of its code."""
    return Diagnostic(code, message, *source.position(span), hint or BY_CODE.get(code, ""), severity)


def parse4(source: Source) -> tuple[tuple[Statement4, ...], list[Diagnostic]]:
    """Read a script of DicomEdit 4: the statements that could be read, and all mistakes."""
    return _parse(source, 4)


def parse6(source: Source) -> tuple[tuple[Statement6, ...], list[Diagnostic]]:
    """Read a script of DicomEdit 6: the statements that could be read, and all mistakes."""
    return _parse(source, 6)


def _parse(source: Source, dialect: int) -> tuple[tuple[Any, ...], list[Diagnostic]]:
    if len(source.text) > MAX_CHARACTERS:
        message = f"the script is longer than {MAX_CHARACTERS} characters"
        hint = "is this the right file? a script can be shared out over site and project"
        return (), [diagnostic(source, Span(0, 1), "too-long", message, hint)]
    words = lex_arranged(source.text, dialect)
    too_deep = find_too_deep(words, MAX_NESTING)
    if too_deep is not None:
        place = span_of_words(too_deep, too_deep)
        message = f"brackets nest deeper than {MAX_NESTING} levels"
        hint = "store what is inside in a variable first: name := value"
        return (), [diagnostic(source, place, "too-deep", message, hint)]
    statements = read(words, dialect)
    if not isinstance(statements, Stop):
        return statements, []
    alien = find_no_script(source.text)
    if alien is not None:
        message, start, end, hint = alien
        return (), [diagnostic(source, Span(start, end), "no-script", message, hint)]
    statements, mistakes = _read_in_parts(source.text, words, dialect)
    return statements, [
        diagnostic(source, each.span, each.code, each.message, each.hint) for each in mistakes[:MAX_MISTAKES]
    ]


def _read_in_parts(text: str, words: list[Token], dialect: int) -> tuple[tuple[Any, ...], list[Mistake]]:
    mistakes: list[Mistake] = []
    budget = Budget()
    blanked, remarks = find_block_comments(text)
    if remarks:
        mistakes += remarks
        text, words = blanked, lex_arranged(blanked, dialect)
    kept: list[Unit] = []
    for unit, is_right in _tried(units_of(text, words, dialect), dialect):
        if is_right:
            kept.append(unit)
            continue
        if len(mistakes) >= MAX_MISTAKES:
            return (), mistakes
        if kept and kept[-1].was_wrong and shape_of(unit.words).strip() == "{":
            continue  # the brace of an `if` on the line before, which was told already
        inner = [word for word in unit.words if word.type != LINE_END] or unit.words
        start, end = start_of(inner[0]), end_of(inner[-1])
        # Rather two / in a path, or an address, than a comment.
        if text.startswith("//(", end) or text[end - 1 : end + 2] == "://":
            end += len(text[end:].partition("\n")[0])
        explained = explain(Draft.of(text[start:end], start), dialect, budget)
        mistakes += explained.mistakes
        kept.append(unit.repaired(explained.repaired, dialect))
    if dialect == 6:
        kept, of_blocks = balance(kept)
        mistakes += of_blocks
    return _read_what_is_left(kept, dialect, mistakes)


def _tried(units: Iterable[Unit], dialect: int) -> Iterator[tuple[Unit, bool]]:
    """Each unit, and whether it can be read; many at once, because most can."""
    waiting = iter(units)
    while batch := list(islice(waiting, _BATCH)):
        words = [word for unit in batch for word in unit.words]
        are_right = len(batch) > 1 and try_words(words, dialect) is None
        for unit in batch:
            yield unit, are_right or try_words(unit.words, dialect) is None


def _read_what_is_left(
    units: list[Unit], dialect: int, mistakes: list[Mistake]
) -> tuple[tuple[Any, ...], list[Mistake]]:
    words = arrange((word for unit in units for word in unit.words), dialect)
    outcome = read(words, dialect)
    if not isinstance(outcome, Stop):
        return outcome, mistakes
    if not mistakes:
        word = words[min(outcome.number, len(words) - 1)] if words else make_word("_NL", "\n", Span(0, 1))
        place = span_of_words(word, word) if outcome.mistake is None else outcome.mistake.span
        hint = "write each statement on a line of its own"
        mistakes.append(Mistake("unexpected", "something is wrong with this line", hint, place))
    return (), mistakes
