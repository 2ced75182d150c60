"""A tier granted by hand comes along when its member becomes part of another one, and goes back when they part (CG-23).

It comes along where it raises, as any grant must. Withdrawn while the two were one, it is withdrawn for both.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.merging.tables import Merge, MergedGrant
from loyalty.policy.rules import TierRules
from loyalty.tiers.domain import GRANTED, grant_at
from loyalty.tiers.tables import TierChange
from loyalty.tiers.use_cases import announce, histories, settle
from loyalty.tiers.windows import rises

REVOKED = "revoked"


def bring_grant(books: Books, merge: Merge, survivor: Account, policy: Policy) -> None:
    """The grant that the absorbed member has now, for the survivor until the same end; what was written is read."""
    session, rules = books.session, policy.rules.tiers
    absorbed = str(merge.absorbed_id)
    grant = grant_at(rises(session, [absorbed]).get(absorbed, []), books.now)
    if grant is None or rules.rank(grant.tier) <= rules.rank(survivor.tier):
        return
    granted = session.get_one(TierChange, grant.id)
    before = survivor.tier
    brought = TierChange(
        member_id=merge.survivor_id, kind=GRANTED, tier=grant.tier, previous=before, since=books.now,
        kept_until=grant.kept_until, growth=granted.growth, transaction_id=None, revokes=None, recorded_at=books.now,
        policyversion=policy.version, clause=granted.clause, reason=granted.reason, granted_by=granted.granted_by,
        approved_by=granted.approved_by,
    )  # fmt: skip
    session.add(brought)
    session.flush()
    session.add(MergedGrant(merge_id=merge.id, granted_id=granted.id, brought_id=brought.id))
    history = histories(session, [survivor.customer_id])[survivor.customer_id]
    survivor.rises += 1
    survivor.tier, survivor.tier_since = grant.tier, books.now
    settle(books, survivor, history, (grant.tier, books.now), policy, books.now, "merge")
    announce(books, survivor, before, granted.growth, "merge", policy, rules.clause)


def return_grant(books: Books, merge: Merge, survivor: Account, restored: Account, policy: Policy) -> None:
    """The survivor has it no longer; the restored member has it again, unless it was withdrawn or is over."""
    session = books.session
    came = session.get(MergedGrant, merge.id)
    if came is None:
        return
    granted, brought = (session.get_one(TierChange, id_) for id_ in (came.granted_id, came.brought_id))
    withdrawn = _revoked(session, brought)
    account, step = (restored, granted) if withdrawn else (survivor, brought)
    if step.kept_until is None or step.kept_until <= books.now or (withdrawn and _revoked(session, granted)):
        return
    _revoke(books, account, step, policy, f"unmerge:{merge.id}")


def _revoked(session: Session, step: TierChange) -> bool:
    return session.scalar(select(TierChange.id).where(TierChange.revokes == step.id)) is not None


def _revoke(books: Books, account: Account, step: TierChange, policy: Policy, reason: str) -> None:
    """The history goes on without the grant; whoever calls settles the tier."""
    rules: TierRules = policy.rules.tiers
    history = histories(books.session, [account.customer_id])[account.customer_id]
    history.steps = [each for each in history.steps if each.id != step.id]
    falls_to = history.tier(account.enrolled_at, books.now, policy)
    before = account.tier
    revoked = TierChange(
        member_id=UUID(account.customer_id), kind=REVOKED, tier=falls_to.name, previous=step.tier, since=books.now,
        kept_until=None, growth=step.growth, transaction_id=None, revokes=step.id, recorded_at=books.now,
        policyversion=policy.version, clause=rules.clause, reason=reason, granted_by=None, approved_by=None,
    )  # fmt: skip
    books.session.add(revoked)
    books.session.flush()
    account.rises -= 1
    account.tier, account.tier_since = falls_to.name, books.now
    books.remember_tier(account)
    if falls_to.name != before:
        announce(books, account, before, step.growth, "unmerge", policy, rules.clause)
