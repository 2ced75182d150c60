"""Which tier at which instant: pure (ADR 6, ADR 18).

tier(t) is the highest of what growth in a stretch of time that counts at t reaches, and of the steps of the history
that are kept at t. A purchase rises its member at once when growth up to and including it reaches more (CG-22).
A tier granted by hand is kept like any other step, and leaves no trace in any rule once its end has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chassis.policies.company import Company
from loyalty.policy.rules import AT_ONCE, AT_PERIOD_END, ONE_LEVEL, ROLLING, Tier, TierRules
from loyalty.tiers.periods import INSTANT, Stretch, end_of, ends_after, kept_until, start_of, stretches

RISE, LANDING, GRANTED, BENEATH = "rise", "fall", "granted", "beneath"


@dataclass(frozen=True, slots=True)
class Rise:
    """A step that is kept: ``tier`` from ``since`` until ``kept_until``; ``id`` once it is stored.

    ``kind``: rise; fall (a soft landing); granted by hand; beneath (a rise that a higher grant hid). ``bought``: a
    purchase brought it.
    """

    tier: str
    since: datetime
    kept_until: datetime
    id: int | None = None
    kind: str = RISE
    bought: bool = False


@dataclass(slots=True)
class GrowthWindow:
    """Growth value by the instant it counts from: ``always`` lies in every window asked about, ``steps`` may not."""

    always: int = 0
    steps: list[tuple[datetime, int]] = field(default_factory=list)

    def add(self, at: datetime, amount: int) -> None:
        """Growth that came in just now."""
        self.steps.append((at, amount))

    def before(self, start: datetime, end: datetime) -> int:
        """The sum in [start, end)."""
        return self.always + sum([amount for at, amount in self.steps if start <= at < end])

    def upto(self, start: datetime, end: datetime) -> int:
        """The sum in (start, end]."""
        return self.always + sum([amount for at, amount in self.steps if start < at <= end])


def last_earned(rises: Iterable[Rise], at: datetime) -> Rise | None:
    """The last step up to that instant which was not granted by hand."""
    earned = (rise for rise in rises if rise.since <= at and rise.kind != GRANTED)
    return max(earned, key=_order, default=None)


def grant_at(rises: Iterable[Rise], at: datetime) -> Rise | None:
    """The grant in force at that instant; of two the later one."""
    granted = (rise for rise in rises if rise.kind == GRANTED and rise.since <= at < rise.kept_until)
    return max(granted, key=_order, default=None)


def counted(window: GrowthWindow, spans: Sequence[Stretch]) -> int:
    """The growth that carries most at the instant these stretches were made for."""
    return max(window.before(start, end) for start, end in spans)


def tier_at(
    window: GrowthWindow, rises: Sequence[Rise], spans: Sequence[Stretch], at: datetime, rules: TierRules
) -> Tier:
    """The tier at ``at``, whose growth counts over ``spans``: what values a purchase made then."""
    tier = rules.reached(max(counted(window, spans), 0))
    if not rises:
        return tier
    last = last_earned(rises, at)
    if last is not None:
        named = rules.named(last.tier)
        if at < last.kept_until or rules.falls == "never":
            tier = max(tier, named, key=_height)
        elif rules.falls == ONE_LEVEL:
            tier = max(tier, rules.below(named), key=_height)
    grant = grant_at(rises, at)
    return tier if grant is None else max(tier, rules.named(grant.tier), key=_height)


def rise_after(
    window: GrowthWindow,
    tier: Tier,
    spans: Sequence[Stretch],
    at: datetime,
    rules: TierRules,
    company: Company,
    enrolled_at: datetime,
) -> tuple[Rise, int] | None:
    """The rise that a purchase at ``at`` brings about, with the growth that reached it; None when it brings none.

    ``tier`` is the one before the purchase, grants left aside.
    """
    if rules.rises != AT_ONCE:
        return None
    growth = window.upto(spans[0][0] if rules.period == ROLLING else spans[0][0] - INSTANT, at)
    reached = rules.reached(growth)
    if reached.at <= tier.at:
        return None
    return Rise(reached.name, at, kept_until(rules, at, enrolled_at, company), bought=True), growth


def hides(rises: Iterable[Rise], step: Rise, rules: TierRules) -> bool:
    """Whether a grant in force when it happened left nothing of a rise to be seen."""
    grant = grant_at(rises, step.since)
    return grant is not None and rules.rank(step.tier) <= rules.rank(grant.tier)


def review_due(
    window: GrowthWindow, tier: Tier, at: datetime, rules: TierRules, company: Company, enrolled_at: datetime
) -> datetime | None:
    """Where tiers rise at period end: when what this year reached so far will be looked at; None: no more than now."""
    if rules.rises != AT_PERIOD_END:
        return None
    start, end = start_of(rules, at, enrolled_at, company), end_of(rules, at, enrolled_at, company)
    return end if rules.reached(max(window.before(start, end), 0)).at > tier.at else None


def behind(window: GrowthWindow, rise: Rise, rules: TierRules, company: Company, enrolled_at: datetime) -> int:
    """The growth that a rise rested on."""
    if rules.rises == AT_PERIOD_END:
        return counted(window, stretches(rules, rise.since, enrolled_at, company))
    start = start_of(rules, rise.since, enrolled_at, company)
    return window.upto(start if rules.period == ROLLING else start - INSTANT, rise.since)


def falls_at(
    window: GrowthWindow,
    rises: Sequence[Rise],
    tier: Tier,
    now: datetime,
    rules: TierRules,
    company: Company,
    enrolled_at: datetime,
) -> datetime | None:
    """When ``tier``, held now, will be held no longer if nothing more comes in; None: never."""
    if tier.at == 0:
        return None
    last, grant = last_earned(rises, now), grant_at(rises, now)
    if rules.falls == "never" and last is not None and rules.named(last.tier).at >= tier.at:
        return None
    kept = [rise.kept_until for rise in (last, grant) if rise is not None and rules.named(rise.tier).at >= tier.at]
    return max([_carried_until(window, tier, now, rules, company, enrolled_at), *(end for end in kept if end > now)])


def _carried_until(
    window: GrowthWindow, tier: Tier, now: datetime, rules: TierRules, company: Company, enrolled_at: datetime
) -> datetime:
    """Until when growth alone carries ``tier``; ``now`` if it does not."""
    if counted(window, stretches(rules, now, enrolled_at, company)) < tier.at:
        return now
    if rules.period != ROLLING:
        for end in ends_after(rules, now, enrolled_at, company):
            if counted(window, stretches(rules, end, enrolled_at, company)) < tier.at:
                return end
        return now
    start = rules.window.before(now, company.time_zone)
    inside = sorted((at, amount) for at, amount in window.steps if at >= start)
    total = sum(amount for _, amount in inside)
    for at, amount in inside:
        total -= amount
        if total < tier.at:
            return rules.window.after(at, company.time_zone) + INSTANT  # the window's first instant still counts
    return now


def _order(rise: Rise) -> tuple[datetime, bool, int]:
    """Of two steps of one instant the one recorded later counts; one that is not stored yet is the newest."""
    return rise.since, rise.id is None, rise.id or 0


def _height(tier: Tier) -> int:
    return tier.at
