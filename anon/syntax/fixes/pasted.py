"""What comes along when lines are pasted, merged or half deleted: marks, numbers, headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from anon.functions.registry import SESSION_LABEL, find_similar, functions_of
from anon.syntax.draft import Edit, Fix, View
from anon.syntax.span import Span
from anon.tag_names import find_meant_tag, format_tag

_MERGE: Final = re.compile(r"\s*(?:<{7}|={7}|>{7}|\|{7})(?:\s.*)?")
_CHANGES: Final = re.compile(
    r"\s*(?:@@ .* @@.*|diff --git .*|(?:---|\+\+\+) [ab]/.*|index [0-9a-f]{7,}\.\..*)"
)
_QUERY: Final = re.compile(r"\s*(?:SELECT\s.*\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\s.*")
_MAIL: Final = re.compile(
    r"\s*(?:(?:From|To|Cc|Subject|Sent|Von|An|Betreff|Gesendet)\s*:\s(?!=).*|On .* wrote:|Am .* schrieb .*:)",
)
_MARK: Final = re.compile(
    r"\s*(>+|[\u2022\u00b7\u25cf\u25aa\u25e6\u2023\uf0b7]|[$%](?=\s)|\*(?=\s+-)"
    r"|\d+\s*[.):|](?!\d)|\d+(?=[ \t]+(?:-\s*\(|[*(]|if\b|version\b)))\s*(?=[-(*A-Za-z\"}])"
)
_TAG: Final = r"\([0-9A-Fa-f@#Xx]{4}\s*,\s*[0-9A-Fa-f@#Xx]{4}\)"
_NO_HEADINGS: Final = ("else", "elseif", "elif", "if", "default", "try", "then", "do", "version", "finally")
_REMOVING: Final = ("remove", "delete", "del", "drop", "strip", "erase", "REMOVE", "DELETE")
_EMPTYING: Final = ("empty", "blank", "clear", "EMPTY", "BLANK", "CLEAR")


def whole_lines(view: View) -> Iterator[Fix]:
    """Lines that programs for versions, and for mail, put into a text."""
    for pattern, message, hint in (
        (_MERGE, "this line was left where two versions of the script were merged",
         "keep one of the two versions, and remove the lines with <<<<<<<, ======= and >>>>>>>"),
        (_CHANGES, "this line belongs to a list of changes, not to a script", "leave the line out"),
        (_QUERY, "this line belongs to a query of a database, not to a script", "leave the line out"),
        (_MAIL, "this line belongs to an e-mail, not to a script", "leave the line out"),
    ):  # fmt: skip
        if pattern.fullmatch(view.text) and ":=" not in view.text:
            yield Fix("other-tool", message, _whole(view), (), hint)


def marks(view: View) -> Iterator[Fix]:
    """Numbers, bullets and marks of quoted mail before a statement; the + of a list of changes."""
    found = _MARK.match(view.code) or re.match(r"\s*(\+)\s*(?=\(.*[:?]=)", view.code)
    if found:
        place = Span(*found.span(1))
        message = "a statement begins with its own sign or tag, without a mark before it"
        yield Fix("other-tool", message, place, (Edit(place.start, found.end(), ""),))


def halves(view: View) -> Iterator[Fix]:
    """Tags of which a part was deleted."""
    found = re.fullmatch(
        r"\s*-?\s*(?:[*+.]\s*/\s*)*(\(\s*(?:[0-9A-Fa-f]{1,3}|[0-9A-Fa-f]{0,4}\s*,\s*[0-9A-Fa-f]{0,3}))\s*",
        view.code,
    )
    if found is None:
        # the same at the end of a longer line, and a private creator that is cut
        found = re.search(
            r"(\(\s*(?:[0-9A-Fa-f]{1,4}|[0-9A-Fa-f]{4}\s*,\s*(?:[0-9A-Fa-f]{0,3}|\{[^{}()]*)))\s*$", view.code
        )
    if found:
        hint = "write the whole tag, (gggg,eeee), or leave the line out"
        yield Fix("bad-tag", "the tag is not finished", Span(*found.span(1)), (), hint)
    found = re.match(r"\s*-?\s*(,?\s*[0-9A-Fa-f]{1,4}\s*\))\s*(?=:=|\?=|//|$)", view.code)
    if found:
        hint = "write the whole tag, (gggg,eeee), or leave the line out"
        yield Fix("bad-tag", "the beginning of the tag is missing", Span(*found.span(1)), (), hint)
    found = re.search(r"\b([A-Za-z_]\w*)\s*(\[)\s*$", view.code)
    if found and view.code[: found.start()].rstrip()[-1:] in ("=", ",", "[", ""):
        name = found[1]
        message = f"what {name} works on is missing, and the ]"
        known = functions_of(view.dialect)
        meant = name if name in known or name == SESSION_LABEL else find_similar(name, known)
        hint = "write the whole function; `prearc anon functions` lists them all"
        if meant is not None:
            hint = f"write {meant}[...]; `prearc anon functions {meant}` shows what it takes"
        yield Fix("unbalanced-bracket", message, Span(*found.span(2)), (), hint)
    found = re.search(r"\[(?:[^\[\]]|\[[^\[\]]*\])*(,)\s*$", view.code)
    if found:
        message = "the line ends within the brackets of a function"
        hint = "write what belongs behind the comma, and the ]"
        yield Fix("unbalanced-bracket", message, Span(*found.span(1)), (), hint)


def headings(view: View) -> Iterator[Fix]:
    """`names:` alone, and entries of a list as YAML has them."""
    found = re.fullmatch(r"\s*([A-Za-z][A-Za-z0-9_ /-]*?)\s*:\s*", view.code)
    if found and found[1].split()[0].lower() not in _NO_HEADINGS:
        shown = view.text.strip()
        message = "this line is a heading and no statement"
        yield Fix("remark", message, _whole(view), (Edit(*_whole(view), f"// {shown}"),), f"write // {shown}")
    found = re.fullmatch(rf"\s*(-)\s*({_TAG})\s*:(?!=)\s*(\S.*?)\s*", view.code)
    if found and not re.match(r"-|.*:=", found[3]):
        tag, value = view.text[slice(*found.span(2))], view.text[slice(*found.span(3))]
        made = f"- {tag}" if value.strip('"').lower() in _REMOVING else f"{tag} := {value}"
        message = "a minus removes the element, it is no sign of a list"
        yield Fix("remove-and-set", message, Span(*found.span(1)), (Edit(*_whole(view), made),))


def turned_round(view: View) -> Iterator[Fix]:
    """What stands behind the tag and should stand before it, and the other way round."""
    found = re.fullmatch(rf"\s*({_TAG})\s*(-|[A-Za-z]+)\s*", view.code)
    if found and (found[2] == "-" or found[2] in _REMOVING):
        tag = view.text[slice(*found.span(1))]
        message = "the minus that removes an element stands before its tag"
        code = "missing-tag"
        if found[2] != "-":
            message = f"an element is removed with a minus sign before it, not with the word {found[2]}"
            code = "foreign-word"
        yield Fix(code, message, Span(*found.span(2)), (Edit(*_whole(view), f"- {tag}"),))
    elif found and found[2] in _EMPTYING:
        tag = view.text[slice(*found.span(1))]
        message = f"an element is emptied by giving it an empty text, not with the word {found[2]}"
        yield Fix("foreign-word", message, Span(*found.span(2)), (Edit(*_whole(view), f'{tag} := ""'),))
    found = re.fullmatch(rf"\s*(:=)\s*({_TAG})\s*(\S.*?)\s*", view.code)
    if found:
        tag, value = view.text[slice(*found.span(2))], view.text[slice(*found.span(3))]
        message = "the := stands between the tag and its value"
        edits = (Edit(*_whole(view), f"{tag} := {value}"),)
        yield Fix("missing-target", message, Span(*found.span(1)), edits)
    found = re.fullmatch(rf"\s*{_TAG}\s*(,)\s*[^,]+", view.code)
    if found and "=" not in view.code:
        message = "a value is assigned with :=, not with a comma"
        yield Fix("assign-sign", message, Span(*found.span(1)), (Edit(*found.span(1), " :="),))
    found = re.match(rf"\s*{_TAG}\s*(and|und|&|,|;|\+)\s*{_TAG}.*[:?]=", view.code)
    if found:
        message = "a value is assigned to one element at a time"
        yield Fix("one-at-a-time", message, Span(*found.span(1)), (), "write a line for each of the tags")


def names_beside(view: View) -> Iterator[Fix]:
    """The name of an element in place of its tag, before it, or behind it and nothing else."""
    found = re.match(r"\s*([A-Z][A-Za-z]{4,})\s*(=|:)(?![=:])(?=[^:?=~]+$)", view.code)
    tag = find_meant_tag(found[1], nearly=False) if found else None
    if found and tag is not None:
        message = f"an element is named by its tag, not by its name {found[1]}, and gets its value with :="
        both = (Edit(*found.span(1), format_tag(tag)), Edit(*found.span(2), ":="))
        yield Fix("keyword-not-tag", message, Span(found.start(1), found.end()), both)
    found = re.match(rf"\s*-?\s*([A-Z][\w' ]*?)\s*(?:[:-]\s*)?(?={_TAG})", view.code)
    if found and find_meant_tag(found[1]) is not None:
        message = f"an element is named by its tag alone, without its name {found[1]}"
        edits = (Edit(found.start(1), found.end(), ""),)
        yield Fix("keyword-not-tag", message, Span(*found.span(1)), edits)
    found = re.match(rf"\s*{_TAG}(\s+(?:-\s+)?([A-Z][\w' ]*?))\s*[:?]=", view.code)
    if found and find_meant_tag(found[2]) is not None:
        message = f"an element is named by its tag alone, without its name {found[2]}"
        yield Fix("keyword-not-tag", message, Span(*found.span(2)), (Edit(*found.span(1), ""),))
    found = re.fullmatch(
        r"\s*(\([0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\))\s*[:,]?\s*([A-Z][\w' ]*?)(?:\s+[A-Z]{2})?\s*",
        view.code,
    )
    if found and find_meant_tag(found[2]) == int(re.sub(r"\W", "", found[1]), 16):
        hint = f'write - {found[1]} to remove the element, or {found[1]} := "" to empty it'
        message = "the line names an element and does nothing with it"
        yield Fix("missing-action", message, _whole(view), (), hint)


def remarks_behind(view: View) -> Iterator[Fix]:
    """Words behind a statement, without the // of a comment."""
    found = re.fullmatch(rf"\s*-\s*(?:[*+.]\s*/\s*)*{_TAG}\s*([/(]?\s*[A-Za-z][\w' ()./-]*?)\s*", view.code)
    if found is None:
        found = re.fullmatch(r".*[:?]=.*[\"\])]\s+(\(\s*[A-Za-z][\w' ]*\)|/\s+[A-Za-z][\w' ]*)\s*", view.code)
    if found is None:
        found = re.fullmatch(r".*[:?]=.*[\"\])]\s+([A-Z][\w' ]*)\s*", view.code)
        found = found if found and find_meant_tag(found[1], nearly=False) is not None else None
    if found and not re.search(rf"{_TAG}|:=", found[1]):
        words = view.text[slice(*found.span(1))]
        plain = words.lstrip("/").strip()
        message = "words behind a statement are a comment and begin with //"
        edits = (Edit(*found.span(1), f" // {plain}"),)
        yield Fix("remark", message, Span(*found.span(1)), edits, f"write // {plain}")


def _whole(view: View) -> Span:
    start = len(view.text) - len(view.text.lstrip())
    return Span(start, start + len(view.text.strip()))
