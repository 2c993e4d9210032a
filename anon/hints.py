"""Likely repairs: functions of other languages, places in a text, what is said where no rule says more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from anon.functions.registry import SESSION_LABEL, Builtin, find_similar, functions_of
from anon.syntax import nodes
from anon.syntax.span import Source, Span
from anon.tag_names import find_meant_tag, format_tag

# What functions are called elsewhere: in small letters, without _.
_ELSEWHERE: Final[Mapping[str, str]] = {
    "concat": "concatenate",
    "join": "concatenate",
    "append": "concatenate",
    "cat": "concatenate",
    "plus": "concatenate",
    "upper": "uppercase",
    "toupper": "uppercase",
    "touppercase": "uppercase",
    "ucase": "uppercase",
    "lower": "lowercase",
    "tolower": "lowercase",
    "tolowercase": "lowercase",
    "lcase": "lowercase",
    "substr": "substring",
    "mid": "substring",
    "left": "substring",
    "right": "substring",
    "slice": "substring",
    "hash": "hashUID",
    "md5": "hashUID",
    "sha1": "hashUID",
    "sha256": "hashUID",
    "hashvalue": "hashUID",
    "uuid": "newUID",
    "guid": "newUID",
    "generateuid": "newUID",
    "createuid": "newUID",
    "randomuid": "newUID",
    "newuid": "newUID",
    "makeuid": "newUID",
    "remapuid": "mapUID",
    "replaceuid": "hashUID",
    "exists": "isPresent",
    "present": "isPresent",
    "has": "isPresent",
    "isset": "isPresent",
    "defined": "isPresent",
    "isempty": "isPresent",
    "matches": "ismatch",
    "regex": "match",
    "regexp": "match",
    "contains": "ismatch",
    "sub": "replace",
    "gsub": "replace",
    "replaceall": "replace",
    "regexreplace": "replace",
    "translate": "replace",
    "remove": "removeTags",
    "removetag": "removeTags",
    "deletetags": "removeTags",
    "removeelements": "removeTags",
    "keepprivatetags": "retainPrivateTags",
    "retainprivate": "retainPrivateTags",
    "shiftdate": "shiftDateByIncrement",
    "dateshift": "shiftDateByIncrement",
    "adddays": "shiftDateByIncrement",
    "jitter": "shiftDateByIncrement",
    "incrementdate": "shiftDateByIncrement",
    "sprintf": "format",
    "printf": "format",
    "string": "format",
    "tostring": "format",
    "str": "format",
    "value": "valueAt",
    "getvalue": "valueAt",
    "get": "valueAt",
    "contents": "valueAt",
    "getelement": "valueAt",
    "map": "lookup",
    "table": "lookup",
    "vlookup": "lookup",
    "blackout": "alterPixels",
    "redact": "alterPixels",
    "mask": "alterPixels",
    "scrub": "alterPixels",
    "quarantine": "reject",
    "fail": "reject",
    "abort": "reject",
    "discard": "reject",
    "url": "getURL",
    "fetch": "getURL",
    "http": "getURL",
    "encode": "urlEncode",
    "urlencode": "urlEncode",
    "trim": "normalizeString",
    "normalize": "normalizeString",
    "clean": "normalizeString",
    "sessionlabel": "makeSessionLabel",
    "makelabel": "makeSessionLabel",
    "assign": "set",
    "setvalue": "set",
    "blank": "blankValues",
    "empty": "blankValues",
    "clear": "blankValues",
    "hashuids": "hashUIDList",
    "hashall": "hashUIDList",
}
_LIST: Final = "`prearc anon functions` lists them all"

_TAG: Final = re.compile(r"\(?\s*([0-9A-Fa-f]{3}[02468ACEace])\s*,?\s*([0-9A-Fa-f]{4})\s*\)?")

#: What is said of a mistake or a failure where nobody knows more.
BY_CODE: Final[Mapping[str, str]] = {
    "absent-in-label": "write a pattern of texts and variables that always have a value",
    "argument-count": _LIST,
    "argument-kind": "`prearc anon functions NAME` shows what a function takes",
    "bad-data-set": "the file is damaged or no DICOM file; look at it with another program",
    "bad-fill": "write a value from 0 to 255, v=0 is black",
    "bad-format": "a format has {0} for the first value, {1} for the second and so on",
    "bad-image": "the object is damaged or unusual: keep it out with reject, or remove its pixel data",
    "bad-record-id": "give a shorter id of letters and digits",
    "bad-rectangle": 'write it as "l=0, t=0, r=100, b=20"',
    "bad-regex": "try the pattern in small parts; signs such as . ( [ * need a backslash to mean themselves",
    "bad-replacement": "write a plain text as the replacement",
    "bad-shape": 'the only shape is "rectangle"',
    "bad-uid-prefix": "write the beginning of a UID: 1.2.840.99999",
    "identity-removed": "replace the UID instead, with hashUID for example",
    "initialised-twice": "choose another name for one of them",
    "list-assigned": "assign a text; format or concatenate make one of several values",
    "list-compared": 'compare with a single value, or with ~ and a pattern such as "CT|MR"',
    "missing-codec": "install the project with all of its dependencies",
    "missing-variable": "whoever applies the script has to give it a value: --var NAME=TEXT",
    "nested-pixels": "remove the sequence first",
    "no-creator": "assign to (gggg,{CREATOR}ee), which makes the creator too",
    "no-data-element": "groups 0000, 0001, 0003, 0005, 0007 and FFFF are reserved, choose another one",
    "no-label-function": "have whoever applies the script give the variable",
    "no-lookup-table": "give a table with --lookup FILE, or put lookup.txt into the site's folder",
    "no-private-block": "remove private elements first",
    "no-such-date": "test the value first, with ~ and a pattern, or assign a fixed date",
    "no-such-key": "add a line `type/key = value` to the lookup table",
    "no-such-key-type": "add lines `type/key = value` to the lookup table",
    "no-text-possible": "remove the element instead: - (gggg,eeee)",
    "no-value": "test first whether it is there",
    "not-a-date": 'test the value first, with ~ and a pattern such as "[0-9]{8}"',
    "not-a-number": "assign a number, or remove the element",
    "not-a-sequence": "write the path of the element as it is in the object, `prearc anon values` shows it",
    "not-a-tag": 'assign eight hexadecimal digits, such as "00100010"',
    "not-allowed": "whoever runs the site can allow single hosts",
    "not-an-age": 'test the value first: (0010,1010) ~ "[0-9]{3}[DWMY]"',
    "not-decodable": "the pixel data are damaged: keep the object out with reject, or remove them",
    "not-encodable": "the object is damaged: keep it out with reject",
    "not-readable": "name an element that holds text or numbers",
    "not-representable": 'put (0008,0005) := "ISO_IR 192" first',
    "not-singular": "name a single element, sequences with [n]",
    "out-of-range": "test the value first, with ~ and a pattern",
    "outside-image": "give a rectangle that begins on the image; its top left corner is l=0, t=0",
    "regex-timeout": "nested repetitions such as (a+)+ are slow, write a+",
    "short-pixel-data": "the object is damaged: keep it out with reject, or remove its pixel data",
    "too-deep": "store what is inside in a variable first: name := value",
    "too-long": "make the text shorter, or split the script",
    "too-many-pixels": "keep the object out with reject, or remove its pixel data",
    "transfer-syntax": "leave the statement out, the program that stores the object sets it",
    "unset-variable": 'give the variable a value before the condition, too: name := ""',
    "unsupported-image": "keep such objects out with reject, or remove their pixel data",
    "unsupported-transfer-syntax": "keep such objects out with reject, or remove their pixel data",
    "url-failed": "try the address in a browser on the same machine",
    "variable-cycle": "give one of the variables a value of its own",
    "wrong-vr": "name an element that holds what the function works on",
}


def unknown_function_hint(name: str, known: Mapping[str, Builtin], dialect: int) -> str:
    """What somebody meant who calls a function that does not exist."""
    if dialect == 4 and name == SESSION_LABEL:
        return f"only a variable takes its value from it: session := {name}[...]"
    similar = find_similar(name, known)
    if dialect == 4 and get_close_matches(name, [SESSION_LABEL], cutoff=0.8):
        similar = SESSION_LABEL
    if similar:
        return f"did you mean {similar!r}?"
    if name.lower() == "not" and dialect == 6:
        return "put what is to be done into the else part: if (...) { } else { ... }"
    meant = _ELSEWHERE.get(name.lower().replace("_", ""))
    if dialect == 4 and meant == "concatenate":
        return 'write a format instead: "{0}{1}" first, second'
    if meant in known:
        return f"did you mean {meant!r}?"
    other = functions_of(10 - dialect)
    there = name if name in other else find_similar(name, other) or meant
    if dialect == 4 and there in other:
        return f'DicomEdit 6 has {there!r}: a script in it begins with version "6.6"'
    if dialect == 6 and there in other:
        return f"only DicomEdit 4 has {there!r}; {_LIST}"
    return _LIST


def path_hint(text: str) -> str:
    """What was meant with a text that is no path, though it names elements; nothing where it names none."""
    tags = [f'"({group},{element})"' for group, element in _TAG.findall(text)]
    if tags and not _TAG.sub("", text).strip(" ,;"):
        each = " each tag in quotes of its own:" if len(tags) > 1 else ""
        return f"write{each} {', '.join(tags)}"
    tag = find_meant_tag(text)
    return "" if tag is None else f'an element is named by its tag: "{format_tag(tag)}"'


def meant_function(name: str, dialect: int) -> str | None:
    """The function that a name of another language means; None when there is none."""
    known = functions_of(dialect)
    meant = _ELSEWHERE.get(name.lower().replace("_", ""))
    return meant if meant in known else find_similar(name, known)


def place_in_text(source: Source, node: nodes.Text, start: int, end: int, dialect: int) -> Span:
    """Where characters of a text stand in the script, escapes counted as they are typed."""
    quote = source.text[node.span.start] != node.text[:1]  # none where somebody forgot it
    raw = source.text[node.span.start + quote : node.span.end - quote]
    escapes = re.compile(r"\\[\s\S]" if dialect == 4 else r"\\\\")
    places: list[int] = []
    position = 0
    while position < len(raw):
        places.append(position)
        found = escapes.match(raw, position)
        position = found.end() if found else position + 1
    places.append(len(raw))
    if end <= start or start >= len(places) - 1:
        return node.span
    base = node.span.start + quote
    return Span(base + places[start], base + places[min(end, len(places) - 1)])


def regex_hint(reason: str) -> str:
    """The likely repair of a pattern."""
    if "lone" in reason:
        return "a backslash before the end is written twice"
    if "not closed with ]" in reason:
        return "close the [ with a ], or write \\\\[ to mean the sign itself"
    if "not closed with )" in reason:
        return "close the ( with a ), or write \\\\( to mean the sign itself"
    if "closes no group" in reason:
        return "leave the ) out, or write \\\\) to mean the sign itself"
    if "in each other" in reason:
        return "repeat a part once: (?:a{2}){3} is a{6}, (?:a+)* is a*"
    if "could repeat" in reason:
        return "put what is to be repeated before it: .* stands for any text"
    if "backwards" in reason:
        return "write the smaller one first, such as [a-z] or {1,3}"
    if "no group" in reason:
        return "groups are counted from 1, by their ("
    return ""
