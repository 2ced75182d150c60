"""Lunar days against what the almanacs print, and birthdays that are kept once a lunar year."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from chassis.timing.lunar import LunarDay, kept_on, lunar_day


@pytest.mark.parametrize(
    ("day", "lunar"),
    [
        (date(1901, 2, 19), LunarDay(1901, 1, False, 1)),
        (date(1949, 10, 1), LunarDay(1949, 8, False, 10)),
        (date(1978, 9, 17), LunarDay(1978, 8, False, 15)),  # a new moon eight minutes past midnight began the month
        (date(2000, 2, 5), LunarDay(2000, 1, False, 1)),
        (date(2023, 3, 22), LunarDay(2023, 2, True, 1)),
        (date(2025, 7, 25), LunarDay(2025, 6, True, 1)),
        (date(2026, 2, 16), LunarDay(2025, 12, False, 29)),
        (date(2026, 2, 17), LunarDay(2026, 1, False, 1)),  # Spring Festival
        (date(2026, 6, 19), LunarDay(2026, 5, False, 5)),  # Dragon Boat
        (date(2026, 9, 25), LunarDay(2026, 8, False, 15)),  # Mid-Autumn
        (date(2033, 12, 22), LunarDay(2033, 11, True, 1)),  # the famous leap eleventh month
        (date(2099, 1, 20), LunarDay(2098, 12, False, 30)),
    ],
)
def test_a_day_is_the_lunar_day_that_the_almanac_prints(day: date, lunar: LunarDay) -> None:
    assert lunar_day(day) == lunar


@pytest.mark.parametrize("day", [date(1901, 2, 18), date(2099, 1, 21), date(1, 1, 1)])
def test_beyond_the_almanac_nothing_is_guessed(day: date) -> None:
    with pytest.raises(ValueError, match="outside the lunar calendar"):
        lunar_day(day)
    assert kept_on(day) == frozenset()


@pytest.mark.parametrize("year", [2025, 2026, 2033])
def test_every_birthday_is_kept_once_in_a_lunar_year(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(425)]
    kept = Counter(birthday for day in days if lunar_day(day).year == year for birthday in kept_on(day))

    assert set(kept.values()) == {1}
    assert {(month, day, False) for month in range(1, 13) for day in range(1, 31)} <= set(kept)
    assert {(month, day, True) for month in range(1, 13) for day in range(1, 31)} <= set(kept)


def test_a_birthday_of_a_leap_month_waits_for_it_or_takes_the_common_one() -> None:
    assert (6, 3, True) in kept_on(date(2025, 7, 27))  # leap sixth month
    assert (6, 3, True) not in kept_on(date(2025, 6, 27))
    assert (6, 3, True) in kept_on(date(2026, 7, 16))  # no leap month in 2026
    assert (12, 30, False) in kept_on(date(2026, 2, 16))  # the twelfth month has 29 days
