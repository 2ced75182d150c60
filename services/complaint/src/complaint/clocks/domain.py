"""From a rule to an instant: when a clock is due and when it warns, with the sum written out. Pure.

``timed`` always computes from the beginning (the start, then every pause), so that a clock comes out the same whether
it is started, taken up after a pause, or computed again because a calendar year was published.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from chassis.policies.company import WEEKDAYS
from chassis.policies.units import Duration
from chassis.timing.calendar import WorkingCalendar

WORKING = ("working day", "working hour")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST_TOLD = 62  # days whose holidays are told one by one

Pause = tuple[datetime, datetime]


@dataclass(frozen=True)
class Timing:
    """When a clock is due and warns (UTC), of how many seconds of its own time, and the sum in words."""

    due_at: datetime
    warn_at: datetime
    budget: float
    explanation: str
    provisional: bool
    calendar: str


def timed(
    started: str,
    start: datetime,
    within: Duration,
    warn_at: Decimal,
    calendar: WorkingCalendar,
    pauses: Sequence[Pause] = (),
) -> Timing:
    """The timing of a clock that was ``started`` (a word: `received`, `resolved`) at ``start``.

    Working time counts the calendar's hours, clock time every hour; a pause keeps what was left of either.
    """
    working = within.unit in WORKING
    parts = [f"{started} {_moment(start, calendar)}"]
    if working:
        due = _working_due(start, within, calendar)
        parts += _hours(start, within, calendar)
    else:
        due = within.after(start, calendar.zone).astimezone(UTC)
        parts.append(f"{within} of clock time")
    budget = spent(start, due, calendar, working=working)
    warn = later(start, budget * float(warn_at), calendar, working=working)
    for begin, end in pauses:
        left = spent(begin, due, calendar, working=working)
        due = later(end, left, calendar, working=working)
        if warn > begin:
            warn = later(end, spent(begin, warn, calendar, working=working), calendar, working=working)
        parts.append(
            f"waited for the customer from {_moment(begin, calendar)} to {_moment(end, calendar)} "
            f"with {told(left)} left"
        )
    days = _days(start, due, calendar)
    provisional = working and any(calendar.is_provisional(day) for day in days)
    if working:
        parts += _exceptions(days, calendar)
    if provisional:
        years = sorted({day.year for day in days if calendar.is_provisional(day)})
        parts.append(f"provisional: the holidays of {_listed(str(year) for year in years)} are not published yet")
    parts.append(f"due {_moment(due, calendar)}")
    return Timing(due, warn, budget, "; ".join(parts), provisional, calendar.version)


def promised(start: datetime, due: datetime, warn_at: Decimal, reason: str, calendar: WorkingCalendar) -> Timing:
    """A date that a person gave to the customer; its time is every hour until then."""
    budget = (due - start).total_seconds()
    warn = start + timedelta(seconds=budget * float(warn_at))
    explanation = f"promised {_moment(start, calendar)} ({reason}); due {_moment(due, calendar)}"
    return Timing(due, warn, budget, explanation, False, calendar.version)


def spent(start: datetime, end: datetime, calendar: WorkingCalendar, *, working: bool) -> float:
    """Seconds of a clock's own time between two instants; negative when the end lies before the start."""
    return calendar.working_seconds_between(start, end) if working else (end - start).total_seconds()


def later(start: datetime, seconds: float, calendar: WorkingCalendar, *, working: bool) -> datetime:
    """The instant at which so many seconds of a clock's own time have passed."""
    if not working:
        return start + timedelta(seconds=seconds)
    return calendar.add_working_time(start, timedelta(seconds=seconds)).at


def used(budget: float, left: float) -> str:
    """The part of its time that a clock has used: `0.50`; above 1 once it is late."""
    return f"{Decimal(str(max(0.0, 1 - left / budget))):.2f}"


def told(seconds: float) -> str:
    """`8 h 20 min`."""
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    return " ".join(([f"{hours} h"] if hours else []) + ([f"{minutes} min"] if minutes or not hours else []))


def _working_due(start: datetime, within: Duration, calendar: WorkingCalendar) -> datetime:
    if within.unit == "working day":
        return calendar.add_working_days(start, within.amount).at
    return calendar.add_working_time(start, timedelta(hours=within.amount)).at


def _hours(start: datetime, within: Duration, calendar: WorkingCalendar) -> list[str]:
    """The hours of the day it begins on, where counting begins if not at once, and what of that day was left."""
    begin = calendar.next_opening(start)
    spans = calendar.spans(begin.date())
    parts = [f"working hours {', '.join(f'{opens:%H:%M}–{closes:%H:%M}' for opens, closes in spans)}"]
    if begin != start:
        parts.append(f"outside them, so counted from {_moment(begin, calendar)}")
    closing = datetime.combine(begin.date(), spans[-1][1], calendar.zone)
    left = calendar.working_seconds_between(begin, closing)
    if begin == start:
        parts.append(f"{told(left)} on {WEEKDAYS[begin.weekday()].title()}")
    return [*parts, f"{within} from there"]


def _exceptions(days: Sequence[date], calendar: WorkingCalendar) -> list[str]:
    """Make-up workdays one by one; days off together by their occasion; weekends are known to everybody."""
    if len(days) > LONGEST_TOLD:
        return []
    told_from: list[tuple[date, str]] = []
    off: dict[str, list[date]] = {}
    for day in days:
        occasion = calendar.occasion(day)
        if occasion and calendar.is_working(day):
            because = "" if occasion == "open" else f" ({occasion})"
            told_from.append((day, f"{_day(day)} is a make-up workday{because}"))
        elif occasion:
            off.setdefault(occasion, []).append(day)
    told_from += [(closed[0], f"{_spans(closed)} off ({occasion})") for occasion, closed in off.items()]
    return [words for _, words in sorted(told_from)]


def _spans(days: list[date]) -> str:
    """`16–20 Feb, 23 Feb`."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1) and day.month == runs[-1][0].month:
            runs[-1].append(day)
        else:
            runs.append([day])
    return _listed(f"{run[0].day}–{_day(run[-1])}" if len(run) > 1 else _day(run[0]) for run in runs)


def _days(start: datetime, end: datetime, calendar: WorkingCalendar) -> list[date]:
    first, last = start.astimezone(calendar.zone).date(), end.astimezone(calendar.zone).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _moment(at: datetime, calendar: WorkingCalendar) -> str:
    local = at.astimezone(calendar.zone)
    return f"{DAYS[local.weekday()]} {local:%Y-%m-%d %H:%M}"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
