r"""Regular expressions as Java reads them, run by the `regex` package with a time limit.

Scripts and rules come from XNAT, where `java.util.regex` reads them: `\w` and its like are ASCII, `.` stops
at five kinds of line end, classes nest and intersect, `\Q..\E` quotes. What both read, but differently, is
translated; what only `regex` knows (fuzzy matches, recursion, named lists) is refused, as Java does, and so
is the little that cannot be translated: a rule must never match something else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import regex

from anon.java_properties import CASED, property_class

#: Seconds one match may take: a pattern that backtracks without end must not hold up a receiver.
MATCH_SECONDS: Final = 0.25
MAX_CHARACTERS: Final = 10_000

_LINE_END = r"\n\r\u0085\u2028\u2029"
_END = r"(?![\s\S])"
# Between the two characters of \r\n no line ends and none begins.
_AT_END = rf"(?=(?:\r\n|(?<!\r)\n|[\r\u0085\u2028\u2029])?{_END})"
_AT_LINE_END = rf"(?:(?=[\r\u0085\u2028\u2029])|(?<!\r)(?=\n)|{_END})"
_AT_LINE_START = rf"(?:(?:(?<![\s\S])|(?<=[\n\u0085\u2028\u2029])|(?<=\r)(?!\n))(?!{_END}))"
# For \b, unlike \w, Java counts all letters and digits as parts of words, with the marks that follow them.
_WORD_BEFORE = r"(?:(?<=[\p{L}\p{Nd}_])|(?<=[\p{L}\p{Nd}]\p{Mn}+))"
_WORD_AFTER = r"(?:(?=[\p{L}\p{Nd}_])|(?=\p{Mn})(?<=[\p{L}\p{Nd}]\p{Mn}*))"
_CHARACTERS = {"a": "\a", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CLASSES = {
    "h": r"[\x20\t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "H": r"[^\x20\t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "v": r"[\n-\r\u0085\u2028\u2029]",
    "V": r"[^\n-\r\u0085\u2028\u2029]",
    "w": "[a-zA-Z_0-9]",
    "W": "[^a-zA-Z_0-9]",
    "d": "[0-9]",
    "D": "[^0-9]",
    "s": r"[\x20\t-\r]",
    "S": r"[^\x20\t-\r]",
}
_ESCAPES_OUTSIDE = {
    "R": rf"(?:\r\n|[\x0b\x0c{_LINE_END}])",
    "A": r"(?<![\s\S])",
    "Z": _AT_END,
    "z": _END,
    "b": rf"(?:{_WORD_BEFORE}(?!{_WORD_AFTER})|(?!{_WORD_BEFORE}){_WORD_AFTER})",
    "B": rf"(?:{_WORD_BEFORE}{_WORD_AFTER}|(?!{_WORD_BEFORE})(?!{_WORD_AFTER}))",
}
_QUANTIFIER = re.compile(r"(?:\{(\d+)(?:,(\d*))?\}|[*+?])[+?]?", re.ASCII)
_FLAGS = re.compile(r"\?([imsx]*)(?:-([imsx]+))?([:)])", re.ASCII)
_GROUP = re.compile(r"\?(?::|=|!|>|<=|<!|<([A-Za-z][A-Za-z0-9]*)>)", re.ASCII)
_REFERENCE = re.compile(r"\\k<([A-Za-z][A-Za-z0-9]*)>", re.ASCII)
_CODE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]+)\}|u([0-9A-Fa-f]{4})|0([0-3]?[0-7]{1,2}))")
_LOW_SURROGATE = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
_PROPERTY_NAME = re.compile(r"\{([\w ]+)\}|(\w)", re.ASCII)
_MAX_REPETITIONS: Final = 2**31 - 1
# `regex` writes out what has to come a number of times, so a short pattern can fill the memory.
_MAX_SIZE: Final = 50_000
_MAX_NESTING: Final = 200
# And compiles what is repeated in what is repeated two or three times for each level: ((a{2}){2}){2} ...
_MAX_REPEATED: Final = 8


class JavaRegexError(ValueError):
    """The text is no regular expression, or no replacement, that Java would take; the message says why.

    Attributes:
        start: where in the text the culprit begins.
        end: behind the culprit; 0 when nobody knows where it is.
    """

    start: int = 0
    end: int = 0


@lru_cache(maxsize=32)  # a large one takes some 10 MB; who needs one often keeps it
def compile_java(pattern: str) -> regex.Pattern[str]:
    """Compile a regular expression of Java.

    Raises:
        JavaRegexError: Java would refuse it, or it cannot be translated.
    """
    if len(pattern) > MAX_CHARACTERS:
        raise JavaRegexError(f"it is longer than {MAX_CHARACTERS} characters")
    try:
        translation = _Translation(pattern)
        return regex.compile(translation.text(), regex.VERSION1, cache_pattern=False)
    except JavaRegexError as error:
        error.start, error.end = translation.culprit()
        raise
    except (regex.error, RecursionError, OverflowError) as error:
        raise JavaRegexError(getattr(error, "msg", None) or "too deeply nested") from None


class _Flags:
    """What holds up to the end of a group."""

    __slots__ = ("dot_is_all", "ignores_case", "in_look_behind", "many_lines")

    def __init__(self, outer: _Flags | None = None, *, look_behind: bool = False) -> None:
        self.dot_is_all: bool = outer is not None and outer.dot_is_all
        self.many_lines: bool = outer is not None and outer.many_lines
        self.ignores_case: bool = outer is not None and outer.ignores_case
        self.in_look_behind: bool = look_behind or (outer is not None and outer.in_look_behind)


class _Translation:
    """One pass over a pattern of Java, writing the pattern for `regex`."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0
        self._item = 0  # where what is being read begins
        self._opened: list[int] = []  # where the groups that are open begin
        self._written: list[str] = []
        self._groups = [_Flags()]
        self._names: set[str] = set()
        self._count = 0  # of capturing groups begun so far
        self._can_repeat = False
        self._sizes = [0]  # characters of the groups that are open, repetitions written out
        self._last_size = 0  # of what a repetition would repeat
        self._repeated = [0]  # levels of repetitions in the groups that are open
        self._last_repeated = 0  # in the group that was just closed
        self._unbounded_behind = 0  # repetitions without end in what is looked for behind

    def text(self) -> str:
        """Return the translated pattern."""
        while self._position < len(self._pattern):
            character = self._pattern[self._position]
            begin = len(self._written)
            self._item = self._position
            if character == "\\":
                self._can_repeat = self._escape() or self._can_repeat
            elif character == "[":
                self._character_class()
                self._can_repeat = True
            elif character == "(":
                start, depth = self._position, len(self._groups)
                self._begin_group()
                self._opened += [start] * (len(self._groups) - depth)
                self._can_repeat = False
            elif character in "*+?{":
                self._repeat()
                self._can_repeat = False
            else:
                self._position += 1
                self._written.append(self._plain(character))
                self._can_repeat = character not in "|^$"
            self._count_size(character, sum(map(len, self._written[begin:])))
            self._count_repetitions(character)
        if len(self._groups) > 1:
            self._item, self._position = self._opened[-1], self._opened[-1] + 1
            raise JavaRegexError("a ( is not closed with )")
        return "".join(self._written)

    def culprit(self) -> tuple[int, int]:
        """Where reading the pattern stopped: what was being read."""
        start = min(self._item, max(len(self._pattern) - 1, 0))
        return start, max(min(self._position, len(self._pattern)), start + 1)

    @property
    def _flags(self) -> _Flags:
        return self._groups[-1]

    def _count_size(self, character: str, size: int) -> None:
        """Add what was just written to the size of its group."""
        if len(self._groups) > len(self._sizes):
            self._sizes.append(size)
            return
        if character == ")":
            size += self._sizes.pop()
        elif character == "{":
            found = re.search(r"\d+", self._written[-1])
            size = self._last_size * max(int(found[0]) - 1 if found else 0, 0)
        self._sizes[-1] += size
        self._last_size = self._last_size + size if character in "*+?{" else size
        if self._sizes[-1] > _MAX_SIZE:
            raise JavaRegexError("it is too large, or repeats something too often")

    def _count_repetitions(self, character: str) -> None:
        """Count how deep repetitions are in each other; what is optional counts for nothing."""
        if len(self._groups) > len(self._repeated):
            self._repeated.append(0)
            self._last_repeated = 0
        elif character == ")":
            self._last_repeated = self._repeated.pop()
            self._repeated[-1] = max(self._repeated[-1], self._last_repeated)
        elif character in "*+{":
            self._last_repeated += 1
            self._repeated[-1] = max(self._repeated[-1], self._last_repeated)
            if self._last_repeated > _MAX_REPEATED:
                raise JavaRegexError(f"more than {_MAX_REPEATED} repetitions are in each other")
        elif character != "?":
            self._last_repeated = 0

    def _plain(self, character: str) -> str:
        if character == ".":
            return r"[\s\S]" if self._flags.dot_is_all else f"[^{_LINE_END}]"
        if character == "$":
            return _AT_LINE_END if self._flags.many_lines else _AT_END
        if character == "^":
            return _AT_LINE_START if self._flags.many_lines else r"(?<![\s\S])"
        if character == ")":
            if len(self._groups) == 1:
                raise JavaRegexError("a ) closes no group")
            self._groups.pop()
            self._opened.pop()
        if character in "|)":
            return character
        return self._letter(character)

    def _letter(self, character: str) -> str:
        """A plain character; (?i) is for letters of ASCII only."""
        if self._flags.ignores_case and character.swapcase() != character and character.isascii():
            return f"[{character}{character.swapcase()}]"
        return _literal(character)

    # -- groups and repetitions

    def _begin_group(self) -> None:
        if len(self._groups) > _MAX_NESTING:
            raise JavaRegexError("too deeply nested")
        self._position += 1
        if not self._pattern.startswith("?", self._position):
            self._count += 1
            self._groups.append(_Flags(self._flags))
            self._written.append("(")
            return
        known = _GROUP.match(self._pattern, self._position)
        if known is None:
            self._change_flags()
            return
        if known[0] == "?>" and self._flags.in_look_behind:
            raise JavaRegexError("a group (?>..) cannot stand in what is looked for behind")
        self._position = known.end()
        if known[1]:
            if known[1] in self._names:
                raise JavaRegexError(f"there are two groups named {known[1]!r}")
            self._names.add(known[1])
            self._count += 1
        is_look_behind = known[0] in ("?<=", "?<!")
        if is_look_behind and not self._flags.in_look_behind:
            self._unbounded_behind = 0
        self._groups.append(_Flags(self._flags, look_behind=is_look_behind))
        self._written.append(f"({known[0]}")

    def _change_flags(self) -> None:
        flags = _FLAGS.match(self._pattern, self._position)
        if flags is None:
            raise JavaRegexError("there is no such kind of group")
        self._position = flags.end()
        on, off = flags[1], flags[2] or ""
        if "x" in on:
            raise JavaRegexError("(?x) is not supported: write the pattern without blanks and comments")
        if flags[3] == ":":
            self._groups.append(_Flags(self._flags))
        self._flags.dot_is_all = ("s" in on or self._flags.dot_is_all) and "s" not in off
        self._flags.many_lines = ("m" in on or self._flags.many_lines) and "m" not in off
        self._flags.ignores_case = ("i" in on or self._flags.ignores_case) and "i" not in off
        # What letters, . ^ and $ mean under these flags is written out: nothing is left for `regex`.
        if flags[3] == ":":
            self._written.append("(?:")

    def _repeat(self) -> None:
        found = _QUANTIFIER.match(self._pattern, self._position)
        if not found:
            raise JavaRegexError(r"a { begins a number of repetitions, or is written \{")
        if not self._can_repeat:
            raise JavaRegexError(
                f"nothing stands before the {self._pattern[self._position]} that it could repeat"
            )
        if any(number and int(number) > _MAX_REPETITIONS for number in found.groups()):
            raise JavaRegexError("the number of repetitions is too large")
        if found[2] and int(found[2]) < int(found[1]):
            raise JavaRegexError(f"the numbers of repetitions {{{found[1]},{found[2]}}} go backwards")
        if self._flags.in_look_behind:
            self._check_repetition_behind(found)
        self._position = found.end()
        self._written.append(found[0])

    def _check_repetition_behind(self, found: re.Match[str]) -> None:
        """`regex` looks behind from right to left: what is taken first, and kept, is something else there."""
        if len(found[0]) > 1 and found[0].endswith("+"):
            raise JavaRegexError("a possessive repetition cannot stand in what is looked for behind")
        # Java miscounts the length of several.
        self._unbounded_behind += found[0][0] in "*+" or found[2] == ""
        if self._unbounded_behind > 1:
            raise JavaRegexError("only one repetition without end can stand in what is looked for behind")

    # -- escapes

    def _escape(self) -> bool:
        """Translate what begins with a backslash outside a class; returns whether it can be repeated."""
        pattern, start = self._pattern, self._position
        letter = pattern[start + 1 : start + 2]
        self._position = start + 2
        if not letter:
            raise JavaRegexError("the pattern ends in a lone \\")
        if letter == "Q":
            return self._quoted()
        if letter in _ESCAPES_OUTSIDE:
            self._written.append(_ESCAPES_OUTSIDE[letter])
            return letter == "R"
        if letter == "k":
            self._named_reference(start)
        elif letter in "123456789":
            self._reference(letter)
        else:
            found = self._class_escape(start)
            self._written.append(found if len(found) > 1 else self._letter(found))
        return True

    def _class_escape(self, start: int) -> str:
        """What is written alike inside and outside a class: a single character, or a class."""
        letter = self._pattern[start + 1]
        self._position = start + 2
        if letter in "pP":
            return self._property(negated=letter == "P")
        if letter in "xu0":
            return self._code(start)
        if letter == "c":
            return self._control()
        if letter in _CHARACTERS:
            return _CHARACTERS[letter]
        if letter in _CLASSES:
            return _CLASSES[letter]
        if letter.isascii() and letter.isalnum():
            raise JavaRegexError(f"unknown escape \\{letter}")
        return letter

    def _quoted(self) -> bool:
        end = self._pattern.find("\\E", self._position)
        quoted = self._pattern[self._position : end if end >= 0 else len(self._pattern)]
        self._position = end + 2 if end >= 0 else len(self._pattern)
        self._written.append("".join(map(self._letter, quoted)))
        return bool(quoted)

    def _code(self, start: int) -> str:
        found = _CODE.match(self._pattern, start)
        if not found:
            raise JavaRegexError(f"unknown escape {self._pattern[start : start + 2]}")
        self._position = found.end()
        number = int(found[4], 8) if found[4] else int(found[1] or found[2] or found[3], 16)
        low = _LOW_SURROGATE.match(self._pattern, self._position)
        if found[3] and 0xD800 <= number < 0xDC00 and low:
            number = 0x10000 + ((number - 0xD800) << 10) + int(low[1], 16) - 0xDC00
            self._position = low.end()
        if number > 0x10FFFF:
            raise JavaRegexError("there is no such character")
        return chr(number)

    def _control(self) -> str:
        letter = self._pattern[self._position : self._position + 1]
        if not letter:
            raise JavaRegexError(r"\c needs a letter")
        self._position += 1
        return chr(ord(letter) ^ 64)

    def _reference(self, digits: str) -> None:
        """A back reference; as Java, a further digit belongs to it only while such a group exists."""
        while self._pattern[self._position : self._position + 1] in tuple("0123456789"):
            longer = digits + self._pattern[self._position]
            if int(longer) > self._count:
                break
            digits = longer
            self._position += 1
        if int(digits) > self._count:
            raise JavaRegexError(f"there is no group {digits} so far")
        self._check_reference()
        self._written.append(rf"(?:\{digits})")

    def _named_reference(self, start: int) -> None:
        named = _REFERENCE.match(self._pattern, start)
        if not named or named[1] not in self._names:
            raise JavaRegexError(r"\k needs the name of an earlier group in < >")
        self._check_reference()
        self._position = named.end()
        self._written.append(f"(?P={named[1]})")

    def _check_reference(self) -> None:
        if self._flags.in_look_behind:
            raise JavaRegexError("a back reference cannot stand in what is looked for behind")
        if self._flags.ignores_case:
            raise JavaRegexError("back references and (?i) cannot be used together here")

    def _property(self, *, negated: bool) -> str:
        named = _PROPERTY_NAME.match(self._pattern, self._position)
        if not named:
            raise JavaRegexError(r"\p needs a name in { }")
        self._position = named.end()
        name = named[1] or named[2]
        translated = property_class(name)
        if translated is None:
            raise JavaRegexError(f"unknown property {name!r}")
        if self._flags.ignores_case and name in CASED:
            raise JavaRegexError(rf"(?i) and \p{{{name}}} cannot be used together here")
        return f"[{'^' if negated else ''}{translated}]"

    # -- classes

    def _character_class(self) -> None:
        self._position += 1
        self._written.append("[")
        if self._take("^"):
            self._written.append("^")
        is_empty = True
        while True:
            if is_empty and self._pattern.startswith("&&", self._position):
                raise JavaRegexError("a class cannot begin with &&")
            if not is_empty and self._take("]"):
                self._written.append("]")
                return
            if self._pattern.startswith("[", self._position):
                self._character_class()
            elif self._take("&&"):
                if self._pattern.startswith(("&", "]"), self._position):
                    raise JavaRegexError("nothing follows && in a class")
                self._written.append("&&")
            else:
                self._class_item()
            is_empty = False

    def _take(self, text: str) -> bool:
        is_next = self._pattern.startswith(text, self._position)
        if is_next:
            self._position += len(text)
        return is_next

    def _class_item(self) -> None:
        """A character, a range, a class with a backslash or a quoted stretch."""
        if self._take("\\Q"):
            end = self._pattern.find("\\E", self._position)
            quoted = self._pattern[self._position : end if end >= 0 else len(self._pattern)]
            self._position += len(quoted) + 2
            self._written += [self._range(character, character) for character in quoted]
            if self._pattern.startswith("-", self._position) and not self._is_plain_minus():
                raise JavaRegexError(r"a range in a class cannot begin with \Q..\E")
            return
        first = self._class_character()
        if len(first) > 1:
            self._written.append(first)
            return
        last = first
        if self._pattern.startswith("-", self._position) and not self._is_plain_minus():
            self._position += 1
            last = self._class_character()
            if len(last) > 1 or last < first:
                raise JavaRegexError("a range in [ ] goes backwards, or ends in no character")
        self._written.append(self._range(first, last))

    def _is_plain_minus(self) -> bool:
        return self._pattern.startswith(("-]", "-["), self._position)

    def _class_character(self) -> str:
        start = self._position
        if start >= len(self._pattern):
            raise JavaRegexError("a [ is not closed with ]")
        if self._pattern[start] != "\\":
            self._position += 1
            return self._pattern[start]
        if start + 1 == len(self._pattern):
            raise JavaRegexError("the pattern ends in a lone \\")
        return self._class_escape(start)

    def _range(self, first: str, last: str) -> str:
        """Characters in a class; (?i) adds the other case of letters of ASCII."""
        written = _literal(first) if first == last else f"{_literal(first)}-{_literal(last)}"
        if self._flags.ignores_case:
            for begin, end in (("a", "z"), ("A", "Z")):
                low, high = max(first, begin), min(last, end)
                if low <= high:
                    written += f"{low.swapcase()}-{high.swapcase()}"
        return written


def _literal(character: str) -> str:
    return character if character.isalnum() or character == "_" or ord(character) > 127 else f"\\{character}"
