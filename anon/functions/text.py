"""Functions on texts."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote_plus

import regex

from anon.errors import StatementError
from anon.functions.message_format import ABSENT, Parts, fill, join, require_length
from anon.functions.registry import (
    builtin,
    integer,
    maybe,
    message_format,
    pattern,
    plain,
    text,
    texts,
    values,
)
from anon.java_case import lower_case
from anon.java_regex import JavaRegexError
from anon.java_replacement import compile_replacement
from anon.matching import Match, Pattern
from anon.operations.run import Run
from anon.values import Value, text_of


def _format(run: Run, parts: Parts, arguments: tuple[Value, ...]) -> str:
    texts = [text_of(argument) for argument in arguments]
    if any(isinstance(part, int) and part < len(texts) and texts[part] is None for part in parts):
        run.warn(ABSENT)
    return fill(parts, texts)


@builtin("format", versions="6.0+", arguments=[message_format("pattern"), values()])
def format6(run: Run, pattern: Parts, *arguments: Value) -> str:
    """Put values into a pattern: `{0}` is the first value after it, `{1}` the second.

    An apostrophe is written twice; a single one makes what follows literal. An element that is absent gives
    the text `null`, with a warning. Lists are taken apart.

    >>> run('format["{0}-{1}", "a", "b"]')
    'a-b'
    >>> run('format["{0} {2}", "x"]')
    'x {2}'
    >>> run('format["{0}{1}", {"p", "q"}]')
    'pq'
    """
    return _format(run, pattern, arguments)


@builtin("format", versions="4", arguments=[message_format("pattern"), values()])
def format4(run: Run, pattern: Parts, *arguments: Value) -> str:
    """Put values into a pattern: `{0}` is the first value after it, `{1}` the second.

    The same as a text followed by values. An element that is absent gives the text `null`.

    >>> run('format["{0}_v##_{1}", "S1", lowercase["MR"]]')
    'S1_v##_mr'
    >>> run('"{1}{0}" "a", "b"')
    'ba'
    """
    return _format(run, pattern, arguments)


@builtin("lowercase", versions="6.0+", arguments=[text("value")], exact=True)
def lowercase6(value: str) -> str:
    """Return a text in small letters. An absent data element is an error, as in DicomEdit 6.

    >>> run('lowercase["Knee LEFT"]')
    'knee left'
    """
    return lower_case(value)


@builtin("lowercase", versions="4", arguments=[maybe("value")])
def lowercase4(value: str | None) -> str | None:
    """Return a text in small letters; no value gives no value.

    >>> run('lowercase["Knee LEFT"]')
    'knee left'
    """
    return None if value is None else lower_case(value)


@builtin("uppercase", versions="6.0+", arguments=[text("value")])
def uppercase6(value: str) -> str:
    """Return a text in capital letters. An absent data element is an error, as in DicomEdit 6.

    >>> run('uppercase["Knee left"]')
    'KNEE LEFT'
    """
    return value.upper()


@builtin("uppercase", versions="4", arguments=[maybe("value")])
def uppercase4(value: str | None) -> str | None:
    """Return a text in capital letters; no value gives no value.

    >>> run('uppercase["Knee left"]')
    'KNEE LEFT'
    """
    return None if value is None else value.upper()


@builtin("concatenate", versions="6.0+", arguments=[texts()])
def concatenate(*parts: str) -> str:
    """Return texts joined. An absent data element is an error.

    >>> run('concatenate["a", 5, (0008,0060)]')
    'a5MR'
    """
    return join(parts)


# What Java's isWhitespace takes for blank: no-break spaces are none, and some control characters are.
_BLANK = re.compile(r"[\t-\r\x1c-\x20\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]*")


def _substring(value: str, begin: int, end: int) -> str:
    """Java's substring counts UTF-16 units, of which some characters need two."""
    units = value.encode("utf-16-le", "surrogatepass")
    if not 0 <= begin <= end <= len(units) // 2:
        raise StatementError("out-of-range", "begin and end are not inside of the value")
    # Half of a character that needs two units is written as ?, which is what Java encodes it as.
    return units[2 * begin : 2 * end].decode("utf-16-le", "surrogatepass").encode("utf-8", "replace").decode()


@builtin("substring", versions="6.0+", arguments=[text("value"), integer("begin"), integer("end")])
def substring6(value: str, begin: int, end: int) -> str:
    """Return the characters from `begin`, counted from 0, up to but not including `end`.

    A value that is too short is an error.

    >>> run('substring["20240229", 0, 4]')
    '2024'
    """
    return _substring(value, begin, end)


@builtin("substring", versions="4", arguments=[maybe("value"), integer("begin"), integer("end")])
def substring4(value: str | None, begin: int, end: int) -> str | None:
    """Return the characters from `begin`, counted from 0, up to but not including `end`.

    A value that is too short is an error; no value, or one of blanks only, is returned as it is.

    >>> run('substring["20240229", 0, 4]')
    '2024'
    """
    if value is None or _BLANK.fullmatch(value):
        return value
    return _substring(value, begin, end)


def _replace(value: str, find: str, replacement: str) -> str:
    require_length(len(value) + value.count(find) * len(replacement))
    return value.replace(find, replacement)


@builtin("replace", versions="6.0+", arguments=[text("value"), plain("find"), plain("replacement")])
def replace6(value: str, find: str, replacement: str) -> str:
    """Return a text with every occurrence of another replaced, literally.

    An empty text to find puts the replacement around every character.

    >>> run('replace["a.b.c", ".", "-"]')
    'a-b-c'
    """
    return _replace(value, find, replacement)


@builtin("replace", versions="4", arguments=[text("value"), text("find"), text("replacement")])
def replace4(value: str, find: str, replacement: str) -> str:
    """Return a text with every occurrence of another replaced, literally.

    An empty text to find puts the replacement around every character.

    >>> run('replace["a.b.c", ".", "-"]')
    'a-b-c'
    """
    return _replace(value, find, replacement)


def _group(found: Match | None, group: int, compiled: Pattern) -> str | None:
    if found is None:
        return None
    if not 0 <= group <= compiled.groups:
        raise StatementError("out-of-range", "the regular expression has no such group")
    value: str | None = found[group]
    return value


@builtin("match", versions="6.0+", arguments=[text("value"), pattern("regex"), integer("group")], exact=True)
def match6(value: str, regex: Pattern, group: int) -> str | None:
    """Return a group of the first place that a regular expression matches; no value when there is none.

    >>> run('match["knee 42 left", "([0-9])([0-9])", 2]')
    '2'
    """
    return _group(regex.search(value), group, regex)


@builtin("match", versions="4", arguments=[maybe("value"), pattern("regex"), integer("group")])
def match4(value: str | None, regex: Pattern, group: int) -> str | None:
    """Return a group of a regular expression that matches the whole value; no value when it does not.

    Group 0 is the whole. An element that is given no value becomes empty.

    >>> run('match["AB-12", "([A-Z]+)-([0-9]+)", 2]')
    '12'
    """
    found = None if value is None else regex.fullmatch(value)
    return None if found is None else _group(found, group, regex)


@builtin(
    "ismatch", versions="6.0+", arguments=[text("value"), pattern("regex")], returns="boolean", exact=True
)
def is_match(value: str, regex: Pattern) -> bool:
    """Return whether a regular expression matches the whole value.

    >>> run('ismatch["abc", "a.c"]')
    'true'
    """
    return regex.fullmatch(value) is not None


_NOT_ASCII: Final = regex.compile(r"[^\x00-\x7f]")


@builtin(
    "normalizeString",
    versions="6.0+",
    arguments=[maybe("value"), plain("replacement", optional=True)],
    exact=True,
)
def normalize_string(value: str | None, replacement: str = "_") -> str | None:
    """Return a text with every character outside ASCII replaced, by `_` unless said otherwise.

    In the replacement `$0` stands for the character and a backslash before anything for that itself. An
    absent element gives no value.

    >>> run('normalizeString["José"]')
    'Jos_'
    >>> run('normalizeString["José", "<$0>"]')
    'Jos<é>'
    """
    if value is None or value.isascii():
        return value
    try:
        replace = compile_replacement(replacement, _NOT_ASCII)
    except JavaRegexError:
        raise StatementError(
            "bad-replacement", "in a replacement only $0 and \\ before a character are allowed"
        ) from None
    count = sum(not letter.isascii() for letter in value)
    require_length(len(value) + count * len(replacement))
    return _NOT_ASCII.sub(replace, value)


@builtin("urlEncode", versions="4", arguments=[maybe("value")])
def url_encode(value: str | None) -> str | None:
    """Return a text as forms send it: blanks as +, all but letters, digits and . - * _ as UTF-8 in %XX.

    >>> run('urlEncode["a b/~"]')
    'a+b%2F%7E'
    """
    return None if value is None else quote_plus(value, safe="*").replace("~", "%7E")
