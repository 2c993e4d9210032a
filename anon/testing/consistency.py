"""What tests can expect of dates and identifiers, also over several inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from anon.tagpath import parse_path6
from anon.testing.model import Expectation, Target
from anon.testing.observed import Entry, Observed, Pair, all_pairs, pairs_of
from anon.testing.registry import Answer, element_verb, verb

_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(.*)", re.DOTALL)
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
_MAX_UID: Final = 64
# Of the standard itself: SOP classes, transfer syntaxes and the like, which name no object.
_WELL_KNOWN_ROOT: Final = "1.2.840.10008."
_PATIENT_ID: Final = Target(parse_path6("(0010,0020)"), "PatientID")
_SHOWN_CONFLICTS: Final = 3


# -- dates


class _Moved(NamedTuple):
    """A date before and after; `days` is None where it cannot be told, and then `answer` says why."""

    pair: Pair
    days: int | None
    answer: Answer | None


@verb("days")
def date_shifted(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
    """The date is another one, a valid one, and not just gone.

    Without a number: all dates of this list move by the same number of days, in all inputs of the same
    patient, so that the intervals between them are kept. With a number: by exactly so many days, negative to
    the past. The time of day in an element of VR DT stays. The input must have a date. As in the MIDI-B
    benchmark, which also counts a date as shifted that was removed.

        date_shifted = ["StudyDate", "SeriesDate", "AcquisitionDateTime"]
        # or by a number of days: date_shifted = { StudyDate = -30, PatientBirthDate = -30 }
    """
    targets = [expectation.target] if expectation.target is not None else expectation.wanted
    wanted = None if expectation.target is None else expectation.wanted
    first: dict[str | None, _Moved] = {}
    for each in observed:
        patient = _patient_id(next(map(each.before.entries.get, each.before.find(_PATIENT_ID.path)), None))
        for target in targets:
            for pair in pairs_of(each, target):
                moved = _moved(pair)
                leader = first.setdefault(patient, moved) if moved.days else moved
                yield (moved.answer or _judge_days(moved, leader, wanted))._replace(
                    path=pair.path, observed=each
                )


def _judge_days(moved: _Moved, leader: _Moved, wanted: int | None) -> Answer:
    days, pair = moved.days, moved.pair
    assert days is not None and pair.after is not None
    if not days:
        message = f"{pair.name} is still the same date"
        return Answer("failed", "(another date)", pair.after.shown, message)
    if wanted is not None:
        expected = f"(moved by {wanted} days)"
        if days == wanted:
            return Answer("passed", expected, pair.after.shown)
        message = f"{pair.name} moves by {days} days"
        return Answer("failed", expected, pair.after.shown, message)
    if days != leader.days:
        message = (
            f"{pair.name} moves by {days} days, {leader.pair.name} by {leader.days}: the interval between "
            "them is not kept"
        )
        return Answer("failed", f"(moved by {leader.days} days)", pair.after.shown, message)
    return Answer("passed", "(another date)", pair.after.shown)


def _moved(pair: Pair) -> _Moved:
    expected = "(another date)"
    old = _dates(pair.before)
    if old is None:
        message = f"the input has no date in {pair.name}, so nothing can be shifted"
        return _Moved(pair, None, Answer("error", expected, _shown(pair.before), message))
    if pair.after is None or pair.after.is_empty:
        message = f"{pair.name} has no value any more, so it is removed and not shifted"
        return _Moved(pair, None, Answer("failed", expected, _shown(pair.after), message))
    new = _dates(pair.after)
    if new is None or len(new) != len(old):
        message = f"{pair.name} is not a date any more"
        return _Moved(pair, None, Answer("failed", expected, pair.after.shown, message))
    days = {(after - before).days for (before, _), (after, _) in zip(old, new, strict=True)}
    if len(days) > 1:
        message = f"the dates in {pair.name} move by different numbers of days"
        return _Moved(pair, None, Answer("failed", expected, pair.after.shown, message))
    if [time for _, time in old] != [time for _, time in new]:
        message = f"the time of day in {pair.name} has changed"
        return _Moved(pair, None, Answer("failed", expected, pair.after.shown, message))
    return _Moved(pair, days.pop(), None)


def _dates(entry: Entry | None) -> list[tuple[date, str]] | None:
    """The dates of an element with what follows them; None when a value is none."""
    text = None if entry is None else entry.text
    if not text:
        return None
    found: list[tuple[date, str]] = []
    for value in text.split("\\"):
        parts = _DATE.fullmatch(value)
        if parts is None:
            return None
        try:
            found.append((date(int(parts[1]), int(parts[2]), int(parts[3])), parts[4]))
        except ValueError:
            return None
    return found


def _patient_id(entry: Entry | None) -> str | None:
    return None if entry is None else entry.text


# -- identifiers


@element_verb("elements")
def uid_changed(pair: Pair, _: object) -> Answer:
    """The element holds other UIDs than before, each of them valid, and as many.

    The input must have a UID. As in the MIDI-B benchmark, which also counts a UID as changed that was
    removed.

        uid_changed = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]
    """
    expected = "(another UID)"
    old, new = _values(pair.before), _values(pair.after)
    if not old:
        message = f"the input has no UID in {pair.name}, so nothing can be changed"
        return Answer("error", expected, _shown(pair.before), message)
    if not new:
        message = f"{pair.name} has no UID any more, so it is removed and not changed"
        return Answer("failed", expected, _shown(pair.after), message)
    assert pair.after is not None
    if set(old) & set(new):
        return Answer("failed", expected, pair.after.shown, f"{pair.name} still holds an original UID")
    if any(len(value) > _MAX_UID or _UID.fullmatch(value) is None for value in new):
        return Answer("failed", expected, pair.after.shown, f"{pair.name} is not a valid UID")
    if len(old) != len(new):
        return Answer("failed", expected, pair.after.shown, f"{pair.name} has another number of UIDs")
    return Answer("passed", expected, pair.after.shown)


@verb("flag or elements")
def uid_consistent(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
    """The same old UID gives the same new one everywhere in this test, and different ones different ones.

    After `true` all elements of VR UI count, at any depth and in all inputs, so that references between
    objects stay true; UIDs of the standard, such as SOP classes, do not count, nor do elements that the
    script removes. With a list these elements count, and none of them may be removed. Needs two UIDs at
    least. As in the MIDI-B benchmark.

        uid_consistent = true
        # or of single elements: uid_consistent = ["StudyInstanceUID", "*/(0008,1155)"]
    """
    pairs = [pair for each in observed for pair in _uid_pairs(each, expectation.wanted)]
    yield from _consistency(pairs, "UID", "give the test a second input, or an input with references")


def _uid_pairs(observed: Observed, targets: Sequence[Target]) -> Iterator[Pair]:
    if targets:
        for target in targets:
            yield from pairs_of(observed, target)
        return
    for pair in all_pairs(observed):
        if pair.before is None or pair.before.element.vr != "UI" or pair.after is None or pair.after.is_empty:
            continue
        if pair.path.startswith("(0002,") or all(
            value.startswith(_WELL_KNOWN_ROOT) for value in _values(pair.before)
        ):
            continue
        yield pair


@verb("flag or elements")
def patid_consistent(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
    """The same old Patient ID gives the same new one in all inputs, and different ones different ones.

    After `true` (0010,0020) counts, with a list these elements. Needs two inputs at least. As in the MIDI-B
    benchmark.

        patid_consistent = true
    """
    targets = expectation.wanted or (_PATIENT_ID,)
    pairs = [pair for each in observed for target in targets for pair in pairs_of(each, target)]
    yield from _consistency(pairs, "Patient ID", "give the test a second input")


def _consistency(pairs: Sequence[Pair], what: str, advice: str) -> Iterator[Answer]:
    """Whether old and new identifiers belong together one by one."""
    expected = f"(one new {what} for each old one)"
    new_of: dict[str, tuple[str, Pair]] = {}
    old_of: dict[str, tuple[str, Pair]] = {}
    seen = 0
    answers: list[Answer] = []
    for pair in pairs:
        old, new = _values(pair.before), _values(pair.after)
        if not old:
            message = f"the input has no {what} in {pair.name}, so this says nothing"
            answers.append(Answer("error", expected, _shown(pair.before), message, pair.path, pair.observed))
        elif len(old) != len(new):
            message = f"{pair.name} has {'another number of values' if new else 'no value any more'}"
            answers.append(Answer("failed", expected, _shown(pair.after), message, pair.path, pair.observed))
        for before, after in zip(old, new, strict=False):
            seen += 1
            message = _conflict(before, after, pair, new_of, old_of, what)
            if message:
                answers.append(Answer("failed", expected, after, message, pair.path, pair.observed))
    if not answers and seen < 2:
        message = f"there is nothing to compare: {advice}"
        answers = [Answer("error", expected, None, message)]
    yield from answers[:_SHOWN_CONFLICTS] or [Answer("passed", expected, f"({seen} compared)")]


def _conflict(
    before: str,
    after: str,
    pair: Pair,
    new_of: dict[str, tuple[str, Pair]],
    old_of: dict[str, tuple[str, Pair]],
    what: str,
) -> str:
    """How this old and new identifier contradict earlier ones; "" when they do not."""
    known, other = new_of.setdefault(before, (after, pair))
    if known != after:
        return f"the {what} {before} becomes {after} here, but {known} in {_place(other)}"
    known, other = old_of.setdefault(after, (before, pair))
    if known != before:
        return f"two different {what}s become {after}: {before} here, and {known} in {_place(other)}"
    return ""


def _place(pair: Pair) -> str:
    return f"{pair.name} of {pair.observed.place.removesuffix(': ')}".removesuffix(" of ")


def _values(entry: Entry | None) -> list[str]:
    text = None if entry is None else entry.text
    return text.split("\\") if text else []


def _shown(entry: Entry | None) -> str:
    return "(absent)" if entry is None else entry.shown
