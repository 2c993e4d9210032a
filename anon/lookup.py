"""Lookup tables: what the function `lookup` finds its values in.

A line is `keytype/key = value`. Empty lines and lines that begin with `//` are comments. A key may begin with
blanks, and of two lines for one key the later counts, as in DicomEdit 6. A line with no `=` or `/`, or with
several of them, is a mistake: the Java engine passes over it, and the original identifier stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from anon.errors import Diagnostic, ScriptError

NAME: Final = "lookup.txt"
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A lookup table.

    Attributes:
        values: by key type and key.
    """

    values: Mapping[tuple[str, str], str]

    @property
    def key_types(self) -> frozenset[str]:
        """The key types that have an entry."""
        return frozenset(key_type for key_type, _ in self.values)


def parse_table(text: str, name: str = NAME) -> LookupTable:
    """Read a table.

    Raises:
        ScriptError: with all lines that hold no entry.
    """
    values: dict[tuple[str, str], str] = {}
    mistakes: list[Diagnostic] = []
    for number, line in enumerate(_LINE_END.split(text.removeprefix("\ufeff")), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("//"):
            continue
        reason = _mistake(line)
        if reason:
            mistakes.append(
                Diagnostic(
                    "bad-table-line", reason, number, len(line) - len(line.lstrip()) + 1, number,
                    len(line.rstrip()) + 1, "write `keytype/key = value`",
                )
            )  # fmt: skip
            continue
        left, _, value = line.partition("=")
        key_type, _, key = left.partition("/")
        values[key_type.strip(), key.rstrip()] = value.strip()
    if mistakes:
        raise ScriptError(mistakes, name)
    return LookupTable(values)


def _mistake(line: str) -> str:
    """Why a line holds no entry; "" when it does."""
    left, equals, value = line.partition("=")
    if not equals:
        return "the line has no ="
    if "=" in value:
        return "the line has more than one ="
    if "/" not in left:
        return "there is no / between the type of the key and the key"
    if left.count("/") > 1:
        return "there is more than one / before the ="
    key_type, _, key = left.partition("/")
    if not key_type.strip() or not key.strip():
        return "the key is empty"
    return "" if value.strip() else "the value is empty"
