"""Which tier at which instant, and what the growth window holds: pure.

tier(t) is the higher of the tier by growth in [t - window, t) and the tier of the last rise while it is kept. A
purchase rises its member at once when growth in (t - window, t] reaches more (CG-22).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chassis.policies.company import Company
from loyalty.policy.rules import Tier, TierRules

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rise:
    """A step up: ``tier`` from ``since`` until ``kept_until``; ``id`` once it is stored."""

    tier: str
    since: datetime
    kept_until: datetime
    id: int | None = None


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


def kept(rises: Iterable[Rise], at: datetime) -> Rise | None:
    """The last rise, while it is still kept at that instant."""
    last = max((rise for rise in rises if rise.since <= at), key=lambda rise: rise.since, default=None)
    return last if last is not None and at < last.kept_until else None


def tier_at(window: GrowthWindow, rises: Sequence[Rise], start: datetime, at: datetime, rules: TierRules) -> Tier:
    """The tier that values a purchase made at ``at``, whose window begins at ``start``."""
    by_growth = rules.reached(window.before(start, at))
    rise = kept(rises, at) if rises else None
    if rise is None:
        return by_growth
    return max(by_growth, rules.named(rise.tier), key=lambda tier: tier.at)


def rise_after(
    window: GrowthWindow, tier: Tier, start: datetime, at: datetime, rules: TierRules, company: Company
) -> tuple[Rise, int] | None:
    """The rise that a purchase at ``at`` brings about, with the growth that reached it; None when it brings none."""
    growth = window.upto(start, at)
    reached = rules.reached(growth)
    if rules.rises != "at once" or reached.at <= tier.at:
        return None
    return Rise(reached.name, at, rules.kept_for.after(at, company.time_zone)), growth


def unfounded(
    steps: Sequence[tuple[datetime, int]], rises: Sequence[Rise], rules: TierRules, company: Company
) -> list[tuple[Rise, Tier, int]]:
    """Rises that the growth no longer reaches once a refund is counted: each with the tier it does reach."""
    window = GrowthWindow(0, list(steps))
    found = []
    for rise in rises:
        growth = window.upto(rules.window.before(rise.since, company.time_zone), rise.since)
        reached = rules.reached(max(growth, 0))
        if reached.at < rules.named(rise.tier).at:
            found.append((rise, reached, growth))
    return found


def next_fall(
    steps: Sequence[tuple[datetime, int]], tier: Tier, rules: TierRules, company: Company, now: datetime
) -> datetime | None:
    """When growth alone will no longer carry ``tier`` if nothing more comes in; None for the first tier."""
    if tier.at == 0:
        return None
    start = rules.window.before(now, company.time_zone)
    inside = sorted((at, amount) for at, amount in steps if at >= start)
    total = sum(amount for _, amount in inside)
    for at, amount in inside:
        total -= amount
        if total < tier.at:
            return rules.window.after(at, company.time_zone) + INSTANT  # the window's first instant still counts
    return now
