"""Reward both sides of a referral, and take it back when the purchase behind it does not stand (CG-25).

Both are due rows: the poller does many in one transaction and keeps their locks, so nothing here waits for an account;
a busy one is tried a second later.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson

from chassis.ids import uuid7_texts
from chassis.runtime import Context
from chassis.timing import due
from chassis.timing.due import DueRow
from loyalty.earning.terms import Terms
from loyalty.grants.crediting import Credit, announce_earned, credit
from loyalty.ledger.books import Books
from loyalty.ledger.domain import OpenLot
from loyalty.ledger.legs import legs
from loyalty.ledger.statements import array, cursor
from loyalty.members.identities import known, own_name
from loyalty.referrals.domain import EARNED, REFERRED, REFERRER, REWARDED, VOID, WAITING, suffices
from loyalty.referrals.noticing import PAY, RULE, key_of
from loyalty.referrals.tables import Referral

LOOK_AGAIN = "referral_stands"  # kind of the due row, shortly before the points become available
BUSY = timedelta(seconds=1)
SHORTLY = timedelta(minutes=1)
_FREE = """
    SELECT customer_id::text FROM member WHERE customer_id = ANY(%s::uuid[]) ORDER BY customer_id
    FOR UPDATE SKIP LOCKED
"""
_PURCHASE = """
    SELECT p.occurred_at, p.detail->>'total', p.detail->>'currency',
        coalesce((SELECT sum((r.detail->>'total')::numeric) FROM transaction r
                  WHERE r.member_id = p.member_id AND r.kind = 'refund' AND r.reference = k.key), 0)
    FROM business_key k JOIN transaction p ON p.member_id = k.member_id AND p.id = k.transaction_id
    WHERE k.key = %s
"""
_PAID = "SELECT transaction_id::text FROM business_key WHERE key = ANY(%s)"
_REASONS = {
    REFERRER: "a customer whom the member referred has bought",
    REFERRED: "the first purchase after being referred",
}


@dataclass(frozen=True, slots=True)
class _Bought:
    """The purchase behind a referral: when, and what is left of it after refunds."""

    occurred_at: datetime
    stands_at: Decimal
    currency: str


def pay_referral(context: Context, row: DueRow) -> None:
    """Credit both sides, pending as long as the purchase behind it; one that was refunded earns nothing."""
    locked = _locked(context, row, EARNED, PAY)
    if locked is None:
        return
    referral, books, members = locked
    bought = _bought(books, referral)
    policy = context.policies.in_force(bought.occurred_at)
    reward = policy.rules.rewards.get(RULE)
    if reward is None or not suffices(bought.stands_at, bought.currency, reward, policy.rules.earning):
        referral.status, referral.purchase_id = WAITING, None  # another purchase may earn it
        return
    if members[REFERRER] == members[REFERRED]:
        _void(referral, books.now, "they have turned out to be one person")
        return
    terms = Terms(policy)
    available_at = max(terms.available_at(bought.occurred_at), books.now)
    for whose, id_ in zip(reward.to, uuid7_texts(books.now, len(reward.to)), strict=True):
        account = books.accounts[members[whose]]
        key = key_of(referral.id, whose)
        content = sha256(f"{account.customer_id} {reward.points}".encode()).hexdigest()
        if not books.claim([(key, content, account.customer_id, id_)]):
            raise RuntimeError(f"{key} was paid although the referral says it was not")
        given = Credit(
            kind="referral", key=key, points=reward.points, occurred_at=books.now, available_at=available_at,
            clause=reward.clause, reason=_REASONS[whose], reference=f"referral:{referral.id}",
            detail={"referral": str(referral.id)},
        )  # fmt: skip
        announce_earned(books, account, id_, given, credit(books, account, id_, given, terms), terms)
    books.write()
    referral.status, referral.rewarded_at = REWARDED, books.now
    referral.policyversion, referral.clause = policy.version, reward.clause
    if available_at > books.now:
        due.schedule(context.session, LOOK_AGAIN, row.key, max(available_at - SHORTLY, books.now))


def look_again(context: Context, row: DueRow) -> None:
    """Before the points become available: a purchase that was refunded below the amount takes them back."""
    locked = _locked(context, row, REWARDED, LOOK_AGAIN)
    if locked is None:
        return
    referral, books, members = locked
    bought = _bought(books, referral)
    policy = context.policies.in_force(bought.occurred_at)
    reward = policy.rules.rewards[RULE]
    if suffices(bought.stands_at, bought.currency, reward, policy.rules.earning):
        return
    with cursor(context.session) as rows:
        rows.execute(_PAID, ([key_of(referral.id, whose) for whose in (REFERRER, REFERRED)],))
        paid = {transaction_id for (transaction_id,) in rows.fetchall()}
    lots = [lot for lot in books.lots(set(members.values())) if lot.transaction_id in paid and lot.free]
    for lot, id_ in zip(lots, uuid7_texts(books.now, len(lots)), strict=True):
        _take_back(books, lot, id_, referral, policy.version, reward.clause)
    books.write()
    _void(referral, books.now, "the purchase behind it was refunded")


def _locked(context: Context, row: DueRow, status: str, kind: str) -> tuple[Referral, Books, dict[str, str]] | None:
    """The referral in this status with both accounts locked; None: it is done, or comes again."""
    session = context.session
    referral = session.get_one(Referral, uuid.UUID(row.key))
    names = {whose: own_name(str(getattr(referral, whose))) for whose in (REFERRER, REFERRED)}
    now = known(session, list(names.values()))  # of a merged member: the one they became
    members = {whose: now[name] for whose, name in names.items()}
    wanted = set(members.values())
    with cursor(session) as rows:
        rows.execute(_FREE, (array(wanted),))
        if len(rows.fetchall()) < len(wanted):
            due.schedule(session, kind, row.key, context.clock.now() + BUSY)
            return None
    books = Books(session)
    books.lock(wanted)
    session.refresh(referral)
    return (referral, books, members) if referral.status == status else None


def _bought(books: Books, referral: Referral) -> _Bought:
    with cursor(books.session) as rows:
        rows.execute(_PURCHASE, (f"purchase:{referral.purchase_id}",))
        occurred_at, total, currency, refunded = rows.fetchone()
    return _Bought(occurred_at, Decimal(total) - refunded, currency)


def _take_back(books: Books, lot: OpenLot, id_: str, referral: Referral, version: str, clause: str) -> None:
    account, points = books.accounts[lot.member_id], lot.free
    lot.remaining -= points
    setattr(account, lot.state, getattr(account, lot.state) - points)
    books.change(lot)
    books.use(lot.member_id, lot.id, id_, points)
    key = f"referral_void:{lot.id}"
    reason = "the purchase behind the referral was refunded"
    books.post(
        account, id_, "referral_void", key, books.now, legs({lot.state: -points, "issued": points}),
        policyversion=version, clause=clause, reference=f"referral:{referral.id}", reason=reason,
        detail=orjson.dumps({"referral": str(referral.id)}),
    )  # fmt: skip
    data: dict[str, Any] = {
        "customer_id": account.customer_id,
        "transaction_id": id_,
        "kind": "referral",
        "points": -points,
        "growth": 0,
        "reverses": lot.transaction_id,
        "occurred_at": books.now.isoformat(),
        "breakdown": [{"rule": "referral", "points": -points, "growth": 0, "clause": clause, "detail": reason}],
        "balance": account.balance,
    }
    books.announce("points.reversed.v1", account, key, data, version)


def _void(referral: Referral, at: datetime, reason: str) -> None:
    referral.status, referral.voided_at, referral.reason = VOID, at, reason
