"""Small letters as Java makes them."""

from __future__ import annotations

from typing import Final

import regex

_SIGMA: Final = "\N{GREEK CAPITAL LETTER SIGMA}"
_FINAL_SIGMA: Final = "\N{GREEK SMALL LETTER FINAL SIGMA}"
_SMALL_SIGMA: Final = "\N{GREEK SMALL LETTER SIGMA}"
# Between words as in Unicode annex 29: (?w) makes \b mean that.
_WORD_BOUNDARY: Final = regex.compile(r"(?w)\b")
# The first of these may stand within a word there but not in Java, a hyphen may in Java only.
_AS_IN_JAVA: Final = str.maketrans(":\u00b7\u2019\u2024\u2027-", "     '")


def lower_case(text: str) -> str:
    """Small letters of a text in no particular language, as Java's `toLowerCase` in the locale ROOT.

    A capital sigma at the end of a word becomes another letter. For Java a word ends at a `^`, so the family
    name of a person ends in one; for Python it goes on.

    >>> lower_case("ΔΙΟΝΥΣΙΟΣ^ΝΙΚΟΣ")
    'διονυσιος^νικος'
    """
    if _SIGMA not in text:
        return text.lower()
    boundaries = {found.start() for found in _WORD_BOUNDARY.finditer(text.translate(_AS_IN_JAVA))}
    return "".join(
        letter.lower()
        if letter != _SIGMA
        else _FINAL_SIGMA
        if _is_final(text, place, boundaries)
        else _SMALL_SIGMA
        for place, letter in enumerate(text)
    )


def _is_final(text: str, place: int, boundaries: set[int]) -> bool:
    """Whether a letter with case stands before this place in its word, and none behind."""
    before = place
    while before > 0 and before not in boundaries:
        before -= 1
        if _has_case(text[before]):
            break
    else:
        return False
    behind = place + 1
    while behind < len(text) and behind not in boundaries:
        if _has_case(text[behind]):
            return False
        behind += 1
    return True


def _has_case(letter: str) -> bool:
    return letter.lower() != letter or letter.upper() != letter
