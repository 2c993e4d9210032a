"""Which DicomEdit a script is written in.

A script without version line is DicomEdit 4, and DicomEdit 6 needs one. Java runs a DicomEdit 6 script whose
version line is indented, or missing, as DicomEdit 4: it changes nothing and reports success. Here both are
errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from anon.errors import ScriptError
from anon.syntax.parse import diagnostic
from anon.syntax.span import Source, Span

VERSIONS_6: Final = ("6.0", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "6.7")
_VERSIONS_4: Final = ("4", "4.0", "4.1", "4.2")
_VERSION_LINE = re.compile(r"^version\b(?P<rest>[^\n]*)", re.MULTILINE)
_NEARLY_VERSION_LINE = re.compile(r"^[ \t]*version(?:[ \t]+\"?|\")[0-9]", re.MULTILINE | re.IGNORECASE)
# Java splits the line at blanks: what follows the version directly would belong to it.
_VERSION_6 = re.compile(r'[ \t]"(?P<version>[^"]*)"(?=[ \t]|$)')
_VERSION_4 = re.compile(r'[ \t]+"?(?P<version>4(\.[0-9])?)"?[ \t]*(//.*)?')
# What only DicomEdit 6 has. Strings and comments are blanked before this is looked for.
_ONLY_IN_6 = re.compile(
    r"""\?=? | !=|!~ | \){1}\s*\[ | \)\s*/\s*[(*+.] | [*+.]\s*/\s*\( | \([0-9A-Fa-f@\#Xx]{4},\s*\{
    | ^\s*(?:removeAllPrivateTags\b | (?:else)?if\s*\( | \}?\s*else\b)
    | \b(?:removeTags|retainPrivateTags|hashUIDList|alterPixels|set|delete|reject|blankValues
         |mapReferencedUIDs|concatenate|isPresent|collectValues|normalizeString|mapUID|newUID|lookup|shiftDate\w*)\s*\[""",
    re.VERBOSE | re.MULTILINE,
)
_NOT_CODE = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*')


@dataclass(frozen=True, slots=True)
class Language:
    """A dialect and the text in it.

    Attributes:
        dialect: 4 or 6.
        source: the text, for DicomEdit 4 with a blank where its version line stood.
    """

    dialect: int
    source: Source


def choose_language(text: str, name: str) -> Language:
    """Find the dialect of a script by its version line.

    Raises:
        ScriptError: the version line is malformed, indented or names no version that is known.
    """
    text = text.removeprefix("\ufeff")
    source = Source(text, joined=False)
    plain = source.text
    found = _VERSION_LINE.search(plain)
    if found is None:
        nearly = _NEARLY_VERSION_LINE.search(plain)
        if nearly is not None:
            line_end = plain.find("\n", nearly.start())
            place = Span(nearly.start(), len(plain) if line_end < 0 else line_end)
            raise _refuse(source, place, name, "the version line must start at the left with `version`")
        return Language(4, source)
    rest = found["rest"]
    version4 = _VERSION_4.fullmatch(rest)
    if version4 is not None:
        if version4["version"] not in _VERSIONS_4:
            place = Span(
                found.start() + 7 + version4.start("version"), found.start() + 7 + version4.end("version")
            )
            raise _refuse(source, place, name, f"there is no DicomEdit {version4['version']}")
        blanked = plain[: found.start()] + " " * len(found[0]) + plain[found.end() :]
        return Language(4, Source(blanked, joined=False))
    version6 = _VERSION_6.match(rest)
    if version6 is None:
        place = Span(found.start(), found.end())
        raise _refuse(source, place, name, "the version line is not written as it must be")
    if version6["version"] not in VERSIONS_6:
        place = Span(
            found.start() + 7 + version6.start("version"), found.start() + 7 + version6.end("version")
        )
        raise _refuse(source, place, name, f"there is no DicomEdit {version6['version']}")
    return Language(6, Source(text, joined=True))


def _refuse(source: Source, place: Span, name: str, message: str) -> ScriptError:
    hint = 'write version "6.6", or nothing for DicomEdit 4'
    return ScriptError([diagnostic(source, place, "bad-version", message, hint)], name)


def find_syntax_of_6(source: Source) -> Span | None:
    """The first thing in a script without version line that only DicomEdit 6 has."""
    code = _NOT_CODE.sub(lambda found: " " * len(found[0]), source.text)
    found = _ONLY_IN_6.search(code)
    if found is None:
        return None
    start = found.start() + len(found[0]) - len(found[0].lstrip())
    return Span(start, max(found.end(), start + 1))
