"""Credit a compensation: one lot, spendable at once, under the business key of the compensation (CG-15)."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from chassis.ids import uuid7_texts
from chassis.messaging.delivery import Reject
from chassis.runtime import Context
from loyalty.compensation.domain import Compensation
from loyalty.earning.terms import Terms
from loyalty.grants.crediting import Credit, content_of, credit
from loyalty.ledger.books import Books
from loyalty.members.identities import led_here


class NotYetAMember(Exception):
    """The complaint was quicker than the registration: the retry ladder brings it again."""


def credit_compensation(context: Context, compensation: Compensation) -> None:
    """Put the points into the member's purse. The same compensation under another event id has no effect.

    Raises Reject when a known compensation comes with another content, NotYetAMember while the member is unknown.
    """
    books = Books(context.session)
    named = str(compensation.customer_id)
    member = led_here(context.session, [named]).get(named, named)
    account = books.lock([member]).get(member)
    if account is None:
        raise NotYetAMember(f"customer {member} is not enrolled yet")
    (id_,) = uuid7_texts(books.now, 1)
    key = f"compensation:{compensation.id}"
    content = sha256(f"{named} {compensation.points}".encode()).hexdigest()
    if not books.claim([(key, content, member, id_)]):
        _refuse_another_content(books, key, content)
        return
    policy = context.policies.in_force(books.now)
    reason = f"compensation for complaint {compensation.complaint_number}"
    detail = {
        "complaint": compensation.complaint_number,
        "complaint_id": str(compensation.complaint_id),
        "approved_by": compensation.approved_by,
    }
    given = Credit(
        kind="compensation", key=key, points=compensation.points, occurred_at=books.now, counter="adjusted",
        clause=compensation.clause, reason=reason, reference=f"complaint:{compensation.complaint_id}", detail=detail,
    )  # fmt: skip
    credit(books, account, id_, given, Terms(policy))
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
    if content_of(books, key) != content:
        id_ = UUID(key.partition(":")[2])
        raise Reject(f"compensation {id_} was credited already with another member or number of points")
