"""``fraud-reviews``: the queue of purchases whose points wait for somebody's look."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis.web import Blueprint, Page, PageArgs, Schema, Work, answer, fields, glance, requires, work
from loyalty.fraud import use_cases
from loyalty.fraud.tables import FraudReview
from loyalty.fraud.voiding import void_or_propose
from loyalty.members.queries import require_member, visible
from loyalty.members.tables import Member

blueprint = Blueprint("fraud-reviews", __name__, description="Purchases that look wrong, and what came of the look")
STATES = ("open", "released", "voided")


class FraudReviewSchema(Schema):
    """A purchase under review."""

    id = fields.Uuid(required=True)
    customer_id = fields.Uuid(required=True)
    purchase_id = fields.String(required=True)
    transaction_id = fields.Uuid(required=True)
    status = fields.Choice(*STATES, required=True)
    cause = fields.String(
        required=True,
        metadata={"description": "purchases_a_day, points_a_day, amount_above, outlier; member: its standing"},
    )
    detail = fields.String(required=True, metadata={"description": "what was found, readable"})
    points = fields.Points(required=True, metadata={"description": "what the purchase earned"})
    opened_at = fields.Instant(required=True)
    decided_at = fields.Instant(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True, metadata={"description": "null: the member was cleared"})
    reason = fields.String(required=True, allow_none=True)
    approval_id = fields.Uuid(
        required=True, allow_none=True, metadata={"description": "of the last proposal to void it, under `approvals`"}
    )
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class FraudReviewsArgs(PageArgs):
    """Which reviews."""

    status = fields.Choice(*STATES, load_default=None)
    customer_id = fields.Uuid(load_default=None)


class DecisionSchema(Schema):
    """``POST fraud-reviews/{id}/release`` and ``…/void``."""

    reason = fields.Text(500, required=True, metadata={"description": "what was found; it stays in the statement"})


@blueprint.get("/fraud-reviews")
@requires("fraud-reviews:read")
@blueprint.arguments(FraudReviewsArgs, location="query")
@blueprint.response(200, Page.schema(FraudReviewSchema))
def reviews(query: dict[str, Any]) -> Response:
    """The queue, oldest first"""
    at = glance()
    found = select(FraudReview).where(FraudReview.member_id.in_(visible(select(Member.customer_id), at.principal)))
    if query["status"]:
        found = found.where(FraudReview.status == query["status"])
    if query["customer_id"]:
        found = found.where(FraudReview.member_id == query["customer_id"])
    return answer(Page.of(at.session, found, [FraudReview.id], query["limit"], query["cursor"], _shown))


@blueprint.get("/fraud-reviews/<uuid:id>")
@requires("fraud-reviews:read")
@blueprint.response(200, FraudReviewSchema)
def review(id: UUID) -> Response:
    """One review"""
    at = glance()
    found = use_cases.the_review(at.session, id)
    require_member(at.session, at.principal, found.member_id)
    return answer(_shown(found))


@blueprint.post("/fraud-reviews/<uuid:id>/release")
@requires("fraud-reviews:decide", idempotency="required")
@blueprint.arguments(DecisionSchema)
@blueprint.response(200, FraudReviewSchema)
def release(body: dict[str, Any], id: UUID) -> Response:
    """Nothing is wrong: the points are the member's; 409 when it is decided already or the member is blacklisted"""
    at = _looking_at(id)
    found = use_cases.release_points(at.context, id, body["reason"], at.principal.username)
    at.note(str(id), purchase=found.purchase_id)
    return answer(_shown(found))


@blueprint.post("/fraud-reviews/<uuid:id>/void")
@requires("fraud-reviews:decide", idempotency="required")
@blueprint.arguments(DecisionSchema)
@blueprint.response(200, FraudReviewSchema)
@blueprint.alt_response(202, schema=FraudReviewSchema, description="Waits for a second person: see `approval_id`")
def void(body: dict[str, Any], id: UUID) -> Response:
    """The purchase earned nothing: points, growth value and the rise built on it go; 409 when it is decided already"""
    at = _looking_at(id)
    found, proposal = void_or_propose(at.context, at.principal, id, body["reason"])
    at.note(str(id), purchase=found.purchase_id, proposed=proposal is not None)
    return answer(_shown(found), 200 if proposal is None else 202)


def _looking_at(id: UUID) -> Work:
    at = work()
    require_member(at.session, at.principal, use_cases.the_review(at.session, id).member_id)
    return at


def _shown(review: FraudReview) -> dict[str, Any]:
    names = (
        "id", "purchase_id", "transaction_id", "status", "cause", "detail", "points", "opened_at", "decided_at",
        "decided_by", "reason", "approval_id", "clause", "policyversion",
    )  # fmt: skip
    return {"customer_id": review.member_id, **{name: getattr(review, name) for name in names}}
