"""The Chinese lunar calendar of 1901 to 2098: which lunar day a day is, and whose birthday is kept on it.

By the rule of GB/T 33661-2017 (new moons in Beijing time). A year is one number: its leap month above thirteen bits,
the lowest for the first month, set where a month has 30 days.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

FIRST_YEAR, NEW_YEAR = 1901, date(1901, 2, 19)
_YEARS = """
    00752 00ea5 0b64a 0064b 00a9b 09556 0056a 00b59 05752 00752 0db25 00b25 00a4b 0b4ab 002ad 0056b 04b69 00da9
    0fd92 00e92 00d25 0ba4d 00a56 002b6 095b5 006d4 00ea9 05e92 00e92 0cd26 0052b 00a57 0b2b6 00b5a 006d4 06ec9
    00749 0f693 00a93 0052b 0ca5b 00aad 0056a 09b55 00ba4 00b49 05a93 00a95 0f52d 00536 00aad 0b5aa 005b2 00da5
    07d4a 00d4a 10a95 00a97 00556 0cab5 00ad5 006d2 08ea5 00ea5 0064a 06c97 00a9b 0f55a 0056a 00b69 0b752 00b52
    00b25 0964b 00a4b 114ab 002ad 0056d 0cb69 00da9 00d92 09d25 00d25 15a4d 00a56 002b6 0c5b5 006d5 00ea9 0be92
    00e92 00d26 06a56 00a57 114d6 0035a 006d5 0b6c9 00749 00693 0952b 0052b 00a5b 0555a 0056a 0fb55 00ba4 00b49
    0ba93 00a95 0052d 08aad 00ab5 135aa 005d2 00da5 0dd4a 00d4a 00c95 0952e 00556 00ab5 055b2 006d2 0cea5 00725
    0064b 0ac97 00cab 0055a 06ad6 00b69 17752 00b52 00b25 0da4b 00a4b 004ab 0a55b 005ad 00b6a 05b52 00d92 0fd25
    00d25 00a55 0b4ad 004b6 005b5 06daa 00ec9 11e92 00e92 00d26 0ca56 00a57 00556 086d5 00755 00749 06e93 00693
    0f52b 0052b 00a5b 0b55a 0056a 00b65 0974a 00b4a 11a95 00a95 0052d 0caad 00ab5 005aa 08ba5 00da5 00d4a 07c95
    00c96 0f94e 00556 00ab5 0b5b2 006d2 00ea5 08e4a 0068b 10c97 004ab 0055b 0cad6 00b6a 00752 09725 00b45 00a8b
"""


@dataclass(frozen=True, slots=True, order=True)
class LunarDay:
    """A day of the lunar calendar; ``year`` is the one that begins at its New Year."""

    year: int
    month: int
    leap: bool
    day: int


@dataclass(frozen=True, slots=True)
class _Month:
    year: int
    month: int
    leap: bool
    days: int
    begins: date


@cache
def _months() -> tuple[_Month, ...]:
    months: list[_Month] = []
    begins = NEW_YEAR
    for offset, word in enumerate(_YEARS.split()):
        leap_month, lengths = divmod(int(word, 16), 1 << 13)
        order = [(month, leap) for month in range(1, 13) for leap in (False, True) if not leap or month == leap_month]
        for place, (month, leap) in enumerate(order):
            days = 30 if lengths >> place & 1 else 29
            months.append(_Month(FIRST_YEAR + offset, month, leap, days, begins))
            begins += timedelta(days=days)
    return tuple(months)


@cache
def _beginnings() -> tuple[date, ...]:
    return tuple(month.begins for month in _months())


def _month_of(day: date) -> _Month:
    place = bisect_right(_beginnings(), day) - 1
    month = _months()[place] if place >= 0 else None
    if month is None or (day - month.begins).days >= month.days:
        raise ValueError(f"{day} lies outside the lunar calendar that is known, {FIRST_YEAR} to 2098")
    return month


def lunar_day(day: date) -> LunarDay:
    """The lunar day that a solar day is. Raises ValueError outside 1901-02-19 to 2099-01-20."""
    month = _month_of(day)
    return LunarDay(month.year, month.month, month.leap, (day - month.begins).days + 1)


def kept_on(day: date) -> frozenset[tuple[int, int, bool]]:
    """Birthdays, as (month, day, of a leap month), that are kept on a solar day; none outside the calendar.

    In a year without their leap month they are kept in the month of the same number; the 30th, where a month has 29
    days, on the 29th.
    """
    try:
        month = _month_of(day)
    except ValueError:
        return frozenset()
    number = (day - month.begins).days + 1
    days = {number, 30} if number == month.days else {number}
    has_leap = any(each.leap for each in _months() if each.year == month.year and each.month == month.month)
    leaps = {month.leap} if has_leap else {False, True}
    return frozenset((month.month, each, leap) for each in days for leap in leaps)
