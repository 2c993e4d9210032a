"""Conditions: what separates them from what they decide about, how they are combined, `if` and its blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from anon.hints import meant_function
from anon.syntax.draft import Edit, Fix, View
from anon.syntax.fixes.shapes import term_end
from anon.syntax.span import Span

_AND: Final = re.compile(r"\s*(?:&&?|\band\b(?!\[)|\bAND\b|\bAnd\b)\s*")
_OR: Final = re.compile(r"\s*(?:\|\|?|\bor\b(?!\[)|\bOR\b|\bOr\b)\s*")
_BOTH: Final = re.compile(r"\s*(?:&&?|\|\|?|\b(?:and|or)\b(?!\[)|\bAND\b|\bOR\b|\bAnd\b|\bOr\b)\s*")


def combined(view: View) -> Iterator[Fix]:
    """Conditions that are joined: possible, but not with signs."""
    found = _BOTH.search(view.code)
    if found is None:
        return
    sign = Span(
        found.start() + len(found[0]) - len(found[0].lstrip()),
        found.end() - len(found[0]) + len(found[0].rstrip()),
    )
    shown = view.text[sign.start : sign.end]
    is_or = _OR.fullmatch(found[0]) is not None
    region = _condition_region(view)
    if region is None or not region.start < sign.start < region.end:
        return
    parts, kinds = _split(view, region)
    if len(set(kinds)) > 1 and view.dialect == 6 and all(_as_call(part) for part in parts):
        groups: list[list[str]] = [[_as_call(parts[0]) or ""]]
        for part, kind in zip(parts[1:], kinds, strict=True):
            if kind == "or":
                groups.append([])
            groups[-1].append(_as_call(part) or "")
        joined_groups = [f"and[{', '.join(group)}]" if len(group) > 1 else group[0] for group in groups]
        text = f"or[{', '.join(joined_groups)}]" + (
            "" if view.code[region.end : region.end + 1] == ")" else " "
        )
        message = f"conditions are joined with the functions and and or, not with {shown}"
        yield Fix("combined-conditions", message, sign, (Edit(region.start, region.end, text),))
    if len(set(kinds)) != 1:
        hint = "write the conditions in statements of their own"
        yield Fix("combined-conditions", f"conditions cannot be joined with {shown}", sign, (), hint)
        return
    same = _as_pattern(parts) if is_or else None
    inner = (
        view.code[region.start - 1 : region.start] == "(" and view.code[region.end : region.end + 1] == ")"
    )
    blank = "" if inner else " "
    if same is not None:
        edit = Edit(region.start, region.end, same + blank)
        message = f"conditions cannot be joined with {shown}, a pattern can name several values"
        yield Fix("combined-conditions", message, sign, (edit,))
    if view.dialect == 6:
        calls = [_as_call(part) for part in parts]
        if all(calls):
            joined = f"{'or' if is_or else 'and'}[{', '.join(filter(None, calls))}]{blank}"
            message = (
                f"conditions are joined with the function {joined[: joined.index('[')]}, not with {shown}"
            )
            yield Fix("combined-conditions", message, sign, (Edit(region.start, region.end, joined),))
    elif not is_or:
        joined = " : ".join(parts) + " "
        message = f"conditions that must all hold are joined with a colon, not with {shown}"
        yield Fix("combined-conditions", message, sign, (Edit(region.start, region.end, joined),))
    hint = (
        "write a line for each of the conditions"
        if view.dialect == 4
        else "put one `if` into the block of the other"
    )
    yield Fix("combined-conditions", f"conditions cannot be joined with {shown}", sign, (), hint)


def _condition_region(view: View) -> Span | None:
    """The text of the condition: what stands in the brackets of `if`, or before ? or :."""
    head = re.match(r"\s*\}?\s*(?:(?:else\s*)?if|elseif|elif)\s*", view.code, re.IGNORECASE)
    if head and view.code[head.end() : head.end() + 1] == "(":
        brace = view.code.rfind("{")
        end = view.code.rfind(")", 0, brace if brace > 0 else len(view.code))
        if end > head.end():
            return Span(head.end() + 1, end)
    stop = re.search(r"\s\?(?!=)|\?(?=\s*[-(])|:(?!=)", view.code)
    if stop is None:
        return None
    start = len(view.code) - len(view.code.lstrip())
    return Span(start, stop.start() + (stop[0][0] == " "))


def _split(view: View, region: Span) -> tuple[list[str], list[str]]:
    parts, kinds, position = [], [], region.start
    for found in _BOTH.finditer(view.code, region.start, region.end):
        parts.append(view.text[position : found.start()])
        kinds.append("or" if _OR.fullmatch(found[0]) else "and")
        position = found.end()
    parts.append(view.text[position : region.end])
    return [bare(part) for part in parts], kinds


def bare(text: str) -> str:
    """A condition without the round brackets around it."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")") and re.match(r"\(\s*(?:\(|[A-Za-z_\"])", text):
        text = text[1:-1].strip()
    return text


_COMPARISON: Final = re.compile(
    r'(?P<left>.+?)\s*(?P<sign>==?|!=|~|!~)\s*(?P<right>".*"|[A-Za-z_]\w*|\(.*\))\s*'
)


def _as_call(part: str) -> str | None:
    found = _COMPARISON.fullmatch(part)
    if found is None:
        return part if part.endswith("]") else None
    if found["sign"].startswith("!"):
        return None
    return f"{'ismatch' if found['sign'] == '~' else 'equals'}[{found['left']}, {found['right']}]"


def _as_pattern(parts: list[str]) -> str | None:
    found = [_COMPARISON.fullmatch(part) for part in parts]
    matches = [each for each in found if each is not None]
    if len(matches) < len(parts) or len({each["left"] for each in matches}) != 1:
        return None
    values = [each["right"][1:-1] for each in matches]
    is_plain = all(re.fullmatch("[A-Za-z0-9 _-]+", value) for value in values)
    if not is_plain or any(each["sign"] not in ("=", "==") or each["right"][0] != '"' for each in matches):
        return None
    return f'{matches[0]["left"]} ~ "{"|".join(values)}"'


def negated(view: View) -> Iterator[Fix]:
    """`not` and ! before a condition."""
    for found in re.finditer(r"!(?![=~])\s*(?=[A-Za-z(])|\b(?:not|NOT|Not)\b\s*", view.code):
        span = Span(found.start(), found.start() + len(found[0].strip()))
        if not re.search(r"[=~\[(]", view.code[found.end() :]):
            return
        hint = "compare with != or !~" if view.dialect == 6 else "DicomEdit 4 has no way to say it"
        if view.dialect == 6 and re.match(r"\s*\(?\s*[A-Za-z_]\w*\s*\[", view.code[found.end() :]):
            hint = "put what is to be done into the else part: if (...) { } else { ... }"
        if view.dialect == 4:
            hint = 'begin the script with version "6.6", which has != and !~ (and : becomes ?)'
        yield Fix("negation", f"a condition cannot be turned round with {found[0].strip()}", span, (), hint)


def conditional_values(view: View) -> Iterator[Fix]:
    """Values that depend on a condition, and comparisons as values."""
    target = r"\s*(?P<target>[^:=?]+?)\s*:="
    for pattern in (
        target + r"\s*(?P<test>[^?]+?[=~][^?]+?)\s*(?P<sign>\?)\s*(?P<yes>[^:]+?)\s*:\s*(?P<no>.+?)\s*$",
        target
        + r"\s*(?P<sign>if)\s*\((?P<test>.*)\)\s*(?:then\s*)?(?P<yes>\S+)\s*(?:else|:)\s*(?P<no>\S+)\s*$",
        target + r"\s*(?P<sign>if)\s+(?P<test>.+?)\s+then\s+(?P<yes>\S+)\s+else\s+(?P<no>\S+)\s*$",
        target + r"\s*(?P<test>[^?]+?[=~][^?]+?)\s*(?P<sign>\?)\s*(?P<yes>[^:?]+?)(?P<no>)\s*$",
        target + r"\s*(?P<yes>.+?)\s+(?P<sign>if)\s+(?P<test>.*?)\s+else\s+(?P<no>.+?)\s*$",
    ):
        found = re.match(pattern, view.code)
        if found is None:
            continue
        part = {name: bare(view.text[slice(*found.span(name))]) for name in ("target", "test", "yes", "no")}
        sign = Span(*found.span("sign"))
        message = "a value cannot depend on a condition, a statement can"
        if view.dialect == 4:
            hint = f"write {part['test']} : {part['target']} := {part['yes']}, and a line for the other value"
            yield Fix("conditional-value", message, sign, (), hint)
            return
        line = f"{part['test']} ? {part['target']} := {part['yes']}"
        if part["no"]:
            line += f" : {part['target']} := {part['no']}"
        yield Fix("conditional-value", message, sign, (Edit(0, len(view.text), line),))
    found = re.match(target + r"\s*(?P<value>[^:?]+?\s*(?P<sign>==?|~)\s*[^:?]+?)\s*$", view.code)
    if found is not None and view.dialect == 4:
        part = {name: view.text[slice(*found.span(name))].strip() for name in ("target", "value")}
        hint = f'put it before the statement: {part["value"]} : {part["target"]} := "text"'
        yield Fix("conditional-value", "a comparison is no value", Span(*found.span("sign")), (), hint)
    elif found is not None:
        call = _as_call(view.text[slice(*found.span("value"))])
        if call:
            message = "a comparison is no value, a function gives one"
            place = Span(*found.span("sign"))
            yield Fix("conditional-value", message, place, (Edit(*found.span("value"), call),))


_NO_METHODS: Final = ("value", "text", "string", "toString", "getValue", "get", "name")


def methods(view: View) -> Iterator[Fix]:
    """What other languages write behind a point: `.value`, `.equals("MR")`."""
    for found in re.finditer(
        r"(?<=[)\]A-Za-z_])\.(?P<name>[A-Za-z_]\w*)(?:\s*\(\s*(?P<value>[^()]*?)\s*\))?", view.code
    ):
        name, value = found["name"], view.text[slice(*found.span("value"))] if found["value"] else ""
        inner = value[1:-1] if value.startswith('"') else value
        place = Span(*found.span())
        message = f"nothing is written behind a point here, so there is no .{name}"
        made = {
            "equals": f" = {value}",
            "equalsIgnoreCase": f' ~ "(?i){inner}"',
            "matches": f" ~ {value}",
            "contains": f' ~ ".*{inner}.*"',
            "startsWith": f' ~ "{inner}.*"',
            "endsWith": f' ~ ".*{inner}"',
            "startswith": f' ~ "{inner}.*"',
            "endswith": f' ~ ".*{inner}"',
        }.get(name)
        if value and made:
            yield Fix("method", message, place, (Edit(*place, made),))
        elif name in _NO_METHODS and (name != "name" or view.code[found.start() - 1] in ")]"):
            yield Fix("method", message, place, (Edit(*place, ""),))
        elif found["value"] is not None:
            hint = f"a function stands before its value: {name}[...]; `prearc anon functions` lists them all"
            yield Fix("method", message, place, (), hint)


def members(view: View) -> Iterator[Fix]:
    """`in` and a list."""
    for found in re.finditer(r"\b(in|IN|one of)\s*([\[({]\s*\"[^\[\](){}]*\"\s*[\])}])", view.text):
        values = re.findall(r'"([^"\n]*)"', found[2])
        message = "whether a value is one of several is asked with ~ and a pattern"
        joined = "|".join(values)
        yield Fix("compare-sign", message, Span(*found.span(1)), (Edit(*found.span(), f'~ "{joined}"'),))


_TAG: Final = r"\([0-9A-Fa-f@#Xx]{4}\s*,[^()]*\)"


_NO_PRESENCE: Final = "DicomEdit 4 cannot ask whether an element is there"
_PRESENCE_OF_6: Final = 'begin the script with version "6.6", which has isPresent'


def presence(view: View) -> Iterator[Fix]:
    """`(0010,0010) exists`, `(0010,0010) is empty`."""
    for found in re.finditer(
        rf"({_TAG})\s*(?:is\s+)?\b(exists?|present|defined|set|isPresent)\b(?!\s*\[)", view.code
    ):
        tag = view.text[slice(*found.span(1))]
        place = Span(*found.span(2))
        if view.dialect == 6:
            message = "whether an element is there is asked with the function isPresent"
            yield Fix("foreign-word", message, place, (Edit(*found.span(), f"isPresent[{tag}]"),))
        else:
            yield Fix("dicomedit6-only", _NO_PRESENCE, place, (), _PRESENCE_OF_6)
    asked = (
        re.match(rf"\s*([A-Za-z]+)\s*[\[(]\s*{_TAG}\s*[\])]\s*:(?!=)", view.code)
        if view.dialect == 4
        else None
    )
    if asked and meant_function(asked[1], 6) == "isPresent":
        yield Fix("dicomedit6-only", _NO_PRESENCE, Span(*asked.span(1)), (), _PRESENCE_OF_6)
    for found in re.finditer(rf"({_TAG})\s*(?:is\s+|==?\s*)(empty|null|blank|missing|nothing)\b", view.code):
        tag = view.text[slice(*found.span(1))]
        message = 'an empty value is written ""'
        yield Fix("foreign-word", message, Span(*found.span(2)), (Edit(*found.span(), f'{tag} = ""'),))


def lone_conditions(view: View) -> Iterator[Fix]:
    """`if (true)`, `if ((0010,0010))`."""
    if view.dialect == 4:
        return
    found = re.match(
        rf"\s*\}}?\s*(if|elseif)\s*\(\s*({_TAG}|[A-Za-z_]\w*|\"[^\"]*\")\s*\)\s*(?=\{{|$)", view.code
    )
    if found is None:
        return
    value = view.text[slice(*found.span(2))]
    place = Span(*found.span(2))
    message = f"the condition of `{found[1]}` compares nothing"
    if value.lower() in ("true", "false"):
        hint = "leave the `if` and its braces out" if value.lower() == "true" else "leave the block out"
        edits = (Edit(*place, f"{value.lower()}[]"),)
        yield Fix("missing-condition", message, place, edits, f"{hint}, or write {{line}}")
    elif value[0] == "(":
        hint = f'write {{line}}, or compare: {value} = "text"'
        yield Fix("missing-condition", message, place, (Edit(*place, f"isPresent[{value}]"),), hint)
    elif value[0] != '"':
        yield Fix("missing-condition", message, place, (Edit(*place, f'{value} != ""'),))


def alternatives(view: View) -> Iterator[Fix]:
    """`= "MR" | "CT"`, `= ["MR", "CT"]`."""
    for found in re.finditer(
        r"(?<![:?=!])(==?)\s*(\"[^\"]*\"(?:\s*(?:\|\|?|,|/|or|OR)\s*\"[^\"]*\")+|[\[({]\s*\"[^\[\](){}]*\"\s*[\])}])",
        view.text,
    ):
        values = re.findall(r'"([^"\n]*)"', found[2])
        if all(re.fullmatch("[A-Za-z0-9 _-]+", value) for value in values):
            message = "whether a value is one of several is asked with ~ and a pattern"
            pattern = "|".join(values)
            place = Span(*found.span(2))
            yield Fix("compare-sign", message, place, (Edit(*found.span(), f'~ "{pattern}"'),))


_LIKE: Final = re.compile(r'\b(like|LIKE)\s*"(%?)([\w -]+)(%?)"')
_CONTAINED: Final = re.compile(
    rf"(?P<what>{_TAG}|\b[A-Za-z_]\w*)\s+(?P<word>(?i:contains|starts\s?with|ends\s?with))"
    r"\s*\"(?P<text>\w[\w -]*)\""
    rf"|\"(?P<text2>\w[\w -]*)\"\s+(?P<word2>in|IN)\s+(?P<what2>{_TAG}|\b[A-Za-z_]\w*)"
)
_PARTS: Final = {"contains": (".*", ".*"), "startswith": ("", ".*"), "endswith": (".*", "")}


def parts_of_values(view: View) -> Iterator[Fix]:
    """`(0008,0008) contains "SECONDARY"`, `"SECONDARY" in (0008,0008)`, `like "MR%"`."""
    for found in _LIKE.finditer(view.text):
        made = f'~ "{found[2] and ".*"}{found[3]}{found[4] and ".*"}"'
        message = f"a pattern is compared with a single ~, not with {found[1]}, and any text in it is .*"
        if found[2] or found[4]:
            yield Fix("compare-sign", message, Span(*found.span(1)), (Edit(*found.span(), made),))
    for found in _CONTAINED.finditer(view.text):
        name = "word" if found["word"] else "word2"
        before, behind = _PARTS[re.sub(r"\s", "", (found["word"] or "contains").lower())]
        made = f'{found["what"] or found["what2"]} ~ "{before}{found["text"] or found["text2"]}{behind}"'
        message = f"what a value contains is asked with ~ and a pattern, not with {found[name]}"
        yield Fix("compare-sign", message, Span(*found.span(name)), (Edit(*found.span(), made),))


def turned_round(view: View) -> Iterator[Fix]:
    """`- (0010,0010) if (0008,0060) = "MR"`."""
    found = re.match(
        r"\s*(?P<action>(?:-\s*|[^:?=]+[:?]=).+?)\s+(?P<word>if|when|where|IF|WHEN)\s+(?P<test>.*[=~\[].*?)\s*$",
        view.code,
    )
    if (
        found
        and "else" not in view.code
        and "then" not in view.code
        and not re.search("[?:](?!=)", view.code)
    ):
        action, test = view.text[slice(*found.span("action"))], bare(view.text[slice(*found.span("test"))])
        sign = ":" if view.dialect == 4 else "?"
        message = "a condition stands before what it decides about"
        edits = (Edit(found.start("action"), found.end("test"), f"{test} {sign} {action}"),)
        yield Fix("condition-sign", message, Span(*found.span("word")), edits)
    found = re.fullmatch(
        rf"\s*(?P<action>-\s*{_TAG}|{_TAG}\s*[:?]=[^:?=~]+?)\s*(?P<word>[:?])(?!=)\s*(?P<test>[^:?=~-][^:?=~]*(?:!?[=~]){{1,2}}[^=~:?]+)",
        view.code,
    )
    if found:
        sign = ":" if view.dialect == 4 else "?"
        action, test = view.text[slice(*found.span("action"))], view.text[slice(*found.span("test"))].strip()
        message = "a condition stands before what it decides about"
        edits = (Edit(found.start("action"), found.end("test"), f"{test} {sign} {action}"),)
        yield Fix("condition-sign", message, Span(*found.span("word")), edits)


def second_choices(view: View) -> Iterator[Fix]:
    """`lookup[...] or "unknown"`: a value for when there is none."""
    found = re.search(
        r":=.*[\])\w\"]\s*(?P<sign>\bor\b(?!\[)|\?\?|\|\||\botherwise\b|\bdefault\b)\s*(?:\"_*\"|\w+)\s*$",
        view.code,
    )
    if found:
        message = "a statement has one value, and no second one for when the first is missing"
        hint = "test first whether the element is there: isPresent[(gggg,eeee)] ? ... : ..."
        if view.dialect == 4:
            hint = "write a line of its own for the other value"
        yield Fix("conditional-value", message, Span(*found.span("sign")), (), hint)


def first_words(view: View) -> Iterator[Fix]:
    """`when ... then`: a word before a condition."""
    found = re.match(r"\s*(when|where|whenever|wenn|falls|case\s+when)\s+(?=[(A-Za-z].*[=~\[])", view.code)
    if found:
        message = f"a condition stands at the beginning of its line, without the word {found[1]}"
        yield Fix("foreign-word", message, Span(*found.span(1)), (Edit(found.start(1), found.end(), ""),))


def chains(view: View) -> Iterator[Fix]:
    """Another condition behind a ? or behind its :, and a second :."""
    if view.dialect == 4:
        return
    several = re.match(r"[^?:{]*~[^?:{]*(\?)[^?:={]*~[^?:={]*(\?)", view.shape)
    if several is not None:
        first, second = view.span(several.start(1)), view.span(several.start(2))
        calls = [
            _as_call(bare(part)) for part in (view.text[: first.start], view.text[first.end : second.start])
        ]
        message = "a second condition cannot follow the ?"
        if all(calls):
            message = f"{message}, conditions are joined with the function and"
            edits = (Edit(0, second.start, f"and[{', '.join(filter(None, calls))}] "),)
            yield Fix("combined-conditions", message, first, edits)
        yield Fix("combined-conditions", message, first, (), "put one `if` into the block of the other")
    hint = "write if (...) { } elseif (...) { } else { }, with the statements on lines of their own"
    found = re.match(r"[^?{]*~[^?{]*\?[^?{]*:[^?{]*~[^?{]*(\?)", view.shape)
    if found is not None:
        message = "behind the : of a ? no other condition can follow"
        yield Fix("block-after-mark", message, view.span(found.start(1)), (), hint)
    found = re.match(r"[^?{]*[~a][^?{]*\?[^?:{]+:[^?:{]+(:)", view.shape)
    if found is not None:
        message = "behind a ? there is one other thing to do, behind a single :"
        yield Fix("block-after-mark", message, view.span(found.start(1)), (), hint)


def compared_arguments(view: View) -> Iterator[Fix]:
    """`and[(0008,0060) = "MR", ...]`: comparisons among the values of a function."""
    if view.dialect == 4:
        return
    edits: list[Edit] = []
    signs: list[Span] = []
    for found in re.finditer(r"(?<=[\[,])[^~,\[\]{}]+(~)[^~,\[\]{}]+(?=[,\]])", view.shape):
        place = view.span(found.start(), found.end() - 1)
        call = _as_call(view.text[place.start : place.end])
        if call is not None:
            signs.append(view.span(found.start(1)))
            edits.append(Edit(*place, call))
    if edits:
        message = "a comparison is no value, a function gives one"
        yield Fix("conditional-value", message, signs[0], tuple(edits))


def separators(view: View) -> Iterator[Fix]:
    """What stands between a condition and its action."""
    sign = ":" if view.dialect == 4 else "?"
    other = 6 if view.dialect == 4 else 4
    for number, letter in enumerate(view.shape):
        if letter == ("?" if view.dialect == 4 else ":"):
            message = (
                f"DicomEdit {view.dialect} separates condition and action with {sign},"
                f" the {view.words[number]} is DicomEdit {other}"
            )
            yield Fix("condition-sign", message, view.span(number), (view.substitute(number, sign),))
    for found in re.finditer(
        r"(?<=[\]\")\w])\s*(\bthen\b|\bTHEN\b|\bdo\b|=>|->|>>|\?\?|\?\s*:|::|:\s*:|:=(?=\s*-)|\?\s*=(?=\s*-))\s*",
        view.code,
    ):
        place = Span(*found.span(1))
        message = f"condition and action are separated by {sign}, not by {found[1]}"
        yield Fix("condition-sign", message, place, (Edit(*found.span(), f" {sign} "),))
    for number in range(1, len(view.shape)):
        if view.shape[number] in ",;" or str(view.words[number]) == ";":
            message = f"condition and action are separated by {sign}, not by {view.words[number]}"
            gap = "" if view.text[view.span(number).start - 1].isspace() else " "
            yield Fix("condition-sign", message, view.span(number), (view.substitute(number, gap + sign),))
    if view.dialect == 6:
        for found in re.finditer(r"\b(?:else|ELSE|Else|otherwise)\b|\|", view.code):
            message = f"after ? the other action follows a :, not {found[0]}"
            yield Fix("condition-sign", message, Span(*found.span()), (Edit(*found.span(), ":"),))
    for number in range(1, len(view.shape)):
        if view.shape[number] in "-Tar*" and view.shape[number - 1] in "STNa])":
            at = view.span(number - 1).end
            span = view.span(number)
            message = f"between the condition and what to do a {sign} is missing"
            yield Fix(
                "condition-sign", message, Span(span.start, span.start + 1), (Edit(at, at, f" {sign}"),)
            )


def conditional_variables(view: View) -> Iterator[Fix]:
    """Variables that get a value under a condition, which DicomEdit 4 does not have."""
    found = re.fullmatch(r"(?:[^=:]*:)+(a)(=).*", view.shape) if view.dialect == 4 else None
    if found is not None and "~" in view.shape[: found.start(1)]:
        message = "a variable cannot get its value under a condition in DicomEdit 4"
        hint = 'give it the value without the condition, or begin the script with version "6.6"'
        yield Fix("dicomedit6-only", message, view.span(found.start(1)), (), hint)


def half_conditions(view: View) -> Iterator[Fix]:
    """A condition of a single value, or with no sign in it; a second action in DicomEdit 4."""
    shape = view.shape
    sign = ":" if view.dialect == 4 else "?"
    first = term_end(shape, 0)
    second = term_end(shape, first) if first else first
    if (
        first
        and shape[first : first + 1] == sign
        and (shape[0] in "TSN" or (shape[0] == "a" and sign == ":"))
        and re.match(r"-|c|[T*+.].*[=q]", shape[first + 1 :])
    ):
        value = view.text[: view.span(first - 1).end].strip()
        rest = view.text[view.span(first).start :].strip()
        message = f"the condition compares {value if len(value) < 40 else 'the value'} with nothing"
        hint = f'write {value} = "text" {rest}' if shape[0] in "Ta" else f"write (gggg,eeee) = {value} {rest}"
        yield Fix("missing-value", message, view.span(0, first - 1), (), hint)
    for found in re.finditer(
        r"[?:](?=[SNT]+(?:$|:))" if view.dialect == 6 else r"(?<=[STNa\]]):(?=[SNT]$)", shape
    ):
        at = found.end()
        end = term_end(shape, at)
        if (
            ("?" if view.dialect == 6 else "~") in shape[:at]
            and end > at
            and shape[end : end + 1] in ("", ":")
        ):
            place = view.span(at, end - 1)
            shown = view.text[place.start : place.end]
            message = f"behind the {shape[at - 1]} stands what to do, not a value"
            hint = f"write the element before it: (gggg,eeee) := {shown}"
            if shape[at] == "T":
                hint = f'write - {shown} to remove the element, or {shown} := "text"'
            yield Fix("missing-action", message, place, (), hint)
    if second > first and shape[second : second + 1] == sign and shape[0] == "T":
        at = view.span(first - 1).end
        place = view.span(first)
        message = "between the two values of the condition the = is missing"
        yield Fix("compare-sign", message, Span(place.start, place.start + 1), (Edit(at, at, " ="),))
    second_action = re.match(r"[^:]*~[^:]*:(?:-T|T=[^:]*)(:|a(?=-?T))", shape) if view.dialect == 4 else None
    if second_action and str(view.words[second_action.start(1)]).lower() in (
        ":",
        "else",
        "otherwise",
        "sonst",
    ):
        message = "a condition of DicomEdit 4 has one statement, and none for when it does not hold"
        hint = "write a line of its own for the other case, with a condition of its own"
        yield Fix("condition-sign", message, view.span(second_action.start(1)), (), hint)


def bare_conditions(view: View) -> Iterator[Fix]:
    """A condition, and nothing that it decides about."""
    if view.stop == len(view.shape) and "~" in view.shape and not any(c in view.shape for c in "?:ij="):
        number = view.shape.index("~")
        sign = ":" if view.dialect == 4 else "?"
        hint = f"write {view.draft.shown()} {sign} - (gggg,eeee), or := to assign the value"
        yield Fix("missing-action", "the condition decides about nothing", view.span(number), (), hint)
