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
from anon.syntax.version_line import judge_version_line

VERSIONS_6: Final = ("6.0", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "6.7")
_VERSIONS_4: Final = ("4", "4.0", "4.1", "4.2")
_VERSION_LINE = re.compile(r"^version\b(?P<rest>[^\n]*)", re.MULTILINE)
_NEARLY_VERSION_LINE = re.compile(
    r"^[ \t]*(?:(?:>+|[0-9]+[.):]?|[\u2022\u00b7*+-]|#+)[ \t]*)?(?:DicomEdit[ \t]+)?(?:"
    r"version(?:[ \t]*:?=?[ \t]*[\"'\u201c\u201d\u2018\u2019]|[ \t]*[:=][ \t]*|[ \t]+)"
    r"|(?:verson|verison|versoin|verion|vesion|versin)[ \t]+[\"']?)[0-9]",
    re.MULTILINE | re.IGNORECASE,
)
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
        version: what the version line says; "" when there is none.
    """

    dialect: int
    source: Source
    version: str = ""


def choose_language(text: str, name: str) -> Language:
    """Find the dialect of a script by its version line.

    Raises:
        ScriptError: the version line is malformed, indented or names no version that is known.
    """
    text = text.removeprefix("\ufeff")
    source = Source(text, joined=False)
    plain = source.text
    found = _VERSION_LINE.search(plain)
    nearly = _NEARLY_VERSION_LINE.search(plain) if found is None else None
    if found is None and nearly is None:
        return Language(4, source)
    if found is not None:
        version4 = _VERSION_4.fullmatch(found["rest"])
        version6 = _VERSION_6.match(found["rest"])
        if version4 is not None and version4["version"] in _VERSIONS_4:
            return Language(4, Source(_blanked(plain, found.start()), joined=False), version4["version"])
        if version6 is not None and version6["version"] in VERSIONS_6:
            return Language(6, Source(text, joined=True), version6["version"])
    wrong = found or nearly
    assert wrong is not None
    start = wrong.start()
    line_end = plain.find("\n", start)
    line = plain[start : len(plain) if line_end < 0 else line_end]
    message, place, hint = judge_version_line(line, VERSIONS_6, _VERSIONS_4)
    span = Span(start + place.start, start + place.end)
    raise ScriptError([diagnostic(source, span, "bad-version", message, hint)], name)


def guess_language(text: str) -> Language:
    """What a script with a wrong version line was probably meant to be, that line blanked."""
    plain = Source(text.removeprefix("\ufeff"), joined=False).text
    found = _VERSION_LINE.search(plain) or _NEARLY_VERSION_LINE.search(plain)
    assert found is not None
    number = re.search(r"[0-9]", plain[found.start() :].partition("\n")[0])
    dialect = 4 if number is not None and number[0] == "4" else 6
    return Language(dialect, Source(_blanked(plain, found.start()), joined=dialect == 6), "?")


def _blanked(plain: str, start: int) -> str:
    line_end = plain.find("\n", start)
    end = len(plain) if line_end < 0 else line_end
    return plain[:start] + " " * (end - start) + plain[end:]


def find_syntax_of_6(source: Source) -> Span | None:
    """The first thing in a script without version line that only DicomEdit 6 has."""
    code = _NOT_CODE.sub(lambda found: " " * len(found[0]), source.text)
    found = _ONLY_IN_6.search(code)
    if found is None:
        return None
    start = found.start() + len(found[0]) - len(found[0].lstrip())
    return Span(start, max(found.end(), start + 1))
