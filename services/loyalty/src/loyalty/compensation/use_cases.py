"""Credit a compensation: one lot, spendable at once, under the business key of the compensation (CG-15)."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import orjson

from chassis.messaging.delivery import Reject
from chassis.runtime import Context
from chassis.storage import wire
from loyalty.compensation.domain import Compensation
from loyalty.earning.terms import Terms
from loyalty.ledger.books import Books
from loyalty.ledger.domain import credit_available
from loyalty.ledger.legs import legs
from loyalty.ledger.statements import cursor, transaction_ids


class NotYetAMember(Exception):
    """The complaint was quicker than the registration: the retry ladder brings it again."""


def credit_compensation(context: Context, compensation: Compensation) -> None:
    """Put the points into the member's purse. The same compensation under another event id has no effect.

    Raises Reject when a known compensation comes with another content, NotYetAMember while the member is unknown.
    """
    books = Books(context.session)
    member = str(compensation.customer_id)
    account = books.lock([member]).get(member)
    if account is None:
        raise NotYetAMember(f"customer {member} is not enrolled yet")
    (id_,) = transaction_ids(books.now, 1)
    key = f"compensation:{compensation.id}"
    content = sha256(f"{member} {compensation.points}".encode()).hexdigest()
    if not books.claim([(key, content, member, id_)]):
        _refuse_another_content(books, key, content)
        return
    policy = context.policies.in_force(books.now)
    terms = Terms(policy)
    absorbed = credit_available(account, compensation.points)
    lapse, expires_at = terms.expires_at(books.now)
    now = wire.instant(books.now)
    books.lot_earned(
        account,
        wire.uuid(id_),
        "available",
        wire.integers(compensation.points, compensation.points - absorbed),
        terms.unit_cost + now + now + lapse,
    )
    if absorbed:
        books.use(member, id_, id_, absorbed)
    detail = {
        "complaint": compensation.complaint_number,
        "complaint_id": str(compensation.complaint_id),
        "approved_by": compensation.approved_by,
        "expires_at": expires_at,
    }
    moved = {"available": compensation.points, "adjusted": -compensation.points}
    reason = f"compensation for complaint {compensation.complaint_number}"
    books.post(
        account, id_, "compensation", key, books.now, legs(moved), policyversion=policy.version,
        clause=compensation.clause, reference=f"complaint:{compensation.complaint_id}", reason=reason,
        detail=orjson.dumps(detail),
    )  # fmt: skip
    data = {
        "customer_id": member,
        "transaction_id": id_,
        "points": compensation.points,
        "reason_code": "compensation",
        "reason": reason,
        "approved_by": compensation.approved_by,
        "occurred_at": books.now.isoformat(),
        "clause": compensation.clause,
        "balance": account.balance,
    }
    books.announce("points.adjusted.v1", account, key, data, policy.version)
    books.write()


def _refuse_another_content(books: Books, key: str, content: str) -> None:
    with cursor(books.session) as found:
        found.execute("SELECT encode(content, 'hex') FROM business_key WHERE key = %s", (key,))
        if found.fetchone()[0] != content:
            id_ = UUID(key.partition(":")[2])
            raise Reject(f"compensation {id_} was credited already with another member or number of points")
