"""Statements of other tools: CTP, deid, dcmodify, pydicom, Orthanc; and what is no script at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from anon.syntax.draft import Edit, Fix, View
from anon.syntax.span import Span
from anon.tag_names import find_meant_tag, format_tag

_CTP: Final = re.compile(
    r"<e\s+[^>]*?\bt=\"(?P<tag>[0-9A-Fa-f]{8})\"[^>]*>(?P<action>[^<]*)(?:</e>)?|<(?P<other>/?[A-Za-z?!][^>]*)>|^\s*(?P<plain>@\w+\([^)]*\))"
)
_DEID: Final = re.compile(
    r"^\s*(?P<verb>REMOVE|BLANK|REPLACE|ADD|KEEP|JITTER)\s+(?P<field>[A-Za-z0-9_:]+|\([0-9A-Fa-f]{4},\s*[0-9A-Fa-f]{4}\)|ALL)\s*(?P<value>.*)$"
)
_DEID_HEAD: Final = re.compile(r"^\s*(?:FORMAT\s+\w+|%(?:header|filter|labels|fields|values)\b.*)$")
_DCMODIFY: Final = re.compile(
    r"(?:^\s*|\bdcmodify\b.*?\s)(?P<option>-m|-i|-ma|-e|-ea|-imt|-ie|--modify|--insert|--erase|--erase-all|--modify-all)\s+"
    r"[\"']?(?P<tag>\(?[0-9A-Fa-f]{4},\s*[0-9A-Fa-f]{4}\)?|[A-Z][A-Za-z]+)\s*(?:=(?P<value>[^\"']*))?[\"']?"
)
_PYTHON: Final = re.compile(
    r"^\s*(?P<del>del\s+)?(?:ds|dataset|dcm|d)(?:\.(?P<name>[A-Z]\w+)|\[\s*\(?0x(?P<group>[0-9A-Fa-f]{4}),?\s*(?:0x)?(?P<element>[0-9A-Fa-f]{4})\)?\s*\]"
    r"|\[\s*[\"'](?P<key>\w+)[\"']\s*\])(?:\.value)?\s*(?:=\s*(?P<value>.*?))?\s*$"
)
_JSON: Final = re.compile(
    r"^\s*\"(?P<name>[A-Z]\w+|[0-9a-fA-F]{4},?[0-9a-fA-F]{4})\"\s*:\s*(?P<value>\"[^\"]*\"|null|[\[{]?)\s*,?\s*$"
)
_FENCE: Final = re.compile(
    r"^\s*(?:```\w*|~~~\w*|---+|===+|\*\*\*+|\.\.\.+|\u2026|[{}\[\]],?"
    r"|\{(?:code|noformat|panel|quote)\b[^{}]*\}|\[[A-Za-z][\w .-]*\])\s*$"
)


_PROGRAM: Final = re.compile(
    r"^\s*(?:import\s+\w+|from\s+\w+\s+import|\w+\s*=\s*[\w.]*dcmread\(|\w+\.save_as\(|public\s|package\s|def\s+\w+\()"
)
_BULLET: Final = re.compile(r"^\s*([*>\u2022\u00b7\u25cf$%]|\d+[.)])\s+(?=-\s*\()")


def other_tools(view: View) -> Iterator[Fix]:
    """Statements in the notation of another tool."""
    text = view.text
    if _PROGRAM.match(text):
        yield Fix("other-tool", "this is a line of a program", _stripped(view), (), "leave the line out")
    found = _BULLET.match(text)
    if found:
        edit = Edit(*found.span(1), "")
        yield Fix(
            "other-tool",
            "a statement begins with its own sign or tag, without a mark before it",
            Span(*found.span(1)),
            (edit,),
        )
    found = _CTP.search(text)
    if found and view.stop < len(view.words):
        yield from _ctp(view, found)
    found = _DEID_HEAD.match(text)
    if found:
        span = _stripped(view)
        yield Fix(
            "other-tool", "this line belongs to a recipe of the tool deid", span, (), "leave the line out"
        )
    found = _DEID.match(text)
    if found and ":=" not in text:
        yield from _deid(view, found)
    found = _DCMODIFY.search(text)
    if found and ("dcmodify" in text or (view.shape[:1] == "-" and view.shape[:2] != "-T")):
        tag = _tag_of(found["tag"])
        made = f"- {tag}" if found["option"].lstrip("-")[0] == "e" else f'{tag} := "{found["value"] or ""}"'
        span = _stripped(view)
        yield Fix("other-tool", "this is an option of the tool dcmodify", span, (Edit(*span, made),))
    found = _PYTHON.match(text)
    if found:
        tag = _tag_of(found["name"] or found["key"] or f"{found['group']},{found['element']}")
        value = (found["value"] or '""').strip()
        value = re.sub(r"^'(.*)'$", r'"\1"', value)
        made = f"- {tag}" if found["del"] else f"{tag} := {value}"
        span = _stripped(view)
        yield Fix("other-tool", "this is a statement of Python with pydicom", span, (Edit(*span, made),))
    found = _JSON.match(text)
    if found and _tag_of(found["name"])[0] == "(" and view.stop <= 1:
        value = found["value"]
        tag = _tag_of(found["name"])
        made = f"{tag} := {value}" if value.startswith('"') else f"- {tag}"
        span = _stripped(view)
        yield Fix("other-tool", "this is an entry of a JSON document", span, (Edit(*span, made),))
    found = _FENCE.match(text)
    if found and not (view.dialect == 6 and text.strip() in ("}", "},")):
        span = _stripped(view)
        yield Fix("other-tool", "this line is no part of a script", span, (), "leave the line out")


def _ctp(view: View, found: re.Match[str]) -> Iterator[Fix]:
    span = _stripped(view)
    if found["tag"]:
        tag = f"({found['tag'][:4]},{found['tag'][4:]})"
        action = found["action"].strip()
        called = re.match(r"@(\w+)", action)
        made = {
            "remove": f"- {tag}",
            "empty": f'{tag} := ""',
            "blank": f'{tag} := ""',
            "hashuid": f"{tag} := hashUID[{tag}]",
            "hash": f"{tag} := hashUID[{tag}]",
            "keep": "",
            "require": "",
        }.get(called[1] if called else "", f'{tag} := "{action}"')
        message = "this is a line of a script for CTP"
        if made and not (called and made.startswith(tag) and made.endswith(f'"{action}"')):
            yield Fix("other-tool", message, span, (Edit(*span, made),))
        hint = "leave the line out" if not made else f'write what it does: {tag} := "text", or - {tag}'
        yield Fix("other-tool", message, span, (), hint)
    elif found["other"]:
        place = Span(*found.span())
        if re.match(r"[A-Za-z_]\w*$", found["other"]) and not view.text.strip().startswith("<"):
            return  # a variable in pointed brackets
        yield Fix("other-tool", "this is XML, not a statement of a script", place, (), "leave the line out")
    else:
        hint = "write (gggg,eeee) := and a value, or - (gggg,eeee)"
        yield Fix(
            "other-tool", "this is a function of a script for CTP", Span(*found.span("plain")), (), hint
        )


def _deid(view: View, found: re.Match[str]) -> Iterator[Fix]:
    span = _stripped(view)
    tag = _tag_of(found["field"])
    value = found["value"].strip()
    made = {"REMOVE": f"- {tag}", "BLANK": f'{tag} := ""'}.get(found["verb"], "")
    message = "this is a line of a recipe of the tool deid"
    if tag[0] == "(" and found["verb"] in ("REPLACE", "ADD"):
        variable = re.fullmatch(r"var:(\w+)", value)
        plain = value.strip("\"'")
        made = f"{tag} := {variable[1]}" if variable else f'{tag} := "{plain}"'
    if made and tag[0] == "(":
        yield Fix("other-tool", message, span, (Edit(*span, made),))
    elif found["verb"] == "KEEP":
        yield Fix(
            "other-tool", message, span, (), "leave the line out, what no statement names stays as it is"
        )
    else:
        yield Fix("other-tool", message, span, (), "write - (gggg,eeee), or (gggg,eeee) := and a value")


def _tag_of(text: str) -> str:
    bare = text.strip("()").replace(" ", "")
    if re.fullmatch("[0-9A-Fa-f]{4},?[0-9A-Fa-f]{4}", bare):
        return f"({bare[:4]},{bare[-4:]})"
    tag = find_meant_tag(text)
    return text if tag is None else format_tag(tag)


def _stripped(view: View) -> Span:
    start = len(view.text) - len(view.text.lstrip())
    return Span(start, start + len(view.text.strip()))


class NoScript(NamedTuple):
    """A text that is no script at all: what it is, where one sees that, and what to do."""

    message: str
    start: int
    end: int
    hint: str


_UNREADABLE: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_KINDS: Final = (
    (re.compile(r"\s*(<\?xml|<script>|<!DOCTYPE|<html|<filter|<config)", re.IGNORECASE), "an XML document"),
    (re.compile(r"\s*(\{\\rtf\d)"), "a document of a word processor"),
    (re.compile(r"\s*(%PDF-)"), "a PDF document"),
    (re.compile(r"\s*([\[{]\s*\n?\s*\"[^\"\n]+\"\s*:)"), "a JSON document"),
    (re.compile(r"(#!/\S+)"), "a program for the command line"),
    (re.compile(r"(PK\x03\x04)"), "a packed file, a document of a word processor perhaps"),
)


def find_no_script(text: str) -> NoScript | None:
    """Whether the text is something else than a script."""
    head = text[:4096]
    if text[128:132] == "DICM":
        hint = "name the script, and the images as the input that it is applied to"
        return NoScript("this is a DICOM file, not a script", 128, 132, hint)
    for pattern, name in _KINDS:
        found = pattern.match(head)
        if found:
            hint = "a script is plain text with statements such as - (0010,0010)"
            if name.startswith("an XML") and "<e " in text:
                name = "a script for CTP"
                hint = (
                    'write each <e ... t="00100010"> as a statement: - (0010,0010), or (0010,0010) := "text"'
                )
            return NoScript(f"this is {name}, not a DicomEdit script", *found.span(1), hint)
    rubbish = _UNREADABLE.findall(head)
    if len(rubbish) > 8 and len(rubbish) * 20 > len(head):
        found = _UNREADABLE.search(head)
        assert found is not None
        hint = "save the script as plain text in UTF-8; copied from the wrong file it has to be copied again"
        return NoScript("this is no text, so it cannot be a script", found.start(), found.end(), hint)
    return None
