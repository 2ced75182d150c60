"""What is asked about one member's tier: which it is now, and how far it is to the next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from loyalty.policy.rules import ROLLING, TierRules
from loyalty.tiers import domain
from loyalty.tiers.periods import INSTANT, start_of
from loyalty.tiers.use_cases import histories


def tier_now(session: Session, customer_id: str, policy: Policy, at: datetime) -> str:
    """The tier of a member whose review is due and has not run yet."""
    history = histories(session, [customer_id])[customer_id]
    return history.tier(_enrolled_at(session, customer_id), at, policy).name


def progress_of(session: Session, customer_id: str, policy: Policy, at: datetime) -> dict[str, Any]:
    """A member's growth in the window, the tier they have, the one above it and what is missing to it.

    ``falls_at``: when the tier will be lost if nothing more comes in; null: not by itself.
    """
    rules: TierRules = policy.rules.tiers
    history, enrolled_at = histories(session, [customer_id])[customer_id], _enrolled_at(session, customer_id)
    tier = history.tier(enrolled_at, at, policy)
    start = start_of(rules, at, enrolled_at, policy.company)
    growth = history.window.upto(start if rules.period == ROLLING else start - INSTANT, at)
    above = next((one for one in rules.tiers if one.at > tier.at), None)
    missing = None if above is None else {"tier": above.name, "at": above.at, "missing": max(above.at - growth, 0)}
    falls_at = domain.falls_at(history.window, history.steps, tier, at, rules, policy.company, enrolled_at)
    return {
        "tier": tier.name, "growth": growth, "window_from": start, "next": missing, "falls_at": falls_at,
        "clause": tier.clause,
    }  # fmt: skip


def _enrolled_at(session: Session, customer_id: str) -> datetime:
    found: datetime = session.execute(
        text("SELECT enrolled_at FROM member WHERE customer_id = :id"), {"id": customer_id}
    ).scalar_one()
    return found
