"""What tests can expect of single elements, of text, and of the script as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from anon.testing.model import Expectation
from anon.testing.observed import Observed, Pair, Word, all_pairs, pairs_of
from anon.testing.registry import Answer, element_verb, verb

_ABSENT: Final = "(absent)"
_SEPARATORS = re.compile(r"[\s^=\\,;()\[\]{}<>\"/]+")
_PUNCTUATION: Final = ".:!?'*#-"
_SHORTEST_PART: Final = 3  # shorter words occur in others by chance
_SHOWN_PLACES: Final = 3


# -- elements


@element_verb("values")
def equals(pair: Pair, wanted: str | float) -> Answer:
    """The element has exactly this value, as `prearc tags` shows it.

    Several values are written as a list. Text is compared letter by letter; a number without quotes is
    compared as a number, so that 5 is equal to the text `5.0`.

        equals = { PatientID = "S1", "(0012,0063)" = "de-identified", RescaleSlope = 1 }
    """
    expected = str(wanted)
    if pair.after is None:
        message = f"{pair.name} should have this value, but it is absent"
        return Answer("failed", expected, _ABSENT, message)
    if pair.after.element.is_sequence:
        message = (
            f"{pair.name} is a sequence, which has no value to compare: name an element in an item of it"
        )
        return Answer("error", expected, pair.after.shown, message)
    text = "" if pair.after.is_empty else pair.after.text
    if text is None:
        return Answer("error", expected, pair.after.shown, f"{pair.name} has no text, its value is binary")
    if text == expected or (not isinstance(wanted, str) and _is_number(text, wanted)):
        return Answer("passed", expected, text)
    return Answer("failed", expected, pair.after.shown, f"{pair.name} has another value")


def _is_number(text: str, wanted: float) -> bool:
    with suppress(ValueError):
        return float(text) == wanted
    return False


@element_verb("elements")
def absent(pair: Pair, _: Any) -> Answer:
    """The element is not there: the script removed it, or the input never had it.

    With wildcards: none of the elements that the path means is there.

        absent = ["PatientBirthDate", "(0010,1000)", "*/PatientName"]
    """
    if pair.after is None:
        return Answer("passed", _ABSENT, _ABSENT)
    return Answer("failed", _ABSENT, pair.after.shown, f"{pair.name} is still there")


@element_verb("elements")
def present(pair: Pair, _: Any) -> Answer:
    """The element is there, with or without a value.

    present = ["SOPInstanceUID", "(0012,0062)"]
    """
    if pair.after is not None:
        return Answer("passed", "(present)", pair.after.shown)
    return Answer("failed", "(present)", _ABSENT, f"{pair.name} is absent")


@element_verb("elements")
def empty(pair: Pair, _: Any) -> Answer:
    """The element is there and has no value; a sequence has no items.

    empty = ["ReferringPhysicianName"]
    """
    if pair.after is None:
        return Answer("failed", "(empty)", _ABSENT, f"{pair.name} should be empty, but it is absent")
    if pair.after.is_empty:
        return Answer("passed", "(empty)", "(empty)")
    return Answer("failed", "(empty)", pair.after.shown, f"{pair.name} still has a value")


@element_verb("elements")
def unchanged(pair: Pair, _: Any) -> Answer:
    """The element is as it was, byte for byte; a sequence with all that is in it.

    The input must have the element.

        unchanged = ["Modality", "StudyTime", "(0018,0050)"]
    """
    if pair.before is None:
        return _not_in_input(pair)
    if pair.after is None:
        return Answer("failed", pair.before.shown, _ABSENT, f"{pair.name} is gone")
    if not pair.after.is_same(pair.before):
        return Answer("failed", pair.before.shown, pair.after.shown, f"{pair.name} has changed")
    if pair.before.element.is_sequence:
        for inner in pair.inner:
            if inner.before is None or inner.after is None or not inner.after.is_same(inner.before):
                old, new = (_ABSENT if each is None else each.shown for each in (inner.before, inner.after))
                return Answer("failed", old, new, f"{pair.name} has changed inside, in {inner.name}")
    return Answer("passed", pair.before.shown, pair.after.shown)


@element_verb("elements")
def tag_retained(pair: Pair, _: Any) -> Answer:
    """The element that the input has is still there, with whatever value, also with none.

    As in the MIDI-B benchmark.

        tag_retained = ["PatientName", "StudyDate"]
    """
    if pair.before is None:
        return _not_in_input(pair)
    if pair.after is None:
        return Answer("failed", "(present)", _ABSENT, f"{pair.name} is gone")
    return Answer("passed", "(present)", pair.after.shown)


@element_verb("elements")
def text_notnull(pair: Pair, _: Any) -> Answer:
    """The element is there and has a value, whatever it is.

    As in the MIDI-B benchmark.

        text_notnull = ["PatientName", "StudyInstanceUID"]
    """
    if pair.after is None:
        return Answer("failed", "(a value)", _ABSENT, f"{pair.name} is absent")
    if pair.after.is_empty:
        return Answer("failed", "(a value)", "(empty)", f"{pair.name} has no value")
    return Answer("passed", "(a value)", pair.after.shown)


def _not_in_input(pair: Pair) -> Answer:
    message = f"the input has no {pair.name}, so this says nothing: give the input one"
    return Answer("error", "(in the input)", _ABSENT, message)


# -- text


@verb("words")
def text_retained(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
    """Words of the element are still there, each as a word of its own, in any order.

    Capital and small letters are the same. The input must have the words. As in the MIDI-B benchmark, which
    gives credit for a part of the words; here all of them count.

        text_retained = { StudyDescription = "knee left", SeriesDescription = ["T2", "axial"] }
    """
    assert expectation.target is not None
    for word in words_of(expectation.wanted, parts=False):
        expected = f"with {word.text!r}"
        for each in observed:
            for pair in pairs_of(each, expectation.target):
                old, new = (found is not None and found.contains(word) for found in (pair.before, pair.after))
                got = _ABSENT if pair.after is None else pair.after.shown
                if not old:
                    message = (
                        f"the input has no word {word.text!r} in {pair.name}, so nothing can be retained"
                    )
                    yield Answer("error", expected, got, message, pair.path, each)
                elif new:
                    yield Answer("passed", expected, got, "", pair.path, each)
                else:
                    message = f"{pair.name} has lost the word {word.text!r}"
                    yield Answer("failed", expected, got, message, pair.path, each)


@verb("words anywhere")
def text_removed(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
    """Words of the input are gone: from the element, or without an element from the whole object.

    Every word counts by itself, and capital and small letters are the same. A word of three letters or more
    must not be part of a longer word either. In the whole object nested and private elements count too, also
    binary ones (there only words of four letters or more), but not the pixels. The input must have the words.
    As in the MIDI-B benchmark, which gives credit for a part of the words; here all of them count.

        text_removed = ["Doe", "Jane", "12345"]
        # or, of single elements: text_removed = { StudyDescription = "Doe", "*/(0040,A160)" = ["Jane"] }
    """
    target = expectation.target
    for word in words_of(expectation.wanted, parts=True):
        expected = f"without {word.text!r}"
        pairs = [
            pair
            for each in observed
            for pair in (all_pairs(each) if target is None else pairs_of(each, target))
        ]
        where = "the input" if target is None else f"{target.name} of the input"
        if not any(pair.before is not None and pair.before.contains(word) for pair in pairs):
            message = f"{where} has no word {word.text!r}, so nothing can be removed"
            yield Answer("error", expected, None, message, None if target is None else target.path.text)
            continue
        left = [pair for pair in pairs if _is_left(word, pair)]
        if not left:
            yield Answer("passed", expected, expected, "", None if target is None else target.path.text)
        for pair in left[:_SHOWN_PLACES]:
            assert pair.after is not None
            message = f"{pair.name} still holds the word {word.text!r}"
            if len(left) > _SHOWN_PLACES and pair is left[_SHOWN_PLACES - 1]:
                message += f", and so do {len(left) - _SHOWN_PLACES} more elements"
            yield Answer("failed", expected, pair.after.shown, message, pair.path, pair.observed)


def _is_left(word: Word, pair: Pair) -> bool:
    """Whether the word is in the result; the same bytes count under another character set, too."""
    if pair.after is None:
        return False
    return pair.after.contains(word) or (
        pair.before is not None and pair.before.contains(word) and pair.after.is_same(pair.before)
    )


def words_of(texts: Sequence[str], *, parts: bool) -> list[Word]:
    """The words of texts, each once; with `parts` longer ones count inside of others, too."""
    found: dict[str, None] = {}
    for text in texts:
        for part in _SEPARATORS.split(text):
            word = part.strip(_PUNCTUATION)
            if word:
                found[word] = None
    return [Word(word, whole=not parts or len(word) < _SHORTEST_PART) for word in found]


# -- the script as a whole


@verb("flag", outcome=True)
def rejected(observed: Sequence[Observed], _: Expectation) -> Iterator[Answer]:
    """The script rejects the object with `reject`. Nothing else can be expected then but `warns`.

    rejected = true
    """
    for each in observed:
        if each.outcome == "rejected":
            yield Answer("passed", "(rejected)", "(rejected)", "", None, each)
        elif each.outcome == "ok":
            message = "the script should reject the object, but it accepts it"
            yield Answer("failed", "(rejected)", "(accepted)", message, None, each)
        else:
            message = f"the script should reject the object, but it fails: {_failure(each)}"
            yield Answer("failed", "(rejected)", "(failed)", message, None, each)


@verb("code", outcome=True)
def fails(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
    """The script fails on the object, with this code of an error or, after `true`, with any.

    Nothing else can be expected then.

        fails = "not-a-number"
    """
    wanted = expectation.wanted
    expected = "(fails)" if wanted is True else f"(fails with {wanted})"
    for each in observed:
        if each.failure is None:
            got = "(rejected)" if each.outcome == "rejected" else "(no failure)"
            message = "the script should fail, but it " + (
                "rejects the object" if each.outcome == "rejected" else "works"
            )
            yield Answer("failed", expected, got, message, None, each)
        elif wanted in (True, each.failure.code):
            yield Answer("passed", expected, f"(fails with {each.failure.code})", "", None, each)
        else:
            message = f"the script fails with another code: {_failure(each)}"
            yield Answer("failed", expected, f"(fails with {each.failure.code})", message, None, each)


@verb("texts", outcome=True)
def warns(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
    """The script gives warnings, each of them with one of these texts in it; `false`: no warnings.

    Warnings are what `prearc anon apply` shows for a file, not those of `prearc anon check`.

        warns = "no value to assign"
    """
    for each in observed:
        got = "; ".join(each.messages) or "(no warnings)"
        if not expectation.wanted and not each.messages:
            yield Answer("passed", "(no warnings)", got, "", None, each)
        elif not expectation.wanted:
            yield Answer("failed", "(no warnings)", got, "the script should not warn", None, each)
        for text in expectation.wanted:
            expected = f"(a warning with {text!r})"
            if any(text.casefold() in message.casefold() for message in each.messages):
                yield Answer("passed", expected, got, "", None, each)
            else:
                yield Answer("failed", expected, got, "the script gives no such warning", None, each)


def _failure(observed: Observed) -> str:
    assert observed.failure is not None
    return f"line {observed.failure.line}: {observed.failure.message} [{observed.failure.code}]"
