"""Dates and times as DICOM writes them (PS3.5 section 6.2: DA and DT), and moving them.

A date may end after any of its parts. It then stands for the middle of the time that it leaves open, is moved
from there by exact seconds, and is written with the same parts again.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from anon.errors import StatementError

SECONDS_IN_DAY: Final = 86_400

_DATE = re.compile(
    r"([0-9]{4})([0-9]{2})?([0-9]{2})?([0-9]{2})?([0-9]{2})?([0-9]{2})?"
    r"(?P<fraction>\.[0-9]{1,6})?(?P<zone>[+-](?P<hours>[0-9]{2})(?P<minutes>[0-9]{2}))?"
)
_PARTS: Final = 6  # year to second
# The calendar repeats after 400 years, so `datetime`, whose years end at 9999, does for any year.
_CYCLE_YEARS: Final = 400
_CYCLE_START: Final = datetime(_CYCLE_YEARS, 1, 1)
_CYCLE_SECONDS: Final = 146_097 * SECONDS_IN_DAY
# Hour, minute and second, as far as they are not given, by how many parts are.
_MIDDLES: Final[dict[int, tuple[int, ...]]] = {3: (12, 0, 0), 4: (30, 0), 5: (30,), 6: ()}
_SECOND: Final = timedelta(seconds=1)
_MAX_YEAR: Final = 999_999_999  # Java's
_MAX_ZONE_MINUTES: Final = 18 * 60  # Java's


class DicomDate(NamedTuple):
    """A date, possibly with a time.

    Attributes:
        parts: how many of year, month, day, hour, minute and second are given.
        seconds: since the year 0 began, to the middle of what is left open; fraction and zone do not count.
        fraction: of the second, with its point, or "".
        zone: the offset from UTC, or "".
    """

    parts: int
    seconds: int
    fraction: str
    zone: str

    def moved(self, seconds: int) -> str:
        """The date that many seconds later, with the same parts. Before the year 0 it begins with a minus.

        Raises:
            StatementError: it has a year that Java's calendar does not reach.
        """
        cycle, rest = divmod(self.seconds + seconds, _CYCLE_SECONDS)
        moment = _CYCLE_START + timedelta(seconds=rest)
        year = moment.year + (cycle - 1) * _CYCLE_YEARS
        if abs(year) > _MAX_YEAR:
            raise StatementError("out-of-range", "the date is moved further than the calendar goes")
        others = (moment.month, moment.day, moment.hour, moment.minute, moment.second)
        written = "".join(f"{number:02d}" for number in others[: self.parts - 1])
        return f"{year:04d}{written}{self.fraction}{self.zone}"


def find_date(text: str) -> DicomDate | None:
    """Read a date; None when the text is not written like one.

    Raises:
        StatementError: it is, but there is no such day, time or zone.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    parts = [int(part) for part in found.groups()[:_PARTS] if part is not None]
    try:
        cycle, moment = _middle(parts)
    except ValueError:
        raise StatementError("no-such-date", "there is no such date or time") from None
    if found["zone"]:
        minutes = int(found["minutes"])
        if minutes > 59 or int(found["hours"]) * 60 + minutes > _MAX_ZONE_MINUTES:
            raise StatementError("no-such-date", "there is no such time zone")
    seconds = cycle * _CYCLE_SECONDS + (moment - _CYCLE_START) // _SECOND
    return DicomDate(len(parts), seconds, found["fraction"] or "", found["zone"] or "")


def _middle(parts: list[int]) -> tuple[int, datetime]:
    """The middle of the time that a date with these parts means: the cycle of years, and the moment in it.

    Raises:
        ValueError: there is no such date or time.
    """
    cycle, year = divmod(parts[0], _CYCLE_YEARS)
    year += _CYCLE_YEARS
    if len(parts) == 1:
        return cycle, datetime(year, 7, 1)
    month = parts[1]
    if len(parts) == 2:
        days = monthrange(year, month)[1]
        return cycle, datetime(year, month, days // 2 + 1, 12 if days % 2 else 0)
    hour, minute, second = [*parts[3:], *_MIDDLES[len(parts)]]
    return cycle, datetime(year, month, parts[2], hour, minute, second)
