"""Which stretches of time a tier is measured over, and until when it is kept: the calendar of the tiers, pure.

A rolling window has one stretch, the window before the instant. A calendar or anniversary year has the one that runs
(where tiers rise at once) and those that ended, as long as what was reached in them is kept (ADR 18).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from chassis.policies.company import Company
from chassis.policies.units import Duration
from chassis.policies.vocabulary.predicates import celebrated
from loyalty.policy.rules import AT_ONCE, CALENDAR_YEAR, NEXT_PERIOD, ROLLING, TierRules

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
Stretch = tuple[datetime, datetime]  # [from, until)


def start_of(rules: TierRules, at: datetime, enrolled_at: datetime, company: Company) -> datetime:
    """Where the window or period that holds ``at`` begins."""
    if rules.period == ROLLING:
        return rules.window.before(at, company.time_zone)
    day = company.day_of(at)
    if rules.period == CALENDAR_YEAR:
        return _midnight(date(day.year, 1, 1), company)
    joined = company.day_of(enrolled_at)
    first = celebrated(joined, day.year)
    return _midnight(first if first <= day else celebrated(joined, day.year - 1), company)


def end_of(rules: TierRules, at: datetime, enrolled_at: datetime, company: Company) -> datetime:
    """Where the year that holds ``at`` ends: the first instant of the next one."""
    day = company.day_of(at)
    if rules.period == CALENDAR_YEAR:
        return _midnight(date(day.year + 1, 1, 1), company)
    joined = company.day_of(enrolled_at)
    first = celebrated(joined, day.year)
    return _midnight(first if first > day else celebrated(joined, day.year + 1), company)


def stretches(rules: TierRules, at: datetime, enrolled_at: datetime, company: Company) -> tuple[Stretch, ...]:
    """The stretches of time whose growth value may carry a tier at ``at``, each alone; the newest first."""
    start = start_of(rules, at, enrolled_at, company)
    if rules.period == ROLLING:
        return ((start, at),)
    found = [(start, at)] if rules.rises == AT_ONCE else []
    kept = 1 if rules.kept_for == NEXT_PERIOD else 0
    if at < _later(rules.grace, start, company):
        kept += 1
    for _ in range(kept):
        before = start_of(rules, start - INSTANT, enrolled_at, company)
        found.append((before, start))
        start = before
    return tuple(found)


def kept_until(
    rules: TierRules, since: datetime, enrolled_at: datetime, company: Company, landed: bool = False
) -> datetime:
    """Until when a tier reached at ``since`` is kept; one that was ``landed`` on is kept for a single period."""
    if isinstance(rules.kept_for, Duration):
        return _later(rules.grace, rules.kept_for.after(since, company.time_zone), company)
    end = end_of(rules, since, enrolled_at, company)
    if rules.kept_for == NEXT_PERIOD and rules.rises == AT_ONCE and not landed:
        end = end_of(rules, end, enrolled_at, company)
    return _later(rules.grace, end, company)


def ends_after(rules: TierRules, now: datetime, enrolled_at: datetime, company: Company) -> list[datetime]:
    """The instants after ``now`` at which what was reached in some year stops to carry a tier."""
    start = start_of(rules, now, enrolled_at, company)
    found = []
    for _ in range(4):
        found.append(_later(rules.grace, start, company))
        start = end_of(rules, start, enrolled_at, company)
    return [end for end in found if end > now]


def _later(grace: Duration | None, end: datetime, company: Company) -> datetime:
    return end if grace is None else grace.after(end, company.time_zone)


def _midnight(day: date, company: Company) -> datetime:
    return company.end_of(day - DAY).astimezone(UTC)
