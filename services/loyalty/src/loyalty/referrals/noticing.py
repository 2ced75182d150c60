"""The hot path's part: of a batch of purchases, those that earn a referral are noted, and paid for afterwards.

Paying takes the referrer's account too, which this batch has not locked, and must not: accounts are locked in the
order of their ids. So the payment is a row that is due at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from chassis.runtime import Context
from chassis.timing import due
from loyalty.earning.domain import Purchase
from loyalty.ledger.statements import array, cursor
from loyalty.policy.rules import LoyaltyPolicy
from loyalty.referrals.domain import in_time, suffices

PAY = "referral"  # kind of the due row
RULE = "referral"  # its name among the pack's rewards
_WAITING = """
    SELECT referred::text, id::text, created_at FROM referral
    WHERE referred = ANY(%s::uuid[]) AND status = 'waiting'
"""
_EARN = """
    UPDATE referral SET status = 'earned', purchase_id = n.purchase_id
    FROM unnest(%s::uuid[], %s::text[]) AS n (id, purchase_id) WHERE referral.id = n.id
"""


def notice_referred(context: Context, valued: Iterable[tuple[Purchase, str]]) -> None:
    """Note the first purchase of each referred member that is worth enough; ``valued``: purchases with their members.

    Their accounts are locked, so no referral of one of them begins or is earned beside this. One statement a batch,
    and none under a pack without the rule.
    """
    rules: LoyaltyPolicy = context.policies.in_force().rules
    purchases = list(valued)
    if RULE not in rules.rewards or not purchases:
        return
    with cursor(context.session) as rows:
        rows.execute(_WAITING, (array({member for _, member in purchases}),))
        waiting: dict[str, tuple[str, datetime]] = {referred: (id_, at) for referred, id_, at in rows.fetchall()}
    if not waiting:
        return
    earned: dict[str, Purchase] = {}
    for purchase, member in sorted(purchases, key=lambda pair: pair[0].occurred_at):
        if member not in waiting:
            continue
        id_, referred_at = waiting[member]
        if id_ not in earned and _earns(context, purchase, referred_at):
            earned[id_] = purchase
    if not earned:
        return
    with cursor(context.session) as rows:
        rows.execute(_EARN, (array(earned), [purchase.purchase_id for purchase in earned.values()]))
    due.schedule_many(context.session, PAY, [(id_, context.clock.now(), {}) for id_ in earned])


def _earns(context: Context, purchase: Purchase, referred_at: datetime) -> bool:
    policy = context.policies.in_force(purchase.occurred_at)
    reward = policy.rules.rewards.get(RULE)
    if reward is None or not in_time(purchase.occurred_at, referred_at, policy.company):
        return False
    return suffices(purchase.total, purchase.currency, reward, policy.rules.earning)


def key_of(referral_id: UUID | str, whose: str) -> str:
    """The business key of one side's reward."""
    return f"referral:{referral_id}:{whose}"
