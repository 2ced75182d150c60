"""What a dealer's period comes to, and why: pure.

How much was bought is the measure of the tiers (growth value, money or number of purchases), net of what was brought
back; the level and its brackets are the pack's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chassis.policies.company import Company
from loyalty.campaigns.domain import Profile, Segment
from loyalty.earning.domain import percent
from loyalty.policy.rebates import EACH_BRACKET, MONTH, QUARTER, YEAR, Bracket, RebateLevel, Rebates
from loyalty.policy.rules import Redemption

_MONTHS = {MONTH: 1, QUARTER: 3, YEAR: 12}
PERIODS = tuple(_MONTHS)
INSTANT, DAY = timedelta(microseconds=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A month, quarter or year of the company's calendar: [since, until). ``name``: 2026-11, 2026-Q4, 2026."""

    name: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Worth:
    """Points of a period with their breakdown; ``reached`` None: what was bought lies below the first bracket."""

    points: int
    reached: Bracket | None
    breakdown: list[dict[str, Any]]


def period_of(at: datetime, every: str, company: Company) -> Period:
    """The period that holds an instant."""
    day, months = company.day_of(at), _MONTHS[every]
    number = (day.month - 1) // months
    first = date(day.year, number * months + 1, 1)
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    name = {MONTH: f"{day:%Y-%m}", QUARTER: f"{day.year}-Q{number + 1}", YEAR: f"{day.year}"}[every]
    return Period(name, _midnight(first, company), _midnight(date(year, month + 1, 1), company))


def due_at(period: Period, rules: Rebates, company: Company) -> datetime:
    """When a period is settled: its end, and the time in which goods may still be brought back."""
    return rules.paid.after(period.until, company.time_zone)


def periods_due(
    now: datetime,
    settled_until: datetime | None,
    every: str,
    company: Company,
    rules_at: Callable[[datetime], Rebates | None],
) -> list[Period]:
    """Periods since the newest settled one whose time has come, the oldest first; with none settled, the newest alone.

    ``rules_at`` an instant: a company that gives no rebates any more still owes those of the time when it did.
    """
    found: list[Period] = []
    period = period_of(period_of(now, every, company).since - INSTANT, every, company)
    while settled_until is None or period.since >= settled_until:
        rules = rules_at(period.until - INSTANT)
        given = rules is not None and rules.every == every
        if rules is not None and given and due_at(period, rules, company) <= now:
            found.append(period)
        if settled_until is None and (found or not given):
            break
        period = period_of(period.since - INSTANT, every, company)
    return found[::-1]


def segment_of(level: RebateLevel) -> Segment:
    """Whom a level is for, whatever their tier."""
    return Segment(frozenset(), level.grades, level.tags, level.classes)


def level_of(profile: Profile, rules: Rebates) -> RebateLevel | None:
    """The first level that fits; None: no dealer."""
    return next((level for level in rules.levels if segment_of(level).holds("", profile)), None)


def rebate(bought: int, level: RebateLevel, rules: Rebates, redemption: Redemption) -> Worth:
    """What a dealer of ``level`` is given who bought so much; shares of money become points at their worth.

    Each step is floored apart, so that the breakdown sums to the points.
    """
    passed = [bracket for bracket in level.brackets if bracket.at <= bought]
    rule = f"rebate {level.name}"
    if not passed:
        least = f"{bought} {rules.unit}, from {level.brackets[0].at} on there is a rebate"
        return Worth(0, None, [_step(rule, 0, level.clause, least)])
    reached = passed[-1]
    if rules.of != EACH_BRACKET:
        passed = [reached]
    ends = [*(bracket.at for bracket in passed[1:]), bought]
    starts = [bracket.at for bracket in passed] if rules.of == EACH_BRACKET else [0]
    steps = [
        _given(rule, end - start, bracket, level, rules, redemption)
        for start, end, bracket in zip(starts, ends, passed, strict=True)
    ]
    return Worth(sum(step["points"] for step in steps), reached, steps)


def next_bracket(bought: int, level: RebateLevel) -> Bracket | None:
    """The bracket that more would reach; None: there is none above."""
    return next((bracket for bracket in level.brackets if bracket.at > bought), None)


def _given(
    rule: str, part: int, bracket: Bracket, level: RebateLevel, rules: Rebates, redemption: Redemption
) -> dict[str, Any]:
    if bracket.points:
        why = f"{bracket.at} {rules.unit} reached"
        return _step(rule, bracket.points, level.clause, why)
    worth = Decimal(part) * bracket.share
    points = int(worth * redemption.points / redemption.worth)
    return _step(rule, points, level.clause, f"{percent(bracket.share)} of {part} {rules.unit}: {worth:.2f}")


def _step(rule: str, points: int, clause: str, detail: str) -> dict[str, Any]:
    return {"rule": rule, "points": points, "growth": 0, "clause": clause, "detail": detail}


def _midnight(day: date, company: Company) -> datetime:
    return company.end_of(day - DAY).astimezone(UTC)
