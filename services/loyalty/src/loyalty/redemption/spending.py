"""What every way to spend points shares: whose they are, what may be spent, the record of it and the word about it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, or_, select

from chassis.errors import Conflict, NotFound
from chassis.ids import uuid7
from chassis.policies.book import Policy
from loyalty.expiry.use_cases import catch_up
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, OpenLot
from loyalty.members.tables import Member
from loyalty.redemption.domain import REDEEMED, usable
from loyalty.redemption.tables import Redemption
from loyalty.rewards.domain import DISCOUNT


def spender(books: Books, customer_id: uuid.UUID) -> Account:
    """The locked account of a member who may redeem.

    Raises NotFound for an unknown customer (decision 28), Conflict for who is blacklisted or flagged (AD-06).
    """
    account = books.lock([str(customer_id)]).get(str(customer_id))
    if account is None:
        survivor = books.session.scalar(select(Member.merged_into).where(Member.customer_id == customer_id))
        if survivor is not None:
            raise NotFound(f"customer {customer_id} became part of customer {survivor}: ask for that one")
        raise NotFound(f"no member with customer id {customer_id}")
    if account.earns_blocked:
        raise Conflict("the member is blacklisted or under review: nothing can be redeemed until that is cleared")
    return account


def selves(customer_id: uuid.UUID | str) -> Select[uuid.UUID]:
    """The member's own id, and the ids of those who became part of it: what they had, it has had."""
    return select(Member.customer_id).where(or_(Member.customer_id == customer_id, Member.merged_into == customer_id))


def spendable(books: Books, account: Account, points: int, policy: Policy) -> Sequence[OpenLot]:
    """The lots that so many points may come from, after what is due for them was done.

    What holds set aside is not among it. Raises Conflict when fewer are available.
    """
    lots = books.lots([account.customer_id])
    catch_up(books, account, lots, policy)
    found = usable(lots, books.now)
    if (available := sum(lot.free for lot in found)) < points:
        raise Conflict(f"{points} points were asked for, {available} are available", available=available)
    return found


def new_redemption(
    books: Books, account: Account, points: int, policy: Policy, by: str | None, **more: Any
) -> Redemption:
    """A redemption to be settled and kept, by default one discount at the till; ``more``: other columns."""
    return Redemption(
        id=uuid7(books.now),
        member_id=uuid.UUID(account.customer_id),
        **{"kind": DISCOUNT, "quantity": 1, "clause": policy.rules.redemption.clause, **more},
        points=points,
        amount=policy.rules.redemption.off_the_bill(points),
        currency=policy.company.currency,
        status=REDEEMED,
        policyversion=policy.version,
        created_at=books.now,
        created_by=by,
    )


def announce_spent(books: Books, account: Account, redemption: Redemption, key: str) -> None:
    """``points.redeemed``; ``key`` is the business key of the transaction that took the points."""
    data = {
        "customer_id": account.customer_id,
        "transaction_id": str(redemption.transaction_id),
        "points": redemption.points,
        "redemption_id": str(redemption.id),
        "hold_id": str(redemption.hold_id) if redemption.hold_id else None,
        "reward": redemption.reward,
        "amount": f"{redemption.amount:.2f}",
        "currency": redemption.currency,
        "occurred_at": books.now.isoformat(),
        "balance": account.balance,
    }
    books.announce("points.redeemed.v1", account, key, data, redemption.policyversion)
