"""Cancel a redemption: points go back to the lots they came from, with the expiry those had (CG-22).

A lot that has lapsed meanwhile is prolonged by the pack's grace, and expires once more at its end. What was handed out
comes back: vouchers are void, a gift can be had again. A voucher that was used or has expired is spent for good.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.errors import Conflict, NotFound
from chassis.ids import uuid7_texts
from chassis.policies.book import Policy
from chassis.runtime import Context
from chassis.web import Principal
from loyalty.expiry.use_cases import catch_up
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, OpenLot
from loyalty.ledger.legs import legs
from loyalty.ledger.statements import array, cursor, instants
from loyalty.members.queries import visible
from loyalty.members.tables import Member
from loyalty.redemption.domain import CANCELLED, Returned, give_back
from loyalty.redemption.tables import Redemption
from loyalty.rewards.use_cases import take_back
from loyalty.vouchers.use_cases import void

# Lots that were spent to the last point are not among a member's open ones, and no merge has carried them along.
_PUT_IN = """
    INSERT INTO lot SELECT moved.* FROM lot_use u JOIN lot l ON l.member_id = u.member_id AND l.id = u.lot_id,
        LATERAL jsonb_populate_record(l, jsonb_build_object('member_id', %(whose)s::text, 'points', 0)) AS moved
    WHERE u.member_id = %(member)s AND u.transaction_id = %(transaction)s
    ON CONFLICT DO NOTHING
"""
_SPENT = """
    SELECT l.member_id::text, l.id::text, l.transaction_id::text, l.state, l.points, l.remaining, l.reserved,
           l.earned_at, l.available_at, l.expires_at, u.points
    FROM lot_use u JOIN lot l ON l.member_id = %(whose)s AND l.id = u.lot_id
    WHERE u.member_id = %(member)s AND u.transaction_id = %(transaction)s
"""
_PROLONG = """
    UPDATE lot SET expires_at = n.expires_at
    FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS n (member_id, id, expires_at)
    WHERE lot.member_id = n.member_id AND lot.id = n.id
"""


def cancel(context: Context, redemption: Redemption, reason: str, by: str) -> Redemption:
    """Undo a redemption as a whole. Whoever the member has become part of gets the points.

    Raises Conflict when it is cancelled already, the pack's time for it is over, or one of its vouchers was used or
    has expired.
    """
    session, policy = context.session, context.policies.in_force()
    books = Books(session)
    whose = select(func.coalesce(Member.merged_into, Member.customer_id))
    member = str(session.scalar(whose.where(Member.customer_id == redemption.member_id)))
    account = books.lock([member]).get(member)
    if account is None:
        raise Conflict("the member became part of another one at this moment: ask again")
    session.refresh(redemption)
    _still_to_be_cancelled(redemption, policy, books.now)
    void(session, redemption.id, books.now)
    if redemption.reward_id is not None:
        take_back(session, redemption.reward_id, redemption.quantity)
    if redemption.transaction_id is not None:
        _return_points(books, account, redemption, reason, policy)
    redemption.status, redemption.cancelled_at = CANCELLED, books.now
    redemption.cancelled_by, redemption.cancelled_because = by, reason
    session.flush()
    return redemption


def the_redemption(session: Session, principal: Principal, redemption_id: uuid.UUID) -> Redemption:
    """A redemption of a member whom the caller's units look after, or one the caller made. Raises NotFound."""
    redemption = session.get(Redemption, redemption_id)
    if redemption is not None and redemption.created_by != principal.username:
        mine = visible(select(Member.customer_id).where(Member.customer_id == redemption.member_id), principal)
        redemption = redemption if session.scalar(mine) is not None else None
    if redemption is None:
        raise NotFound(f"no redemption {redemption_id}")
    return redemption


def _still_to_be_cancelled(redemption: Redemption, policy: Policy, now: datetime) -> None:
    if redemption.status == CANCELLED:
        raise Conflict("the redemption is cancelled already", current=CANCELLED, cancelled_at=redemption.cancelled_at)
    within = policy.rules.catalogue.cancel_within
    if within is not None:
        until = within.after(redemption.created_at, policy.company.time_zone)
        if until <= now:
            raise Conflict(
                f"a redemption may be cancelled within {within} ({policy.rules.catalogue.clause}): this one could be "
                f"until {until.isoformat()}",
                current=redemption.status,
            )


def _return_points(books: Books, account: Account, redemption: Redemption, reason: str, policy: Policy) -> None:
    open_lots = {lot.id: lot for lot in books.lots([account.customer_id])}
    # What is due comes first: a lot that is over loses what was left in it before anything comes back to it.
    catch_up(books, account, list(open_lots.values()), policy)
    spent = _spent(books, account, redemption, open_lots)
    returned = give_back(account, spent, books.now, _grace_ends(books.now, policy))
    (id_,) = uuid7_texts(books.now, 1)
    for share in returned:
        books.change(share.lot)
        books.use(share.lot.member_id, share.lot.id, id_, -share.points)
        if share.absorbed:
            books.use(share.lot.member_id, share.lot.id, id_, share.absorbed)
    key = f"cancellation:{redemption.id}"
    books.post(
        account, id_, "cancellation", key, books.now,
        legs({"available": redemption.points, "redeemed": -redemption.points}), policyversion=policy.version,
        clause=policy.rules.expiry.clause, reference=f"redemption:{redemption.id}", reason=reason,
        detail=orjson.dumps({"lots": [_shown(share) for share in returned]}),
    )  # fmt: skip
    catch_up(books, account, [share.lot for share in returned], policy)  # without grace it goes as it comes
    _announce(books, account, redemption, id_, key, policy)
    books.write()
    _prolong(books, [share.lot for share in returned if share.lapsed_at is not None])


def _spent(
    books: Books, account: Account, redemption: Redemption, open_lots: dict[str, OpenLot]
) -> list[tuple[OpenLot, int]]:
    asked = {
        "whose": account.customer_id, "member": redemption.member_id, "transaction": redemption.transaction_id,
    }  # fmt: skip
    with cursor(books.session) as found:
        if account.customer_id != str(redemption.member_id):
            found.execute(_PUT_IN, asked)
        found.execute(_SPENT, asked)
        rows = found.fetchall()
    return [(open_lots.get(row[1]) or OpenLot(*row[:-1]), row[-1]) for row in rows]


def _grace_ends(now: datetime, policy: Policy) -> datetime:
    """When points that come back after their end lapse for good; without a grace at once."""
    grace, company = policy.rules.expiry.grace_after_cancelling, policy.company
    return now if grace is None else company.end_of(grace.later(company.day_of(now))).astimezone(UTC)


def _prolong(books: Books, lots: Sequence[OpenLot]) -> None:
    if lots:
        with cursor(books.session) as connection:
            connection.execute(
                _PROLONG,
                (
                    array(lot.member_id for lot in lots),
                    array(lot.id for lot in lots),
                    instants(lot.expires_at for lot in lots),
                ),
            )


def _shown(share: Returned) -> dict[str, object]:
    return {
        "lot": share.lot.id, "points": share.points, "absorbed": share.absorbed, "expires_at": share.lot.expires_at,
        "lapsed_at": share.lapsed_at,
    }  # fmt: skip


def _announce(books: Books, account: Account, redemption: Redemption, id_: str, key: str, policy: Policy) -> None:
    data = {
        "customer_id": account.customer_id,
        "transaction_id": id_,
        "kind": "redemption_cancelled",
        "points": redemption.points,
        "growth": 0,
        "redemption_id": str(redemption.id),
        "reverses": str(redemption.transaction_id),
        "occurred_at": books.now.isoformat(),
        "balance": account.balance,
    }
    books.announce("points.reversed.v1", account, key, data, policy.version)
