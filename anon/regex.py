"""Regular expressions as Java reads them.

Scripts are written for `java.util.regex`. What Python reads the same way is handed on, the little that only
differs in spelling is translated, and everything else is refused: a rule must never match something else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

Pattern = re.Pattern[str]

MAX_CHARACTERS: Final = 10_000
# Letters that mean the same after a backslash in both languages; others are refused.
_SAME_ESCAPES: Final = frozenset("dDwWsSbBAtnrfa")
_ANY: Final = "[^\n\r\u0085\u2028\u2029]"
_END: Final = "(?=(?:\r\n|[\n\r\u0085\u2028\u2029])?\\Z)"
_QUANTIFIER = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}|[*+?]")
_GROUP_START = re.compile(r"\(\?(?:[:=!]|<[=!]|<(?P<name>[A-Za-z][A-Za-z0-9]*)>)")
_FLAGS_AT_START = re.compile(r"\(\?([ims]+)\)")
_HEX_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})")


class _Refused(Exception):  # noqa: N818 (a reason on its way out of the reader, not an error of its own)
    pass


@lru_cache(maxsize=512)
def compile_java(text: str) -> Pattern | str:
    """Compile a Java regular expression; the reason as text when Python would read it differently."""
    if len(text) > MAX_CHARACTERS:
        return "it is too long"
    try:
        return re.compile(_Reader(text).translate(), re.ASCII)
    except _Refused as refused:
        return str(refused)
    except re.error as error:
        return error.msg
    except (OverflowError, RecursionError):
        return "it is too large"


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.out: list[str] = []
        self.dot_matches_all = False
        self.is_multiline = False
        self.can_repeat = False

    def translate(self) -> str:
        flags = _FLAGS_AT_START.match(self.text)
        if flags is not None:
            self.out.append(flags[0])
            self.dot_matches_all = "s" in flags[1]
            self.is_multiline = "m" in flags[1]
            self.position = flags.end()
        while self.position < len(self.text):
            self._next()
        return "".join(self.out)

    def _next(self) -> None:
        letter = self.text[self.position]
        if letter == "\\":
            self._escape(inside_class=False)
            self.can_repeat = True
        elif letter == "[":
            self._class()
            self.can_repeat = True
        elif letter == "(":
            self._group()
            self.can_repeat = False
        elif letter in "*+?{":
            self._quantifier()
        elif letter == "$":
            self._take("$" if self.is_multiline else _END)
            self.can_repeat = False
        else:
            self._take(_ANY if letter == "." and not self.dot_matches_all else letter)
            self.can_repeat = letter not in "^|"

    def _take(self, translated: str, width: int = 1) -> None:
        self.out.append(translated)
        self.position += width

    def _escape(self, *, inside_class: bool) -> None:
        following = self.text[self.position + 1 : self.position + 2]
        if not following:
            raise _Refused("a backslash stands at the end")
        hexadecimal = _HEX_ESCAPE.match(self.text, self.position)
        if hexadecimal is not None:
            self._take(hexadecimal[0], len(hexadecimal[0]))
        elif following == "z" and not inside_class:
            self._take("\\Z", 2)
        elif following == "Z" and not inside_class:
            self._take(_END, 2)
        elif following in "123456789" and not inside_class:
            self._take("\\" + following, 2)
        elif (following.isalnum() and following.isascii()) or following == "_":
            if following not in _SAME_ESCAPES or (inside_class and following in "bBA"):
                raise _Refused(f"\\{following} is not read the same way everywhere")
            self._take("\\" + following, 2)
        else:
            self._take(re.escape(following), 2)

    def _group(self) -> None:
        if not self.text.startswith("(?", self.position):
            self._take("(")
            return
        found = _GROUP_START.match(self.text, self.position)
        if found is None:
            raise _Refused("(? groups other than (?: (?= (?! (?<= (?<! and (?<name> are not supported here")
        translated = f"(?P<{found['name']}>" if found["name"] else found[0]
        self._take(translated, len(found[0]))

    def _quantifier(self) -> None:
        found = _QUANTIFIER.match(self.text, self.position)
        if found is None:
            raise _Refused("a { that is meant literally needs a backslash")
        if not self.can_repeat:
            raise _Refused("there is nothing to repeat")
        self._take(found[0], len(found[0]))
        following = self.text[self.position : self.position + 1]
        if following == "+":
            raise _Refused("possessive quantifiers are not supported")
        if following == "?":
            self._take("?")
        self.can_repeat = False

    def _class(self) -> None:
        self._take("[")
        if self.text.startswith("^", self.position):
            self._take("^")
        if self.text.startswith("]", self.position):
            raise _Refused("a ] at the beginning of a class needs a backslash")
        while self.position < len(self.text):
            letter = self.text[self.position]
            if letter == "]":
                self._take("]")
                return
            if letter == "[":
                raise _Refused("classes inside classes are not supported")
            if self.text.startswith("&&", self.position):
                raise _Refused("&& in classes is not supported")
            if letter == "\\":
                self._escape(inside_class=True)
            elif letter in "~|&-" and self.text.startswith(letter * 2, self.position):
                raise _Refused(f"{letter * 2} in a class is not read the same way everywhere")
            else:
                self._take(letter)
        raise _Refused("a class is not closed")
