"""Register a referral: rules first, rewards when the new customer has bought (CG-25)."""

from __future__ import annotations

import uuid

from sqlalchemy import select, text

from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7
from chassis.runtime import Context
from chassis.web.principal import Principal
from loyalty.ledger.books import Books
from loyalty.members.queries import require_member
from loyalty.members.tables import Member
from loyalty.referrals.domain import OBJECTIONS, WAITING, objection
from loyalty.referrals.judging import circumstances
from loyalty.referrals.noticing import RULE
from loyalty.referrals.tables import Referral

# Circles are looked for in what is committed: two referrals that would close one must not look at the same time.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7236835622)")


def register_referral(context: Context, principal: Principal, referrer: uuid.UUID, referred: uuid.UUID) -> Referral:
    """Note that ``referrer`` has brought ``referred``; both are rewarded after the new one's first purchase.

    Raises Conflict where the pack rewards no referrals or something stands against this one (``objection`` names it),
    Invalid for oneself, NotFound for who is no member or, as the new one, none of the caller's units.
    """
    session, policy = context.session, context.policies.in_force()
    reward = policy.rules.rewards.get(RULE)
    if reward is None:
        raise Conflict("the policy pack rewards no referrals: see its `rewards.referral`")
    if referrer == referred:
        raise Invalid(OBJECTIONS["one_person"], {"referred": ["another customer than the referrer"]})
    require_member(session, principal, referred)
    standing = session.scalar(select(Member.status).where(Member.customer_id == referrer))
    if standing is None:
        raise NotFound(f"no member with customer id {referrer}")
    session.execute(_ONE_AT_A_TIME)
    Books(session).lock([str(referred)])  # no purchase of theirs is valued beside this
    against = objection(circumstances(session, referrer, referred))
    if against is not None:
        raise Conflict(OBJECTIONS[against], objection=against)
    now = context.clock.now()
    made = Referral(
        id=uuid7(now), referrer=referrer, referred=referred, status=WAITING, created_by=principal.username,
        created_at=now, policyversion=policy.version, clause=reward.clause,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made
