"""Functions as people call them: all in round brackets, with none, by other names; computing with signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydicom.datadict import dictionary_VR

from anon.functions.registry import Builtin, functions_of
from anon.hints import meant_function
from anon.syntax.draft import Edit, Fix, View
from anon.syntax.fixes.shapes import partner
from anon.syntax.span import Span

_SAYING: Final = "print|println|printf|puts|log|logger|display|show|message|say|write"
_REFUSING: Final = "throw|exit|abort|stop|quit|raise|die|quarantine|refuse|discard|skip"
_BEGIN: Final = r"(?:^\s*|[?:{]\s*)"
_TAG: Final = r"\([0-9A-Fa-f]{4}\s*,\s*[0-9A-Fa-f]{4}\)"
_NAME: Final = r"[A-Za-z_]\w*"


def round_calls(view: View) -> Iterator[Fix]:
    """Several functions of a line with round brackets."""
    edits: list[Edit] = []
    first: Span | None = None
    known = functions_of(view.dialect)
    for number in range(1, len(view.shape)):
        if view.shape[number - 1] != "a" or view.shape[number] not in "(T":
            continue
        place = view.span(number)
        last = partner(view.shape, number) if view.shape[number] == "(" else number
        if last < 0 or (view.shape[number] == "T" and str(view.words[number - 1]) not in known):
            continue
        first = first or Span(place.start, view.span(last).end)
        if view.shape[number] == "(":
            edits += [view.substitute(number, "["), view.substitute(last, "]")]
        else:
            edits += [Edit(place.start, place.start, "["), Edit(place.end, place.end, "]")]
    if first is not None and len(edits) > 2:
        message = "functions take their values in square brackets, not in round brackets"
        yield Fix("call-brackets", message, first, tuple(sorted(edits)))


def saying(view: View) -> Iterator[Fix]:
    """`print` for `echo`, and `echo` with brackets."""
    found = re.search(
        rf"{_BEGIN}(?P<word>{_SAYING}|echo)\b\s*(?P<rest>[^\s=:?].*?)\s*(?=\}}\s*$|$)", view.code
    )
    if found is None or re.search(r"[:?]=", found["rest"]):
        return
    word = Span(*found.span("word"))
    rest = Span(*found.span("rest"))
    inner = view.text[rest.start : rest.end]
    pairs = {"(": ")", "[": "]"}
    has_brackets = inner[-1] == pairs.get(inner[0]) and not re.match(_TAG, inner)
    if has_brackets:
        inner = inner[1:-1].strip()
    if found["word"] != "echo":
        message = f"a text is shown with `echo`, not with {found['word']}"
        yield Fix("foreign-word", message, word, (Edit(word.start, rest.end, f"echo {inner}"),))
    elif re.match(r'"_*"\s*,?\s*[\w"(]', view.code[rest.start :]) and not has_brackets:
        values = [part.strip() for part in re.split(r"\s*,\s*(?![0-9A-Fa-f]{4}\))", inner)]
        if len(values) > 1:
            message = "`echo` shows one value"
            text = f"echo concatenate[{', '.join(values)}]"
            yield Fix("joined-texts", message, rest, (Edit(word.start, rest.end, text),))
    elif has_brackets:
        message = "what `echo` shows stands in no brackets"
        yield Fix("needless-bracket", message, rest, (Edit(word.start, rest.end, f"echo {inner}"),))


def refusing(view: View) -> Iterator[Fix]:
    """`reject` without brackets, and other words for it; other functions without any."""
    found = re.search(
        rf"{_BEGIN}(?P<word>reject|{_REFUSING})\b\s*(?P<rest>\"[^\"]*\"|\(.*\)|\[.*\]|)\s*(?=\}}\s*$|$)",
        view.code,
    )
    if (
        found
        and view.shape != "a"
        and (found["word"] != "reject" or found["rest"][:1] != "[" or view.dialect == 4)
    ):
        word = Span(*found.span("word"))
        if view.dialect == 4:
            message = "DicomEdit 4 cannot refuse an object"
            hint = 'begin the script with version "6.6" and write reject[]'
            yield Fix("dicomedit6-only", message, word, (), hint)
            return
        edits = (Edit(word.start, found.end("rest") if found["rest"] else word.end, "reject[]"),)
        if found["word"] == "reject":
            # A reason in its brackets would keep it from rejecting.
            message = "the function reject has square brackets behind it, and no reason in them"
            yield Fix("call-brackets", message, word, edits)
        else:
            message = f"an object is refused with the function reject, not with the word {found['word']}"
            yield Fix("foreign-word", message, word, edits)
    found = re.search(rf"[?:{{]\s*({_NAME})\s*(?=\}}|$)", view.code)
    if found and view.dialect == 6 and found[1] in functions_of(6) and view.stop >= len(view.words) - 1:
        values = needed(functions_of(6)[found[1]])
        message = f"the function {found[1]} has no square brackets behind it"
        edits = (Edit(*found.span(1), f"{found[1]}[{values}]"),)
        yield Fix("call-brackets", message, Span(*found.span(1)), edits)


def needed(function: Builtin) -> str:
    """The names of the values that a function cannot do without."""
    return ", ".join(each.name for each in function.arguments if not each.is_optional)


def bare_calls(view: View) -> Iterator[Fix]:
    """`uppercase subject`."""
    for found in re.finditer(rf"(?<=[=,\[])\s*({_NAME})\s+({_NAME})\s*(?=[,\]]|$)", view.code):
        if found[1] in functions_of(view.dialect):
            message = f"the function {found[1]} takes its value in square brackets"
            edits = (Edit(found.end(1), found.end(2), f"[{found[2]}]"),)
            yield Fix("call-brackets", message, Span(*found.span(2)), edits)


def called_behind(view: View) -> Iterator[Fix]:
    """`subject.toUpperCase()`."""
    for found in re.finditer(
        rf"(?P<what>{_NAME}|{_TAG})\.(?P<name>{_NAME})[(\[]\s*(?P<rest>[^()\[\]]*?)\s*[)\]](?=\s*(?:$|[\],]))",
        view.code,
    ):
        name = meant_function(found["name"], view.dialect)
        if name is not None:
            values = [view.text[slice(*found.span("what"))], view.text[slice(*found.span("rest"))]]
            call = f"{name}[{', '.join(filter(None, values))}]"
            place = Span(found.start("name") - 1, found.end())
            message = f"a function stands before what it works on, so there is no .{found['name']}"
            yield Fix("method", message, place, (Edit(*found.span(), call),))


def formatted(view: View) -> Iterator[Fix]:
    """`f"{project}_{subject}"`, as Python has it; formats of DicomEdit 4 with a sign or without quotes."""
    found = re.search(r"[:?]=\s*(\"[^\"\n]*\{0\}[^\"\n]*\")\s*([+&%.]|,)\s*([^,\s].*?)\s*$", view.text)
    if found:
        made = f" {found[3]}" if view.dialect == 4 else ""
        edits = (Edit(found.end(1), found.end(3), made),)
        if view.dialect == 6:
            edits = (Edit(found.start(1), found.end(3), f"format[{found[1]}, {found[3]}]"),)
        message = f"no {found[2]} stands between a text and the values that are put into it"
        yield Fix("joined-texts", message, Span(*found.span(2)), edits)
    found = re.search(r"\w\[\s*\"[^\"\n]*\{0\}[^\"\n]*\"\s*(\])\s*,[^\]]*?(\s*)$", view.text)
    if found:
        closing = Edit(found.start(2), found.start(2), "]")
        message = "this ] stands too early, more values follow"
        yield Fix("unbalanced-bracket", message, Span(*found.span(1)), (Edit(*found.span(1), ""), closing))
    found = re.search(r"\w\[\s*([^\s\",\[\]]*\{0\}[^\s\",\[\]]*)\s*,", view.text)
    if found:
        edits = (Edit(*found.span(1), f'"{found[1]}"'),)
        yield Fix("unquoted-text", "a text stands in quotes", Span(*found.span(1)), edits)
    found = re.search(r"[:?]=\s*((?:[\w-]*\{[A-Za-z_]\w*\}[\w-]*){2,})\s*$", view.text)
    if found:
        names = re.findall(r"\{(\w+)\}", found[1])
        counter = iter(range(len(names)))
        pattern = re.sub(r"\{\w+\}", lambda _: f"{{{next(counter)}}}", found[1])
        values = ", ".join(names)
        made = f'format["{pattern}", {values}]' if view.dialect == 6 else f'"{pattern}" {values}'
        message = "a text stands in quotes, and its values follow it, counted from {0}"
        yield Fix("unquoted-text", message, Span(*found.span(1)), (Edit(*found.span(1), made),))
    found = re.search(r":=\s*([^\s\"\[(]*\{0\}[^\s\"\[(]*)\s+([A-Za-z(].*?)\s*$", view.text)
    if found:
        quoted = f'"{found[1]}"'
        made = f"{quoted} {found[2]}" if view.dialect == 4 else f"format[{quoted}, {found[2]}]"
        edits = (Edit(found.start(1), found.end(2), made),)
        yield Fix("unquoted-text", "a text stands in quotes", Span(*found.span(1)), edits)
    for found in re.finditer(r"(?:(?<=[=,\[])|(?<=\s))([fF]\"[^\"\n]*\")", view.text):
        text = found[1][1:]
        names = re.findall(r"\{\s*([A-Za-z_]\w*)\s*\}", text)
        if not names or text.count("{") != len(names):
            continue
        for number, name in enumerate(names):
            text = re.sub(rf"\{{\s*{name}\s*\}}", f"{{{number}}}", text, count=1)
        values = ", ".join(names)
        made = f"format[{text}, {values}]" if view.dialect == 6 else f"{text} {values}"
        message = "no f stands before a text, its values follow it and are counted from {0}"
        place = Span(*found.span(1))
        yield Fix("foreign-word", message, place, (Edit(*place, made),))


def numbers(view: View) -> Iterator[Fix]:
    """`--5`, `- 5`, and `17 days`."""
    for found in re.finditer(r"[,\[]\s*(-[ \t]+)(?=[0-9])", view.code):
        place = Span(found.start(1), found.end() + len(_digits(view.code[found.end() :])))
        message = "a minus stands directly before its number"
        yield Fix("bad-number", message, place, (Edit(*found.span(1), "-"),))
    for found in re.finditer(r"(?:(?<=[=,\[])|(?<=\s))(--+)\s*(?=[0-9])", view.code):
        place = Span(found.start(1), found.end() + len(_digits(view.code[found.end() :])))
        message = "one minus sign is enough before a number"
        yield Fix("double-minus", message, place, (Edit(*found.span(1), "-"),))
    for found in re.finditer(r"(?:(?<=[,\[\s])-?\d+)(\s*(days?|d|Tage?)\s*)(?=[\],]|$)", view.code):
        message = f"the number of days stands alone, without the word {found[2]}"
        yield Fix("bad-number", message, Span(*found.span(2)), (Edit(*found.span(1), ""),))


def _digits(text: str) -> str:
    found = re.match("[0-9.]*", text)
    return found[0] if found else ""


def arithmetic(view: View) -> Iterator[Fix]:
    """`(0008,0020) - 17`, `(0008,0020) -= 17`."""
    found = re.fullmatch(rf"\s*({_TAG})\s*([-+])=\s*(\"?)(-?[0-9]+|[^\s\"]*)\"?\s*", view.code)
    if found is not None and view.dialect == 6:
        tag, sign, number = found[1], found[2].strip("+"), found[4]
        made = f'{tag} := shiftDateByIncrement[{tag}, "{sign}{number}"]'
        message = f"nothing is computed with {found[2]}=, a function shifts dates by days"
        if not number.isdigit() or _vr(tag) not in ("DA", "DT"):
            made = f"{tag} := concatenate[{tag}, {view.text[found.end(2) + 1 :].strip()}]"
            message = f"texts are not joined with {found[2]}=, a function does it"
        if number.isdigit() or found[2] == "+":
            place = Span(found.start(2), found.end(2) + 1)
            yield Fix("arithmetic", message, place, (Edit(found.start(1), view.end(), made),))
    found = re.search(rf"[:?]=\s*({_TAG}|{_NAME})\s*([-+*/])\s*([0-9]+)(?:\s*days?)?\s*$", view.code)
    if found is None:
        return
    value = found[1]
    place = Span(*found.span(2))
    message = f"nothing is computed with {found[2]}"
    is_date = value[0] == "(" and _vr(value) in ("DA", "DT")
    if is_date and found[2] in "-+" and view.dialect == 6:
        sign = "-" if found[2] == "-" else ""
        call = f'shiftDateByIncrement[{value}, "{sign}{found[3]}"]'
        message += ", a function shifts dates by days"
        yield Fix("arithmetic", message, place, (Edit(found.start(1), found.end(), call),))
    elif is_date:
        hint = 'begin the script with version "6.6", which has the function shiftDateByIncrement'
        yield Fix("arithmetic", message, place, (), hint)
    elif found[2] != "+":
        yield Fix("arithmetic", message, place, (), "write the value itself, or leave the line out")


def _vr(tag: str) -> str:
    try:
        return dictionary_VR(int(re.sub("[^0-9A-Fa-f]", "", tag), 16))
    except KeyError:
        return ""


def side_by_side(view: View) -> Iterator[Fix]:
    """`project "_" subject`: values of the server with texts between them."""
    found = re.search(r"(?<=[=q])[aS]{2,}$", view.shape)
    if (
        found is None
        or "S" not in found[0]
        or not ({"project", "subject", "session"} & set(map(str, view.words)))
    ):
        return
    if any(str(view.words[at]) in functions_of(view.dialect) for at in range(*found.span())):
        return
    terms = [str(view.words[at]) for at in range(*found.span())]
    if "{0}" in terms[0]:
        return
    place = view.span(found.start(), found.end() - 1)
    made = f"concatenate[{', '.join(terms)}]"
    if view.dialect == 4:
        names = [term for term in terms if term[0] != '"']
        places = {
            at: number for number, at in enumerate(at for at, term in enumerate(terms) if term[0] != '"')
        }
        pattern = "".join(
            f"{{{places[at]}}}" if at in places else term[1:-1] for at, term in enumerate(terms)
        )
        made = f'"{pattern}" {", ".join(names)}'
    message = "several values stand side by side"
    yield Fix("joined-texts", message, place, (Edit(*place, made),))


def square_lists(view: View) -> Iterator[Fix]:
    """`names := ["a", "b"]`."""
    if view.dialect == 4:
        return
    pattern = (
        r"(?:^\s*[A-Za-z_]\w*\s*:=\s*|(?<=\w)\[\s*|,\s*)(\[\s*\"[^\"\[\]]*\"(?:\s*,\s*\"[^\"\[\]]*\")*\s*\])"
    )
    bare = re.fullmatch(rf"\s*{_NAME}\s*(:?=)\s*({_TAG}(?:\s*,\s*{_TAG})+)\s*", view.code)
    if bare:
        place = Span(*bare.span(2))
        edits = (Edit(*bare.span(1), ":="), Edit(*place, f"{{{bare[2]}}}"))
        yield Fix("list-brackets", "a list stands in braces", place, edits)
    for found in re.finditer(pattern, view.code):
        start, end = found.span(1)
        is_all = view.code[:start].rstrip().endswith("[") and view.code[end:].lstrip().startswith("]")
        if is_all:
            message = "the values of a function stand in one pair of square brackets"
            twice = (Edit(start, start + 1, ""), Edit(end - 1, end, ""))
            yield Fix("needless-bracket", message, Span(start, end), twice)
        message = "a list stands in braces, not in square brackets"
        edits = (Edit(start, start + 1, "{"), Edit(end - 1, end, "}"))
        yield Fix("list-brackets", message, Span(start, end), edits)


def too_many_values(view: View) -> Iterator[Fix]:
    """A ] that is missing where a function has all of its values, not at the end of the line."""
    shape = view.shape
    if shape.count("[") <= shape.count("]"):
        return
    known = functions_of(view.dialect)
    for number in range(len(shape) - 1):
        if shape[number] != "a" or shape[number + 1] != "[" or str(view.words[number]) not in known:
            continue
        arguments = known[str(view.words[number])].arguments
        most = None if any(each.is_rest for each in arguments) else len(arguments)
        depth = commas = 0
        for at in range(number + 1, len(shape)):
            depth += (shape[at] in "[({") - (shape[at] in "])}")
            if depth <= 0:
                break
            commas += depth == 1 and shape[at] == ","
            if most is not None and commas >= most:
                place = view.span(at - 1).end
                opening = view.span(number + 1)
                yield Fix("unbalanced-bracket", "the [ has no ]", opening, (Edit(place, place, "]"),))
                break
