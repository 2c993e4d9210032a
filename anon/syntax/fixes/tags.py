"""Tags as people write them: too few digits, other brackets, no comma, 0x, keywords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydicom.datadict import dictionary_VR

from anon.syntax.draft import Edit, Fix, View
from anon.syntax.fixes.shapes import depth_at, path_end
from anon.syntax.span import Span
from anon.tag_names import find_meant_tag, format_tag, is_known_tag
from anon.tagpath import TagError, parse_tag4, parse_tag6

_H = r"[0-9A-Fa-fXx@#]"
_HALVES = rf"(?:0?[xX])?({_H}{{4}})\s*(,|[.;:|/\\_ -]|\s)\s*(?:0[xX])?({_H}{{4}})"
_NEAR: Final = (
    # in round brackets, without a comma or with something else in its place
    (re.compile(rf"\(\s*{_HALVES}\s*\)"), "group and element of a tag stand with a comma between them"),
    (re.compile(rf"\(\s*(?:0[xX])?({_H}{{4}})()({_H}{{4}})\s*\)"), "the comma of the tag is missing"),
    # in other brackets
    (re.compile(rf"\[\s*{_HALVES}\s*\]"), "a tag stands in round brackets, not in square ones"),
    (re.compile(rf"\{{\s*{_HALVES}\s*\}}"), "a tag stands in round brackets, not in braces"),
    (re.compile(rf"<\s*{_HALVES}\s*>"), "a tag stands in round brackets, not in pointed ones"),
    # one bracket, or none
    (re.compile(rf"\(\s*{_HALVES}(?!\s*[),0-9A-Fa-f])"), "the ) of the tag is missing"),
    (re.compile(rf"(?<![\w(,])\s*{_HALVES}\s*\)"), "the ( of the tag is missing"),
    (re.compile(rf"(?<![\w(.]){_HALVES}(?![\w.])"), "a tag stands in round brackets"),
    (re.compile(r"(?<![\w.\"])(?:0[xX])?([0-9A-Fa-f]{4})()([0-9A-Fa-f]{4})(?![\w.])"),
     "a tag is written with brackets and a comma"),
)  # fmt: skip
_NAME = re.compile(r"\(?\b([A-Za-z][A-Za-z]{3,})\b\)?")
_LONG_NAME = re.compile(r"\(?\b([A-Z][a-z]+(?:['\u2019]s)?(?: [A-Z][A-Za-z]*)+)\b\)?")
_SMALL_NAME = re.compile(r"(?<=-)\s*\b([a-z]+(?: [a-z]+)+)\b")
_IN_QUOTES = re.compile(r'"(\([0-9A-Fa-f@#X]{4},[^"()]*\))"|\'(\([^\'()]*\))\'')
_TO: Final = r"\.\.+|~|\b(?:to|till|until|through|bis)\b"
_RANGE: Final = re.compile(
    rf"(\(\s*{_H}{{4}}\s*(?:-|{_TO})\s*{_H}{{4}}\s*,[^()]*\))"
    rf"|^\s*-[^-]*\)\s*({_TO})\s*\({_H}{{4}},{_H}{{4}}\)\s*$"
)
_MIXED: Final = re.compile(rf"(?:\(\s*{_HALVES}\s*([\]}}])|([\[{{])\s*{_HALVES}\s*\))")
_NO_RANGE: Final = "write a line for each of the elements, or X for any digit: (gggg,eeXX)"
_LETTERS: Final = {"O": "0", "o": "0", "Q": "0", "I": "1", "l": "1", "|": "1"}


def near_tags(view: View) -> Iterator[Fix]:
    """What looks like a tag and is none."""
    for found in _MIXED.finditer(view.code):
        wrong, right = (5, "(") if found[5] else (4, ")")
        message = f"a tag {'begins' if found[5] else 'ends'} with {right}, not with {found[wrong]}"
        place = Span(*found.span(wrong))
        yield Fix("bad-tag", message, place, (Edit(*place, right),))
    for pattern, message in _NEAR:
        for found in pattern.finditer(view.code):
            start, end = found.span()
            start += len(found[0]) - len(found[0].lstrip())
            if pattern is not _NEAR[0][0] or found[2] != ",":
                tag = f"({found[1]},{found[3]})"
                yield Fix("bad-tag", message, Span(start, end), (Edit(start, end, tag),))
    for found in _RANGE.finditer(view.code):
        place = Span(*found.span(found.lastindex or 0))
        yield Fix("bad-tag", "a tag names no range of elements", place, (), _NO_RANGE)
    for found in re.finditer(r"\(\s*(?:0?[xX])?([0-9A-Fa-f]{4})\s*\)", view.code):
        group = found[1]
        hint = f"write ({group},eeee), or ({group},XXXX) for every element of the group"
        yield Fix("bad-tag", "the tag has a group and no element", Span(*found.span()), (), hint)
    for found in re.finditer(r"^\s*-\s*([0-9A-Fa-f]{4})\s*$", view.code):
        hint = f"write - ({found[1]},eeee), or - ({found[1]},XXXX) for every element of the group"
        yield Fix("bad-tag", "the tag has a group and no element", Span(*found.span(1)), (), hint)
    for found in re.finditer(rf"\(\s*((?:{_H}|[?%*]){{4}})\s*,\s*((?:{_H}|[?%*]){{4}})\s*\)", view.code):
        wild = re.search(r"([?%*])\1*", found[0])
        if wild:
            place = Span(found.start() + wild.start(), found.start() + wild.end())
            tag = re.sub("[?%*]", "X", f"({found[1]},{found[2]})")
            if tag[4] == "X" and view.dialect == 6:
                tag = f"{tag[:4]}@{tag[5:]}"  # its last digit says whether a group is private
            message = f"any digit is written X, not {wild[1]}"
            yield Fix("bad-tag", message, place, (Edit(*found.span(), tag),))
    for found in _IN_QUOTES.finditer(view.text):
        message = "a tag stands without quotes"
        tag = found[1] or found[2]
        yield Fix("quoted-tag", message, Span(*found.span()), (Edit(*found.span(), tag),))


_SHIFTED: Final = re.compile(
    r"(?<![\w,(])([0-9A-Fa-f]{1,3})\(([0-9A-Fa-f]{1,3}),\s*([0-9A-Fa-f]{4})\)"
    r"|\(([0-9A-Fa-f]{4}),\s*([0-9A-Fa-f]{1,3})\)([0-9A-Fa-f]{1,3})(?!\w)"
)
_ODD: Final = re.compile(r"\((?=[^()\s\"]{7,12}\))([0-9A-Fa-f,]*)([^0-9A-Za-z()\s\",])([0-9A-Fa-f,]*)\)")


def damaged(view: View) -> Iterator[Fix]:
    """Tags with a sign or a bracket among their digits, or without their ) among the values of a call."""
    for found in _SHIFTED.finditer(view.code):
        first, second, third, group, element, rest = (part or "" for part in found.groups())
        digits = first + second + third + group + element + rest
        if len(digits) == 8:
            tag = f"({digits[:4]},{digits[4:]})"
            message = "the bracket of the tag stands among its digits"
            yield Fix("bad-tag", message, Span(*found.span()), (Edit(*found.span(), tag),))
    for found in _ODD.finditer(view.code):
        digits = (found[1] + found[3]).replace(",", "")
        place = Span(*found.span(2))
        message = f"{found[2]} is none of the digits of a tag, which are 0-9 and A-F"
        if len(found[1]) == len(found[3]) == 4:
            place, message = Span(*found.span()), "group and element of a tag stand with a comma between them"
        if len(digits) == 8:
            yield Fix("bad-tag", message, place, (Edit(*found.span(), f"({digits[:4]},{digits[4:]})"),))
        elif len(digits) == 7 and found[2] not in "?%*.#@_":
            hint = "write the tag as (gggg,eeee), four digits from 0-9 and A-F on each side"
            yield Fix("bad-tag", message, place, (), hint)
    lacking = rf"\(\s*({_H}{{4}})\s*,\s*({_H}{{4}})(?=\s*,\s*(?:[-\"(A-Za-z]|[0-9]{{1,3}}\s*[\],]))"
    for found in re.finditer(lacking, view.code):
        edits = (Edit(found.end(), found.end(), ")"),)
        yield Fix("bad-tag", "the ) of the tag is missing", Span(*found.span()), edits)


def keywords(view: View) -> Iterator[Fix]:
    """DICOM's names in place of tags."""
    for found in re.finditer(r"(?:^|-|[?:])\s*\"([A-Za-z][A-Za-z' ]+)\"", view.text):
        tag = find_meant_tag(found[1])
        if tag is not None:
            start, end = found.start(1) - 1, found.end(1) + 1
            message = f"an element is named by its tag, not by its name {found[1]}"
            yield Fix("keyword-not-tag", message, Span(start, end), (Edit(start, end, format_tag(tag)),))
    for pattern in (_LONG_NAME, _SMALL_NAME, _NAME):
        for found in pattern.finditer(view.code):
            # Two words behind := are a text rather than the name of an element, spelled nearly right.
            is_text = " " in found[1] and ":=" in view.code[: found.start()]
            tag = find_meant_tag(found[1], nearly=not is_text)
            if tag is None or re.match(r"\s*\[(?!\s*(?:[0-9]+|%)\s*\])", view.code[found.end() :]):
                continue
            written = format_tag(tag)
            is_open = found[0].startswith("(") and not found[0].endswith(")")
            is_late = found[0].endswith(")") and not found[0].startswith("(")
            start, end = found.span()
            start += len(found[0]) - len(found[0].lstrip())
            if is_open:
                start += 1
            if is_late:
                end -= 1
            message = f"an element is named by its tag, not by its name {found[1]}"
            yield Fix("keyword-not-tag", message, Span(start, end), (Edit(start, end, written),))


def bad_tags(view: View) -> Iterator[Fix]:
    """Tags with the wrong number of digits, with letters, blanks or commas too many."""
    mistake = view.mistake
    if mistake is None or mistake.code != "bad-tag":
        return
    for number, word in enumerate(view.words):
        span = view.span(number)
        if word.type != "TAG" or not (mistake.span.start <= span.start and span.end <= mistake.span.end):
            continue
        text = str(word)
        if _is_right(text, view.dialect):
            continue
        message, place, repaired = judge_tag(text, view.dialect)
        if not message:
            continue
        inner = Span(span.start + place.start, span.start + place.end)
        if repaired is None:
            hint = mistake.hint or "write the tag as (gggg,eeee), four digits from 0-9 and A-F on each side"
            if "range" in message:
                hint = _NO_RANGE
            elif "hexadecimal" in hint or "is none of the digits" in message:
                hint = "write the tag as (gggg,eeee), four digits from 0-9 and A-F on each side"
            yield Fix("bad-tag", message, inner, (), hint)
        else:
            yield Fix("bad-tag", message, inner, (Edit(*span, repaired),))
    # Anything else that is wrong with a path is told as the reader of paths says it.
    yield Fix(mistake.code, mistake.message, mistake.span, (), mistake.hint)


def judge_tag(text: str, dialect: int) -> tuple[str, Span, str | None]:
    """What is wrong with something like a tag, where, and the tag that was probably meant.

    The message is empty when nothing simple is wrong.
    """
    whole = Span(0, len(text))
    halves = [half.strip() for half in text[1:-1].split(",")]
    if len(halves) > 2:
        return "a tag has a single comma", whole, _right(",".join(filter(None, halves)), dialect)
    group, element = halves
    if "{" in text:
        tight = f"({group},{element})"
        if dialect == 6 and tight != text and _is_right(tight, 6):
            return "a tag holds no blanks between its brackets and its digits", whole, tight
        return "", whole, None
    if find_meant_tag(group) is not None and not element:
        return (
            "an element is named by its tag, not by its name",
            whole,
            format_tag(find_meant_tag(group) or 0),
        )
    if re.search(r"\s", text) and _is_right(f"({group},{element})", dialect):
        return "a tag holds no blanks", whole, f"({group},{element})"
    if re.match("0[xX]", group) or re.match("0[xX]", element):
        bare = re.sub(r"\b0[xX]", "", f"{group},{element}")
        return "a tag is written without 0x", whole, _right(bare, dialect)
    if (
        dialect == 6
        and re.fullmatch(r"[0-9A-Fa-fXx@#]{3}[Xx]", group)
        and _is_right(f"({group[:-1]}@,{element})", 6)
    ):
        message = "the last digit of the group says whether it is private, so it cannot be X"
        return message, Span(4, 5), f"({group[:-1]}@,{element})"
    if dialect == 4 and "x" in text and _is_right(text.replace("x", "X"), 4):
        at = text.index("x")
        return "the wild digit is a capital X", Span(at, text.rindex("x") + 1), text.replace("x", "X")
    wrong = re.search(r"([*.?_%])\1*|[^0-9A-Fa-fXx@#,()\s]", text)
    if wrong and wrong[0][0] in "*.?_%nN":
        halves = [
            "XXXX" if re.fullmatch(r"[*%]+|[?._nN]{4}", half) else re.sub("[*.?_%nN]", "X", half)
            for half in (group, element)
        ]
        return (
            f"any digit is written X, not {wrong[0][0]}",
            Span(*wrong.span()),
            _right(",".join(halves), dialect),
        )
    if wrong and wrong[0] in "-~:" and re.search(r"[0-9A-Fa-f][-~:][0-9A-Fa-f]", text):
        return "a tag names no range of elements", Span(*wrong.span()), None
    if wrong:
        guess = "".join(_LETTERS.get(letter, letter) for letter in text[1:-1])
        name = f"{wrong[0]} is none of the digits of a tag, which are 0-9 and A-F"
        if wrong[0] in "Oo":
            name = f"this is the letter {wrong[0]}, not the digit 0"
        elif wrong[0] in "Il":
            name = f"this is the letter {wrong[0]}, not the digit 1"
        return name, Span(*wrong.span()), _right(guess, dialect)
    return _wrong_length(text, group, element, dialect)


def _wrong_length(text: str, group: str, element: str, dialect: int) -> tuple[str, Span, str | None]:
    wrong = [half for half in (group, element) if len(half) != 4]
    if not wrong:
        return "", Span(0, len(text)), None
    digits = group + element
    if group and element and len(digits) == 8:
        right = _right(f"{digits[:4]},{digits[4:]}", dialect)
        return "the comma of a tag stands behind four digits", Span(0, len(text)), right
    guesses = [
        f"({first},{second})"
        for first in _lengthened(group)
        for second in _lengthened(element)
        if _is_right(f"({first},{second})", dialect) and is_known_tag(f"{first}{second}")
    ]
    # Elements of the dictionary before private ones, of which any may be meant.
    guesses.sort(key=lambda guess: re.match(r"\([0-9A-Fa-f]{3}[13579BDFbdf]", guess) is not None)
    repaired = guesses[0] if guesses else None
    if len(wrong) == 2:
        return "group and element of a tag have four digits each", Span(0, len(text)), repaired
    name = "group" if len(group) != 4 else "element"
    if not wrong[0]:
        return f"the {name} of the tag is missing", Span(0, len(text)), None
    start = text.index(wrong[0], text.index(",") if name == "element" else 0)
    message = f"the {name} of a tag has four digits, {wrong[0]} has {len(wrong[0])}"
    return message, Span(start, start + len(wrong[0])), repaired


def _lengthened(half: str) -> list[str]:
    """Four digits that somebody may have meant; those that keep all that was written first."""
    if len(half) == 4:
        return [half]
    if len(half) < 4:
        guesses = [half.zfill(4)]
        if len(half) == 3:
            guesses += [half[:at] + "0" + half[at:] for at in range(3, -1, -1)]
        return guesses
    # A digit that was typed twice first.
    places = sorted(range(len(half)), key=lambda at: half[at : at + 2] != half[at] * 2)
    shorter = [half[:at] + half[at + 1 :] for at in places]
    return [found for found in (*shorter, half.lstrip("0").zfill(4)) if len(found) == 4]


def _right(inner: str, dialect: int) -> str | None:
    text = f"({inner})"
    return text if text.count(",") == 1 and _is_right(text, dialect) else None


def _is_right(text: str, dialect: int) -> bool:
    try:
        parse_tag4(text) if dialect == 4 else parse_tag6(text)
    except TagError:
        return False
    return True


_GROUP: Final = rf"[({{\[](?P<group>{_H}{{4}})\s*,\s*"
_CREATOR: Final = r"(?P<creator>[A-Za-z][A-Za-z0-9 \-_.:]*?)\s*"
_PRIVATE: Final = (
    # with brackets on both sides of the creator, some or other
    re.compile(
        rf"{_GROUP}(?:{_H}{{2}}\s*)?[(\[{{\"'<]+\s*{_CREATOR}[)\]}}\"'>]+\s*,?\s*(?P<element>[^\s(){{}}\[\],]{{0,4}})\s*[)}}\]](?!\s*\w{{0,4}}\))"
    ),
    re.compile(rf"{_GROUP}\{{\s*{_CREATOR},\s*(?P<element>{_H}{{2}})\s*\}}\s*\)"),
    # with brackets on one side, or on none
    re.compile(
        rf"{_GROUP}[(\[{{\"'<]?\s*{_CREATOR}[\]}}\"'>]?\s*,?\s*(?P<element>{_H}{{2}}|{_H}{{4}}|)[)}}\]]"
    ),
)


def private_elements(view: View) -> Iterator[Fix]:
    """Private elements with their creator in the wrong brackets, or with too many digits."""
    if view.dialect == 4:
        for found in re.finditer(
            rf"\({_H}{{4}}\s*,\s*(?:\{{[^{{}}\n]*\}}|\"[^\"\n]*\")\s*,?\s*(?:{_H}{{2}}|{_H}{{4}})?\s*\)",
            view.text,
        ):
            message = "DicomEdit 4 does not know the creators of private elements"
            hint = 'begin the script with version "6.6", which has them'
            yield Fix("dicomedit6-only", message, Span(*found.span()), (), hint)
        return
    for found in re.finditer(
        rf"\(\s*\{{(?P<creator>[^{{}}\n]*)\}}\s*,?\s*(?P<group>{_H}{{4}})\s*,\s*(?P<element>{_H}{{2}})\s*\)"
        rf"|\(\s*(?P<group2>{_H}{{4}})\s*,\s*(?P<element2>{_H}{{2}})\s*\{{(?P<creator2>[^{{}}\n]*)\}}\s*\)",
        view.text,
    ):
        group, creator, element = (
            found[name] or found[f"{name}2"] for name in ("group", "creator", "element")
        )
        right = f"({group},{{{creator}}}{element})"
        if _is_right(right, 6):
            message = "group, creator and element of a private tag stand in this order"
            yield Fix("bad-tag", message, Span(*found.span()), (Edit(*found.span(), right),))
    for found in re.finditer(r"\b(delete|set)\[\s*(\([0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\))\s*[\],]", view.code):
        message = f"{found[1]} does not read its path from a tag"
        edits = (Edit(*found.span(2), f'"{found[2]}"'),)
        yield Fix(
            "argument-kind", message, Span(*found.span(2)), edits, f'write the tag in quotes: "{found[2]}"'
        )
    for pattern in _PRIVATE:
        for found in pattern.finditer(view.text):
            if _is_right(found[0], 6) or re.fullmatch(r"[0-9A-FXa-fx]*", found["creator"]):
                continue
            creator, element = found["creator"], found["element"][-2:].rjust(2, "0")
            hint = ""
            if not re.fullmatch(f"{_H}{{2}}", element) or not found["element"] or creator[-1] == "_":
                # Digits behind a _ belong to the creator rather.
                creator += found["element"] if creator[-1] == "_" else ""
                element, hint = "XX", "write {line}, with the digits of the element in place of XX"
            right = f"({found['group']},{{{creator}}}{element})"
            if _is_right(right, 6):
                message = "the creator of a private element stands in braces, and two digits follow it"
                yield Fix("bad-tag", message, Span(*found.span()), (Edit(*found.span(), right),), hint)


def _may_be_sequence(tag: str) -> bool:
    digits = re.sub("[^0-9A-Fa-f]", "", tag)
    if len(digits) != 8:
        return True
    try:
        return "SQ" in dictionary_VR(int(digits, 16))
    except KeyError:
        return True


def paths(view: View) -> Iterator[Fix]:
    """Steps of a path with something else than a / between them."""
    if view.dialect == 4:
        return
    shape = view.shape
    for number in range(1, len(shape)):
        if shape[number] != "T" or path_end(shape, number) <= number:
            continue
        gap = view.text[view.span(number - 1).end : view.span(number).start]
        if gap and depth_at(shape, number) > 0:
            continue  # a comma is missing rather
        if shape[number - 1] in "T]*" and not (
            shape[number - 1] == "*" and shape[number - 2 : number - 1] in ("S", "N", "T")
        ):
            at = view.span(number).start
            if shape[number - 1] == "T" and not _may_be_sequence(str(view.words[number - 1])):
                continue  # two elements rather than a path
            message = "the steps of a path are separated by a /"
            yield Fix("bad-path", message, view.span(number), (Edit(view.span(number - 1).end, at, "/"),))
    for found in re.finditer(r"(?<=[)\]])\s*(->|>|\\|\.|::|»)\s*(?=\()", view.code):
        message = f"the steps of a path are separated by a /, not by {found[1]}"
        yield Fix("bad-path", message, Span(*found.span(1)), (Edit(*found.span(), "/"),))
    for found in re.finditer(r"(?<=\))\s*(\{\s*([0-9%*]+)\s*\}|<\s*([0-9%*]+)\s*>)", view.code):
        number_text = (found[2] or found[3]).replace("*", "%")
        message = "the number of an item stands in square brackets"
        yield Fix("bad-path", message, Span(*found.span(1)), (Edit(*found.span(), f"[{number_text}]"),))
    for pattern, message in (
        (r"(?<=\))\s*(\[\s*([0-9]+|%))\s*(?=/|:=|\?=|$)", "the ] behind the number of the item is missing"),
        (
            r"(?<=\))\s*(([0-9]+|%)\s*\])(?=\s*(?:/|:=|\?=|$))",
            "the [ before the number of the item is missing",
        ),
        (r"(?<=\))\s*(\(\s*([0-9]+|%)\s*\))", "the number of an item stands in square brackets"),
    ):
        for found in re.finditer(pattern, view.code):
            yield Fix("bad-path", message, Span(*found.span(1)), (Edit(*found.span(), f"[{found[2]}]"),))
    for found in re.finditer(r"(?<=\))\s*(\[\s*([0-9]+)\s*(?:[:,-]|\.\.+)\s*[0-9]*\s*\])", view.code):
        message = "a path names a single item of a sequence, or all of them"
        hint = "write a line for each of the items, [0] for the first, or [%] for all"
        yield Fix("bad-path", message, Span(*found.span(1)), (), hint)
    for found in re.finditer(r"(?<=\))\s*(%)(?=\s*(?:/|:=|\?=|$))", view.code):
        message = "every item of a sequence is written [%]"
        yield Fix("bad-path", message, Span(*found.span(1)), (Edit(*found.span(), "[%]"),))
    for found in re.finditer(r"(?<=\))\s*\[\s*(\*|all|ALL|x|X|)\s*\]", view.code):
        message = "every item of a sequence is written [%]"
        text, hint = "[%]", ""
        if ":=" in view.code[found.end() :]:
            message = "a value is assigned to the element of one item, which is named by its number"
            text, hint = "[0]", "write {line} for the first item, or ?= and [%] for all of them"
        yield Fix("bad-path", message, Span(*found.span()), (Edit(*found.span(), text),), hint)
    for found in re.finditer(r"(?<=\))\s*\[\s*(?:#|-|item\s*|Item\s*)([0-9]+)\s*\]", view.code):
        message = "items of a sequence are counted from 0"
        yield Fix(
            "bad-path",
            message,
            Span(*found.span()),
            (Edit(*found.span(), f"[{found[1] if found[0].count(chr(45)) == 0 else 0}]"),),
        )
    for found in re.finditer(
        r"(?<=\))\s*\[\s*([A-Za-z_]\w*|\"[^\"]*\")\s*\](?=\s*(?:/|:=|\?=|$))", view.code
    ):
        if found[1] not in ("all", "ALL", "x", "X"):
            message = (
                f"an item of a sequence is named by its number, not by {view.text[slice(*found.span(1))]}"
            )
            yield Fix(
                "bad-path",
                message,
                Span(*found.span(1)),
                (Edit(*found.span(1), "0"),),
                "write [0] for the first item, [%] for all",
            )
    for found in re.finditer(r"(?:\*\*|\*\.|\.\*|\*\+|\.\.)\s*/|/\s*/", view.code):
        text = "/" if found[0].startswith("/") else "*/"
        message = f"{found[0]} is no step of a path, any number of levels is written *"
        yield Fix("bad-path", message, Span(*found.span()), (Edit(*found.span(), text),))
    for found in re.finditer(r"(?<=[)\]])//+(?=\([0-9A-Fa-fXx@#]{4}\s*,)", view.text):
        message = "the steps of a path are separated by a single /, a comment begins with two"
        yield Fix("bad-path", message, Span(*found.span()), (Edit(*found.span(), "/"),))
    for found in re.finditer(r"(?<=[)\]*+.])\s*/(?=\s*(?::=|\?=|$|[\],?=~]))", view.code):
        message = "the path ends in a /, the element is missing"
        if "=" in view.code[found.end() :] and view.code[found.start() - 1] == "]":
            place = Span(found.end() - 1, found.end())
            yield Fix("bad-path", message, place, (), "write the tag of the element behind it: /(gggg,eeee)")
        yield Fix("bad-path", message, Span(found.end() - 1, found.end()), (Edit(*found.span(), ""),))
