"""The way up, walked again from an instant on: what the growth as it is known now made of it; pure (ADR 18).

A refund takes growth out of the past, and a purchase that is told late puts some in. What was decided from that
instant on is decided again, in the order in which things happened, so that the steps do not depend on the order in
which they were told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

from chassis.policies.book import Policy
from loyalty.policy.rules import TierRules
from loyalty.tiers.domain import GRANTED, LANDING, GrowthWindow, Rise, behind, last_earned, rise_after, tier_at
from loyalty.tiers.periods import stretches

PolicyAt = Callable[[datetime], Policy]  # the version in force at an instant (decision 23)


@dataclass(slots=True)
class Retraced:
    """What stands of a history's earned steps, what goes with the growth that is left behind it, and what is new.

    ``new``: each step with the name of the tier before it and the growth that reached it; it is in ``standing`` too.
    """

    standing: list[Rise]
    gone: list[tuple[Rise, int]] = field(default_factory=list)
    new: list[tuple[Rise, str, int]] = field(default_factory=list)


def retrace(
    growth: Iterable[tuple[datetime, int]],
    steps: Sequence[Rise],
    bought: Iterable[datetime],
    since: datetime,
    policy_at: PolicyAt,
    enrolled_at: datetime,
    lost: bool = True,
) -> Retraced:
    """Decide anew what was earned from ``since`` on; ``bought`` are the instants of purchases that count since then.

    ``lost``: growth was taken away. A step that no purchase brought (by a review, or with a member who became part of
    this one) is doubted only then; a soft landing stands while it follows on a higher step that is over.
    """
    known = _Sums(0, sorted(growth))
    found = Retraced([step for step in steps if step.kind != GRANTED and step.since < since])
    doubted = [step for step in steps if step.kind != GRANTED and step.since >= since]
    declared = [(step.since, step) for step in doubted if not step.bought]
    way: list[tuple[datetime, Rise | None]] = [*((at, None) for at in sorted(set(bought)) if at >= since), *declared]
    for at, step in sorted(way, key=lambda one: (one[0], one[1] is not None)):
        if step is None:
            _buy(found, known, doubted, at, policy_at(at), enrolled_at)
        elif step.kind == LANDING:
            _land(found, step, policy_at(at))
        else:
            _declare(found, known, step, policy_at(at), enrolled_at, lost)
    standing = {id(step) for step in found.standing}
    for step in doubted:
        if id(step) not in standing:
            policy = policy_at(step.since)
            found.gone.append((step, behind(known, step, policy.rules.tiers, policy.company, enrolled_at)))
    return found


def _buy(
    found: Retraced, known: GrowthWindow, doubted: Sequence[Rise], at: datetime, policy: Policy, enrolled_at: datetime
) -> None:
    """The rise that a purchase brings; the one that is recorded already where it is the same."""
    rules: TierRules = policy.rules.tiers
    spans = stretches(rules, at, enrolled_at, policy.company)
    tier = tier_at(known, found.standing, spans, at, rules)
    risen = rise_after(known, tier, spans, at, rules, policy.company, enrolled_at)
    if risen is None:
        return
    rise, growth = risen
    for step in doubted:
        if step.bought and (step.tier, step.since, step.kept_until) == (rise.tier, rise.since, rise.kept_until):
            found.standing.append(step)
            return
    found.standing.append(rise)
    found.new.append((rise, tier.name, growth))


def _land(found: Retraced, step: Rise, policy: Policy) -> None:
    rules: TierRules = policy.rules.tiers
    last = last_earned(found.standing, step.since)
    if last is not None and last.kept_until <= step.since and rules.rank(last.tier) > rules.rank(step.tier):
        found.standing.append(step)


def _declare(
    found: Retraced, known: GrowthWindow, step: Rise, policy: Policy, enrolled_at: datetime, lost: bool
) -> None:
    """A step that no purchase brought stands while growth reaches it; else what growth does reach takes its place."""
    rules: TierRules = policy.rules.tiers
    growth = behind(known, step, rules, policy.company, enrolled_at)
    reached = rules.reached(max(growth, 0))
    if not lost or reached.at >= rules.named(step.tier).at:
        found.standing.append(step)
        return
    spans = stretches(rules, step.since, enrolled_at, policy.company)
    tier = tier_at(known, found.standing, spans, step.since, rules)
    last = last_earned(found.standing, step.since)
    kept = last is not None and last.kept_until > step.since and rules.rank(last.tier) >= rules.rank(reached.name)
    if reached.at > 0 and not kept:
        lower = Rise(reached.name, step.since, step.kept_until, kind=step.kind)
        found.standing.append(lower)
        found.new.append((lower, tier.name, growth))


class _Sums(GrowthWindow):
    """Growth in order with its running sums: each window is two look-ups, however many purchases there are."""

    __slots__ = ("_instants", "_sums")

    def __init__(self, always: int, steps: list[tuple[datetime, int]]) -> None:
        super().__init__(always, steps)
        self._instants = [at for at, _ in steps]
        self._sums = [0, *accumulate(amount for _, amount in steps)]

    def before(self, start: datetime, end: datetime) -> int:
        low, high = bisect_left(self._instants, start), bisect_left(self._instants, end)
        return self.always + self._sums[max(low, high)] - self._sums[low]

    def upto(self, start: datetime, end: datetime) -> int:
        low, high = bisect_right(self._instants, start), bisect_right(self._instants, end)
        return self.always + self._sums[max(low, high)] - self._sums[low]
