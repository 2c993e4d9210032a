"""The blocks of DicomEdit 6, over the lines of a script: every { has its }, every `else` its `if`."""

from __future__ import annotations

from lark import Token

from anon.syntax.draft import block_opening
from anon.syntax.explain import Mistake
from anon.syntax.span import Span
from anon.syntax.units import Unit
from anon.syntax.words import LINE_END, end_of, make_word, span_of_words, start_of


def balance(units: list[Unit]) -> tuple[list[Unit], list[Mistake]]:
    """The lines with blocks that are whole, and the mistakes that were repaired for that.

    A line that could not be read was told already; what follows from it is not told again.
    """
    mistakes: list[Mistake] = []
    opened: list[tuple[Token, bool]] = []  # a brace, and whether its line could be read
    made: list[Unit] = []
    closed = ""  # what the block was that the word before this one closes
    excused = 0  # braces and `else` that a line without its block leaves over
    kinds: list[str] = []
    for unit in units:
        words: list[Token] = []
        previous = ""
        head = ""
        for word in unit.words:
            if word.type in ("IF", "ELSEIF", "ELSE"):
                if word.type != "IF" and closed not in ("IF", "ELSEIF"):
                    is_told = bool(excused) or unit.was_wrong
                    if opened and kinds[-1] in ("IF", "ELSEIF") and not words and not is_told:
                        # The } of the block above is missing, and nothing else is wrong.
                        mistakes.append(_missing_end(word))
                        opened.pop()
                        words += [make_word("RBRACE", "}", _place(word)), word]
                        kinds.pop()
                        head = previous = word.type
                        closed = ""
                        continue
                    if not is_told:
                        mistakes.append(_stray_else(word, closed))
                    words += _as_if(word)
                    head = "ELSEIF"
                    if word.type == "ELSEIF":
                        words = [*words[: -len(_as_if(word))], make_word("IF", "if", _place(word))]
                    previous = word.type
                    closed = ""
                    continue
                head = word.type
            was_closed = closed
            if word.type != LINE_END:
                closed = ""
            if word.type == "LBRACE" and previous in ("RPAR", "ELSE"):
                opened.append((word, not unit.was_wrong))
                kinds.append(head or "IF")
            elif word.type == "LBRACE" and _is_list(previous):
                kinds.append("")
                opened.append((word, True))
            elif word.type == "RBRACE":
                if not opened:
                    if not unit.was_wrong and not excused:
                        message = "this } closes nothing"
                        hint = (
                            "leave the } out, or put the `if` with its { above the statements it belongs to"
                        )
                        mistakes.append(
                            Mistake("unbalanced-bracket", message, hint, span_of_words(word, word))
                        )
                    excused = max(excused - 1, 0)
                    closed = was_closed  # an `else` behind it belongs to the block that was closed before
                    continue
                opened.pop()
                closed = kinds.pop()
            words.append(word)
            previous = word.type
        if not unit.is_whole:
            excused += _left_over(unit)
        if words:
            made.append(Unit(words, unit.is_whole, unit.was_wrong))
    for brace, is_told in reversed(opened):
        if is_told and start_of(brace) != end_of(brace):
            hint = "put a } on a line of its own behind the last statement of the block"
            mistakes.append(Mistake("unclosed-block", "the { has no }", hint, span_of_words(brace, brace)))
        place = Span(end_of(units[-1].words[-1]), end_of(units[-1].words[-1]))
        made.append(Unit([make_word("RBRACE", "}", place), make_word(LINE_END, "\n", place)]))
    return made, mistakes


def _is_list(previous: str) -> bool:
    return previous not in ("RPAR", "ELSE")


def _place(word: Token) -> Span:
    return Span(start_of(word), end_of(word))


def _as_if(word: Token) -> list[Token]:
    """`if (...)` in place of an `else` that belongs to nothing."""
    # The brace follows in the script.
    return block_opening(_place(word))[:-1]


def _left_over(unit: Unit) -> int:
    """How many } or `else` may follow a line that was to begin a block and could not be read."""
    return 2 if not any(word.type == "LBRACE" for word in unit.words) else 0


def _missing_end(word: Token) -> Mistake:
    message = f"before `{word}` the }} of the block above is missing"
    return Mistake("unclosed-block", message, f"write }} {word}", span_of_words(word, word))


def _stray_else(word: Token, closed: str) -> Mistake:
    if closed == "ELSE":
        message = f"a second `{word}` follows the `else`"
        hint = "an `if` has one `else`, and `elseif` comes before it"
    else:
        message = f"this `{word}` has no `if` before it"
        hint = "`else` follows the } of an `if`: } else {"
        if str(word) == "elseif":
            hint = "write `if` instead, or put it behind the } of an `if`: } elseif (...) {"
    return Mistake("stray-else", message, hint, span_of_words(word, word))
