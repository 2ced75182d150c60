"""What a tier may ask for, and how often it did: a right is used no oftener than the pack allows (HT-02)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Invalid
from chassis.ids import uuid7
from chassis.policies.book import Policy
from chassis.policies.company import Company
from chassis.runtime import Context
from loyalty.ledger.books import Books
from loyalty.policy.rules import Right, Tier, TierRules
from loyalty.redemption.spending import selves, spender
from loyalty.tiers.progress import tier_now
from loyalty.tiers.tables import BenefitUse


@dataclass(frozen=True, slots=True)
class Asked:
    """A right asked for; the days of the stay where the right asks for them."""

    right: str
    reference: str | None = None
    stay_from: date | None = None
    stay_until: date | None = None


def period_of(right: Right, at: datetime, company: Company) -> tuple[datetime, datetime] | None:
    """The calendar year or month of the company in which uses are counted; None for a right without number."""
    if right.per is None:
        return None
    day = company.day_of(at)
    first = day.replace(month=1, day=1) if right.per == "year" else day.replace(day=1)
    month = first.month % 12 + 1
    after = date(first.year + 1, 1, 1) if right.per == "year" or month == 1 else date(first.year, month, 1)
    yesterday = timedelta(days=1)
    return company.end_of(first - yesterday), company.end_of(after - yesterday)


def benefits_of(session: Session, customer_id: UUID, policy: Policy, now: datetime) -> dict[str, Any]:
    """The rights of a member's present tier with what is left of them."""
    rules: TierRules = policy.rules.tiers
    tier = rules.named(tier_now(session, str(customer_id), policy, now))
    items = [shown(right, _used(session, customer_id, right, now, policy), now, policy) for right in tier.benefits]
    return {"tier": tier.name, "items": items, "policyversion": policy.version}


def use_benefit(context: Context, customer_id: UUID, asked: Asked, by: str) -> tuple[BenefitUse, Right, int]:
    """Use a right of the member's present tier once; answers the use, the right and how often it was used so far.

    The account row is locked, so of two who ask for the last one, one gets it. Raises NotFound for no member, Invalid
    for a right that no tier has or a stay that is not told, Conflict when the tier lacks it, it is used up, the
    occasion is another, or the member is blacklisted or flagged (AD-06).
    """
    session, policy, now = context.session, context.policies.in_force(), context.clock.now()
    rules: TierRules = policy.rules.tiers
    account = spender(Books(session), customer_id)
    tier = rules.named(tier_now(session, account.customer_id, policy, now))
    right = _held(rules, asked.right, tier)
    _refuse_another_occasion(right, asked, account.birthday, policy.company.day_of(now))
    used = _used(session, customer_id, right, now, policy)
    if right.times is not None and used >= right.times:
        _, until = period_of(right, now, policy.company) or (now, now)
        raise Conflict(
            f"{right.name} was used {used} of {right.times} times this {right.per}; again from {until.isoformat()}",
            used=used, times=right.times,
        )  # fmt: skip
    use = BenefitUse(
        id=uuid7(now), member_id=customer_id, benefit=right.name, tier=tier.name, used_at=now, used_by=by,
        reference=asked.reference, clause=right.clause, policyversion=policy.version,
    )  # fmt: skip
    session.add(use)
    return use, right, used + 1


def shown(right: Right, used: int, now: datetime, policy: Policy) -> dict[str, Any]:
    """A right as the API shows it."""
    period = period_of(right, now, policy.company)
    return {
        "right": right.name,
        "times": right.times,
        "per": right.per,
        "when": right.when.phrase if right.when else None,
        "used": used,
        "left": None if right.times is None else max(right.times - used, 0),
        "renewed_at": period[1] if period else None,
        "clause": right.clause,
    }


def _used(session: Session, customer_id: UUID, right: Right, now: datetime, policy: Policy) -> int:
    """Uses in the present period, those of who became part of the member included; of a right without number, all."""
    count = select(func.count()).where(BenefitUse.member_id.in_(selves(customer_id)), BenefitUse.benefit == right.name)
    if (period := period_of(right, now, policy.company)) is not None:
        count = count.where(BenefitUse.used_at >= period[0], BenefitUse.used_at < period[1])
    return session.scalar(count) or 0


def _held(rules: TierRules, name: str, tier: Tier) -> Right:
    for right in tier.benefits:
        if right.name == name:
            return right
    holders = [one.name for one in rules.tiers if name in one.rights]
    if not holders:
        known = sorted({name for one in rules.tiers for name in one.rights})
        raise Invalid("no tier has this right", {"right": [f"must be one of: {', '.join(known) or 'none'}"]})
    raise Conflict(f"a member of tier {tier.name} has no {name}: {', '.join(holders)} have", tier=tier.name)


def _refuse_another_occasion(right: Right, asked: Asked, birthday: Any, today: date) -> None:
    if right.when is None:
        return
    facts = {"birthday": birthday, "on": today, "stay_from": asked.stay_from, "stay_until": asked.stay_until}
    untold = [name for name in right.when.facts if name.startswith("stay") and facts[name] is None]
    if untold:
        raise Invalid(f"{right.name} is for when {right.when.meaning}", {name: ["tell it"] for name in untold})
    if not right.when.ask(facts):
        raise Conflict(f"{right.name} is for when {right.when.meaning}: that is not so now")
