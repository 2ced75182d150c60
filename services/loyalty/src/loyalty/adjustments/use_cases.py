"""Change a member's points by hand, alone within the limits of one's role, with a second person above them (CG-05)."""

from __future__ import annotations

import uuid
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import func, or_, select

from chassis.approvals.registry import Approval
from chassis.approvals.use_cases import ApprovalRow, propose
from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7, uuid7_texts
from chassis.policies.book import Policy
from chassis.runtime import Context
from chassis.web.principal import Principal
from loyalty.adjustments.domain import Before, deduct, may_agree, needed
from loyalty.adjustments.tables import Adjustment
from loyalty.earning.terms import Terms
from loyalty.expiry.use_cases import catch_up
from loyalty.grants.crediting import Credit, credit
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.ledger.legs import legs
from loyalty.members.queries import unit_path, visible
from loyalty.members.tables import Member
from loyalty.policy.adjusting import Adjustments
from loyalty.redemption.domain import usable


def adjust_points(
    context: Context, principal: Principal, customer_id: uuid.UUID, points: int, reason_code: str, note: str
) -> Adjustment:
    """Book a change of points, or put it before a second person when it is beyond what its author may change alone.

    What the author changed for this member within the pack's time counts with it.

    Raises NotFound for a member whom the author's units do not look after, Invalid for a reason that the pack does not
    name, Conflict for a member who was merged or erased and where fewer points are available than shall be taken.
    """
    session, policy, now = context.session, context.policies.in_force(), context.clock.now()
    rules = policy.rules.adjustments
    found = visible(select(Member).where(Member.customer_id == customer_id), principal)
    member = session.scalar(found.with_for_update())  # of two changes at once, the second one sees the first
    if member is None:
        raise NotFound(f"no member with customer id {customer_id}")
    if member.status in ("merged", "erased"):
        raise Conflict(f"the member is {member.status}: nothing is changed any more", status_of_member=member.status)
    if reason_code not in rules.reasons:
        named = ", ".join(rules.reasons)
        raise Invalid("The policy pack knows no such reason", {"reason_code": [f"use one of: {named}"]})
    need = needed(points, principal.roles, rules, _before(context, principal, customer_id, rules))
    adjustment = Adjustment(
        id=uuid7(now), member_id=customer_id, points=points, reason_code=reason_code, note=note, needs=need.whose,
        why=need.why, created_by=principal.username, created_at=now, policyversion=policy.version, clause=rules.clause,
    )  # fmt: skip
    session.add(adjustment)
    if need.whose is None:
        _book(context, adjustment)
    else:
        _propose(context, principal, adjustment, member.unit)
    return adjustment


def _before(context: Context, principal: Principal, customer_id: uuid.UUID, rules: Adjustments) -> Before:
    """What the author changed for this member within the pack's time."""
    if rules.within is None:
        return Before()
    now = context.clock.now()
    since = rules.within.before(now, context.policies.in_force().company.time_zone)
    size = func.abs(Adjustment.points)
    waits = (ApprovalRow.status == "proposed") & (ApprovalRow.expires_at > now)
    alone, total = context.session.execute(
        select(
            func.coalesce(func.sum(size).filter(Adjustment.needs.is_(None)), 0),
            func.coalesce(func.sum(size).filter(or_(Adjustment.transaction_id.is_not(None), waits)), 0),
        )
        .outerjoin(ApprovalRow, ApprovalRow.id == Adjustment.id)
        .where(
            Adjustment.member_id == customer_id,
            Adjustment.created_by == principal.username,
            Adjustment.created_at > since,
        )
    ).one()
    return Before(int(alone), int(total))


def carry_out(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """What the second person agreed to. Raises Conflict when the points are not there any more: nothing is agreed."""
    id_ = uuid.UUID(content["adjustment_id"])
    adjustment = context.session.get_one(Adjustment, id_)
    adjustment.approved_by = context.session.get_one(ApprovalRow, id_).decided_by_name
    _book(context, adjustment)
    return {"adjustment_id": str(id_), "transaction_id": str(adjustment.transaction_id)}


def _may_decide(principal: Principal, content: dict[str, Any]) -> bool:
    return principal.sees_unit(content["unit_path"]) and may_agree(principal.roles, content)


def _describe(content: dict[str, Any]) -> str:
    return f"{content['points']:+d} points ({content['reason_code']}): {content['note']}"


ADJUSTING = Approval(
    kind="adjustment",
    permission="adjustments:approve",
    execute=carry_out,
    describe=_describe,
    may_decide=_may_decide,
)


def _propose(context: Context, principal: Principal, adjustment: Adjustment, unit: str | None) -> None:
    session = context.session
    content = {
        "adjustment_id": str(adjustment.id),
        "customer_id": str(adjustment.member_id),
        "points": adjustment.points,
        "reason_code": adjustment.reason_code,
        "note": adjustment.note,
        "needs": adjustment.needs,
        "why": adjustment.why,
        "unit_path": unit_path(session, unit),
    }
    propose(session, context.clock, principal, ADJUSTING, content, id=adjustment.id)


def _book(context: Context, adjustment: Adjustment) -> None:
    """Post the change: a lot of its own, or points out of the lots that lapse soonest."""
    policy = context.policies.in_force()
    books = Books(context.session)
    member = str(adjustment.member_id)
    account = books.lock([member]).get(member)
    if account is None:
        raise Conflict("the member has become part of another: adjust that one", customer_id=member)
    (id_,) = uuid7_texts(books.now, 1)
    key = f"adjustment:{adjustment.id}"
    content = sha256(f"{member} {adjustment.points}".encode()).hexdigest()
    if not books.claim([(key, content, member, id_)]):
        raise Conflict("this adjustment was booked already", transaction_id=str(adjustment.transaction_id))
    if adjustment.points > 0:
        _add(books, account, adjustment, id_, key, policy)
    else:
        _take(books, account, adjustment, id_, key, policy)
    _announce(books, account, adjustment, id_, key, policy)
    books.write()
    adjustment.transaction_id, adjustment.booked_at = uuid.UUID(id_), books.now
    adjustment.policyversion, adjustment.clause = policy.version, policy.rules.adjustments.clause


def _add(books: Books, account: Account, adjustment: Adjustment, id_: str, key: str, policy: Policy) -> None:
    given = Credit(
        kind="adjustment", key=key, points=adjustment.points, occurred_at=books.now, counter="adjusted",
        clause=policy.rules.adjustments.clause, reason=adjustment.note, detail=_detail(adjustment),
    )  # fmt: skip
    credit(books, account, id_, given, Terms(policy))


def _take(books: Books, account: Account, adjustment: Adjustment, id_: str, key: str, policy: Policy) -> None:
    points = -adjustment.points
    lots = books.lots([account.customer_id])
    catch_up(books, account, lots, policy)
    spendable = usable(lots, books.now)
    if (available := sum(lot.free for lot in spendable)) < points:
        raise Conflict(f"{points} points shall be taken, {available} are available", available=available)
    for lot, share in deduct(account, spendable, points):
        books.change(lot)
        books.use(lot.member_id, lot.id, id_, share)
    books.post(
        account, id_, "adjustment", key, books.now, legs({"available": -points, "adjusted": points}),
        policyversion=policy.version, clause=policy.rules.adjustments.clause, reason=adjustment.note,
        detail=orjson.dumps(_detail(adjustment)),
    )  # fmt: skip


def _detail(adjustment: Adjustment) -> dict[str, Any]:
    return {
        "adjustment": str(adjustment.id),
        "reason_code": adjustment.reason_code,
        "by": adjustment.created_by,
        "approved_by": adjustment.approved_by,
        "why": adjustment.why,
    }


def _announce(books: Books, account: Account, adjustment: Adjustment, id_: str, key: str, policy: Policy) -> None:
    data = {
        "customer_id": account.customer_id,
        "transaction_id": id_,
        "adjustment_id": str(adjustment.id),
        "points": adjustment.points,
        "reason_code": adjustment.reason_code,
        "reason": adjustment.note,
        "by": adjustment.created_by,
        "approved_by": adjustment.approved_by,
        "occurred_at": books.now.isoformat(),
        "clause": policy.rules.adjustments.clause,
        "balance": account.balance,
    }
    books.announce("points.adjusted.v1", account, key, data, policy.version)
