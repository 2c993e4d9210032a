"""Letters that no script is written with: what word processors, web pages and other languages bring along.

These are mistakes wherever they stand outside of strings and comments, so they are repaired first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from anon.functions.registry import SESSION_LABEL, functions_of
from anon.syntax.draft import Edit, Fix, View, holds_several, look
from anon.syntax.fixes.shapes import depth_at
from anon.syntax.span import Span

_CURLY = re.compile(
    "[\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2018\u2019\u201a\u201b\u2032`\u00b4]+"
    '([^\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2018\u2019\u201a\u201b\u2032`\u00b4"\n]*)'
    '[\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2018\u2019\u201a\u201b\u2032`\u00b4"]+'
)
_HALF_CURLY = re.compile('"([^"\n\u201c\u201d\u201e\u00ab\u00bb]*)[\u201c\u201d\u201e\u00ab\u00bb]')
# An apostrophe between letters ends no text.
_SINGLE = re.compile(r"'{1,3}((?:[^'\"\n]|(?<=\w)'(?=\w))*)'{1,3}")
_DASH = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_BLANK = re.compile(
    "[\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff\u00ad\x0b\x0c\x85]+"
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]+")
_WIDE = re.compile("[\uff01-\uff0c\uff0e-\uff5e\u3001\u3002\u2254\u2260\uff1d]")
# Letters of Russian and Greek that cannot be told from ours by looking.
_LATIN: Final = dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425"
        "\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u03bf",
        "aeopcyxiABEKMHOPCTXABEHIKMNOPTXo",
        strict=True,
    )
)
_OTHER_ALPHABET = re.compile(f"(?<=[A-Za-z0-9(])[{''.join(_LATIN)}]|[{''.join(_LATIN)}](?=[A-Za-z0-9,)])")
_SIGNS: Final = {"\u3001": ",", "\u3002": ".", "\u2254": ":=", "\u2260": "!="}
_BLOCK_COMMENT = re.compile(r"(?:^|(?<=\s))/\*(?!/\()(.*?)\*/(?=\s|$)|<!--(.*?)-->", re.DOTALL)
_BLANK_NAMES: Final = {
    "\u00a0": "a non-breaking blank",
    "\u200b": "an invisible character",
    "\ufeff": "an invisible byte order mark",
    "\u2060": "an invisible character",
    "\u00ad": "an invisible hyphen",
    "\u200c": "an invisible character",
    "\u200d": "an invisible character",
}


def _line_end(view: View, at: int) -> int:
    """Where the line ends that a place of the statement is in; lists have several."""
    return at + len(view.text[at:].partition("\n")[0])


_TAG_AND_ONE: Final = re.compile(r"\((?=[^\w\s]|[0-9A-Fa-fX@#])")
_WHOLE_TAG: Final = re.compile("\\([0-9A-Fa-fX@#]{4},[0-9A-Fa-fX@#]{4}\\)")
_CUT_WORD: Final = re.compile(r"(?<![\w\"])([A-Za-z]+)([^\w\"=\n])(?=([A-Za-z]+)(?!\w))")
_BEFORE_BRACKET: Final = re.compile(r"\b([A-Za-z]+)([.,:;-])(?=\[)")
_SPOKEN: Final = {".": "point", " ": "blank"}  # signs that are overlooked in a sentence
_SUPPLIED: Final = ("project", "subject", "session", "modalityLabel")


def stray_signs(view: View) -> Iterator[Fix]:
    """A sign within a tag or a word, as a slip of the finger leaves it; a point at the end of a line."""
    for found in _TAG_AND_ONE.finditer(view.code):
        written = view.text[found.start() : found.start() + 12]
        if _WHOLE_TAG.match(written) or written.startswith("(("):
            continue
        for at in range(1, len(written)):
            if written[at:] in ("])", "})"):
                continue  # two brackets in the wrong order
            is_sign = written[at] in "\"'()[]{}.,:;=~+*/\\-"
            if is_sign and _WHOLE_TAG.fullmatch(written[:at] + written[at + 1 :]):
                place = Span(found.start() + at, found.start() + at + 1)
                message = f"the {_SPOKEN.get(written[at], written[at])} within the tag is one too many"
                yield Fix("bad-tag", message, place, (Edit(*place, ""),))
                break
    called = (*functions_of(view.dialect), *((SESSION_LABEL,) if view.dialect == 4 else ()))
    for found in _CUT_WORD.finditer(view.code):
        name = found[1] + found[3]
        is_called = view.code[found.end(3) :].lstrip().startswith("[")
        if name in (called if is_called else _SUPPLIED) and name != "newUID":
            message = f"the {_SPOKEN.get(found[2], found[2])} within {name} is one too many"
            yield Fix("unexpected", message, Span(*found.span(2)), (Edit(*found.span(2), ""),))
    for found in _BEFORE_BRACKET.finditer(view.code):
        if found[1] in called:
            message = f"the {_SPOKEN.get(found[2], found[2])} between {found[1]} and its [ is one too many"
            yield Fix("unexpected", message, Span(*found.span(2)), (Edit(*found.span(2), ""),))
    end = re.search(r"(?<=[\])\"])(\.)\s*$", view.code)
    if end:
        message = "the point at the end of the line is one too many"
        yield Fix("unexpected", message, Span(*end.span(1)), (Edit(*end.span(1), ""),))


_WEB: Final = re.compile(r"&(quot|nbsp|lt|gt|amp|apos|#39|#34);|</?(?:br|div|span|li|td|tr|pre|code)\s*/?>")
_WRITTEN: Final = {"quot": '"', "#34": '"', "apos": "'", "#39": "'", "lt": "<", "gt": ">", "amp": "&"}


def web_pages(view: View) -> Iterator[Fix]:
    """What only the source of a web page is written with: `&quot;`, `<br>`."""
    for found in _WEB.finditer(view.code):
        message = f"{found[0]} belongs to a web page, not to a script"
        edits = (Edit(*found.span(), _WRITTEN.get(found[1] or "", " ")),)
        yield Fix("other-tool", message, Span(*found.span()), edits)


def comments(view: View) -> Iterator[Fix]:
    """Comments as other languages write them."""
    found = _BLOCK_COMMENT.search(view.code)
    if found:
        remark = (found[1] or found[2] or "").strip()
        opening = found[0][:2] if found[1] is not None else "<!--"
        at_end = not view.code[found.end() :].strip()
        span = Span(*found.span())
        yield Fix(
            "comment-sign",
            f"a comment begins with //, not with {opening}",
            span,
            (Edit(*found.span(), f"// {remark}" if at_end else ""),),
            f"write // {remark}" if at_end else "move the remark to the end of the line, behind //",
        )
    found = re.search(r"(?<=\S)\s+(--)\s+(?=[A-Za-z])", view.code)
    if found:
        end = _line_end(view, found.end())
        remark = view.text[found.end() : end].strip()
        edit = Edit(found.start(1), end, f"// {remark}")
        message = "a comment begins with //, not with --"
        yield Fix("comment-sign", message, Span(*found.span(1)), (edit,), f"write // {remark}")
    found = re.search(r"(?<=\S)\s+(/ +/)(?=\s+[A-Za-z])", view.code)
    if found:
        end = _line_end(view, found.end())
        remark = view.text[found.end() : end].strip()
        edits = (Edit(found.start(1), end, f"// {remark}"),)
        message = "a comment begins with //, without a blank between them"
        yield Fix("comment-sign", message, Span(*found.span(1)), edits, f"write // {remark}")
    for number, word in enumerate(view.words):
        if word.type == "UNKNOWN" and str(word) == "#" and number <= view.stop:
            span = view.span(number)
            end = _line_end(view, span.end)
            remark = view.text[span.end : end].strip("# \t")
            version = re.match(r"version\s+\"[0-9.]+\"", remark)
            if version and not number:
                message = "the version line begins with the word version"
                edits = (Edit(0, len(view.text), f"// {remark}"),)
                hint = f"write {version[0]} in the first line"
                yield Fix("comment-sign", message, span, edits, hint)
            start = span.start
            yield Fix(
                "comment-sign",
                "a comment begins with //, not with #",
                span,
                (Edit(start, end, f"// {remark}"),),
                f"write // {remark}",
            )


def quotes(view: View) -> Iterator[Fix]:
    """Typographic and single quotes."""
    if view.text.strip().startswith("```"):
        return
    for found in re.finditer("'\"([^'\"\n]*)\"'", view.text):
        message = "a text stands in one pair of quotes, not in two"
        yield Fix("wrong-quotes", message, Span(*found.span()), (Edit(*found.span(), f'"{found[1]}"'),))
    for found in _CURLY.finditer(view.code):
        if view.code[view.code.rfind("\n", 0, found.start()) + 1 : found.start()].count('"') % 2:
            continue  # within a text that began with a straight one
        text = view.text[found.start(1) : found.end(1)]
        if not re.search("[^`\u00b4]", found[0].replace(found[1], "")):
            message = "a text stands in double quotes, not in backquotes"
        elif found[0][0] in "\u2018\u2019\u201a\u201b\u2032":
            message = "a text stands in straight double quotes, not in typographic single ones"
        else:
            message = "a text stands in straight quotes, not in typographic ones"
        yield Fix("wrong-quotes", message, Span(*found.span()), (Edit(*found.span(), f'"{text}"'),))
    for found in _HALF_CURLY.finditer(view.code):
        message = "a text ends with a straight quote, not with a typographic one"
        last = Span(found.end() - 1, found.end())
        yield Fix("wrong-quotes", message, last, (Edit(*last, '"'),))
    for found in _SINGLE.finditer(view.code):
        text = view.text[found.start(1) : found.end(1)]
        message = "a text stands in double quotes, not in single ones"
        yield Fix("wrong-quotes", message, Span(*found.span()), (Edit(*found.span(), f'"{text}"'),))


def lookalikes(view: View) -> Iterator[Fix]:
    """Blanks, dashes and signs that only look like the ordinary ones."""
    for found in _BLANK.finditer(view.code):
        name = _BLANK_NAMES.get(found[0][0], "an unusual blank")
        is_seen = unicodedata.category(found[0][0]) == "Zs"
        hint = "type an ordinary blank in its place" if is_seen else "delete it and type the place anew"
        text = " " if is_seen or found[0][0] in "\x0b\x0c\x85\u2028\u2029" else ""
        yield Fix(
            "unusual-letter",
            f"there is {name} here, which looks right and is not",
            Span(*found.span()),
            (Edit(*found.span(), text),),
            hint,
        )
    for found in _DASH.finditer(view.code):
        message = f"this dash ({found[0]}) is not a minus sign"
        yield Fix("unusual-letter", message, Span(*found.span()), (Edit(*found.span(), "-"),))
    for found in _WIDE.finditer(view.code):
        sign = _SIGNS.get(found[0]) or chr(ord(found[0]) - 0xFEE0)
        message = f"this is the character {found[0]}, not the ordinary {sign}"
        yield Fix("unusual-letter", message, Span(*found.span()), (Edit(*found.span(), sign),))
    for found in _OTHER_ALPHABET.finditer(view.code):
        latin = _LATIN[found[0]]
        message = f"this {found[0]} is a letter of another alphabet that looks like {latin}"
        yield Fix("unusual-letter", message, Span(*found.span()), (Edit(*found.span(), latin),))
    for found in _CONTROL.finditer(view.code):
        message = "there is a control character here, which no script is written with"
        hint = "delete it and type the place anew"
        yield Fix("unusual-letter", message, Span(*found.span()), (Edit(*found.span(), ""),), hint)


def _is_in_block(shape: str, number: int) -> bool:
    """Whether the innermost bracket that is open before a word is the brace of a block."""
    opened = [
        at for at in range(number) if depth_at(shape, at) < depth_at(shape, number) and shape[at] in "([{"
    ]
    return bool(opened) and shape[opened[-1]] == "{" and shape[opened[-1] - 1 : opened[-1]] in (")", "e")


def semicolons(view: View) -> Iterator[Fix]:
    """What ends or separates statements in other languages."""
    last = len(view.words) - 1
    while last > 0 and str(view.words[last - 1]) == ";" and str(view.words[last]) == ";":
        last -= 1
    for number, word in enumerate(view.words):
        if str(word) != ";" or word.type != "UNKNOWN":
            continue
        span = view.span(number)
        alone = view.draft.edited((Edit(*span, ""),))
        if number >= last or view.shape[number + 1 :].strip("\n!")[:1] == "}":
            last = min(last, number)
        if number >= last and number < len(view.words) - 1 and str(view.words[number + 1]) == "}":
            message = "a statement ends with its line, without a ;"
            yield Fix("semicolon", message, span, (Edit(span.start, span.end, ""),))
        elif number >= last:
            span = view.span(number, len(view.words) - 1)
            message = "a statement ends with its line, without a ;"
            yield Fix("semicolon", message, span, (Edit(span.start, span.end, ""),))
        elif number and look(alone, view.dialect) is None and not holds_several(alone, view.dialect):
            yield Fix("semicolon", "the ; here is one too many", span, (Edit(*span, ""),))
        elif depth_at(view.shape, number) > 0 and not (
            view.dialect == 6 and _is_in_block(view.shape, number)
        ):
            message = "the values in brackets are separated by a comma, not by a ;"
            yield Fix("semicolon", message, span, (Edit(span.start, span.end, ","),))
        elif (
            "~" in view.shape[:number]
            and not set("=q:?") & set(view.shape[:number])
            and not _is_in_block(view.shape, number)
        ):
            return  # between a condition and what to do
        elif re.fullmatch(r"a+", view.shape[number + 1 :]) and "private" not in view.code[span.end :].lower():
            remark = view.text[span.end :].strip()
            edit = Edit(span.start, len(view.text), f"// {remark}")
            message = "a comment begins with //, not with ;"
            yield Fix("comment-sign", message, span, (edit,), f"write // {remark}")
        else:
            message = "statements are separated by their lines, not by a ;"
            hint = "write what follows the ; on a line of its own"
            yield Fix("semicolon", message, span, (Edit(span.start, span.end, "\n"),), hint)
        return


def continued_lines(view: View) -> Iterator[Fix]:
    """A statement that goes on on the next line without saying so."""
    first_line = view.code.partition("\n")[0]
    is_list = view.dialect == 6 and re.match(r"[^\n]*(?:\n\s*)?\{", view.code) is not None
    if not is_list and first_line.count('"') % 2 == 0:
        is_head = re.match(r"\s*\}?\s*(?:if|elseif)\b", first_line) is not None
        ends = list(re.finditer(r"[ \t]*(\\[ \t]+)?(?<!\\)\n\s*", view.code))
        joined = tuple(Edit(*found.span(), " ") for found in ends)
        if joined and (is_head or look(view.draft.edited(joined), view.dialect) is None):
            yield _cut(view, view.code.index("\n", ends[0].start()), joined)
            return
    if re.match(r"\s*\w+\s*:?=\s*\[", view.code):
        return  # a list in the wrong brackets; in the right ones it may go on
    opened = 0
    is_text = False
    edits: list[Edit] = []
    first: Fix | None = None
    for at, letter in enumerate(view.code):
        if letter == '"':
            is_text = not is_text
        elif letter in "[]" and not is_text:
            opened += 1 if letter == "[" else -1
        elif (
            letter == "\n"
            and view.code[at - 1 : at] != "\\"
            and ((is_text and '"' in view.code[at:]) or (opened > 0 and "{" not in view.code[:at]))
        ):
            end = at + 1
            while view.code[end : end + 1] in (" ", "\t"):
                end += 1
            start = at if is_text else _end_of_line(view, at).start
            blank = "" if view.code[at - 1] in "[" or view.code[end : end + 1] == "]" else " "
            edits.append(Edit(start, end, blank))
            if is_text:
                message = "a text ends on the line on which it begins"
                place = Span(view.code.rindex('"', 0, at), at)
                first = first or Fix("continued-line", message, place, (), "write it on one line")
                break
            first = first or _cut(view, at, ())
    if first is not None:
        yield Fix(first.code, first.message, first.span, tuple(edits), first.hint)


def _end_of_line(view: View, at: int) -> Span:
    """Where a line ends, with the backslash and the blanks behind it that do not make it go on."""
    behind = re.search(r"\\[ \t]+$", view.code[:at])
    return Span(behind.start() if behind else at, at)


def _cut(view: View, at: int, edits: tuple[Edit, ...]) -> Fix:
    """A statement goes on behind the line end at `at`."""
    end = _end_of_line(view, at)
    if end.start < at:
        message = "behind the \\ that lets a statement go on on the next line there is a blank"
        place = Span(end.start + 1, at)
        return Fix("continued-line", message, place, edits, "make the \\ the last character of its line")
    hint = "end this line with a \\, or write the statement on one line"
    if "//" in view.text[:at]:
        hint = "write the statement on one line"  # behind a comment a \\ would make the next line part of it
    return Fix("continued-line", "a statement ends with its line", Span(at, at + 1), edits, hint)


#: Asked one after the other, as long as one of them finds something; what they find is repaired at once.
CERTAIN: Final = (web_pages, comments, stray_signs, quotes, lookalikes, semicolons, continued_lines)
