"""One member's purchases, valued again under a policy by the very functions that value the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from loyalty.earning.caps import Caps
from loyalty.earning.domain import Offer, Purchase, Worth, base_of, birthday_due, rounded, value
from loyalty.earning.refunds import Refund, Running, reversal
from loyalty.earning.terms import Terms
from loyalty.policy.rules import Birthday, Tier
from loyalty.simulation.domain import Gave, Life, Outcome
from loyalty.tiers.domain import GRANTED, GrowthWindow, Rise, rise_after, tier_at
from loyalty.tiers.retracing import retrace


@dataclass(slots=True)
class _Earned:
    """One purchase as this policy values it."""

    purchase: Purchase
    worth: Worth
    expires_at: datetime | None
    taken: Running = field(default_factory=Running)


def replay(life: Life, terms: Terms, now: datetime) -> Outcome:
    """Value every purchase and refund of a life in the order they happened."""
    rules = terms.rules
    window, steps = GrowthWindow(0, list(life.growth)), list(life.rises)
    caps = Caps({(life.customer_id, day): points for day, points in life.earned.items()}, used=True)
    birthdays, earned = set(life.birthdays), dict[str, _Earned]()
    for one in _in_order(life):
        if isinstance(one, Refund):
            if one.purchase_id in earned:
                _take_back(earned, one, window, steps, life, terms)
            continue
        at = one.occurred_at
        spans = terms.stretches(at, life.enrolled_at)
        tier = tier_at(window, steps, spans, at, rules.tiers)
        birthday = _birthday(one, life, terms, birthdays)
        room = caps.room(one, life.customer_id, terms)
        worth = value(
            one, rules.earning, tier, birthday, room, _offers(life.gifts.get(one.purchase_id, ()), one, tier, terms)
        )
        caps.count(one, life.customer_id, terms, worth.points)
        earned[one.purchase_id] = _Earned(one, worth, rules.points.expires_at(at, terms.policy.company))
        if worth.growth:
            window.add(at, worth.growth)
            below = tier_at(window, [step for step in steps if step.kind != GRANTED], spans, at, rules.tiers)
            risen = rise_after(window, below, spans, at, rules.tiers, terms.policy.company, life.enrolled_at)
            if risen is not None:
                steps.append(risen[0])
    kept = [(each.worth.points - each.taken.points, each.expires_at) for each in earned.values()]
    return Outcome(
        points=sum(points for points, _ in kept),
        unexpired=sum(points for points, end in kept if end is None or end > now),
        tier=tier_at(window, steps, terms.stretches(now, life.enrolled_at), now, rules.tiers).name,
    )


def _in_order(life: Life) -> Sequence[Purchase | Refund]:
    """By the clock; of one instant purchases first, so that a refund finds what it takes back."""
    told: list[Purchase | Refund] = [*life.purchases, *life.refunds]
    return sorted(told, key=lambda one: (one.occurred_at, isinstance(one, Refund)))


def _offers(gave: Sequence[Gave], purchase: Purchase, tier: Tier, terms: Terms) -> list[Offer]:
    """What campaigns give to a purchase that they gave to, in proportion to what its base is under this policy."""
    if not gave:
        return []
    earning = terms.rules.earning
    base = max(rounded(base_of(purchase, earning)[0], earning), 0)
    again = (each.again(base, tier.name, terms.rules.campaigns) for each in gave)
    return [offer for offer in again if offer is not None]


def _birthday(purchase: Purchase, life: Life, terms: Terms, used: set[int]) -> Birthday | None:
    """The birthday rule, where its extra base is due to this purchase."""
    rule, day = terms.rules.birthday, terms.day(purchase.occurred_at)
    if rule is None or purchase.total <= 0 or not birthday_due(rule, life.born, day):
        return None
    if rule.applies_to == "every purchase":
        return rule
    if day.year in used:
        return None
    used.add(day.year)
    return rule


def _take_back(
    earned: Mapping[str, _Earned], refund: Refund, window: GrowthWindow, steps: list[Rise], life: Life, terms: Terms
) -> None:
    """A refund takes its share of what this policy gave, and the way up since is walked again without it."""
    one = earned[refund.purchase_id]
    worth, purchase = one.worth, one.purchase
    before = one.taken
    one.taken = reversal(refund, purchase.total, worth.points, worth.growth, worth.weights, before, worth.uncounted)
    if growth := one.taken.growth - before.growth:
        window.add(purchase.occurred_at, -growth)
        bought = [each.purchase.occurred_at for each in earned.values() if each.worth.growth > each.taken.growth]
        found = retrace(window.steps, steps, bought, purchase.occurred_at, lambda _: terms.policy, life.enrolled_at)
        steps[:] = [*found.standing, *(step for step in steps if step.kind == GRANTED)]


def money(points: int, terms: Terms) -> Decimal:
    """So many points at what a policy says one is worth."""
    return Decimal(terms.rules.redemption.money(points))
