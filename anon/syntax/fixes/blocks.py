"""`if` and its blocks, and what stands in their place: `else if`, `then`, loops, blocks behind a ?."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from anon.syntax.draft import Edit, Fix, View
from anon.syntax.fixes.conditions import bare
from anon.syntax.fixes.shapes import partner
from anon.syntax.span import Span

_ELSE_IF: Final = re.compile(r"\b(?:else\s+if|elif|elsif|elseIf|ElseIf|ELSEIF|ELSE\s+IF|Else\s+If|Elseif)\b")
_KEYWORDS: Final = ("if", "elseif", "else", "echo", "describe", "export", "version", "hidden", "new")
_LOOPS: Final = (
    "for",
    "while",
    "foreach",
    "switch",
    "case",
    "unless",
    "try",
    "function",
    "def",
    "goto",
    "return",
)


def keywords(view: View) -> Iterator[Fix]:
    """Words of the language in capitals, and `else if`."""
    if view.dialect == 6:
        for found in _ELSE_IF.finditer(view.code):
            message = f"`elseif` is written in one word and in small letters, not {found[0]}"
            yield Fix("else-if", message, Span(*found.span()), (Edit(*found.span(), "elseif"),))
    made = re.search(r":=\s*(new\s+uid)\s*$", view.code, re.IGNORECASE) if view.dialect == 4 else None
    if made:
        message = "`new UID` is written with these capitals"
        yield Fix("keyword-case", message, Span(*made.span(1)), (Edit(*made.span(1), "new UID"),))
    for number, word in enumerate(view.words):
        small = str(word).lower()
        if word.type == "NAME" and str(word) != small and small in _KEYWORDS:
            message = f"`{small}` is written in small letters"
            yield Fix("keyword-case", message, view.span(number), (view.substitute(number, small),))


def loops(view: View) -> Iterator[Fix]:
    """Words of programming languages that DicomEdit has nothing for."""
    code = view.code
    loop = re.match(r"\s*(" + "|".join(_LOOPS) + r")\b(?!\s*(?::=|\[))", code)
    loop = loop or re.match(r"\s*(default)\s*:(?!=)", code)
    taken_in = re.match(r"\s*(import|include|source|require|use|load|run)\s+[\w\"].*[\w\"]\s*$", code)
    if taken_in and not re.search(r"[:?]=", code):
        message = "a script cannot take in another one"
        hint = "copy its lines into this script"
        yield Fix("foreign-word", message, Span(*taken_in.span(1)), (), hint)
    if loop and view.stop <= 2:
        hint = "a script is a list of statements about elements, with `if` at most"
        if view.dialect == 4:
            hint = "a script is a list of statements, which may have conditions before them"
        elif loop[1] in ("for", "foreach", "while"):
            hint = "a path such as */(0010,0010) reaches an element in all sequences, no loop is needed"
        elif loop[1] in ("return",):
            hint = "put what is only to be done sometimes into an `if`"
        yield Fix("foreign-word", f"DicomEdit has no `{loop[1]}`", Span(*loop.span(1)), (), hint)


def else_if(view: View) -> Iterator[Fix]:
    """`else if` at the beginning of a line, which is a mistake whatever else is wrong with it."""
    if view.dialect == 4:
        return
    capitals = re.match(r"\s*\}?\s*(IF|If|ELSE|Else)\b(?!\s*(?::=|\[|(?i:if)\b))", view.code)
    if capitals:
        small = capitals[1].lower()
        message = f"`{small}` is written in small letters"
        yield Fix("keyword-case", message, Span(*capitals.span(1)), (Edit(*capitals.span(1), small),))
    found = re.match(rf"\s*\}}?\s*({_ELSE_IF.pattern})", view.code)
    if found:
        message = f"`elseif` is written in one word and in small letters, not {found[1]}"
        yield Fix("else-if", message, Span(*found.span(1)), (Edit(*found.span(1), "elseif"),))


def square_brackets(view: View) -> Iterator[Fix]:
    """Square brackets around a block, or around a condition; `else` with a condition."""
    if view.dialect == 4:
        return
    found = re.match(r"\s*\}?\s*(?:if|elseif)\s*(\[)(.*)(\])\s*\{", view.code)
    if found:
        message = "the condition of `if` stands in round brackets, not in square ones"
        edits = (Edit(*found.span(1), "("), Edit(*found.span(3), ")"))
        yield Fix("if-brackets", message, Span(found.start(1), found.end(3)), edits)
    found = re.search(r"\b(?:if|elseif)\s*\(\s*([0-9A-Fa-f]{4}\s*,\s*[0-9A-Fa-f]{4})\s*(?=[=!~])", view.code)
    if found:
        message = "a tag has round brackets of its own, within those of the `if`"
        place = Span(*found.span(1))
        yield Fix("bad-tag", message, place, (Edit(*place, f"({found[1]})"),))
    found = re.match(r"\s*\}?\s*(if|elseif|else)\b(?:\s*\(.*\))?\s*(\[)\s*$", view.code)
    if found:
        message = f"what belongs to `{found[1]}` stands in braces, not in square brackets"
        yield Fix("if-braces", message, Span(*found.span(2)), (Edit(*found.span(2), "{"),))
    found = re.match(r"\s*([\])])\s*(?:else\b|elseif\b|$)", view.code)
    if found:
        message = f"a block ends with }}, not with {found[1]}"
        yield Fix("block-end", message, Span(*found.span(1)), (Edit(*found.span(1), "}"),))
    found = re.search(r"(?:^|\})\s*(else)\s*\(.*[=~\[].*\)\s*\{", view.code)
    if found:
        message = "`else` has no condition, `elseif` has one"
        yield Fix("else-if", message, Span(*found.span(1)), (Edit(*found.span(1), "elseif"),))


def misspelled_if(view: View) -> Iterator[Fix]:
    """`fi (...) {`, and a block that only names an element."""
    if view.dialect == 4:
        return
    found = re.match(r"\s*\}?\s*(i|f|fi|iff|iif|ig|id|of)\s*\(.*\)\s*\{", view.code)
    if found:
        edits = (Edit(*found.span(1), "if"),)
        yield Fix("misspelled", f"there is no statement {found[1]}", Span(*found.span(1)), edits)
    found = re.search(r"(?:\)|\belse)\s*\{\s*(\([0-9A-Fa-f]{4},[^()]*\))\s*\}", view.code)
    if found:
        shown = view.text[slice(*found.span(1))]
        message = "the block names an element and does nothing with it"
        hint = f'write - {shown} to remove the element, or {shown} := "" to empty it'
        yield Fix("missing-action", message, Span(*found.span(1)), (), hint)


def else_within(view: View) -> Iterator[Fix]:
    """`if (...) { a else b }`: the } of the first block, and the { of the second, are missing."""
    found = re.search(r"\b(?:if|elseif)\b[^{]*\{[^{}]*?\s(else(?:if\s*\(.*\))?)\s*(\{|[^\s{])", view.code)
    if found and view.dialect == 6:
        word = found[1][:6] if found[1].startswith("elseif") else "else"
        place = Span(found.start(1), found.start(1) + len(word))
        made = f"}} {found[1]}" if found[2] == "{" else f"}} {found[1]} {{"
        message = f"before `{word}` the }} of the block is missing"
        yield Fix("unclosed-block", message, place, (Edit(*found.span(1), made),))


def blocks(view: View) -> Iterator[Fix]:
    """`if` with its condition in no brackets, without braces, or with the words of other languages."""
    code = view.code
    if view.dialect == 4:
        if re.fullmatch(r"\s*(?:endif|end\s+if|fi|end|END|ENDIF|done|\})\s*", code):
            place = Span(len(code) - len(code.lstrip()), view.end())
            yield Fix("if-in-dicomedit4", "DicomEdit 4 has no blocks", place, (), "leave the line out")
        found = re.match(r"\s*((?i:if))\s*(.*?)\s*(?:\{|(?i:then)\b|:(?!=)|\?)\s*(.*?)\s*\}?\s*$", code)
        if found and found[2] and view.shape[:1] == "a":
            condition, action = (bare(view.text[slice(*found.span(part))]) for part in (2, 3))
            edits = (Edit(0, len(view.text), f"{condition} : {action}"),)
            message = "DicomEdit 4 has no `if`, a condition stands before the statement"
            yield Fix("if-in-dicomedit4", message, Span(*found.span(1)), edits)
        if re.match(r"\s*\}?\s*(?:if|else|elseif)\b", code):
            found = re.search(r"[a-z]+", code)
            assert found is not None
            message = f"DicomEdit 4 has no `{found[0]}`, a condition stands before each statement"
            hint = 'write (0008,0060) = "MR" : - (0010,0010) for each statement of the block'
            if found[0] == "else":
                hint = 'begin the script with version "6.6", which has if (...) { } else { }'
            yield Fix("if-in-dicomedit4", message, Span(*found.span()), (), hint)
        return
    head = re.match(r"\s*(?:\}\s*)?(if|elseif)\b\s*", code)
    bare_head = re.search(r"(?:^|\})\s*(if|elseif)\s*(?:\(\s*\))?\s*(?:\{|$)", code)
    if bare_head:
        word = bare_head[1]
        hint = f'write what to ask for: {word} ((0008,0060) = "MR") {{'
        if word == "elseif":
            hint += ", or else {"
        message = f"the condition of `{word}` is missing"
        yield Fix("missing-condition", message, Span(*bare_head.span(1)), (), hint)
    if head:
        yield from _heads(view, head.end(), Span(*head.span(1)))
    otherwise = re.search(r"(?:^|\})\s*(else)\b(?!\s*\{)\s*", code)
    if otherwise:
        yield from _braces(view, otherwise.end(), Span(*otherwise.span(1)), "else")
    found = re.match(r"\s*((?i:endif|end\s+if|fi|end|done))\s*$", code)
    if found:
        message = f"a block ends with }}, not with {found[1]}"
        yield Fix("block-end", message, Span(*found.span(1)), (Edit(*found.span(1), "}"),))


def _heads(view: View, start: int, word: Span) -> Iterator[Fix]:
    code = view.code
    # where the condition ends, whatever follows it
    ends = [at.start() for at in re.finditer(r"\s*(?:\bthen\b|\bTHEN\b|\{|\?(?!=)|:(?!=)|$)", code[start:])]
    if not code[start:].startswith("(") or view.shape.strip("}")[:2] in ("iT", "jT"):
        for end in ends:
            place = Span(start, max(start + end, start + 1))
            edits = (Edit(start, start, "("), Edit(start + end, start + end, ")"))
            message = "the condition of `if` stands in round brackets"
            yield Fix("if-brackets", message, place, edits)
    closing = None
    for number, letter in enumerate(view.shape):
        if letter == "(" and view.shape[:number].strip("}") in ("i", "j"):
            closing = partner(view.shape, number)
            break
    if closing is not None and closing > 0:
        yield from _braces(view, view.span(closing).end, word, str(view.text[word.start : word.end]))


def _braces(view: View, start: int, word: Span, name: str) -> Iterator[Fix]:
    """What belongs to `if` or `else` stands in braces; `start` is where they should begin."""
    code = view.code
    filler = re.match(r"\s*(then\b|THEN\b|do\b|begin\b|:|\?|=>|,|;)?\s*", code[start:])
    assert filler is not None
    place = start + filler.end()
    rest = code[place:].rstrip()
    shown = filler[1]
    message = f"what belongs to `{name}` stands in braces"
    culprit = word
    if shown:
        at = start + filler.start(1)
        culprit = Span(at, at + len(shown))
        message = f"what belongs to `{name}` stands in braces, without {shown}"
    wrapped = re.fullmatch(r"(\[).*\]|(\()\s*[-(].*\)", rest)
    if rest.startswith("{"):
        yield Fix("if-braces", message, culprit, (Edit(start, place, " "),))
    elif wrapped:
        kind = "square brackets" if wrapped[1] else "round ones"
        end = place + len(rest)
        around = (Edit(start, place + 1, " {"), Edit(end - 1, end, "}"))
        message = f"what belongs to `{name}` stands in braces, not in {kind}"
        yield Fix("if-braces", message, Span(place, end), around)
    elif rest:
        other = re.search(r"\s*(?::(?!=)|\belse\b)\s*", rest)
        end = place + len(rest)
        if other and other.start() > 0:
            middle = place + other.start()
            edits = (
                Edit(start, place, " { "),
                Edit(middle, place + other.end(), " } else { "),
                Edit(end, end, " }"),
            )
            yield Fix("if-braces", message, culprit, edits)
        yield Fix("if-braces", message, culprit, (Edit(start, place, " { "), Edit(end, end, " }")))
    else:
        hint = "write {line} here, and a } on a line of its own behind the last statement"
        yield Fix("if-braces", message, culprit, (Edit(start, len(view.text), " {"),), hint)


def ternary_blocks(view: View) -> Iterator[Fix]:
    """Several actions, or a block, behind a ?."""
    if view.dialect == 4:
        return
    for number, letter in enumerate(view.shape):
        if letter != "?":
            continue
        mark = view.span(number)
        condition = view.text[: mark.start].strip()
        rest = view.text[mark.end :].strip()
        if condition.lower().startswith("if"):
            alone = bare(condition[2:])
            if alone.count("(") > alone.count(")"):
                alone = alone.replace("(", "", 1).strip()
            edits = (Edit(0, len(view.text), f"{alone} ? {rest}"),)
            message = "a condition stands either after `if` or before a ?, not both"
            yield Fix("if-and-mark", message, view.span(0), edits)
        actions = re.split(r":(?!=)|\belse\b", view.code[mark.end :])
        if any(len(re.findall(r"(?:^|\s)-|[:?]=", action)) > 1 for action in actions):
            message = "behind a ? only one thing can be done"
            hint = f"write if ({bare(condition)}) {{ with the statements on lines of their own, then }}"
            yield Fix("block-after-mark", message, mark, (), hint)
        if rest.startswith("{"):
            edits = (Edit(0, len(view.text), f"if ({bare(condition)}) {rest}"),)
            message = "a block in braces follows `if`, not a ?"
            yield Fix("block-after-mark", message, mark, edits)
        if view.shape[number + 1 : number + 2] in ("r", "d", "x", "i", "v"):
            name = str(view.words[number + 1])
            edits = (Edit(0, len(view.text), f"if ({bare(condition)}) {{ {rest} }}"),)
            message = f"`{name}` cannot follow a ?, it needs a block"
            yield Fix("block-after-mark", message, view.span(number + 1), edits)
        return
