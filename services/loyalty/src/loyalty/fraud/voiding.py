"""Voiding takes points from a member: above the pack's limit it is a second person's decision too (ML-05)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chassis.approvals.registry import Approval
from chassis.approvals.use_cases import ApprovalRow, propose
from chassis.errors import Conflict
from chassis.runtime import Context
from chassis.web.principal import Principal
from loyalty.fraud.tables import FraudReview
from loyalty.fraud.use_cases import open_review, void_points
from loyalty.members.queries import unit_path
from loyalty.members.tables import Member
from loyalty.policy.fraud import Fraud


def void_or_propose(
    context: Context, principal: Principal, review_id: UUID, reason: str
) -> tuple[FraudReview, ApprovalRow | None]:
    """Void a purchase, or put that before a second person where it earned more than one may take alone.

    Raises NotFound, Conflict when it is decided already or waits for a second person.
    """
    session, now = context.session, context.clock.now()
    limits: Fraud = context.policies.in_force().rules.fraud
    _, _, review = open_review(context, review_id)
    if limits.second_person_above is None or review.points <= limits.second_person_above:
        return void_points(context, review_id, reason, principal.username), None
    waiting = session.get(ApprovalRow, review.approval_id) if review.approval_id is not None else None
    if waiting is not None and waiting.state(now) == "proposed":
        raise Conflict("voiding it waits for a second person already", approval_id=str(waiting.id))
    content = {
        "review": str(review.id),
        "customer_id": str(review.member_id),
        "purchase_id": review.purchase_id,
        "points": review.points,
        "cause": review.cause,
        "reason": reason,
        "by": principal.username,
        "above": limits.second_person_above,
        "unit_path": unit_path(session, session.get_one(Member, review.member_id).unit),
    }
    proposal = propose(session, context.clock, principal, VOIDING, content)
    review.approval_id = proposal.id
    return review, proposal


def _carry_out(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """The second person agreed. Raises Conflict when the review was decided in the meantime."""
    id_ = UUID(content["review"])
    agreed = context.session.get_one(ApprovalRow, context.session.get_one(FraudReview, id_).approval_id)
    review = void_points(context, id_, content["reason"], content["by"], agreed.decided_by_name)
    return {"review": str(review.id), "status": review.status}


def _may_decide(principal: Principal, content: dict[str, Any]) -> bool:
    return principal.sees_unit(content["unit_path"])


VOIDING = Approval(
    kind="fraud.void",
    permission="fraud-reviews:decide",
    execute=_carry_out,
    describe=lambda content: (
        f"void purchase {content['purchase_id']} ({content['points']} points, {content['cause']}): {content['reason']}"
    ),
    may_decide=_may_decide,
)
