"""Time does its work on lots: pending ones become available, old ones expire (CG-22). Bounded steps, restartable.

A step takes only accounts that nobody else is working on and leaves the others to the next one, so it never waits and
never stands in a circle of waiting. What is due is due by the state of the lot, so nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

import orjson

from chassis.ids import uuid7_texts
from chassis.policies.book import Policy
from chassis.runtime import Context
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, OpenLot, credit_available
from loyalty.ledger.legs import legs, moved_legs
from loyalty.ledger.statements import array, cursor

STEP = 2000  # lots that are looked for; the other lots of their members that are due come along

_MEMBERS = """
    SELECT customer_id::text FROM member
    WHERE customer_id IN (SELECT member_id FROM lot WHERE {} ORDER BY {} LIMIT %s) FOR UPDATE SKIP LOCKED
"""
_PENDING = _MEMBERS.format("state = 'pending' AND available_at <= %s", "available_at")
_EXPIRED = _MEMBERS.format(
    "state = 'available' AND remaining > reserved AND reserved = 0 AND expires_at <= %s", "expires_at"
)
# Also those that a refund has emptied: they leave the index of pending lots.
_DUE = """
    SELECT member_id::text, id::text, transaction_id::text, state, points, remaining, reserved,
           earned_at, available_at, expires_at
    FROM lot WHERE member_id = ANY(%s::uuid[]) AND state = 'pending' AND available_at <= %s
    ORDER BY member_id, available_at, id
"""


def release_pending(context: Context) -> bool:
    """Make available what the return window no longer keeps back; True while more is due."""
    books = Books(context.session)
    members = _locked(books, _PENDING)
    if not members:
        return False
    with cursor(context.session) as rows:
        rows.execute(_DUE, (array(members), books.now))
        due = [OpenLot(*row) for row in rows.fetchall()]
    by_member: dict[str, list[OpenLot]] = {}
    for lot in due:
        by_member.setdefault(lot.member_id, []).append(lot)
    policy = context.policies.in_force()
    for (member, lots), id_ in zip(by_member.items(), uuid7_texts(books.now, len(by_member)), strict=True):
        _release(books, books.accounts[member], lots, id_, policy)
    books.write()
    return True


def expire_lots(context: Context) -> bool:
    """Take what has outlived its expiry, one transaction per lot; a reserved lot waits for its hold (decision 24)."""
    books = Books(context.session)
    members = _locked(books, _EXPIRED)
    if not members:
        return False
    _expire_all(books, books.lots(members), context.policies.in_force())
    books.write()
    return True


def catch_up(books: Books, account: Account, lots: Sequence[OpenLot], policy: Policy) -> None:
    """What the next steps would do, now and for one locked member: nobody gains or loses by a step that is late."""
    pending = [lot for lot in lots if lot.state == "pending" and lot.available_at <= books.now]
    if pending:
        _release(books, account, pending, uuid7_texts(books.now, 1)[0], policy)
    _expire_all(books, lots, policy)


def _release(books: Books, account: Account, lots: Iterable[OpenLot], id_: str, policy: Policy) -> None:
    """The lots of one member become available in one transaction; a deficit absorbs of them what it can."""
    released: dict[str, int] = {}
    for lot in lots:
        lot.state = "available"
        books.change(lot)
        if lot.remaining:
            released[lot.id] = lot.remaining
            account.pending -= lot.remaining
            if absorbed := credit_available(account, lot.remaining):
                lot.remaining -= absorbed
                books.use(lot.member_id, lot.id, id_, absorbed)
    if points := sum(released.values()):
        books.post(
            account, id_, "release", f"release:{id_}", books.now, legs({"pending": -points, "available": points}),
            policyversion=policy.version, clause=policy.rules.points.clause, reason="the pending time is over",
            detail=orjson.dumps({"lots": released}),
        )  # fmt: skip


def _expire_all(books: Books, lots: Iterable[OpenLot], policy: Policy) -> None:
    expired = [lot for lot in lots if lot.lapsed(books.now) and lot.reserved == 0]
    for lot, id_ in zip(expired, uuid7_texts(books.now, len(expired)), strict=True):
        _expire(books, books.accounts[lot.member_id], lot, id_, policy)


def _expire(books: Books, account: Account, lot: OpenLot, id_: str, policy: Policy) -> None:
    # A lot to which points came back after its end has another one (redemption/cancelling.py): each end is one effect.
    key = f"expiry:{lot.id}:{_written(lot.expires_at)}"
    points = lot.remaining
    lot.remaining = 0
    account.available -= points
    books.change(lot)
    books.use(lot.member_id, lot.id, id_, points)
    books.post(
        account, id_, "expiry", key, books.now, moved_legs("available", "expired", points),
        policyversion=policy.version, clause=policy.rules.expiry.clause, reference=f"lot:{lot.id}",
    )  # fmt: skip
    data = {
        "customer_id": lot.member_id,
        "transaction_id": id_,
        "lot_id": lot.id,
        "points": points,
        "expired_at": lot.expires_at,
        "balance": account.balance,
    }
    books.announce("points.expired.v1", account, key, data, policy.version)


@lru_cache
def _written(end: datetime) -> str:
    """Lots end by the thousand at one instant."""
    return f"{end:%Y%m%dT%H%M%S.%f}"


def _locked(books: Books, statement: str) -> list[str]:
    """The accounts of this step, locked."""
    with cursor(books.session) as rows:
        rows.execute(statement, (books.now, STEP))
        members = [row[0] for row in rows.fetchall()]
    books.lock(members)
    return members
