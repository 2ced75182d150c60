"""Durations, shares and money as people write them: `1 working day`, `15%`, `2000 CNY`. Strict: nothing is guessed."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

EXACT = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 7 * 86_400}
UNITS = (*EXACT, "working day", "working hour", "month", "year")
_DURATION = re.compile(rf"([1-9][0-9]{{0,5}}) ({'|'.join(UNITS)})(s?)\Z")
_SHARE = re.compile(r"((?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,6})?) ?%\Z")
_AMOUNT = re.compile(r"((?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?) ([A-Za-z_]{2,20})\Z")


@dataclass(frozen=True)
class Duration:
    """So many of a unit. Days, months and years are the company's calendar ones; working days need its calendar."""

    amount: int
    unit: str

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}{'s' if self.amount != 1 else ''}"

    @property
    def exact(self) -> timedelta:
        """The span in elapsed time. Raises ValueError for units whose length depends on the calendar."""
        if self.unit not in EXACT:
            raise ValueError(f"{self} has no fixed length")
        return timedelta(seconds=self.amount * EXACT[self.unit])

    @property
    def days(self) -> int:
        """Whole days; months count 30 and years 365, for windows that are counted in days."""
        each = {"day": 1, "week": 7, "month": 30, "year": 365}
        if self.unit not in each:
            raise ValueError(f"{self} is not counted in days")
        return self.amount * each[self.unit]

    def after(self, start: datetime, zone: ZoneInfo) -> datetime:
        """The instant this long after ``start``: days and longer keep the wall-clock time of ``zone``."""
        if self.unit in ("second", "minute", "hour"):
            return start + self.exact
        local = start.astimezone(zone)
        return datetime.combine(self.later(local.date()), local.time(), zone).astimezone(start.tzinfo)

    def before(self, start: datetime, zone: ZoneInfo) -> datetime:
        """The instant this long before ``start``."""
        if self.unit in ("second", "minute", "hour"):
            return start - self.exact
        local = start.astimezone(zone)
        return datetime.combine(self.earlier(local.date()), local.time(), zone).astimezone(start.tzinfo)

    def later(self, day: date) -> date:
        """The day this long after ``day``; a month's missing days fall on its last."""
        return self._moved(day, 1)

    def earlier(self, day: date) -> date:
        """The day this long before ``day``."""
        return self._moved(day, -1)

    def _moved(self, day: date, sign: int) -> date:
        if self.unit in ("day", "week"):
            return day + sign * self.exact
        months = self.amount * {"month": 1, "year": 12}[self.unit] * sign
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Amount:
    """A number with what it counts: `2000 CNY`, `5000 growth`."""

    value: Decimal
    unit: str

    def __str__(self) -> str:
        return f"{self.value} {self.unit}"


def parse_duration(text: str) -> Duration | None:
    """`1 working day`, `24 hours`, `6 months`; None when it is anything else. One takes no s, more take one."""
    found = _DURATION.match(text)
    if not found or (found[1] == "1") == bool(found[3]):
        return None
    return Duration(int(found[1]), found[2])


def parse_share(text: str) -> Decimal | None:
    """`15%` → 0.15; None when it is anything else."""
    found = _SHARE.match(text)
    return Decimal(found[1]) / 100 if found else None


def parse_amount(text: str) -> Amount | None:
    """`2000 CNY` → its number and unit; None when it is anything else."""
    found = _AMOUNT.match(text)
    return Amount(Decimal(found[1]), found[2]) if found else None
