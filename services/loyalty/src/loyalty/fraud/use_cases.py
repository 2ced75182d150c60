"""Somebody has looked: the points of a purchase are released, or taken back as if it had never earned any (ML-05)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

import orjson
from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from chassis.errors import Conflict, NotFound
from chassis.ids import uuid7_texts
from chassis.runtime import Context
from loyalty.campaigns.tables import MemberProfile
from loyalty.fraud.domain import MEMBER
from loyalty.fraud.tables import FraudReview
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, OpenLot, credit_available
from loyalty.ledger.legs import legs
from loyalty.ledger.tables import Transaction
from loyalty.members.tables import Member
from loyalty.tiers.use_cases import reconsider
from loyalty.tiers.windows import count_growth

OPEN, RELEASED, VOIDED = "open", "released", "voided"
_GROWTH_LEFT = text("""
    SELECT coalesce(sum(growth_available), 0) FROM transaction
    WHERE member_id IN (:member, :owner) AND (id = :id OR (kind = 'refund' AND reference = :purchase))
""")


def release_points(context: Context, review_id: UUID, reason: str, by: str) -> FraudReview:
    """Nothing is wrong with the purchase: its points become pending, or available where their time has come.

    Raises NotFound, Conflict when it is decided already or its member is blacklisted (AD-06).
    """
    books, account, review = open_review(context, review_id)
    if account.earns_blocked and _blacklisted(context.session, UUID(account.customer_id)):
        raise Conflict("the member is blacklisted: what is earned stays blocked until they are reinstated")
    policy = context.policies.in_force()
    lots = _lots_of(books, account, review)
    for lot, id_ in zip(lots, uuid7_texts(books.now, len(lots)), strict=True):
        _clear(books, account, lot, id_, policy.version, review.clause, reason)
    _decide(review, RELEASED, books, reason, by)
    books.write()
    return review


def void_points(context: Context, review_id: UUID, reason: str, by: str, approved_by: str | None = None) -> FraudReview:
    """The purchase earned nothing, growth value and tier included; a refund of it finds nothing more to take back.

    Raises NotFound, Conflict when it is decided already.
    """
    books, account, review = open_review(context, review_id)
    policy = context.policies.in_force()
    purchase = context.session.get_one(Transaction, (review.member_id, review.transaction_id))
    (id_,) = uuid7_texts(books.now, 1)
    key = f"void:{review.transaction_id}"
    books.claim([(key, sha256(str(review.id).encode()).hexdigest(), account.customer_id, id_)])
    points = 0
    for lot in _lots_of(books, account, review):
        points += lot.remaining
        account.blocked -= lot.remaining
        books.use(lot.member_id, lot.id, id_, lot.remaining)
        lot.remaining = 0
        books.change(lot)
    facts = {
        "member": review.member_id, "owner": UUID(account.customer_id), "id": review.transaction_id,
        "purchase": purchase.business_key,
    }  # fmt: skip
    growth = int(context.session.scalar(_GROWTH_LEFT, facts) or 0)
    if growth:
        count_growth(account, purchase.effective_at, -growth)
    step = {"rule": f"review {review.cause}", "points": -points, "growth": -growth, "clause": review.clause}
    breakdown = [{**step, "detail": review.detail}]
    books.post(
        account, id_, "void", key, books.now, legs({"blocked": -points, "issued": points}, -growth),
        effective_at=purchase.effective_at, policyversion=policy.version, clause=review.clause,
        reference=purchase.business_key, reason=reason,
        detail=orjson.dumps({"review": str(review.id), "by": by, "approved_by": approved_by, "breakdown": breakdown}),
    )  # fmt: skip
    data = {
        "customer_id": account.customer_id,
        "transaction_id": id_,
        "kind": "voided",
        "points": -points,
        "growth": -growth,
        "purchase_id": review.purchase_id,
        "reverses": str(review.transaction_id),
        "occurred_at": books.now.isoformat(),
        "breakdown": breakdown,
        "balance": account.balance,
    }
    books.announce("points.reversed.v1", account, key, data, policy.version)
    _decide(review, VOIDED, books, reason, by)
    books.write()
    reconsider(books, {account.customer_id: purchase.effective_at}, context.policies.in_force, "refund")
    books.write()
    return review


def unblock(context: Context, customer_ids: Sequence[str]) -> None:
    """Members are cleared: what waited for that alone becomes theirs; what a limit keeps back goes on waiting."""
    session, policy = context.session, context.policies.in_force()
    books = Books(session)
    books.lock(customer_ids)
    blocked = [lot for lot in books.lots(customer_ids) if lot.state == "blocked"]
    theirs = FraudReview.member_id.in_(customer_ids)
    about = FraudReview.transaction_id.in_([lot.transaction_id for lot in blocked])  # also those that a merge brought
    reviews = session.scalars(select(FraudReview).where(or_(theirs, about), FraudReview.status == OPEN)).all()
    kept = {str(review.transaction_id) for review in reviews if review.cause != MEMBER}
    lots = [lot for lot in blocked if lot.transaction_id not in kept]
    clause = policy.rules.participation.clause
    for lot, id_ in zip(lots, uuid7_texts(books.now, len(lots)), strict=True):
        _clear(books, books.accounts[lot.member_id], lot, id_, policy.version, clause, "cleared")
    for review in reviews:
        if review.cause == MEMBER:
            _decide(review, RELEASED, books, "the member was cleared", None)
    books.write()


def the_review(session: Session, review_id: UUID) -> FraudReview:
    """A review. Raises NotFound."""
    review = session.get(FraudReview, review_id)
    if review is None:
        raise NotFound(f"no review {review_id}")
    return review


def open_review(context: Context, review_id: UUID) -> tuple[Books, Account, FraudReview]:
    """The member's account is locked first; only then is the review's state looked at.

    What a member had when they became part of another one is that one's now, the review's lots with it.
    Raises NotFound, Conflict when it is decided already.
    """
    session, review = context.session, the_review(context.session, review_id)
    whose = select(func.coalesce(Member.merged_into, Member.customer_id)).where(Member.customer_id == review.member_id)
    owner = str(session.scalars(whose).one())
    books = Books(session)
    account = books.lock([owner]).get(owner)
    if account is None:
        raise Conflict("the member is just becoming part of another one: try again")
    session.refresh(review)
    if review.status != OPEN:
        raise Conflict(f"it was {review.status} already: {review.reason}", status_of_review=review.status)
    return books, account, review


def _lots_of(books: Books, account: Account, review: FraudReview) -> list[OpenLot]:
    origin = str(review.transaction_id)
    lots = books.lots([account.customer_id])
    return [lot for lot in lots if lot.state == "blocked" and lot.transaction_id == origin]


def _clear(books: Books, account: Account, lot: OpenLot, id_: str, version: str, clause: str, reason: str) -> None:
    points = lot.remaining
    account.blocked -= points
    if lot.available_at > books.now:
        lot.state = "pending"
        account.pending += points
    else:
        lot.state = "available"
        if absorbed := credit_available(account, points):
            lot.remaining -= absorbed
            books.use(lot.member_id, lot.id, id_, absorbed)
    books.post(
        account, id_, "unblock", f"unblock:{lot.id}:{id_}", books.now, legs({"blocked": -points, lot.state: points}),
        policyversion=version, clause=clause, reference=f"lot:{lot.id}", reason=reason,
    )  # fmt: skip
    books.change(lot)


def _decide(review: FraudReview, status: str, books: Books, reason: str, by: str | None) -> None:
    review.status, review.reason = status, reason
    review.decided_at, review.decided_by = books.now, by


def _blacklisted(session: Session, customer_id: UUID) -> bool:
    """Blacklisted, not merely flagged; who has no profile yet is taken for blacklisted."""
    profile = session.get(MemberProfile, customer_id)
    return profile is None or profile.blacklisted
