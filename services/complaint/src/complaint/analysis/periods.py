"""Weeks, months and spans of days of the company's calendar. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

_FIRST_YEAR = "1950"
_WEEK = re.compile(r"^([1-8]\d{3})-W(\d\d)\Z", re.ASCII)
_MONTH = re.compile(r"^([1-8]\d{3})-(\d\d)\Z", re.ASCII)

Rhythm = Literal["week", "month", "days"]


@dataclass(frozen=True, slots=True)
class Period:
    """Company days from ``first`` to ``last``, both included, as the instants between which they lie."""

    rhythm: Rhythm
    name: str
    first: date
    last: date
    start: datetime
    end: datetime  # the first instant after it

    def before(self) -> Period:
        """The week or month before this one; of other spans, as many days before."""
        zone = self.start.tzinfo
        assert isinstance(zone, ZoneInfo)  # noqa: S101 - every period is built below
        day = self.first - timedelta(days=1)
        if self.rhythm == "week":
            return week_with(day, zone)
        if self.rhythm == "month":
            return month_with(day, zone)
        return span(self.first - (self.last - self.first) - timedelta(days=1), day, zone)


def span(first: date, last: date, zone: ZoneInfo, rhythm: Rhythm = "days", name: str | None = None) -> Period:
    """The days from ``first`` to ``last``."""
    start = datetime.combine(first, time(0, 0), zone)
    end = datetime.combine(last + timedelta(days=1), time(0, 0), zone)
    return Period(rhythm, name or f"{first}..{last}", first, last, start, end)


def week(name: str, zone: ZoneInfo) -> Period:
    """``2026-W47``, Monday to Sunday. Raises ValueError for what names no week of our time."""
    found = _WEEK.match(name)
    if not found or found[1] < _FIRST_YEAR:
        raise ValueError(name)
    return week_with(date.fromisocalendar(int(found[1]), int(found[2]), 1), zone)


def month(name: str, zone: ZoneInfo) -> Period:
    """``2026-11``. Raises ValueError for what names no month of our time."""
    found = _MONTH.match(name)
    if not found or found[1] < _FIRST_YEAR:
        raise ValueError(name)
    return month_with(date(int(found[1]), int(found[2]), 1), zone)


def week_with(day: date, zone: ZoneInfo) -> Period:
    """The week that a day lies in."""
    year, number, weekday = day.isocalendar()
    monday = day - timedelta(days=weekday - 1)
    return span(monday, monday + timedelta(days=6), zone, "week", f"{year}-W{number:02d}")


def month_with(day: date, zone: ZoneInfo) -> Period:
    """The month that a day lies in."""
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return span(first, last, zone, "month", f"{first:%Y-%m}")
