"""Reading what a test expects: `[test.expect]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import anon.testing.consistency
import anon.testing.pixels  # noqa: F401  (these two and the verbs below fill the table of verbs)
from anon.pixels.rectangle import Rectangle
from anon.testing.lines import Location
from anon.testing.model import Expectation
from anon.testing.reader import Reader, nearest
from anon.testing.registry import Takes, Verb, verbs
from anon.testing.verbs import words_of

_MAX_SIDE: Final = 1 << 16
_BY_ELEMENT_HINTS: Final[Mapping[Takes, str]] = {
    "values": '{ PatientID = "S1" }',
    "words": '{ StudyDescription = "knee left" }',
    "words anywhere": '{ StudyDescription = "Doe" }',
    "days": "{ StudyDate = -30 }",
}
_WITH_REJECTED: Final = frozenset({"rejected", "warns"})


def read_expectations(reader: Reader, value: Any, location: Location) -> tuple[Expectation, ...]:
    """The expectations of a test, one for each element; mistakes are noted."""
    table = reader.table(value, location, "expect")
    known = verbs()
    reader.check_keys(table, known, location, "[test.expect]", _verb_advice, "verb")
    if not table:
        reader.complain(location, "a test must expect something", 'such as absent = ["PatientBirthDate"]')
    found: list[Expectation] = []
    for name, written in table.items():
        if name in known:
            verb = known[name]
            found += _READERS[verb.takes](reader, verb, (*location, name), written)
    _check_outcomes(reader, table, location)
    return _with_hidden_areas(found)


def _verb_advice(name: str) -> str:
    near = nearest(name, verbs())
    return f"did you mean {near!r}?" if near else "`prearc anon test --help` lists the verbs"


def _check_outcomes(reader: Reader, table: Mapping[str, Any], location: Location) -> None:
    """Nothing can be said about the elements of an object that there is not."""
    for name, allowed in (("rejected", _WITH_REJECTED), ("fails", frozenset({"fails"}))):
        if not table.get(name):
            continue
        others = [verb for verb in table if verb in verbs() and verb not in allowed]
        if others:
            reader.complain(
                (*location, others[0]),
                f"{others[0]!r} cannot be expected together with {name!r}",
                "then there is no result to look at: make two tests of it",
            )


def _with_hidden_areas(found: list[Expectation]) -> tuple[Expectation, ...]:
    """Tell `pixels_retained` where pixels may change."""
    areas = tuple(each.wanted for each in found if each.verb.name == "pixels_hidden")
    return tuple(
        replace(each, wanted=areas) if each.verb.name == "pixels_retained" else each for each in found
    )


# -- what is written behind a verb


def _elements(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    if isinstance(value, dict):
        reader.complain(
            location, f"{verb.name} takes a list of elements", f'{verb.name} = ["PatientName", "(0010,0020)"]'
        )
        return []
    return [_make(reader, verb, location, target, None) for target in reader.targets(value, location)]


def _values(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    found = []
    for name, written in _by_element(reader, verb, location, value).items():
        target = reader.target(name, (*location, name))
        is_number = isinstance(written, int | float) and not isinstance(written, bool)
        wanted = written if is_number else reader.value_text(written, (*location, name))
        if target is not None and wanted is not None:
            found.append(_make(reader, verb, (*location, name), target, wanted))
    return found


def _words(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    found = []
    for name, written in _by_element(reader, verb, location, value).items():
        target = reader.target(name, (*location, name))
        words = _words_in(reader, (*location, name), written)
        if target is not None and words:
            found.append(_make(reader, verb, (*location, name), target, words))
    return found


def _words_anywhere(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    if isinstance(value, dict):
        return _words(reader, verb, location, value)
    words = _words_in(reader, location, value)
    return [_make(reader, verb, location, None, words)] if words else []


def _days(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    if not isinstance(value, dict):
        targets = reader.targets(value, location)
        return [_make(reader, verb, location, None, tuple(targets))] if targets else []
    found = []
    for name, days in _by_element(reader, verb, location, value).items():
        target = reader.target(name, (*location, name))
        if not isinstance(days, int) or isinstance(days, bool) or not days:
            reader.complain(
                (*location, name),
                "a date is shifted by a whole number of days, not 0",
                "negative: to the past",
            )
        elif target is not None:
            found.append(_make(reader, verb, (*location, name), target, days))
    return found


def _flag_or_elements(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    if value is True:
        return [_make(reader, verb, location, None, ())]
    if isinstance(value, str | list):
        targets = reader.targets(value, location)
        return [_make(reader, verb, location, None, tuple(targets))] if targets else []
    reader.complain(location, f"{verb.name} takes true or a list of elements", f"{verb.name} = true")
    return []


def _rectangles(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    is_list = isinstance(value, list)
    areas = value if is_list and value and all(isinstance(each, list) for each in value) else [value]
    found = []
    for area in areas:
        is_area = isinstance(area, list) and len(area) == 4 and all(type(side) is int for side in area)
        if not is_area or not (0 <= area[0] < area[2] <= _MAX_SIDE and 0 <= area[1] < area[3] <= _MAX_SIDE):
            reader.complain(
                location,
                "a rectangle is [left, top, right, bottom]",
                f"whole numbers from 0 to {_MAX_SIDE}, right beyond left and bottom beyond top",
            )
        else:
            found.append(_make(reader, verb, location, None, Rectangle(*area)))
    return found


def _flag(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    if value is True:
        return [_make(reader, verb, location, None, ())]
    reader.complain(location, f"{verb.name} takes true", "leave it out where it is not expected")
    return []


def _code(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    if value is True or (isinstance(value, str) and value.strip()):
        return [_make(reader, verb, location, None, value)]
    reader.complain(
        location, f"{verb.name} takes true or the code of an error", f'{verb.name} = "not-a-number"'
    )
    return []


def _texts(reader: Reader, verb: Verb, location: Location, value: Any) -> list[Expectation]:
    if value is False:
        return [_make(reader, verb, location, None, ())]
    texts = _texts_of(reader, location, value)
    return [_make(reader, verb, location, None, texts)] if texts else []


_READERS: Final[Mapping[Takes, Callable[[Reader, Verb, Location, Any], list[Expectation]]]] = {
    "elements": _elements,
    "values": _values,
    "words": _words,
    "words anywhere": _words_anywhere,
    "days": _days,
    "flag or elements": _flag_or_elements,
    "rectangles": _rectangles,
    "flag": _flag,
    "code": _code,
    "texts": _texts,
}


def _by_element(reader: Reader, verb: Verb, location: Location, value: Any) -> Mapping[str, Any]:
    if isinstance(value, dict) and value:
        return value
    reader.complain(
        location, f"{verb.name} takes elements with what is expected of each", _BY_ELEMENT_HINTS[verb.takes]
    )
    return {}


def _texts_of(reader: Reader, location: Location, value: Any) -> tuple[str, ...]:
    """One text or several, none of them empty."""
    texts = value if isinstance(value, list) else [value]
    if texts and all(isinstance(each, str) and each.strip() for each in texts):
        return tuple(texts)
    reader.complain(location, "this must be text in quotes, or a list of such texts", '["Doe", "Jane"]')
    return ()


def _words_in(reader: Reader, location: Location, value: Any) -> tuple[str, ...]:
    """Texts with words to look for; what has none would always be true."""
    texts = _texts_of(reader, location, value)
    for text in texts:
        if not words_of([text], parts=True):
            reader.complain(location, f"{text!r} has no letters or digits to look for", "name words")
    return texts


def _make(reader: Reader, verb: Verb, location: Location, target: Any, wanted: Any) -> Expectation:
    return Expectation(verb, target, wanted, reader.line(location))
