"""When the company works: public holidays, make-up workdays, opening hours; and deadlines that show their sum.

Pure: a calendar is a value, made of published years. Days of a year that is not published yet follow the weekdays
alone, and what was computed over them says so (``provisional``); once the year is imported, computing again with the
new calendar gives the exact answer. ``version`` tells calendars apart, so that stored deadlines can be found again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from chinese_calendar.constants import holidays as published_holidays
from chinese_calendar.constants import workdays as published_workdays

if TYPE_CHECKING:
    from chassis.policies.company import Company

Span = tuple[time, time]
OFFICE_HOURS: Mapping[int, tuple[Span, ...]] = dict.fromkeys(range(5), ((time(9), time(18)),))

LONGEST_CLOSURE = 400  # days; a calendar that is closed for longer is a mistake, not a holiday
LONGEST_SPAN = timedelta(days=36_600)


class NeverOpen(Exception):
    """The calendar has no working day where one was looked for."""


@dataclass(frozen=True)
class PublishedYear:
    """What an authority published for one year: days off, and weekend days to be worked, each with its occasion.

    May hold days of the December before (a New Year that begins early).
    """

    year: int
    holidays: Mapping[date, str]
    workdays: Mapping[date, str]

    @cached_property
    def hash(self) -> str:
        """The same for the same days, whoever imported them."""
        days = [
            sorted((day.isoformat(), name) for day, name in kind.items()) for kind in (self.holidays, self.workdays)
        ]
        return _digest([self.year, *days])


@dataclass(frozen=True)
class Deadline:
    """An instant (UTC) with the sum that led to it."""

    at: datetime
    explanation: str
    provisional: bool
    calendar: str  # version of the calendar it was computed with


@cache
def bundled_years() -> Mapping[int, PublishedYear]:
    """The years published for China that the ``chinesecalendar`` package carries."""

    def of(year: int, days: Mapping[date, str]) -> dict[date, str]:
        return {day: str(name) for day, name in days.items() if day.year == year}

    known = {day.year for day in published_holidays}
    return {y: PublishedYear(y, of(y, published_holidays), of(y, published_workdays)) for y in sorted(known)}


@dataclass(frozen=True)
class WorkingCalendar:
    """The working time of one company. ``years`` None: it follows no published holidays, and nothing is provisional."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    hours: Mapping[int, Sequence[Span]] = field(default_factory=lambda: OFFICE_HOURS)  # by weekday, Monday 0
    years: Mapping[int, PublishedYear] | None = None
    closed: frozenset[date] = frozenset()  # the company's own exceptions
    open: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not any(self.hours.values()):
            raise NeverOpen("the working hours name no day")

    @classmethod
    def from_published(
        cls, years: Mapping[int, PublishedYear] | None = None, company: Company | None = None
    ) -> WorkingCalendar:
        """Over the bundled years and those given beside them; hours and exceptions as the company's section says."""
        known = {**bundled_years(), **(years or {})}
        if company is None:
            return cls(years=known)
        week = company.working_hours
        edges = [week.opens, *(edge for pause in sorted(week.breaks) for edge in pause), week.closes]
        spans = tuple(zip(edges[::2], edges[1::2], strict=True))
        return cls(
            zone=company.time_zone,
            hours=dict.fromkeys(sorted(week.days), spans),
            years=known if company.calendar.holidays == "china" else None,
            closed=company.calendar.closed,
            open=company.calendar.open,
        )

    @cached_property
    def version(self) -> str:
        """Changes whenever an answer of this calendar may change."""
        hours = [[weekday, [f"{a}-{b}" for a, b in spans]] for weekday, spans in sorted(self.hours.items())]
        years = None if self.years is None else [self.years[year].hash for year in sorted(self.years)]
        exceptions = [sorted(day.isoformat() for day in days) for days in (self.closed, self.open)]
        return _digest([self.zone.key, hours, years, *exceptions])

    def is_working(self, day: date) -> bool:
        """Whether the company works on that day."""
        return bool(self.spans(day))

    def is_provisional(self, day: date) -> bool:
        """Whether the day's year is not published yet, so that only weekdays speak."""
        return self.years is not None and day.year not in self.years

    def spans(self, day: date) -> Sequence[Span]:
        """The opening hours of a day; none when closed. A make-up day on a weekend keeps an ordinary day's hours."""
        usual = self.hours.get(day.weekday(), ())
        if day in self.closed:
            return ()
        if day in self.open or day in self._workdays:
            return usual or next(spans for _, spans in sorted(self.hours.items()) if spans)
        return () if day in self._holidays else usual

    def occasion(self, day: date) -> str:
        """Why the day is otherwise than its weekday: the published occasion, `closed`, `open`; empty when it is not."""
        if self.is_working(day) == bool(self.hours.get(day.weekday())):
            return ""
        return self._holidays.get(day) or self._workdays.get(day) or ("open" if self.is_working(day) else "closed")

    def nth_working_day(self, start: date, n: int) -> date:
        """The n-th working day after a day, which itself is not counted."""
        day = start
        for _ in range(n):
            day = self._following(day)
        return day

    def next_opening(self, instant: datetime) -> datetime:
        """The instant itself during working hours, else the next opening (local time)."""
        local = instant.astimezone(self.zone)
        for begin, end in self._spans_from(local.date()):
            if local < end:
                return max(begin, local)
        raise NeverOpen(f"no working hours within {LONGEST_CLOSURE} days of {local.date()}")

    def add_working_days(self, start: datetime, n: int) -> Deadline:
        """Same time of day on the n-th working day after the start; a start outside hours counts from the opening.

        Where that day's hours don't hold the time of day, the nearer end of its hours counts.
        """
        begin = self.next_opening(start)
        day = self.nth_working_day(begin.date(), n)
        spans = self.spans(day)
        at_time = min(max(begin.timetz().replace(tzinfo=None), spans[0][0]), spans[-1][1])
        due = datetime.combine(day, at_time, self.zone)
        return self._explained(f"{n} working day{'' if n == 1 else 's'}", start, begin, due)

    def add_working_time(self, start: datetime, amount: timedelta) -> Deadline:
        """The instant when ``amount`` of opening hours has passed since the start."""
        begin = self.next_opening(start)
        left = amount
        for opens, closes in self._spans_from(begin.date(), span=LONGEST_SPAN):
            opened = max(opens, begin).astimezone(UTC)
            here = closes.astimezone(UTC) - opened
            if here > timedelta(0):
                if left <= here:
                    return self._explained(f"{amount} of working time", start, begin, opened + left)
                left -= here
        raise NeverOpen(f"{amount} of working time does not fit into a century")

    def working_seconds_between(self, start: datetime, end: datetime) -> float:
        """Opening hours between two instants, in seconds; negative when the end lies before the start."""
        if end < start:
            return -self.working_seconds_between(end, start)
        if end - start > LONGEST_SPAN:
            raise ValueError("more than a century lies between these instants")
        total = timedelta(0)
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        while day <= last:
            for opens, closes in self._instants(day):
                total += max(timedelta(0), min(closes, end).astimezone(UTC) - max(opens, start).astimezone(UTC))
            day += timedelta(days=1)
        return total.total_seconds()

    @cached_property
    def _holidays(self) -> Mapping[date, str]:
        return self._merged[0]

    @cached_property
    def _workdays(self) -> Mapping[date, str]:
        return self._merged[1]

    @cached_property
    def _merged(self) -> tuple[dict[date, str], dict[date, str]]:
        """Later years speak last: the notice for a year may change days of the December before."""
        off: dict[date, str] = {}
        on: dict[date, str] = {}
        for _, year in sorted((self.years or {}).items()):
            for day, name in year.holidays.items():
                off[day] = name
                on.pop(day, None)
            for day, name in year.workdays.items():
                on[day] = name
                off.pop(day, None)
        return off, on

    def _following(self, day: date) -> date:
        for _ in range(LONGEST_CLOSURE):
            day += timedelta(days=1)
            if self.is_working(day):
                return day
        raise NeverOpen(f"no working day within {LONGEST_CLOSURE} days before {day}")

    def _instants(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for opens, closes in self.spans(day):
            yield datetime.combine(day, opens, self.zone), datetime.combine(day, closes, self.zone)

    def _spans_from(
        self, day: date, span: timedelta = timedelta(days=LONGEST_CLOSURE)
    ) -> Iterator[tuple[datetime, datetime]]:
        for offset in range(span.days):
            yield from self._instants(day + timedelta(days=offset))

    def _explained(self, what: str, start: datetime, begin: datetime, due: datetime) -> Deadline:
        local, due = start.astimezone(self.zone), due.astimezone(self.zone)
        parts = [f"{what} after {local:%Y-%m-%d %H:%M}"]
        if begin != local:
            parts.append(f"outside working hours, so counted from {begin:%Y-%m-%d %H:%M}")
        days = [local.date() + timedelta(days=n) for n in range((due.date() - local.date()).days + 1)]
        closed = [self._holidays.get(day, "closed") for day in days if self._is_exceptional(day, working=False)]
        opened = [f"{day:%m-%d}" for day in days if self._is_exceptional(day, working=True)]
        if closed:
            parts.append(f"{len(closed)} weekday{'s' * (len(closed) > 1)} off ({', '.join(dict.fromkeys(closed))})")
        if opened:
            parts.append(f"make-up workdays {', '.join(opened)}")
        provisional = any(self.is_provisional(day) for day in days)
        if provisional:
            unknown = sorted({day.year for day in days if self.is_provisional(day)})
            parts.append(f"provisional: the holidays of {', '.join(map(str, unknown))} are not published yet")
        explanation = f"{'; '.join(parts)} → {due:%Y-%m-%d %H:%M} {self.zone.key}"
        return Deadline(due.astimezone(UTC), explanation, provisional, self.version)

    def _is_exceptional(self, day: date, *, working: bool) -> bool:
        return self.is_working(day) == working != bool(self.hours.get(day.weekday()))


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]
