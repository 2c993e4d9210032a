"""Brackets and quotes: the wrong ones, too few, too many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from anon.functions.registry import find_similar, functions_of
from anon.hints import unknown_function_hint
from anon.syntax.draft import Edit, Fix, View
from anon.syntax.fixes.shapes import CLOSING, OPENING, partner, term_end, without
from anon.syntax.span import Span

_CALL_OF_TAG = re.compile(r"\b([A-Za-z_]\w*)\s*(\([0-9A-Fa-f@#Xx]{1,8}\s*,[^()]*\))")


def calls(view: View) -> Iterator[Fix]:
    """Functions with other brackets than square ones, or with none."""
    shape = view.shape
    empty = re.search(r"a(\[\]|\(\))", shape) if view.dialect == 4 else None
    if empty and shape[empty.start() - 1 : empty.start()] == "w":
        place = view.span(empty.start(1), empty.end() - 1)
        yield Fix("needless-bracket", "new UID has no brackets behind it", place, (Edit(*place, ""),))
    elif empty and empty[1] == "[]":
        name = str(view.words[empty.start()])
        code, message = "argument-count", f"the function {name} needs a value"
        hint = f"`prearc anon functions {name}` shows which"
        place = view.span(empty.start(), empty.end() - 1)
        if name not in functions_of(4):
            code, message = "unknown-function", f"there is no function {name!r} in DicomEdit 4"
            hint = unknown_function_hint(name, functions_of(4), 4)
            place = view.span(empty.start())
        yield Fix(code, message, place, (), hint)
    for number in range(1, len(shape)):
        if shape[number - 1] != "a" or shape[number] not in "({":
            continue
        name = str(view.words[number - 1])
        closing = partner(shape, number)
        kind = "round brackets" if shape[number] == "(" else "braces"
        message = f"a function takes its values in square brackets, not in {kind}"
        if closing > 0:
            edits = (view.substitute(number, "["), view.substitute(closing, "]"))
            yield Fix("call-brackets", message, view.span(number, closing), edits)
        elif shape[number] == "(" or number < len(shape) - 1:
            yield Fix(
                "call-brackets",
                message,
                view.span(number),
                (view.substitute(number, "["),),
                "",
            )
    for found in _CALL_OF_TAG.finditer(view.code):
        tag = Span(*found.span(2))
        message = "a function takes its values in square brackets, and a tag keeps its own round ones"
        yield Fix("call-brackets", message, tag, (Edit(found.end(1), tag.end, f"[{found[2]}]"),))
        inner = view.text[tag.start + 1 : tag.end - 1]
        yield Fix("call-brackets", message, tag, (Edit(found.end(1), tag.end, f"[{inner}]"),))
    for number in range(len(shape) - 1):
        name = str(view.words[number])
        if shape[number] == "a" and shape[number + 1] in "STN" and not _is_function(name, view.dialect):
            if number and shape[number - 1] in "=q":
                place = view.span(number, number + 1)
                if shape[number + 1] == "N" and name not in ("project", "subject", "session"):
                    shown = view.text[place.start : place.end]
                    quoted = (Edit(*place, f'"{shown}"'),)
                    yield Fix("unquoted-text", "a text stands in quotes", place, quoted)
                value = str(view.words[number + 1])
                text = f"concatenate[{name}, {value}]"
                if view.dialect == 4:
                    text = (
                        f'"{{0}}{value[1:-1]}" {name}' if value[0] == '"' else f'"{{0}}{{1}}" {name}, {value}'
                    )
                message = "two values stand side by side"
                yield Fix("joined-texts", message, place, (Edit(*place, text),))
        elif shape[number] == "a" and shape[number + 1] in "STN":
            end = view.span(number + 1).end
            start = view.span(number).end
            message = f"the values of the function {view.words[number]} stand in square brackets"
            last = len(shape)
            stop = next((at for at in range(number + 1, last) if shape[at] in ":?)]}=q~"), last) - 1
            end = view.span(stop).end
            value = view.text[start:end].strip()
            yield Fix(
                "call-brackets", message, view.span(number + 1, stop), (Edit(start, end, f"[{value}]"),)
            )


def _is_function(name: str, dialect: int) -> bool:
    """Whether a name is that of a function, or nearly."""
    return find_similar(name, functions_of(dialect)) is not None


def surplus(view: View) -> Iterator[Fix]:
    """A ) before the ] of a call, and no ( that it could close, which is wrong whatever else is."""
    if view.shape.count("[") > view.shape.count("]"):
        return  # it stands for a ] rather
    opened = ""
    for number, letter in enumerate(view.shape):
        place = view.span(number)
        if letter in OPENING:
            opened += letter
        elif letter == ")" and opened[-1:] == "[" and view.shape[number + 1 :][:1] == "]":
            before = view.code[: place.start]
            if before.count("(") == before.count(")"):
                yield Fix("unbalanced-bracket", "this ) closes nothing", place, (without(view, number),))
                return
        elif letter in CLOSING:
            opened = opened[:-1]


def unbalanced(view: View) -> Iterator[Fix]:
    """Brackets that have no partner."""
    shape = view.shape
    opened: list[int] = []
    for number, letter in enumerate(shape):
        if letter in OPENING:
            opened.append(number)
        elif letter in CLOSING:
            if opened and shape[opened[-1]] == CLOSING[letter]:
                opened.pop()
            elif opened:
                right = OPENING[shape[opened[-1]]]
                wrong = view.span(number)
                message = f"a {shape[opened[-1]]} is closed by {right}, not by {letter}"
                if shape[number + 1 : number + 2] == right and len(opened) > 1:
                    both = view.span(number, number + 1)
                    turned = f"the {letter} and the {right} stand in the wrong order"
                    swapped = (view.substitute(number, right), view.substitute(number + 1, letter))
                    yield Fix("unbalanced-bracket", turned, both, swapped)
                if letter == ")" or shape[number + 1 : number + 2] == right:
                    surplus = (view.substitute(number, ""),)
                    yield Fix("unbalanced-bracket", f"this {letter} closes nothing", wrong, surplus)
                yield Fix("unbalanced-bracket", message, wrong, (view.substitute(number, right),))
                message = f"the {shape[opened[-1]]} has no {right}"
                for at in (*_end_of_list(view, opened[-1]), wrong.start):
                    edits = (Edit(at, at, right),)
                    yield Fix("unbalanced-bracket", message, view.span(opened[-1]), edits)
                opened.pop()
            elif letter != "}" or view.dialect == 4:
                message = f"this {letter} closes nothing"
                yield Fix("unbalanced-bracket", message, view.span(number), (view.substitute(number, ""),))
                if letter == "]":
                    for early in [at for at in range(number) if shape[at : at + 2] == "],"]:
                        message = "this ] stands too early, more values follow"
                        edits = (view.substitute(early, ""),)
                        yield Fix("unbalanced-bracket", message, view.span(early), edits)
                yield from _missing_opening(view, number)
    if opened:
        for found in re.finditer(r"(?<![aT\]])\[", shape):
            message = "this [ is one too many"
            edits = (view.substitute(found.start(), ""),)
            yield Fix("unbalanced-bracket", message, view.span(found.start()), edits)
    if len(opened) > 1 and all(shape[number] == "[" for number in opened):
        message = f"{len(opened)} of the [ have no ]"
        at = view.end()
        place = view.span(opened[0], opened[-1])
        yield Fix("unbalanced-bracket", message, place, (Edit(at, at, "]" * len(opened)),))
    for number in reversed(opened):
        letter = shape[number]
        if letter == "{" and view.dialect == 6 and number == len(shape) - 1:
            continue
        yield from _missing_closing(view, number)
        message = f"this {letter} is one too many"
        yield Fix("unbalanced-bracket", message, view.span(number), (view.substitute(number, ""),))


def _end_of_list(view: View, opening: int) -> list[int]:
    """Where a list among the values of a call ends: before a value of another kind."""
    shape = view.shape
    if shape[opening] != "{":
        return []
    last = term_end(shape, opening + 1)
    while shape[last : last + 1] == "," and shape[last + 1 : last + 2] == shape[opening + 1]:
        last = term_end(shape, last + 1)
    return [view.span(last - 1).end] if shape[last : last + 1] == "," else []


def unclosed_heads(view: View) -> Iterator[Fix]:
    """The brackets of an `if` whose { stands on the next line."""
    shape = view.shape
    if view.dialect == 4 or not re.match(r"}?[ij]\(", shape) or "{" in shape:
        return
    opening = shape.index("(")
    if partner(shape, opening) < 0:
        end = view.end()
        yield Fix("unbalanced-bracket", "the ( has no )", view.span(opening), (Edit(end, end, ") {"),),
                  f"write {view.text.strip()})")  # fmt: skip


def _missing_opening(view: View, closing: int) -> Iterator[Fix]:
    opening = CLOSING[view.shape[closing]]
    message = f"the {view.shape[closing]} has no {opening}"
    for number in range(closing):
        at = view.span(number).end if view.shape[number] == "a" else view.span(number).start
        yield Fix("unbalanced-bracket", message, view.span(closing), (Edit(at, at, opening),))


def _missing_closing(view: View, opening: int) -> Iterator[Fix]:
    shape = view.shape
    closing = OPENING[shape[opening]]
    message = f"the {shape[opening]} has no {closing}"
    ends = [number for number in range(opening + 1, len(shape)) if shape[number] in "?:{=~])}-"]
    places = [view.end(), *(view.span(number - 1).end for number in ends)]
    places = [*_end_of_list(view, opening), *places]
    places += [view.span(number).end for number in range(len(shape) - 1, opening, -1)]
    if shape[-1] == "," and opening < len(shape) - 2:
        edits = (view.substitute(len(shape) - 1, closing),)
        yield Fix("unbalanced-bracket", message, view.span(opening), edits)
    for at in dict.fromkeys(places):
        yield Fix("unbalanced-bracket", message, view.span(opening), (Edit(at, at, closing),))


def needless(view: View) -> Iterator[Fix]:
    """Round brackets around what needs none."""
    shape = view.shape
    pairs = [(number, partner(shape, number)) for number, letter in enumerate(shape) if letter == "("]
    whole = [(first, last) for first, last in pairs if last > 0]
    for first, last in whole:
        edits = (view.substitute(first, ""), view.substitute(last, ""))
        yield Fix("needless-bracket", "these round brackets are too many", view.span(first, last), edits)
    if len(whole) > 1:
        numbers = sorted(number for pair in whole for number in pair)
        all_edits = tuple(view.substitute(number, "") for number in numbers)
        span = view.span(numbers[0], numbers[-1])
        yield Fix("needless-bracket", "these round brackets are too many", span, all_edits)
    for opening, closing in (("[", "]"), ("{", "}")):
        for first, letter in enumerate(shape):
            last = partner(shape, first) if letter == opening else -1
            if last > 0:
                edits = (view.substitute(first, ""), view.substitute(last, ""))
                message = f"the {opening} and {closing} are too many here"
                yield Fix("needless-bracket", message, view.span(first, last), edits)


def strings(view: View) -> Iterator[Fix]:
    """Texts whose quotes do not come in pairs."""
    found = re.search(r'"[^"\n]*$', _blank_strings(view.code), re.MULTILINE)
    if found is None:
        return
    start, end = found.start(), len(view.text[: found.end()].rstrip())
    if start == end - 1:
        yield from _missing_first_quote(view, start)
    tail = view.text[start:end]
    message = "the text is not closed with a quotation mark"
    for tag in re.finditer(r'"(?:\([^"()\n]*\)(?=\s*[,\]])|\w[^",\[\]\n]*(?=,\s*"[\w(]))', view.text):
        yield Fix("unclosed-string", message, Span(*tag.span()), (Edit(tag.end(), tag.end(), '"'),))
    for tag in re.finditer(r'[,\[]\s*((?:\([^"()\n]*\)|\w[^",\[\]\n]*)")(?=\s*[,\]])', view.text):
        lacking = "the text has no quotation mark at its beginning"
        yield Fix("unclosed-string", lacking, Span(*tag.span(1)), (Edit(tag.start(1), tag.start(1), '"'),))
    for wrong in ("'", "\u201d", "\u201c", "`", "''"):
        if tail.endswith(wrong) and len(tail) > 1:
            place = Span(end - len(wrong), end)
            yield Fix("unclosed-string", f'a text ends with ", not with {wrong}', place, (Edit(*place, '"'),))
    places = [
        start + at.start()
        for at in re.finditer(r"\s*(?:\]|\}|\)\s*\{|\)\s*$|,\s*\(|\?\s*[-(]|:\s*[-(])", tail)
    ]
    comment = re.search(r"\s*//", tail)
    if comment:
        places = [place for place in places if place <= start + comment.start()]
        yield Fix("unclosed-string", message, Span(start, start + comment.start()),
                  (Edit(start + comment.start(), start + comment.start(), '"'),))  # fmt: skip
    places[:0] = [start + at.end(1) for at in re.finditer(r"(\{[0-9]\}[^,{}]*),[^{}]*$", tail)]
    for at in [*places, end]:
        yield Fix("unclosed-string", message, Span(start, max(at, start + 1)), (Edit(at, at, '"'),))
    yield from _missing_first_quote(view, end - 1)
    yield from _missing_first_quote(view, start)
    place = Span(start, start + 1)
    yield Fix("unclosed-string", "this quotation mark is one too many", place, (Edit(*place, ""),))


_BEFORE_TEXT: Final = re.compile(
    r"(?:[:?]?=|~|,|\[|^\s*(?:describe|export)\s+\w+\b|^\s*echo\b)\s*(?=[^\s\"])|(?<=[a-z])\s+(?=[A-Z])"
)


def _missing_first_quote(view: View, last: int) -> Iterator[Fix]:
    """The quote at `last` ends a text that has none at its beginning."""
    if view.code[last : last + 1] != '"':
        return
    message = "the text has no quotation mark at its beginning"
    for found in reversed(list(_BEFORE_TEXT.finditer(view.code[:last]))):
        at = found.end()
        if view.code[at] in "'`\u2018\u2019\u00b4":
            wrong = Span(at, at + 1)
            message = f'a text begins with ", not with {view.code[at]}'
            yield Fix("unclosed-string", message, wrong, (Edit(*wrong, '"'),))
        yield Fix("unclosed-string", message, Span(at, view.code.index('"', at) + 1), (Edit(at, at, '"'),))


def unclosed_conditions(view: View) -> Iterator[Fix]:
    """The text of a condition without its last quotation mark: `(0008,0060) = "MR ? - (0010,0010)`."""
    mark = r"\?" if view.dialect == 6 else ":(?!=)"
    found = re.match(rf'[^"]*(?:=|~)\s*("[^"?:\n]*[^"?:\s])(?=\s+{mark}\s*[-(A-Za-z])', view.text)
    if found and view.text.count('"') % 2:
        message = "the text is not closed with a quotation mark"
        yield Fix("unclosed-string", message, Span(*found.span(1)), (Edit(found.end(), found.end(), '"'),))


def inner_quotes(view: View) -> Iterator[Fix]:
    """Quotation marks within a text, and doubled ones."""
    for found in re.finditer(r'(?<=[\[,])\s*"[^"\n]+"(")(?=\s*[,\]])', view.text):
        message = "this quotation mark is one too many"
        yield Fix("wrong-quotes", message, Span(*found.span(1)), (Edit(*found.span(1), ""),))
    for found in re.finditer(r'"([^"\n]*\w)"(\w[^"\n,\[\]]*)"(?=\s*(?:[\],)?:]|//|$))', view.text):
        if view.text.count('"') == 3:
            message = "a text cannot hold a quotation mark just like that"
            place = Span(found.end(1), found.end(1) + 1)
            yield Fix("inner-quotes", message, place, (Edit(*place, "'"),))
    for found in re.finditer(r'"([^"\n]+)""([^"\n]+)""([^"\n]*)"', view.text):
        message = "a text cannot hold a quotation mark, written twice neither"
        place = Span(found.end(1), found.start(3))
        inner = f"{found[1]}'{found[2]}'{found[3]}"
        yield Fix("inner-quotes", message, place, (Edit(*found.span(), f'"{inner}"'),))
    for found in re.finditer(r'""([^\s",\[\]](?:[^"\n]*[^\s",\[\]])?)""', view.text):
        message = "a text stands in one pair of quotes, not in two"
        yield Fix("wrong-quotes", message, Span(*found.span()), (Edit(*found.span(), f'"{found[1]}"'),))
    for found in re.finditer(r'(?<=[=~,\[])\s*(\\"([^"\\\n]*)\\")', view.text):
        message = "the quotes around a text have no backslash before them"
        yield Fix("wrong-quotes", message, Span(*found.span(1)), (Edit(*found.span(1), f'"{found[2]}"'),))
    for found in re.finditer(r'~\s*("[^"\n]*)("[^\s",\[\]:?]+"?)(?=\s)', view.text):
        rest = found[2].strip('"')
        message = "the pattern goes on behind its closing quotation mark"
        yield Fix("wrong-quotes", message, Span(*found.span(2)), (Edit(*found.span(2), f'{rest}"'),))
    whole = re.search(r"[:?]=\s*(\".*\")\s*$", view.text)
    if whole and whole[1].count('"') == 3:
        at = whole[1].index('"', 1)
        place = Span(whole.start(1) + at, whole.start(1) + at + 1)
        if at == 1:
            yield Fix("wrong-quotes", "this quotation mark is one too many", place, (Edit(*place, ""),))
        if at == len(whole[1]) - 2 and not whole[1][at - 1].isdigit():
            yield Fix("wrong-quotes", "this quotation mark is one too many", place, (Edit(*place, ""),))
        message = "a text cannot hold a quotation mark just like that"
        yield Fix("inner-quotes", message, place, (Edit(*place, "'"),))
    mixed = re.search(r"[:?]=\s*(([A-Za-z]\w*)(?: \w+)*\s+\"[^\"\n]*\"(?:\s+\w+)+)\s*$", view.text)
    if (
        mixed
        and not _is_function(mixed[2], view.dialect)
        and mixed[2] not in ("project", "subject", "session")
    ):
        inner = mixed[1].replace('"', "'")
        message = "a text stands in quotes from its beginning to its end"
        yield Fix("unquoted-text", message, Span(*mixed.span(1)), (Edit(*mixed.span(1), f'"{inner}"'),))
    for found in re.finditer(
        r'"([^"\n]*)"([^\s",\[\]+&](?:[^"\n,\[\]]*[^\s",\[\]+&:=~?])?)"([^"\n]*)"', view.text
    ):
        inner = f"{found[1]}'{found[2]}'{found[3]}"
        message = "a text cannot hold a quotation mark just like that"
        place = Span(found.end(1), found.start(3))
        yield Fix("inner-quotes", message, place, (Edit(*found.span(), f'"{inner}"'),))


def _blank_strings(code: str) -> str:
    return re.sub(r'"_*"', lambda found: " " * len(found[0]), code)


def unquoted(view: View) -> Iterator[Fix]:
    """Texts without quotes."""
    for found in re.finditer(r"(?::=|\?=|=|~|,|\[)\s*(?=[^\s\"(\[{:=~])", view.code):
        start = found.end()
        rest = view.text[start:]
        ends = [at.start() for at in re.finditer(r"\s*(?:\]|\}|\)\s*(?:\{|$)|,|\?|:|//|$)", rest)]
        for end in ends:
            text = rest[:end].strip()
            if not text or '"' in text or len(text) > 200:
                continue
            called = re.match(r"([A-Za-z_]\w*)\s*[\[(]", text)
            if called and _is_function(called[1], view.dialect):
                continue  # something is wrong within the call
            message = "a text stands in quotes"
            if re.fullmatch(r"[0-9][0-9.]*", text):
                message = f"{text} is a text, not a number, and stands in quotes"
            stop = start + len(text)
            escaped = text.replace("\\", "\\\\")
            yield Fix("unquoted-text", message, Span(start, stop), (Edit(start, stop, f'"{escaped}"'),))


def escapes_and_numbers(view: View) -> Iterator[Fix]:
    """Backslashes and numbers that are not written as they must be."""
    mistake = view.mistake
    if mistake is None:
        return
    text = view.text[mistake.span.start : mistake.span.end]
    if mistake.code == "bad-escape":
        hint = "a text cannot hold a quotation mark, write {line}" if text == '\\"' else ""
        yield Fix(mistake.code, mistake.message, mistake.span, tuple(_escapes(view, mistake.span)), hint)
    elif mistake.code == "bad-number":
        yield Fix(mistake.code, mistake.message, mistake.span, (Edit(*mistake.span, f'"{text}"'),))


def _escapes(view: View, place: Span) -> Iterator[Edit]:
    """All backslashes of the text that mean nothing, doubled; quotation marks are made single ones."""
    right = "btnfr\"'\\\\" if view.dialect == 4 else "nrtbf()\\\\"
    for word in view.words:
        start, end = word.start_pos or 0, word.end_pos or 0
        if not start <= place.start < end:
            continue
        for found in re.finditer(r"\\(u[0-9A-Fa-f]{4}|[0-7]{3}|.)", view.text[start + 1 : end - 1]):
            if found[1] in right or (view.dialect == 6 and len(found[1]) == 3):
                continue
            at = start + 1 + found.start()
            fixed = "'" if found[1] == '"' else f"\\{found[0]}"
            if view.dialect == 4 and len(found[1]) > 1:
                letter = chr(int(found[1].lstrip("u"), 16 if found[1][0] == "u" else 8))
                fixed = letter if letter.isprintable() and letter not in '"\\' else fixed
            yield Edit(at, at + len(found[0]), fixed)


DECORATED: Final = re.compile(
    r"\$\{([A-Za-z_]\w*)\}|\$\(([A-Za-z_]\w*)\)|[$@]([A-Za-z_]\w*)|%([A-Za-z_]\w*)%|<([A-Za-z_]\w*)>|#([A-Za-z_]\w*)#"
    r"|\{\{?([A-Za-z_]\w*)\}\}?|\[([A-Za-z_]\w*)\]"
)


def variables(view: View) -> Iterator[Fix]:
    """Variables with a sign around them."""
    for found in DECORATED.finditer(view.code):
        name = next(part for part in found.groups() if part)
        message = f"a variable is written as its name alone, not as {found[0]}"
        yield Fix("variable-sign", message, Span(*found.span()), (Edit(*found.span(), name),))
