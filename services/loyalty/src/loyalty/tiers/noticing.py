"""A member hears in time that a tier will be lost, and what is missing to keep it; once for each end (CG-22)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from chassis.runtime import Context
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.policy.rules import TierRules
from loyalty.tiers import domain
from loyalty.tiers.periods import stretches
from loyalty.tiers.tables import TierNotice
from loyalty.tiers.use_cases import STEP, History, histories, next_look

# The review's own date says when something may end; what was looked at for that date is not looked at again.
_ENDING = text("""
    SELECT customer_id::text FROM member m
    WHERE tier_review_at > :now AND tier_review_at <= :until AND tier <> :first AND status = 'active'
      AND NOT EXISTS (SELECT FROM tier_notice n WHERE n.member_id = m.customer_id AND n.ends_at = m.tier_review_at)
    ORDER BY customer_id LIMIT :step
""")


def warn_of_falls(context: Context) -> bool:
    """One step: tell members whose tier ends within the pack's notice; True while there may be more."""
    session, policy = context.session, context.policies.in_force()
    rules: TierRules = policy.rules.tiers
    now = context.clock.now()
    until = rules.notice.after(now, policy.company.time_zone)
    asked = {"now": now, "until": until, "first": rules.tiers[0].name, "step": STEP}
    customer_ids = list(session.scalars(_ENDING, asked))
    if not customer_ids:
        return False
    books = Books(session)
    locked = books.lock(customer_ids)  # without those who became part of another member meanwhile
    for customer_id, history in histories(session, list(locked)).items():
        _warn(books, books.accounts[customer_id], history, policy, until)
    books.write()
    return len(customer_ids) == STEP


def _warn(books: Books, account: Account, history: History, policy: Policy, until: datetime) -> None:
    """Tell of the fall that nothing more coming in would bring, if it comes so soon; else put the look where it is."""
    rules: TierRules = policy.rules.tiers
    tier = history.tier(account.enrolled_at, books.now, policy)
    ends_at = domain.falls_at(
        history.window, history.steps, tier, books.now, rules, policy.company, account.enrolled_at
    )
    account.tier_review_at = next_look(account, history, tier, books.now, policy)
    books.remember_tier(account)
    looked = {account.tier_review_at, ends_at} - {None}
    growth = missing = 0
    if ends_at is not None and ends_at <= until:
        growth = domain.counted(history.window, stretches(rules, ends_at, account.enrolled_at, policy.company))
        missing = max(tier.at - growth, 0)
    told = [_noted(books.session, account, at, tier.name, missing) for at in looked if at is not None and at <= until]
    if not missing or ends_at is None or not all(told):
        return
    data = {
        "customer_id": account.customer_id,
        "tier": tier.name,
        "next_tier": history.tier(account.enrolled_at, ends_at, policy).name,
        "ends_at": ends_at.isoformat(),
        "growth": max(growth, 0),
        "missing": missing,
        "measure": rules.measure,
        "currency": policy.company.currency if rules.measure == "amount" else None,
        "clause": rules.clause,
    }
    key = f"tier-at-risk:{account.customer_id}:{ends_at.isoformat()}"
    books.announce("tier.at_risk.v1", account, key, data, policy.version)


def _noted(session: Session, account: Account, ends_at: datetime, tier: str, missing: int) -> bool:
    """Note that this end was looked at; False when it was before."""
    member = account.customer_id
    if session.get(TierNotice, (member, ends_at)) is not None:
        return False
    session.add(
        TierNotice(member_id=member, ends_at=ends_at, tier=tier, missing=missing, told_at=session.info["clock"].now())
    )
    session.flush()
    return True
