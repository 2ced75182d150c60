"""What would this purchase earn? The rules of earning, without any effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from chassis.errors import NotFound
from chassis.runtime import Context
from loyalty.campaigns.running import Running
from loyalty.earning.caps import Caps
from loyalty.earning.domain import Offer, Purchase, birthday_due, value
from loyalty.earning.terms import Terms
from loyalty.members.identities import known
from loyalty.tiers.domain import GrowthWindow, tier_at
from loyalty.tiers.windows import growth_steps, rises


def quote(context: Context, purchase: Purchase) -> dict[str, Any]:
    """Points and growth value with their breakdown; without a name as for somebody in the first tier.

    Raises NotFound for a name nobody has.
    """
    session, at = context.session, purchase.occurred_at
    terms = Terms(context.policies.in_force(at))
    rules = terms.rules
    tier, birthday, caps, customer_id = terms.first_tier, None, Caps(), ""
    offers: Sequence[Offer] = ()
    if purchase.name:
        customer_id = known(session, [purchase.name]).get(purchase.name, "")
        if not customer_id:
            raise NotFound("nobody is known under that name")
        facts = text("SELECT birthday, enrolled_at FROM member WHERE customer_id = :id")
        born, enrolled_at = session.execute(facts, {"id": customer_id}).one()
        window = GrowthWindow(0, growth_steps(session, [customer_id]).get(customer_id, []))
        standing = rises(session, [customer_id]).get(customer_id, [])
        tier = tier_at(window, standing, terms.stretches(at, enrolled_at), at, rules.tiers)
        if birthday_due(rules.birthday, born, terms.day(at)) and not _birthday_used(
            context, customer_id, terms.day(at).year
        ):
            birthday = rules.birthday
        taken, by_id = [(purchase, customer_id, "")], {purchase.purchase_id: terms}
        caps = Caps.load(session, taken, by_id)
        running = Running.load(session, taken, by_id, {customer_id: born}, for_good=False)
        offers = running.offers(purchase, customer_id, tier.name)
    worth = value(purchase, rules.earning, tier, birthday, caps.room(purchase, customer_id, terms), offers)
    return {
        "points": worth.points,
        "growth": worth.growth,
        "tier": tier.name,
        "breakdown": worth.breakdown,
        "available_at": terms.available_at(at),
        "expires_at": rules.points.expires_at(at, terms.policy.company),
        "policyversion": terms.version,
    }


def _birthday_used(context: Context, customer_id: str, year: int) -> bool:
    key = f"birthday:{customer_id}:{year}"
    found = text("SELECT EXISTS (SELECT FROM business_key WHERE key = :key)")
    return bool(context.session.scalar(found, {"key": key}))
