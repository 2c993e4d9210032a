"""What the catalogue says about a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

When = Literal["script", "object", "table", "tests", "profile"]


@dataclass(frozen=True, slots=True)
class Code:
    """A mistake of a script, or a failure of one on an object.

    Attributes:
        code: names it; stable.
        title: what it is, in half a sentence.
        text: how it comes about and what to do.
        wrong: a script that has it; "" where it takes an unusual object or another file.
        right: the same script as it should be.
        when: it is found before any object, on an object only, in a lookup table or in a file of tests, or
            when a script is held against a profile.
    """

    code: str
    title: str
    text: str
    wrong: str
    right: str
    when: When


V6: Final = 'version "6.6"\n'


def entry(
    code: str,
    title: str,
    text: str,
    wrong: str = "",
    right: str = "",
    *,
    when: When = "script",
    six: bool = False,
) -> Code:
    """A code; with `six` its examples are DicomEdit 6."""
    before = V6 if six and wrong else ""
    return Code(code, title, text, before + wrong, before + right, when)
