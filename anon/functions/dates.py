"""Functions that move dates (DicomEdit 6)."""

from __future__ import annotations

import re
from typing import Final

from anon.dates import SECONDS_IN_DAY, DicomDate, find_date
from anon.errors import StatementError
from anon.functions.registry import builtin, integer, parsed, path_list, paths, some_paths, source
from anon.operations.assign import write
from anon.operations.run import Run
from anon.places import Place, find_place, find_places
from anon.tagpath import TagPath, parse_path6

_STUDY_DATE: Final = parse_path6("(0008,0020)")
_BIRTH_DATE: Final = parse_path6("(0010,0030)")
_AGE: Final = parse_path6("(0010,1010)")
_BIRTH_DATES: Final = parse_path6("*/(0010,0030)")
_AGES: Final = parse_path6("*/(0010,1010)")
_AGE_FORM = re.compile(r"([0-9]{3})([DWMY])")
_MAX_AGE: Final = 89  # HIPAA's Safe Harbor makes one group of all who are older
_MAX_AGE_DAYS: Final = 32_506  # 89 years of 365.24 days

_UNITS: Final = {
    "seconds": 1,
    "minutes": 60,
    "hours": 3600,
    "days": SECONDS_IN_DAY,
    "years": 365 * SECONDS_IN_DAY,
}


def _unit(text: str) -> int:
    """The seconds of a unit; case does not count."""
    seconds = _UNITS.get(text.lower())
    if seconds is None:
        raise StatementError("bad-unit", "there is no such unit of time", f"units are {', '.join(_UNITS)}")
    return seconds


def _find(text: str, what: str) -> DicomDate | None:
    """Read a date; `what` holds it, for messages."""
    try:
        return find_date(text)
    except StatementError as failure:
        raise StatementError(failure.code, f"{what} cannot be used: {failure.message}") from None


def _date(text: str | None, what: str) -> DicomDate:
    """Read a date that must be there."""
    if not text:
        raise StatementError("no-value", f"{what} is absent or empty")
    date = _find(text, what)
    if date is None:
        raise StatementError("not-a-date", f"{what} is not a date like 20240229")
    return date


def _shifted(run: Run, source: TagPath | str | None, vrs: tuple[str, ...], seconds: int) -> str:
    """A date moved: that of an element with one of these VRs, or a text."""
    if not isinstance(source, TagPath):
        return _date(source, "the text").moved(seconds)
    place = find_place(run.top(source), source)
    element = None if place is None else place.dataset.get(place.tag)
    if element is not None and element.vr not in vrs:
        message = f"{source} is of VR {element.vr}, not {' or '.join(vrs)}"
        raise StatementError("wrong-vr", message, "name an element that holds a date")
    return _date(run.read_place(place), str(source)).moved(seconds)


def _shift_place(run: Run, place: Place, path: TagPath, seconds: int) -> None:
    """Move the date of an element; an empty one stays."""
    value = run.read_place(place)
    if not value:
        return
    element = place.dataset.get(place.tag)
    if element is not None and element.vr not in ("DA", "DT"):
        run.warn(f"the value of {path} was taken for a date, its VR is {element.vr}")
    write(run, place, _date(value, str(path)).moved(seconds))


@builtin(
    "shiftDateByIncrement",
    versions="6.0+",
    arguments=[source("date"), integer("increment"), parsed("unit", _unit, optional=True)],
    exact=True,
)
def shift_date_by_increment(
    run: Run, date: TagPath | str | None, increment: int, unit: int = SECONDS_IN_DAY
) -> str:
    """Return a date moved by a number of days, or of another unit: seconds, minutes, hours, days, years.

    The date is a text or an element of VR DA. What it leaves open stays open: it is moved from the middle of
    the time that it means, a day from noon. Years are 365 days. No date, an empty one, several, and one that
    no calendar has are errors.

    >>> run('shiftDateByIncrement["20240229", -366]')
    '20230228'
    >>> run('shiftDateByIncrement["20240229", 1, "years"]')
    '20250228'
    >>> run('shiftDateByIncrement["20240229", 12, "hours"]')
    '20240301'
    >>> run('shiftDateByIncrement["2024", 183]')
    '2024'
    >>> run('shiftDateByIncrement["yesterday", 1]')
    Traceback (most recent call last):
    anon.errors.ScriptError: script:2:1: the text is not a date like 20240229 [not-a-date]
    """
    return _shifted(run, date, ("DA",), increment * unit)


@builtin(
    "shiftDateTimeByIncrement",
    versions="6.0+",
    arguments=[source("date"), integer("increment"), parsed("unit", _unit, optional=True)],
    exact=True,
)
def shift_date_time_by_increment(run: Run, date: TagPath | str | None, increment: int, unit: int = 1) -> str:
    """Return a date with its time moved by a number of seconds, or of another unit.

    As `shiftDateByIncrement`, for texts and elements of VR DA or DT. The fraction of the second and the
    offset from UTC stay as they are.

    >>> run('shiftDateTimeByIncrement["20240229235959.5-0500", 1]')
    '20240301000000.5-0500'
    >>> run('shiftDateTimeByIncrement["202402292359", 29]')
    '202402292359'
    >>> run('shiftDateTimeByIncrement["20240229", -36, "Hours"]')
    '20240228'
    """
    return _shifted(run, date, ("DA", "DT"), increment * unit)


@builtin(
    "shiftDateTimeListByIncrement",
    versions="6.0+",
    arguments=[path_list("dates"), integer("increment"), parsed("unit", _unit)],
    returns="nothing",
    exact=True,
)
def shift_date_time_list_by_increment(
    run: Run, paths: tuple[TagPath, ...], increment: int, unit: int
) -> None:
    """Move all dates that the paths of a list match, as `shiftDateTimeByIncrement` does.

    Empty elements stay, absent ones are no mistake. A value that is no date is an error, and so is a
    sequence. An element that two paths of the list match is moved twice.
    """
    for path in paths:
        for place in find_places(run.tops(path), path):
            _shift_place(run, place, path, increment * unit)


@builtin(
    "shiftDateTimeSequenceByIncrement",
    versions="6.0+",
    arguments=[integer("seconds"), some_paths("path"), paths()],
    returns="nothing",
)
def shift_date_time_sequence_by_increment(
    run: Run, seconds: int, first: tuple[TagPath, ...], *more: TagPath
) -> None:
    """Move all dates that these paths match by a number of seconds.

    Each element is moved once, however many paths match. Empty elements stay, absent ones are no mistake. A
    value that is no date is an error, and so is a sequence. For use with XNAT write each path in quotes: it
    takes no notice of others.
    """
    done: set[tuple[int, int]] = set()
    for path in (*first, *more):
        for place in find_places(run.tops(path), path):
            key = (id(place.dataset), place.tag)
            if key not in done:
                done.add(key)
                _shift_place(run, place, path, seconds)


@builtin("scalePatientAgeAndDobFromStudyDate", versions="6.0+", arguments=[], returns="nothing")
def scale_patient_age_and_dob(run: Run) -> None:
    """Make patients who are older than 89 years 89 years old.

    If there are more than 32506 days from the birth date (0010,0030) to the study date (0008,0020), birth
    dates are moved forward by the surplus, in sequences too. If the age (0010,1010) is more than 89 years,
    ages become `089Y`, in sequences too. Whether that is so is only looked up outside of sequences.

    Without a study date birth dates stay, and so does one that is not written like a date, both with a
    warning. An age that is not written like `045Y` is an error.
    """
    _scale_birth_dates(run)
    age = run.read(_AGE)
    if not age:
        return
    found = _AGE_FORM.fullmatch(age)
    if found is None:
        raise StatementError("not-an-age", f"{_AGE} is not three digits and one of D, W, M, Y, as in 045Y")
    if found[2] == "Y" and int(found[1]) > _MAX_AGE:
        for place in find_places(run.tops(_AGES), _AGES):
            write(run, place, f"{_MAX_AGE:03d}Y")


def _scale_birth_dates(run: Run) -> None:
    text = run.read(_BIRTH_DATE)
    if not text:
        return
    birth = _find(text, str(_BIRTH_DATE))
    if birth is None:
        run.warn(f"{_BIRTH_DATE} is not written like a date and stays as it is")
        return
    study = _find(run.read(_STUDY_DATE) or "", str(_STUDY_DATE))
    if study is None:
        run.warn(f"{_BIRTH_DATE} stays as it is, {_STUDY_DATE} does not hold a date")
        return
    surplus = (study.seconds - birth.seconds) // SECONDS_IN_DAY - _MAX_AGE_DAYS
    if surplus > 0:
        for place in find_places(run.tops(_BIRTH_DATES), _BIRTH_DATES):
            date = _date(run.read_place(place), str(_BIRTH_DATES))
            write(run, place, date.moved(surplus * SECONDS_IN_DAY))
