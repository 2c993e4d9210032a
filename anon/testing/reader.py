"""Reading the parts of a TOML file, with every mistake noted and its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from anon.errors import Diagnostic
from anon.tagpath import TagError
from anon.testing.lines import KeyPlaces, Location, Place
from anon.testing.model import FormatError, Target
from anon.testing.targets import parse_target

MAX_CHARACTERS: Final = 1 << 20  # of a file of tests: it is written by hand
CODE: Final = "bad-tests"
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_SAME_WORD: Final = 0.6
_UNQUOTED_TAG = re.compile(r"\s*\([0-9A-Fa-f]{4},")


class Reader:
    """The tables of a file, and what is wrong with them.

    Attributes:
        name: of the file, for messages.
        folder: that its paths start from.
        source: the text of the file.
        document: the whole file.
        problems: mistakes found so far.
    """

    def __init__(self, text: str, name: str, folder: Path) -> None:
        """Parse the file.

        Raises:
            FormatError: it is too large, or no TOML.
        """
        self.name = name
        self.folder = folder
        self.problems: list[Diagnostic] = []
        if len(text) > MAX_CHARACTERS:
            message = f"a file of tests has at most {MAX_CHARACTERS} characters"
            raise FormatError([_diagnostic(Place(1, 1, 1), message, "make several of it")], name, "")
        self.source = text.removeprefix("\ufeff").replace("\r\n", "\n")
        try:
            self.document: dict[str, Any] = tomllib.loads(self.source)
        except RecursionError:
            message = "the values are nested too deep"
            raise FormatError([_diagnostic(Place(1, 1, 1), message, "")], name, self.source) from None
        except ValueError as error:  # tomllib.TOMLDecodeError, and numbers with too many digits
            raise FormatError([_toml_mistake(self.source, str(error))], name, self.source) from None
        self._places = KeyPlaces(self.source)

    def line(self, location: Location) -> int:
        """The line of a key."""
        return self._places.find(location).line

    def complain(
        self, location: Location, message: str, hint: str = "", *, culprit: str | None = None
    ) -> None:
        """Note a mistake.

        Args:
            location: of the key.
            message: what is wrong.
            hint: what to do.
            culprit: the text behind the key that is wrong, if it is not the key.
        """
        self.problems.append(_diagnostic(self._places.find(location, culprit), message, hint))

    def check_keys(
        self,
        table: Mapping[str, Any],
        known: Collection[str],
        location: Location,
        what: str,
        advice: Callable[[str], str] = lambda key: "",
        word: str = "key",
    ) -> None:
        """Note the keys that mean nothing.

        Args:
            table: with the keys.
            known: those that mean something.
            location: of the table.
            what: it is, for the message.
            advice: better than to name the nearest key, "" where there is none.
            word: what the keys are called.
        """
        for key in table:
            if key not in known:
                near = nearest(key, known)
                hint = advice(key) or (f"did you mean {near!r}?" if near else f"it takes {_listed(known)}")
                self.complain((*location, key), f"{what} has no {word} {key!r}", hint)

    def table(self, value: Any, location: Location, what: str) -> Mapping[str, Any]:
        """A table; an empty one in place of anything else, which is noted."""
        if isinstance(value, dict):
            return value
        header = ".".join(part for part in location if isinstance(part, str))
        self.complain(location, f"{what} must be a table", f"write it as a header: [{header}]")
        return {}

    def text(self, value: Any, location: Location, what: str) -> str:
        """A text that is not empty; "" in place of anything else, which is noted."""
        if isinstance(value, str) and value.strip():
            return value
        if value is None:
            self.complain(location, f"{what} is missing", f'write {location[-1]} = "..."')
        else:
            self.complain(location, f"{what} must be text in quotes", 'such as "S1"')
        return ""

    def target(self, text: Any, location: Location, *, single: bool = False) -> Target | None:
        """The name of an element; None when it is none, which is noted."""
        if not isinstance(text, str):
            self.complain(location, "an element is named in quotes", 'as "PatientName" or "(0010,0010)"')
            return None
        try:
            return parse_target(text, single=single)
        except TagError as error:
            self.complain(location, error.message, error.hint, culprit=text)
            return None

    def targets(self, value: Any, location: Location) -> list[Target]:
        """The names of elements: one, or a list."""
        names = value if isinstance(value, list) else [value]
        if not names:
            self.complain(location, "the list is empty", "name elements, or leave the line out")
        found = (self.target(each, location) for each in names)
        return [target for target in found if target is not None]

    def value_text(self, value: Any, location: Location) -> str | None:
        """The value of an element as text; None when it is none, which is noted."""
        if isinstance(value, list):
            parts = [self.value_text(each, location) for each in value if not isinstance(each, list)]
            if len(parts) != len(value) or not parts:
                self.complain(location, "this is no list of values", '["ORIGINAL", "PRIMARY"]')
                return None
            return "\\".join(part or "" for part in parts)
        if isinstance(value, bool | dict):
            self.complain(
                location, "this is no value of an element", "text in quotes, a number, or a list of them"
            )
            return None
        if isinstance(value, datetime):
            return value.strftime("%Y%m%d%H%M%S")
        if isinstance(value, date):
            return value.strftime("%Y%m%d")
        if isinstance(value, time):
            return value.strftime("%H%M%S")
        return str(value)

    def variables(self, value: Any, location: Location) -> dict[str, str]:
        """Variables of the script: names and texts."""
        found: dict[str, str] = {}
        for name, given in self.table(value, location, "variables").items():
            if isinstance(given, str | int | float) and not isinstance(given, bool):
                found[name] = str(given)
            else:
                hint = f'{name} = "S1"'
                self.complain((*location, name), f"the variable {name!r} must be text in quotes", hint)
        return found


def nearest(word: str, known: Iterable[str]) -> str:
    """The word that somebody meant, with its parts in any order; "" when there is none that near."""
    by_parts = {_sorted_parts(each): each for each in known}
    found = get_close_matches(_sorted_parts(word.lower()), by_parts, n=1, cutoff=_SAME_WORD)
    return by_parts[found[0]] if found else ""


def _sorted_parts(word: str) -> str:
    return "_".join(sorted(word.split("_")))


def _diagnostic(place: Place, message: str, hint: str) -> Diagnostic:
    return Diagnostic(CODE, message, place.line, place.column, place.line, place.end_column, hint)


def _listed(words: Collection[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _toml_mistake(text: str, message: str) -> Diagnostic:
    """What `tomllib` says, with its place and what to do about it."""
    found = _TOML_PLACE.search(message)
    sentence = message if found is None else message[: found.start()]
    lines = text.split("\n")
    if found is not None and found[1]:
        line, column = int(found[1]), int(found[2])
    else:
        line, column = len(lines), len(lines[-1]) + 1
    source = lines[line - 1] if line <= len(lines) else ""
    if _UNQUOTED_TAG.match(source):
        hint = 'a tag stands in quotes: "(0010,0010)" = "..."'
    elif "array" in sentence.lower():
        hint = "a ] is missing"
    elif "overwrite" in sentence:
        column = len(source) - len(source.lstrip()) + 1
        hint = "this is there already: write it once"
    elif "'\\n'" in sentence:
        hint = "a quote is missing at the end"
    elif "=" in source[:column] and "value" in sentence.lower():
        hint = "text stands in quotes; true and false do not"
    else:
        hint = "each line is `key = value`, or a header in brackets"
    place = Place(line, column, column + 1)
    return _diagnostic(place, f"this is not written as TOML: {sentence[:1].lower()}{sentence[1:]}", hint)
