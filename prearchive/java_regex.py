r"""Regular expressions as Java reads them, run by the `regex` package with a time limit.

Rules come from XNAT, where `java.util.regex` reads them: `\w` and its like are ASCII, `.` stops at five kinds
of line end, classes nest and intersect, `\Q..\E` quotes. What both read, but differently, is translated;
what only `regex` knows (fuzzy matches, recursion, named lists) is refused, as Java does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import regex

#: Seconds one match may take: a rule that backtracks without end must not hold up a receiver.
MATCH_SECONDS: Final = 0.25

_LINE_END = r"\n\r\u0085\u2028\u2029"
_AT_END = rf"(?=(?:\r\n|[{_LINE_END}])?(?![\s\S]))"
# POSIX classes are ASCII in Java.
_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-\x7e",
    "Graph": r"!-\x7e",
    "Print": r"\x20-\x7e",
    "Blank": r"\x20\t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r"\x20\t-\r",
}
_ESCAPES = {
    "e": r"\x1b",
    "h": r"[\x20\t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "H": r"[^\x20\t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "v": r"[\n-\r\u0085\u2028\u2029]",
    "V": r"[^\n-\r\u0085\u2028\u2029]",
    "R": rf"(?:\r\n|[\x0b\x0c{_LINE_END}])",
    "Z": _AT_END,
    "z": r"(?![\s\S])",
}
_ASCII_CLASSES = {
    "w": "[a-zA-Z_0-9]",
    "W": "[^a-zA-Z_0-9]",
    "d": "[0-9]",
    "D": "[^0-9]",
    "s": r"[\x20\t-\r]",
    "S": r"[^\x20\t-\r]",
}
_KEPT_LETTERS = frozenset("tnrfaxudDsSwWbBA")
_POSIX_NAME = re.compile(r"\{(\w+)\}|(\w)", re.ASCII)
_PROPERTY = re.compile(r"\\[pP](?:\{(\w+)\}|(\w))", re.ASCII)
_REPETITION = re.compile(r"\{\d+(?:,\d*)?\}", re.ASCII)
_FLAGS = re.compile(r"([imsx]*)(?:-([imsx]+))?[:)]", re.ASCII)
_GROUP = re.compile(r"\?(?::|=|!|>|<=|<!|<[A-Za-z][A-Za-z0-9]*>)", re.ASCII)
_REFERENCE = re.compile(r"\\k<([A-Za-z][A-Za-z0-9]*)>", re.ASCII)


class JavaRegexError(ValueError):
    """The text is no regular expression, or no replacement, that Java would take; the message says why."""


def compile_java(pattern: str) -> regex.Pattern[str]:
    """Compile a regular expression of Java.

    Raises:
        JavaRegexError: Java would refuse it.
    """
    try:
        translation = _Translation(pattern)
        letters = regex.UNICODE if translation.unicode else regex.ASCII
        return regex.compile(translation.text(), regex.VERSION1 | letters)
    except (regex.error, RecursionError, OverflowError) as error:
        raise JavaRegexError(getattr(error, "msg", None) or "too deeply nested") from None


def compile_replacement(text: str, pattern: regex.Pattern[str]) -> Callable[[regex.Match[str]], str]:
    r"""Compile a replacement of Java's `replaceAll`: `$1` and `${name}` are groups, `\` makes a sign plain.

    Raises:
        JavaRegexError: a group that the pattern does not have, or a lone `$` or `\`.
    """
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "\\":
            if position == len(text):
                raise JavaRegexError(r"the replacement ends in a lone \ (write \\)")
            parts.append(text[position])
            position += 1
        elif character == "$":
            group, position = _replacement_group(text, position, pattern)
            parts.append(group)
        else:
            parts.append(character)

    def replace(found: regex.Match[str]) -> str:
        return "".join(part if isinstance(part, str) else found[part] or "" for part in parts)

    return replace


def _replacement_group(text: str, position: int, pattern: regex.Pattern[str]) -> tuple[int, int]:
    named = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}", re.ASCII).match(text, position)
    if named:
        if named[1] not in pattern.groupindex:
            raise JavaRegexError(f"the replacement names a group {named[1]!r} that is not there")
        return pattern.groupindex[named[1]], named.end()
    digits = re.compile(r"[0-9]+", re.ASCII).match(text, position)
    if not digits:
        raise JavaRegexError(r"a $ in the replacement needs a group number (write \$ for the sign)")
    # As Java: a further digit belongs to the number only while such a group exists.
    end = position + 1
    while end < digits.end() and int(text[position : end + 1]) <= pattern.groups:
        end += 1
    group = int(text[position:end])
    if group > pattern.groups:
        raise JavaRegexError(f"the replacement names group {group}, the pattern has {pattern.groups}")
    return group, end


class _Translation:
    """One pass over a pattern of Java, writing the pattern for `regex`."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0
        self._written: list[str] = []
        # `regex` restricts \p{..} together with \w to ASCII, Java only \w.
        self.unicode = any((name[1] or name[2]) not in _POSIX for name in _PROPERTY.finditer(pattern))
        self._dot_is_all = False
        self._many_lines = False

    def text(self) -> str:
        """Return the translated pattern."""
        while self._position < len(self._pattern):
            character = self._pattern[self._position]
            if character == "\\":
                self._escape(in_class=False)
            elif character == "[":
                self._character_class()
            elif character == "(":
                self._group()
            elif character == "{":
                self._repetition()
            else:
                self._position += 1
                self._written.append(self._plain(character))
        return "".join(self._written)

    def _plain(self, character: str) -> str:
        if character == "." and not self._dot_is_all:
            return f"[^{_LINE_END}]"
        if character == "$" and not self._many_lines:
            return _AT_END
        return character

    def _group(self) -> None:
        self._position += 1
        self._written.append("(")
        if not self._pattern.startswith("?", self._position):
            return
        known = _GROUP.match(self._pattern, self._position)
        flags = None if known else _FLAGS.match(self._pattern, self._position + 1)
        found = known or flags
        if not found:
            raise JavaRegexError(f"unknown kind of group at position {self._position}")
        self._position = found.end()
        if flags is None:
            self._written.append(found[0])
            return
        on, off = flags[1], flags[2] or ""
        self._dot_is_all = "s" in on or (self._dot_is_all and "s" not in off)
        self._many_lines = "m" in on or (self._many_lines and "m" not in off)
        self._written.append(f"?{flags[0]}")

    def _repetition(self) -> None:
        found = _REPETITION.match(self._pattern, self._position)
        if not found:
            raise JavaRegexError(rf"a {{ at position {self._position} begins no repetition (write \{{)")
        self._position = found.end()
        self._written.append(found[0])

    def _escape(self, *, in_class: bool) -> None:
        pattern, start = self._pattern, self._position
        if start + 1 == len(pattern):
            raise JavaRegexError("the pattern ends in a lone \\")
        letter = pattern[start + 1]
        self._position = start + 2
        if letter == "Q":
            end = pattern.find("\\E", self._position)
            quoted = pattern[self._position : end if end >= 0 else len(pattern)]
            self._position = end + 2 if end >= 0 else len(pattern)
            self._written.append("".join(_literal(character) for character in quoted))
        elif letter in "pP":
            self._property(negated=letter == "P")
        elif letter == "k" and not in_class:
            named = _REFERENCE.match(pattern, start)
            if not named:
                raise JavaRegexError(r"\k needs the name of a group in < >")
            self._position = named.end()
            self._written.append(f"(?P={named[1]})")
        elif letter in _ESCAPES and not (in_class and letter in "RZz"):
            self._written.append(_ESCAPES[letter])
        elif letter in _ASCII_CLASSES and self.unicode:
            self._written.append(_ASCII_CLASSES[letter])
        elif (
            letter.isascii()
            and letter.isalpha()
            and (letter not in _KEPT_LETTERS or (in_class and letter in "bBA"))
        ):
            raise JavaRegexError(f"unknown escape \\{letter}")
        elif letter.isdigit() and letter != "0" and in_class:
            raise JavaRegexError(f"unknown escape \\{letter} in a class")
        else:
            self._written.append(pattern[start : self._position])

    def _property(self, *, negated: bool) -> None:
        named = _POSIX_NAME.match(self._pattern, self._position)
        if not named:
            raise JavaRegexError(r"\p needs a name in { }")
        self._position = named.end()
        name = named[1] or named[2]
        sign = "^" if negated else ""
        if name in _POSIX:
            self._written.append(f"[{sign}{_POSIX[name]}]")
        else:
            self._written.append(rf"\{'P' if negated else 'p'}{{{name}}}")

    def _character_class(self) -> None:
        pattern = self._pattern
        depth = 0
        first = False
        while self._position < len(pattern):
            character = pattern[self._position]
            if character == "\\":
                self._escape(in_class=True)
                first = False
                continue
            self._position += 1
            if character == "[":
                depth += 1
                first = True
                self._written.append("[")
                if pattern.startswith("^", self._position):
                    self._position += 1
                    self._written.append("^")
                continue
            if character == "]" and not first:
                depth -= 1
                self._written.append("]")
                if depth == 0:
                    return
            elif character == "&" and pattern.startswith("&", self._position):
                self._position += 1
                self._written.append("&&")
            elif character == "-" and pattern.startswith("-", self._position):
                self._position += 1
                self._written.append("-\\-")
            elif character in "]|~:&":
                # Plain characters in Java; operators, or part of them, to `regex`.
                self._written.append(f"\\{character}")
            else:
                self._written.append(character)
            first = False
        raise JavaRegexError("a character class is not closed with ]")


def _literal(character: str) -> str:
    return character if character.isalnum() or character == "_" or ord(character) > 127 else f"\\{character}"
