r"""The names that `\p{..}` takes in Java, and what `regex` calls them."""

from __future__ import annotations

from typing import Final

import regex

# POSIX classes are ASCII in Java.
POSIX: Final = {
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
_CATEGORIES: Final = frozenset(
    family + kind
    for family, kinds in {
        "C": "cfnos",
        "L": "lmotu",
        "M": "cen",
        "N": "dlo",
        "P": "cdefios",
        "S": "ckmo",
        "Z": "lps",
    }.items()
    for kind in ("", *kinds)
)
# Java's own names of sets that categories make up.
_COMBINED: Final = {"LC": r"\p{Lu}\p{Ll}\p{Lt}", "LD": r"\p{L}\p{Nd}", "L1": r"\x00-\xff", "all": r"\s\S"}
_BINARY: Final = {
    "ALPHABETIC": "Alphabetic",
    "IDEOGRAPHIC": "Ideographic",
    "LETTER": "L",
    "LOWERCASE": "Lowercase",
    "UPPERCASE": "Uppercase",
    "TITLECASE": "Lt",
    "PUNCTUATION": "P",
    "DIGIT": "Nd",
    "ASSIGNED": "Assigned",
}


# Under (?i) Java widens these in ways of its own.
CASED: Final = frozenset(
    ["Lower", "Upper", "Ll", "Lu", "Lt", "IsLl", "IsLu", "IsLt"]
    + [
        f"Is{name}"
        for word in ("lowercase", "uppercase", "titlecase")
        for name in (word, word.upper(), word.title())
    ]
)


def property_class(name: str) -> str | None:
    r"""What stands in a class for `\p{NAME}`; None when Java or `regex` does not know the name."""
    if name in POSIX:
        return POSIX[name]
    if name in _COMBINED:
        return _COMBINED[name]
    if name in _CATEGORIES:
        return rf"\p{{{name}}}"
    if not name.startswith("Is"):
        return None
    rest = name[2:]
    if rest.upper() in _BINARY:
        known = _BINARY[rest.upper()]
        return r"\P{Cn}" if known == "Assigned" else rf"\p{{{known}}}"
    if rest in _CATEGORIES or rest in _COMBINED:
        return _COMBINED.get(rest, rf"\p{{{rest}}}")
    script = rf"\p{{Script={rest}}}"
    try:
        regex.compile(script)
    except regex.error:
        return None
    return script
