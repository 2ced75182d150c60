"""A tier given by hand: with a reason, an end and a second person; when it ends, growth alone speaks again (CG-23)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.approvals.registry import Approval
from chassis.approvals.use_cases import ApprovalRow, content_hash
from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7
from chassis.runtime import Context
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.policy.rules import Tier, TierRules
from loyalty.tiers import domain
from loyalty.tiers.domain import GRANTED, Rise
from loyalty.tiers.periods import stretches
from loyalty.tiers.progress import tier_now
from loyalty.tiers.tables import TierChange
from loyalty.tiers.use_cases import announce, histories, settle


def examine_grant(context: Context, customer_id: UUID, tier: str, until: datetime, reason: str) -> dict[str, Any]:
    """What would be granted, as the second person will read it.

    Raises Invalid for a tier the pack does not have or an end that is over, Conflict unless it is a higher tier,
    NotFound for who became part of another member.
    """
    policy, now = context.policies.in_force(), context.clock.now()
    rules: TierRules = policy.rules.tiers
    if tier not in [known.name for known in rules.tiers]:
        known = ", ".join(each.name for each in rules.tiers)
        raise Invalid("no such tier", {"tier": [f"must be one of: {known}"]})
    if until <= now:
        raise Invalid("a grant needs an end to come", {"until": ["must lie in the future"]})
    _account(Books(context.session), str(customer_id))
    present = rules.named(tier_now(context.session, str(customer_id), policy, now))
    _refuse_what_is_held(rules.named(tier), present)
    return {
        "proposal": str(uuid7(now)), "customer_id": str(customer_id), "tier": tier, "until": until.isoformat(),
        "present": present.name, "reason": reason, "clause": rules.clause,
    }  # fmt: skip


def grant_tier(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """Put the agreed grant into the history. Raises Conflict when it is over, or nothing above the present tier."""
    books, policy = Books(context.session), context.policies.in_force()
    rules: TierRules = policy.rules.tiers
    account = _account(books, content["customer_id"])
    until = datetime.fromisoformat(content["until"])
    if until <= books.now:
        raise Conflict("the end of this grant is over: propose it anew")
    history = histories(context.session, [account.customer_id])[account.customer_id]
    present = history.tier(account.enrolled_at, books.now, policy)
    tier = rules.named(content["tier"])
    _refuse_what_is_held(tier, present)
    growth = domain.counted(history.window, stretches(rules, books.now, account.enrolled_at, policy.company))
    agreed = context.session.scalars(
        select(ApprovalRow).where(ApprovalRow.kind == GRANTING.kind, ApprovalRow.content_hash == content_hash(content))
    ).one()  # the content names its proposal, so its hash is its own
    change = TierChange(
        member_id=UUID(account.customer_id), kind=GRANTED, tier=tier.name, previous=present.name, since=books.now,
        kept_until=until, growth=growth, transaction_id=None, revokes=None, recorded_at=books.now,
        policyversion=policy.version, clause=rules.clause, reason=content["reason"], granted_by=agreed.proposed_by_name,
        approved_by=agreed.decided_by_name,
    )  # fmt: skip
    context.session.add(change)
    context.session.flush()
    history.steps.append(Rise(tier.name, books.now, until, change.id, GRANTED))
    account.rises += 1
    account.tier, account.tier_since = tier.name, books.now
    settle(books, account, history, (tier.name, books.now), policy, books.now, "manual")
    announce(books, account, present.name, growth, "manual", policy, rules.clause)
    books.write()
    return {"id": change.id, "tier": tier.name, "until": until.isoformat()}


def withdraw_grant(context: Context, customer_id: UUID, reason: str, by: str) -> TierChange:
    """End the grant in force before its time; the member has what growth says from now on.

    Raises NotFound for no member, Conflict when no grant is in force.
    """
    session, policy = context.session, context.policies.in_force()
    books = Books(session)
    account = _account(books, str(customer_id))
    before = histories(session, [account.customer_id])[account.customer_id]
    grant = domain.grant_at(before.steps, books.now)
    if grant is None:
        raise Conflict(f"no grant is in force: the member is {account.tier} by growth", tier=account.tier)
    granted = session.get_one(TierChange, grant.id)
    before.steps.remove(grant)
    falls_to = before.tier(account.enrolled_at, books.now, policy)
    revoked = TierChange(
        member_id=customer_id, kind="revoked", tier=falls_to.name, previous=granted.tier, since=books.now,
        kept_until=None, growth=granted.growth, transaction_id=None, revokes=granted.id, recorded_at=books.now,
        policyversion=policy.version, clause=policy.rules.tiers.clause, reason=reason, granted_by=by, approved_by=None,
    )  # fmt: skip
    session.add(revoked)
    session.flush()
    account.rises -= 1
    account.tier, account.tier_since = falls_to.name, books.now
    settle(books, account, before, (falls_to.name, books.now), policy, books.now, "manual")
    announce(books, account, granted.tier, granted.growth, "manual", policy, policy.rules.tiers.clause)
    books.write()
    return revoked


def _refuse_what_is_held(tier: Tier, present: Tier) -> None:
    if tier.at <= present.at:
        raise Conflict(f"the member is {present.name} already: a grant can only raise", tier=present.name)


def _account(books: Books, customer_id: str) -> Account:
    account = books.lock([customer_id]).get(customer_id)
    if account is None:
        raise NotFound(f"no member with customer id {customer_id}")
    return account


GRANTING = Approval(
    kind="tier-grant",
    permission="tiers:approve",
    execute=grant_tier,
    describe=lambda content: f"{content['present']} → {content['tier']} until {content['until']}: {content['reason']}",
)
