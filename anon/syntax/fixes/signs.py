"""The sign between a tag and its value, and commas."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from anon.syntax.draft import Edit, Fix, View
from anon.syntax.fixes.shapes import depth_at, path_end, term_end, without
from anon.syntax.span import Span

# Behind a tag, an item or a name: what is meant as := or ?=.
_SIGN: Final = re.compile(
    r"(?<=[)\]A-Za-z0-9_])(\s*)(:\s+=|=\s*:(?!=)|:==+|::=?|=>|<-|<=|->|=\s*\?|\?\s+=|\?\s*:=|:\?=|\?==|[+~*-]=|:[.,;+*/-]=|-(?=\s*\")|\u2190|:=\s*=|=\s+=|={1,3})(?=\s*\S)"
)
_WORD: Final = re.compile(r"(?<=[)\]])\s+(is|to|as|becomes|equals|IS|TO|AS|with|by)\s+(?=[\"(A-Za-z0-9])")


def odd_signs(view: View) -> Iterator[Fix]:
    """Signs that nearly are :=, ?= or !=; a sign before the tag."""
    colon = re.match(r"\s*(?:if\s*\(\s*)?\([^()]*\)\s*(:)(?!=)\s*\"_*\"\s*[?)]", view.code)
    if colon and view.dialect == 6:
        message = "values are compared with =, not with a colon"
        yield Fix("compare-sign", message, Span(*colon.span(1)), (Edit(*colon.span(1), "="),))
    optional = re.fullmatch(
        r"\s*(?:[*+.]\s*/\s*)*\([^()]*\)\s*(\?:|\?)\s*(?:\"_*\"|[A-Za-z_]\w*(?:\[[^?:]*\])?)\s*", view.code
    )
    if optional and view.dialect == 6:
        message = f"a value is assigned to elements that are there with ?=, not with {optional[1]}"
        yield Fix("assign-sign", message, Span(*optional.span(1)), (Edit(*optional.span(1), "?="),))
    for found in re.finditer(r"!\s+[=~]", view.code):
        message = f"!{found[0][-1]} is written without a blank in it"
        yield Fix("compare-sign", message, Span(*found.span()), (Edit(*found.span(), f"!{found[0][-1]}"),))
    for found in re.finditer(r"(?<=[)\]\w])\s*(:-(?=\s)|(?=[=\s]*:)[:=](?:\s*[:=]){2,})(?=\s*\S)", view.code):
        message = f"a value is assigned with :=, not with {found[1]}"
        yield Fix("assign-sign", message, Span(*found.span(1)), (Edit(*found.span(1), ":="),))
    sign = re.match(r"\s*([=:,.]+)\s*(?=\([0-9A-Fa-f]{4}\s*,[^()]*\)\s*[:?]=)", view.code)
    if sign:
        message = f"the {sign[1]} before the tag is one too many"
        yield Fix("unexpected", message, Span(*sign.span(1)), (Edit(sign.start(1), sign.end(), ""),))


def assignment(view: View) -> Iterator[Fix]:
    """Something else than := between a tag and its value."""
    for found in _SIGN.finditer(view.code):
        sign = found[2]
        is_optional = "?" in sign
        if is_optional and view.dialect == 4:
            continue
        right = "?=" if is_optional else ":="
        span = Span(*found.span(2))
        if "".join(sign.split()) == right:
            message = f"{right} is written without a blank in it"
        elif is_optional:
            message = f"a value is assigned to elements that are there with ?=, not with {sign}"
        else:
            message = f"a value is assigned with :=, not with {sign}"
        yield Fix("assign-sign", message, span, (Edit(*span, right),))
    for found in re.finditer(r"(?<=[)\]A-Za-z0-9_])\s*:(?!=)(?=\s*\S)", view.code):
        span = Span(found.end() - 1, found.end())
        yield Fix(
            "assign-sign", "a value is assigned with :=, not with a colon alone", span, (Edit(*span, ":="),)
        )
    for found in _WORD.finditer(view.code):
        span = Span(*found.span(1))
        message = f"a value is assigned with :=, not with the word {found[1]}"
        yield Fix("assign-sign", message, span, (Edit(*span, ":="),))
    for number, letter in enumerate(view.shape):
        end = path_end(view.shape, number)
        if letter in "T*+." and end > number and view.shape[end : end + 1] in ("S", "N", "a", "T", "U", "{"):
            span = view.span(end)
            at = view.span(end - 1).end
            message = "between the tag and its value a := is missing"
            yield Fix("assign-sign", message, Span(span.start, span.start + 1), (Edit(at, at, " :="),))


def targets(view: View) -> Iterator[Fix]:
    """Something else than an element or a variable left of :=, and several := in a line."""
    shape = view.shape
    end = term_end(shape, 0)
    is_tag = bool(view.words) and re.fullmatch("[0-9]{8}", str(view.words[0])) is not None
    if (
        end
        and not is_tag
        and shape[end : end + 1] in ("=", "q")
        and not re.match(r'\s*"\([^"()]*\)"', view.text)
        and (shape[0] in "SN" or (shape[end - 1] == "]" and shape[0] == "a"))
    ):
        place = view.span(0, end - 1)
        shown = view.text[place.start : place.end]
        sign = str(view.words[end])
        message = "only an element or a variable can be given a value"
        if end + 1 < len(shape) == path_end(shape, end + 1) and shape[0] in "SN":
            target = view.text[view.span(end + 1).start : view.end()]
            whole = Span(place.start, view.end())
            yield Fix("missing-target", message, place, (Edit(*whole, f"{target} {sign} {shown}"),))
        yield Fix(
            "missing-target", message, place, (), f"write the tag before the {sign}: (gggg,eeee) {sign} text"
        )
    signs = [number for number, letter in enumerate(shape) if letter == "=" and depth_at(shape, number) == 0]
    behind = term_end(shape, signs[0] + 1) if signs else 0
    is_two = view.dialect == 6 and len(signs) == 2 and behind < term_end(shape, behind) == signs[1]
    if len(signs) > 1 and not is_two and not any(letter in "?:" for letter in shape):
        message = "a line gives a value to one element, and there are several :="
        hint = "write a line for each of the elements"
        yield Fix("one-at-a-time", message, view.span(signs[1]), (), hint)


def named_values(view: View) -> Iterator[Fix]:
    """Variables that are initialised with something else than :=."""
    if view.shape[:2] in ("aS", "aN", "aT"):
        at = view.span(0).end
        message = "between the name of the variable and its value a := is missing"
        name = str(view.words[0])
        if name.lower() not in ("describe", "export", "version", "echo"):
            span = view.span(1)
            yield Fix("assign-sign", message, Span(span.start, span.start + 1), (Edit(at, at, " :="),))


def comparison(view: View) -> Iterator[Fix]:
    """Something else than = or ~ in a condition."""
    other = ":" if view.dialect == 4 else "?"
    for found in re.finditer(
        r"={2,}|=\s+=|=\s*!(?=\s)|~!(?=\s)|=~|~=|~{2,}|!==|<>|><|\beq\b|\bEQ\b|\bequals\b(?!\[)|\bis\b|\bmatches\b|\blike\b|\bLIKE\b|\bne\b|\bNE\b",
        view.code,
    ):
        sign = found[0]
        right = "~" if "~" in sign or sign in ("matches", "like", "LIKE") else "="
        if sign in ("!==", "<>", "><", "ne", "NE") or sign.endswith("!"):
            right = "!~" if sign == "~!" else "!="
            if view.dialect == 4:
                continue
        meaning = {"=": "values are compared with a single =", "~": "a pattern is compared with a single ~",
                   "!=": "what differs is written !=",
                   "!~": "what does not fit a pattern is written !~"}[right]  # fmt: skip
        yield Fix(
            "compare-sign", f"{meaning}, not with {sign}", Span(*found.span()), (Edit(*found.span(), right),)
        )
    for number, letter in enumerate(view.shape):
        if letter == "=":
            message = "values are compared with =, := is for assigning them"
            yield Fix("compare-sign", message, view.span(number), (view.substitute(number, "="),))
    if view.dialect == 4:
        for found in re.finditer(r"!\s*[=~]=?|<>", view.code):
            hint = f'begin the script with version "6.6", which has != and !~ (and {other} becomes ?)'
            message = f"DicomEdit 4 compares with = and ~ only, it has no {found[0]}"
            yield Fix("compare-sign", message, Span(*found.span()), (), hint)
    for found in re.finditer(
        r"(?<![-=<>])[<>]=?(?![A-Za-z_]\w*>)(?<!\w>)|(?<![\w\"])\b(?:gt|lt|ge|le|GT|LT|contains|startsWith|endsWith|in|IN)\b(?=\s*[\"{(])",
        view.code,
    ):
        if not view.code[: found.start()].strip():
            continue
        shown = "= (the same) and ~ (fits the pattern)"
        hint = f'compare with {shown}, for example ~ ".*text.*" for a value that contains text'
        message = f"values cannot be compared with {found[0]}"
        yield Fix("compare-sign", message, Span(*found.span()), (), hint)


def commas(view: View) -> Iterator[Fix]:
    """Commas too few or too many."""
    shape = view.shape
    for number, letter in enumerate(shape):
        if letter != ",":
            continue
        previous, following = shape[number - 1 : number] or "\n", shape[number + 1 : number + 2] or "\n"
        if following in ",])}\n" or previous in "[{(,\n=":
            where = "at the end of the line" if following == "\n" else "here"
            yield Fix(
                "comma", f"the comma {where} is one too many", view.span(number), (without(view, number),)
            )
    for found in re.finditer(r"(?<=[\[,])S[aT](?=[\],])", shape):
        text, value = (str(view.words[number]) for number in (found.start(), found.start() + 1))
        called = shape.rfind("[", 0, found.start()) - 1
        if "{0}" in text and str(view.words[called]) != "format":
            place = view.span(found.start(), found.start() + 1)
            message = "a text with values put into it is written format[...] in the brackets of a function"
            yield Fix("comma", message, place, (Edit(*place, f"format[{text}, {value}]"),))
    for number in range(1, len(shape)):
        last = len(shape[:number].rstrip("\n")) - 1
        if depth_at(shape, number) > 0 and shape[number] in "SNTa*+.{" and shape[last] in "SNTa]}":
            at = view.span(last).end
            start = view.span(number).start
            place = Span(start, start + 1) if last == number - 1 else Span(at, at)
            message = "between two values in brackets a comma is missing"
            yield Fix("comma", message, place, (Edit(at, at, ","),))
    if (
        view.dialect == 4
        and re.search(r"=S[aTN](?:,?[aTN])*$", shape)
        and "{" in str(view.words[shape.index("S")])
    ):
        for number in range(shape.index("S") + 2, len(shape)):
            if shape[number] in "aTN" and shape[number - 1] in "aTN":
                span, at = view.span(number), view.span(number - 1).end
                message = "between two values behind a text a comma is missing"
                yield Fix("comma", message, Span(span.start, span.start + 1), (Edit(at, at, ","),))
    for number, letter in enumerate(shape):
        if (
            letter in ":|.=/"
            and (letter != "/" or shape[number - 1] in "SNa]")
            and depth_at(shape, number) > 0
            and number > view.stop - 2
        ):
            message = f"the values in brackets are separated by a comma, not by {view.words[number]}"
            yield Fix("comma", message, view.span(number), (view.substitute(number, ","),))


def lines_of_lists(view: View) -> Iterator[Fix]:
    """Empty lines, and comments on lines of their own, between the values of a list."""
    if view.dialect == 4 or "{" not in view.shape:
        return
    found = re.search(r":=(\s*\n\s*)(?=\{)", view.code)
    if found:
        hint = "put the { of the list behind the :="
        edits = (Edit(*found.span(1), " "),)
        yield Fix("continued-line", "a statement ends with its line", Span(*found.span(1)), edits, hint)
    message = "a list holds no empty line, and no comment on a line of its own"
    ends = list(re.finditer(r"\n[ \t]*(//[^\n]*)?(?=\n)", view.text))
    removals = tuple(Edit(*found.span(), "") for found in ends)
    for number, found in enumerate(ends):
        place = Span(found.start() + 1, found.start() + 1)
        hint = "leave the empty line out"
        if found[1]:
            place = Span(*found.span(1))
            hint = "put the comment behind a value, or above the list"
        yield Fix("continued-line", message, place, (removals[number],), hint)
        yield Fix("continued-line", message, place, removals, hint)


def addresses(view: View) -> Iterator[Fix]:
    """An address without quotes, in which // begins no comment."""
    for found in re.finditer(r"(?<=[=,\[])\s*(https?://[^\s\",\[\]]+)", view.text):
        place = Span(*found.span(1))
        yield Fix("unquoted-text", "a text stands in quotes", place, (Edit(*place, f'"{found[1]}"'),))


def lists(view: View) -> Iterator[Fix]:
    """Several tags where one is wanted."""
    shape = view.shape
    if re.match(r"-(?:\{T(?:,T)+\}|\[T(?:,T)+\])$", shape):
        several = [str(view.words[at]) for at in range(2, len(shape), 2)]
        message = "a - removes one element, the next one needs a line of its own"
        edits = (Edit(0, len(view.text), "\n".join(f"- {tag}" for tag in several)),)
        hint = "write each on a line of its own: " + ", then ".join(f"- {tag}" for tag in several[:3])
        yield Fix("one-at-a-time", message, view.span(1, len(shape) - 1), edits, hint)
    behind = re.match(r"(?:[^-=]*~[^-=]*[:?])?-", shape)
    first = behind.end() if behind else 0
    head = view.text[: view.span(first - 1).start].lstrip() if first else ""
    end = path_end(shape, first)
    if end <= first or shape[end : end + 1] not in (",", "T", "-"):
        return
    starts = [number for number in range(end, len(shape)) if shape[number] == "T"]
    if first and starts and set(shape[end:]) <= set(",T-a/[]N%*+."):
        tags = [view.text[view.span(first).start : view.span(end - 1).end]]
        tags += [str(view.words[number]) for number in starts]
        at = view.span(end)
        message = "a - removes one element, the next one needs a line of its own"
        lines = [f"{head}- {tag}" for tag in tags]
        hint = "write each on a line of its own: " + ", then ".join(lines[:3])
        edits = (Edit(view.span(end - 1).end, len(view.text), "".join(f"\n{line}" for line in lines[1:])),)
        yield Fix("one-at-a-time", message, at, edits, hint)
    elif shape[end : end + 1] == "," and "=" in shape:
        message = "a value is assigned to one element at a time"
        yield Fix("one-at-a-time", message, view.span(end), (), "write a line for each of the tags")


def two_statements(view: View) -> Iterator[Fix]:
    """Two statements on a line; DicomEdit 6 can read that."""
    for number in range(2, len(view.shape)) if view.dialect == 4 else ():
        if (
            view.shape[number] in "-T"
            and view.shape[number - 1] in "STNa]"
            and not depth_at(view.shape, number)
        ):
            at = view.span(number).start
            rest = view.text[at : view.end()]
            message = "a line holds one statement, the next one needs a line of its own"
            hint = f"write {rest} on a line of its own"
            place = Span(at, view.end())
            yield Fix("one-at-a-time", message, place, (Edit(at, at, "\n"),), hint)


def minus_in_brackets(view: View) -> Iterator[Fix]:
    """A minus before a tag where no element is removed."""
    for number, letter in enumerate(view.shape):
        following = view.shape[number + 1 : number + 2]
        if letter != "-" or following not in ("T", "*", "a", "S") or not number:
            continue
        if view.shape[number - 1] in ("[,=q" if depth_at(view.shape, number) > 0 else "=q"):
            message = "a minus removes an element in a statement of its own, here it is one too many"
            yield Fix("unexpected", message, view.span(number), (without(view, number),))


def several_values(view: View) -> Iterator[Fix]:
    """Several texts for one element."""
    found = re.search(r"(?<=[=q])(?:S(?:,S)+|\[S(?:,S)+\]|\(S(?:,S)+\))$", view.shape)
    if found is not None:
        numbers = range(found.start(), found.end())
        texts = [str(view.words[number])[1:-1] for number in numbers if view.shape[number] == "S"]
        place = view.span(found.start(), found.end() - 1)
        message = "the values of an element stand in one text, with a backslash between them"
        joined = "\\\\".join(texts)
        yield Fix("several-values", message, place, (Edit(*place, f'"{joined}"'),))


def slashed_patterns(view: View) -> Iterator[Fix]:
    """Patterns between slashes, as in other languages."""
    for found in re.finditer(r"(?<=~)\s*([\[.^\\][^\"\n]*?)(?=\s+\?|\s+:|\)\s*\{)", view.text):
        pattern = found[1].replace("\\", "\\\\")
        place = Span(*found.span(1))
        yield Fix("unquoted-text", "a pattern stands in quotes", place, (Edit(*place, f'"{pattern}"'),))
    for found in re.finditer(
        r"(?<=,)\s*(\[[^\s,\]\"]+\](?:[+*?]|\{[0-9]+\})?[^\s,\[\]()\"]*)\s*(?=,|\])", view.text
    ):
        pattern = found[1].replace("\\", "\\\\")
        place = Span(*found.span(1))
        yield Fix("unquoted-text", "a pattern stands in quotes", place, (Edit(*place, f'"{pattern}"'),))
    for found in re.finditer(r"(?<=[~,])\s*(/((?:[^/\\\n]|\\.)+)/[gimsx]*)(?=\s|\)|,|\])", view.text):
        pattern = found[2].replace("\\/", "/").replace("\\", "\\\\").replace('"', "'")
        place = Span(*found.span(1))
        yield Fix(
            "wrong-quotes",
            "a pattern stands in quotes, not between slashes",
            place,
            (Edit(*place, f'"{pattern}"'),),
        )


def plus_signs(view: View) -> Iterator[Fix]:
    """A plus before a number."""
    for found in re.finditer(r"(?:(?<==)|(?<=\[)|(?<=,))\s*(\+)(?=[0-9])", view.code):
        place = Span(*found.span(1))
        yield Fix("bad-number", "a number is written without a +", place, (Edit(*place, ""),))


def bad_names(view: View) -> Iterator[Fix]:
    """Names of variables with signs or letters that they cannot have."""
    for found in re.finditer(
        r"(?<![\w\"(])([^\W\d]\w*(?:[-.][^\W_]\w*)+|[^\W\d]*[^\x00-\x7f]\w*|[0-9]+[A-Za-z_]\w*(?=\s*:=))(?=\s*(?::=|$|,|\]))",
        view.code,
    ):
        name = found[1]
        if re.fullmatch("0[xX][0-9A-Fa-f]{8}", name):
            continue  # a tag
        ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        ascii_name = ascii_name if "\u00df" not in name else name.replace("\u00df", "ss")
        ascii_name = unicodedata.normalize("NFKD", ascii_name).encode("ascii", "ignore").decode()
        fixed = re.sub(r"\W", "_", ascii_name).lstrip("0123456789")
        message = f"{name} cannot name a variable, names have the letters A to Z, digits and _ only"
        if re.search("[^_]", fixed):
            yield Fix("bad-name", message, Span(*found.span(1)), (Edit(*found.span(1), fixed),))


def joined_texts(view: View) -> Iterator[Fix]:
    """Texts that are joined with a sign, as in other languages."""
    shape = view.shape
    starts: dict[int, int] = {}  # the first value that ends before a word
    for at in range(len(shape)):
        starts.setdefault(term_end(shape, at), at)
    for number in range(1, len(shape)):
        sign = str(view.words[number])
        if sign not in ("+", "&", ".", "||", "*", ","):
            continue
        first = starts.get(number)
        if first is None or first == number:
            continue
        if sign == "," and (
            depth_at(shape, number) or shape[first - 1 : first] != "=" or shape[first] == "S"
        ):
            continue
        terms, at = [first], number
        while at < len(shape) and str(view.words[at]) == sign and term_end(shape, at + 1) > at + 1:
            terms.append(at + 1)
            at = term_end(shape, at + 1)
        if len(terms) < 2:
            continue
        shown = [
            view.text[view.span(each).start : view.span(term_end(shape, each) - 1).end] for each in terms
        ]
        whole = Span(view.span(first).start, view.span(at - 1).end)
        text = f"concatenate[{', '.join(shown)}]" if view.dialect == 6 else _format4(shown)
        message = f"texts are not joined with a {sign} here"
        yield Fix("joined-texts", message, view.span(number), (Edit(*whole, text),))
        return
    if view.dialect == 6:
        # The message formats of DicomEdit 4: a text, and values behind it.
        for number in range(len(shape) - 1):
            if shape[number] != "S" or shape[:number][-1:] not in ("=", "q"):
                continue
            at, shown_terms = number, [str(view.words[number])]
            while True:
                at += shape[at + 1 : at + 2] == "," and len(shown_terms) > 1
                end = term_end(shape, at + 1)
                if end <= at + 1:
                    break
                shown_terms.append(view.text[view.span(at + 1).start : view.span(end - 1).end])
                at = end - 1
            if len(shown_terms) > 1:
                whole = Span(view.span(number).start, view.span(at).end)
                name = "format" if "{" in shown_terms[0] else "concatenate"
                text = f"{name}[{', '.join(shown_terms)}]"
                message = f"a text with values behind it is DicomEdit 4, here it is the function {name}"
                yield Fix("dicomedit4-format", message, whole, (Edit(*whole, text),))


def _format4(terms: list[str]) -> str:
    pattern, values = "", list[str]()
    for term in terms:
        if term.startswith('"'):
            pattern += term[1:-1].replace("'", "''").replace("{", "'{'")
        else:
            pattern += f"{{{len(values)}}}"
            values.append(term)
    return f'"{pattern}" {", ".join(values)}' if values else f'"{pattern}"'


def missing_value(view: View) -> Iterator[Fix]:
    """Nothing behind a sign that wants something."""
    shape = view.shape.rstrip("\n")
    for found in re.finditer(r"[~=q](?=[?:)\]}])", shape):
        sign = str(view.words[found.start()])
        if (
            view.span(found.start()).end == view.span(found.start() + 1).start
            and shape[found.start() + 1] == "?"
        ):
            continue  # a misspelled ?=
        if sign == "=" and view.code[view.span(found.start()).end :].startswith(":"):
            continue  # a misspelled :=
        if re.match(r"[)\]}]+[STNaw]", shape[found.start() + 1 :]):
            continue  # a bracket too many
        if shape[found.start() + 1 : found.start() + 3] == "??":
            continue  # a text of question marks
        hint = f'write the value behind the {sign}, an empty text is ""'
        yield Fix("missing-value", f"no value follows the {sign}", view.span(found.start()), (), hint)
    if shape[:1] in ("=", "q", "~", ":", "?") and shape[:1]:
        shown = view.draft.shown()
        what = "condition" if shape[0] in ":?" else "element"
        hint = (
            f"write the {what} before it: (gggg,eeee) {shown}"
            if what == "element"
            else "write a condition before it"
        )
        yield Fix("missing-target", f"no {what} stands before the {view.words[0]}", view.span(0), (), hint)
    if re.match(r"\+T(?!/)", shape):
        tag = str(view.words[1])
        message = "there is no + for elements, one is made by giving it a value"
        yield Fix("missing-action", message, view.span(0), (), f'write {tag} := "text"')
    last = shape[-1:]
    number = len(shape) - 1
    if shape.endswith("=[]"):
        last, number = "=", number - 2
    elif not last or view.stop < len(shape):
        return
    span = view.span(number)
    if last == "=" or last == "q":
        start = next((at for at in range(number) if path_end(shape, at) == number), None)
        target = "" if start is None else view.text[view.span(start).start : view.span(number - 1).end]
        hint = f'write {target} {view.words[number]} "" to empty the element, or - {target} to remove it'
        if not target:
            hint = f'write {view.words[max(number - 1, 0)]!s} := "text"'
        yield Fix("missing-value", f"no value follows the {view.words[number]}", span, (), hint)
    elif last == "-":
        yield Fix(
            "missing-tag", "no tag follows the -", span, (), "write the tag to be removed: - (gggg,eeee)"
        )
    elif last == "~":
        sign = ":" if view.dialect == 4 else "?"
        example = f'{view.draft.shown()} "text" {sign} - (gggg,eeee)'
        hint = f"write the value to compare with, then {sign} and what to do: {example}"
        yield Fix("missing-value", f"nothing follows the {view.words[number]}", span, (), hint)
    elif last in ":?":
        hint = f"write what to do, for example {view.draft.shown()} - (gggg,eeee)"
        yield Fix("missing-action", f"nothing follows the {view.words[number]}", span, (), hint)
    elif last == "w":
        yield Fix(
            "missing-value",
            "what is to be made does not follow `new`",
            span,
            (Edit(span.end, span.end, " UID"),),
        )
