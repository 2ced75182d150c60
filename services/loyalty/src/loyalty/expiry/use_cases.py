"""Time does its work on lots: pending ones become available, old ones expire (CG-22). Bounded steps, restartable.

A step locks the accounts of its members first, so it meets earning and redemption in the same order as they do.
"""

from __future__ import annotations

from chassis.runtime import Context
from loyalty.ledger.books import Books
from loyalty.ledger.domain import OpenLot, credit_available
from loyalty.ledger.legs import legs
from loyalty.ledger.statements import array, cursor, transaction_ids

STEP = 1000  # members of one transaction

_PENDING = """
    SELECT DISTINCT member_id::text FROM (
        SELECT member_id FROM lot WHERE state = 'pending' AND available_at <= %s ORDER BY available_at LIMIT %s) due
"""
_DUE = """
    SELECT member_id::text, id::text, transaction_id::text, state, points, remaining, reserved,
           earned_at, available_at, expires_at
    FROM lot WHERE member_id = ANY(%s::uuid[]) AND state = 'pending' AND available_at <= %s
    ORDER BY member_id, available_at, id
"""
_EXPIRING = """
    SELECT DISTINCT member_id::text FROM (
        SELECT member_id FROM lot WHERE state = 'available' AND remaining > reserved AND expires_at <= %s
        ORDER BY expires_at LIMIT %s) due
"""


def release_pending(context: Context) -> bool:
    """Make available what the return window no longer keeps back; True while more is due."""
    books = Books(context.session)
    members = _members(books, _PENDING)
    if not members:
        return False
    books.lock(members)
    with cursor(context.session) as rows:
        rows.execute(_DUE, (array(members), books.now))
        lots = [OpenLot(*row) for row in rows.fetchall()]
    by_member: dict[str, list[OpenLot]] = {}
    for lot in lots:
        by_member.setdefault(lot.member_id, []).append(lot)
    policy = context.policies.in_force()
    for (member, due), id_ in zip(by_member.items(), transaction_ids(books.now, len(by_member)), strict=True):
        account, points = books.accounts[member], 0
        for lot in due:
            lot.state = "available"
            books.change(lot)
            if not lot.remaining:
                continue
            points += lot.remaining
            account.pending -= lot.remaining
            if absorbed := credit_available(account, lot.remaining):
                lot.remaining -= absorbed
                books.use(member, lot.id, id_, absorbed)
        if points:
            books.post(
                account, id_, "release", f"release:{id_}", books.now, legs({"pending": -points, "available": points}),
                policyversion=policy.version, clause=policy.rules.points.clause, reason="the pending time is over",
            )  # fmt: skip
    books.write()
    return True


def expire_lots(context: Context) -> bool:
    """Take what has outlived its expiry, one transaction per lot; reserved points wait for their hold (decision 24)."""
    books = Books(context.session)
    members = _members(books, _EXPIRING)
    if not members:
        return False
    books.lock(members)
    due = [
        lot
        for lot in books.lots(members)
        if lot.state == "available" and lot.free > 0 and lot.expires_at is not None and lot.expires_at <= books.now
    ]
    policy = context.policies.in_force()
    for lot, id_ in zip(due, transaction_ids(books.now, len(due)), strict=True):
        account, points = books.accounts[lot.member_id], lot.free
        lot.remaining -= points
        account.available -= points
        books.change(lot)
        books.use(lot.member_id, lot.id, id_, points)
        key = f"expiry:{lot.id}:{id_}" if lot.reserved else f"expiry:{lot.id}"
        books.post(
            account, id_, "expiry", key, books.now, legs({"available": -points, "expired": points}),
            policyversion=policy.version, clause=policy.rules.expiry.clause, reference=f"lot:{lot.id}",
        )  # fmt: skip
        data = {
            "customer_id": lot.member_id,
            "transaction_id": id_,
            "lot_id": lot.id,
            "points": points,
            "expired_at": lot.expires_at.isoformat() if lot.expires_at else None,
            "balance": account.balance,
        }
        books.announce("points.expired.v1", account, key, data, policy.version)
    books.write()
    return True


def _members(books: Books, statement: str) -> list[str]:
    with cursor(books.session) as rows:
        rows.execute(statement, (books.now, STEP))
        return [row[0] for row in rows.fetchall()]
