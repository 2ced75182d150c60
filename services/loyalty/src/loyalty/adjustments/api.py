"""``adjustments``: points changed by hand, and the second person's word on them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response
from sqlalchemy import or_, select

from chassis.approvals.use_cases import ApprovalRow, approve, reject
from chassis.errors import NotFound
from chassis.web import Blueprint, Page, PageArgs, Principal, Schema, answer, fields, glance, requires, work
from loyalty.adjustments.tables import Adjustment
from loyalty.adjustments.use_cases import ADJUSTING, adjust_points
from loyalty.members.queries import visible
from loyalty.members.tables import Member
from loyalty.policy.adjusting import Adjustments

blueprint = Blueprint("adjustments", __name__, description="Points changed by hand, with a reason")
STATES = ("booked", "proposed", "rejected", "expired")
MOST = 10**12  # points in one change
KINDS = {ADJUSTING.kind: ADJUSTING}


class NewAdjustmentSchema(Schema):
    """``POST adjustments``."""

    customer_id = fields.Uuid(required=True)
    points = fields.Points(min=-MOST, max=MOST, required=True, metadata={"description": "negative takes away; not 0"})
    reason_code = fields.Text(60, required=True, metadata={"description": "one of the pack's `adjustments.reasons`"})
    note = fields.Text(500, required=True, metadata={"description": "why, in words; the member's statement shows it"})

    @ma.validates("points")
    def _something(self, points: int, **_: Any) -> None:
        if points == 0:
            raise ma.ValidationError("must not be 0")


class AdjustmentChoicesSchema(Schema):
    """What the pack lets the caller choose from, and how far alone."""

    reasons = fields.List(fields.String(), required=True, metadata={"description": "codes in the order of the pack"})
    alone = fields.Points(required=True, metadata={"description": "the most points the caller changes alone"})
    director_above = fields.Points(required=True, metadata={"description": "beyond these a director must agree"})
    clause = fields.String(required=True)


class WordSchema(Schema):
    """``POST adjustments/{id}/approve`` and ``reject``."""

    note = fields.Text(2000, load_default=None, allow_none=True)


class AdjustmentSchema(Schema):
    """A change by hand and what became of it."""

    id = fields.Uuid(required=True, metadata={"description": "of its approval too, where it takes one"})
    customer_id = fields.Uuid(required=True)
    points = fields.Points(required=True)
    reason_code = fields.String(required=True)
    note = fields.String(required=True)
    status = fields.Choice(*STATES, required=True)
    needs = fields.Choice("second_person", "director", required=True, allow_none=True)
    why = fields.String(required=True)
    created_by = fields.String(required=True)
    created_at = fields.Instant(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.Instant(required=True, allow_none=True)
    decision_note = fields.String(required=True, allow_none=True)
    expires_at = fields.Instant(
        required=True, allow_none=True, metadata={"description": "until when a second person may agree"}
    )
    transaction_id = fields.Uuid(required=True, allow_none=True)
    booked_at = fields.Instant(required=True, allow_none=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class AdjustmentsArgs(PageArgs):
    """Which adjustments."""

    customer_id = fields.Uuid(load_default=None)
    status = fields.Choice(*STATES, load_default=None)
    reason_code = fields.Text(60, load_default=None)


@blueprint.post("/adjustments")
@requires("adjustments:write", idempotency="required")
@blueprint.arguments(NewAdjustmentSchema)
@blueprint.response(201, AdjustmentSchema)
@blueprint.alt_response(202, schema=AdjustmentSchema, description="Waits for a second person: see `needs`")
def adjust(body: dict[str, Any]) -> Response:
    """Change points: at once within one's limit, else by proposal; 409 when fewer are there than shall be taken"""
    at = work()
    made = adjust_points(at.context, at.principal, **body)
    at.note(str(made.id), points=made.points, reason_code=made.reason_code, needs=made.needs)
    approval = at.session.get(ApprovalRow, made.id)
    status = 201 if approval is None else 202
    return answer(_shown(made, approval), status, {"Location": f"/api/v1/adjustments/{made.id}"})


@blueprint.get("/adjustments")
@requires("adjustments:read")
@blueprint.arguments(AdjustmentsArgs, location="query")
@blueprint.response(200, Page.schema(AdjustmentSchema))
def adjustments(query: dict[str, Any]) -> Response:
    """Changes by hand of one's own units' members, newest first"""
    at = glance()
    found = _seen(at.principal)
    for name, column in (("customer_id", Adjustment.member_id), ("reason_code", Adjustment.reason_code)):
        if query[name] is not None:
            found = found.where(column == query[name])
    if query["status"]:
        found = found.where(_in_state(query["status"], at.clock.now()))
    return answer(Page.of(at.session, found, [Adjustment.id.desc()], query["limit"], query["cursor"], _row))


@blueprint.get("/adjustments/choices")
@requires("adjustments:write")
@blueprint.response(200, AdjustmentChoicesSchema)
def choices() -> Response:
    """The reasons of the pack in force, and what its limits are for the caller"""
    at = glance()
    rules: Adjustments = at.policies.in_force().rules.adjustments
    limits = {"alone": rules.alone(at.principal.roles), "director_above": rules.director_above}
    return answer({"reasons": rules.reasons, **limits, "clause": rules.clause})


@blueprint.get("/adjustments/<uuid:id>")
@requires("adjustments:read")
@blueprint.response(200, AdjustmentSchema)
def adjustment(id: UUID) -> Response:
    """One change by hand"""
    at = glance()
    return answer(_one(at.session, at.principal, id))


@blueprint.post("/adjustments/<uuid:id>/approve")
@requires("adjustments:approve", idempotency="required")
@blueprint.arguments(WordSchema)
@blueprint.response(200, AdjustmentSchema)
def agree(body: dict[str, Any], id: UUID) -> Response:
    """Agree, and book it; 403 for one's own, 409 when it was decided or the points are not there any more"""
    at = work()
    _one(at.session, at.principal, id)
    decided = approve(at.context, KINDS, at.principal, id, body["note"], None)
    at.note(str(id), points=decided.content["points"], alone=decided.alone)
    return answer(_one(at.session, at.principal, id))


@blueprint.post("/adjustments/<uuid:id>/reject")
@requires("adjustments:approve")
@blueprint.arguments(WordSchema)
@blueprint.response(200, AdjustmentSchema)
def refuse(body: dict[str, Any], id: UUID) -> Response:
    """Decline, or withdraw one's own; 409 when it was decided"""
    at = work()
    _one(at.session, at.principal, id)
    reject(at.context, KINDS, at.principal, id, body["note"])
    at.note(str(id))
    return answer(_one(at.session, at.principal, id))


def _seen(principal: Principal) -> Any:
    """Adjustments with their approvals, of the members whom the caller's units look after."""
    mine = visible(select(Member.customer_id), principal)
    joined = select(Adjustment, ApprovalRow).outerjoin(ApprovalRow, ApprovalRow.id == Adjustment.id)
    return joined.where(Adjustment.member_id.in_(mine))


def _one(session: Any, principal: Principal, id: UUID) -> dict[str, Any]:
    row = session.execute(_seen(principal).where(Adjustment.id == id)).first()
    if row is None:
        raise NotFound(f"no adjustment {id}")
    return _row(row)


def _in_state(status: str, now: Any) -> Any:
    waiting = ApprovalRow.status == "proposed"
    if status == "booked":
        return Adjustment.transaction_id.is_not(None)
    if status == "proposed":
        return waiting & (ApprovalRow.expires_at > now)
    if status == "expired":
        return or_(ApprovalRow.status == "expired", waiting & (ApprovalRow.expires_at <= now))
    return ApprovalRow.status == status


def _row(row: Any) -> dict[str, Any]:
    return _shown(row[0], row[1])


def _shown(adjustment: Adjustment, approval: ApprovalRow | None) -> dict[str, Any]:
    booked = adjustment.transaction_id is not None
    plain = (
        "id", "points", "reason_code", "note", "needs", "why", "created_by", "created_at", "transaction_id",
        "booked_at", "clause", "policyversion",
    )  # fmt: skip
    return {
        **{name: getattr(adjustment, name) for name in plain},
        "customer_id": adjustment.member_id,
        "status": "booked" if booked or approval is None else approval.state(glance().clock.now()),
        "decided_by": approval and approval.decided_by_name,
        "decided_at": approval and approval.decided_at,
        "decision_note": approval and approval.note,
        "expires_at": approval and approval.expires_at,
    }
