"""``holds``: set points aside, capture all or part of them, release them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, glance, requires, work
from loyalty.members.queries import visible
from loyalty.members.tables import Member
from loyalty.redemption import use_cases
from loyalty.redemption.tables import Hold

blueprint = Blueprint("holds", __name__, description="Points set aside for a redemption that is not final yet")
LONGEST = 7 * 86_400  # seconds a caller may hold points


class HoldingSchema(Schema):
    """``POST holds``."""

    customer_id = fields.Uuid(required=True)
    points = fields.Points(min=1, required=True)
    expires_in = fields.Whole(
        min=1, max=LONGEST, load_default=None, metadata={"description": "seconds; default: the pack's `hold_for`"}
    )
    reference = fields.Text(
        200, load_default=None, metadata={"description": "the caller's own number, e.g. of the sale"}
    )


class CaptureSchema(Schema):
    """``POST holds/{id}/capture``."""

    points = fields.Points(min=1, load_default=None, metadata={"description": "default: all; what is left goes back"})


class ReleaseSchema(Schema):
    """``POST holds/{id}/release``: nothing to say."""


class WorthSchema(Schema):
    """What points are worth at the till now."""

    amount = fields.Money(required=True)
    currency = fields.String(required=True)


class HoldSchema(Schema):
    """A hold."""

    id = fields.Uuid(required=True)
    customer_id = fields.Uuid(required=True)
    status = fields.Choice("open", "captured", "released", "timed_out", required=True)
    points = fields.Points(required=True)
    captured = fields.Points(required=True)
    worth = fields.Nested(WorthSchema, required=True)
    reference = fields.String(required=True, allow_none=True)
    created_at = fields.Instant(required=True)
    expires_at = fields.Instant(required=True)
    resolved_at = fields.Instant(required=True, allow_none=True)
    redemption_id = fields.Uuid(
        required=True, allow_none=True, metadata={"description": "what it was captured for: to be cancelled as such"}
    )


class HoldsArgs(PageArgs):
    """Whose holds, and in which state."""

    customer_id = fields.Uuid(required=True)
    status = fields.Choice("open", "captured", "released", "timed_out", load_default=None)


@blueprint.post("/holds")
@requires("holds:write", idempotency="required")
@blueprint.arguments(HoldingSchema)
@blueprint.response(201, HoldSchema)
def set_aside(body: dict[str, Any]) -> Response:
    """Set points aside; 409 when fewer are available, 404 for an unknown customer"""
    at = work()
    expires_at = at.clock.now() + timedelta(seconds=body["expires_in"]) if body["expires_in"] else None
    hold = use_cases.set_aside(
        at.context, body["customer_id"], body["points"], expires_at, body["reference"], at.principal.username
    )
    at.note(str(hold.id), points=hold.points)
    return answer(_shown(hold), 201, {"Location": f"/api/v1/holds/{hold.id}"})


@blueprint.get("/holds")
@requires("holds:read")
@blueprint.arguments(HoldsArgs, location="query")
@blueprint.response(200, Page.schema(HoldSchema))
def holds(query: dict[str, Any]) -> Response:
    """A member's holds, newest first"""
    at = glance()
    mine = visible(select(Member.customer_id), at.principal)
    found = select(Hold).where(Hold.member_id == query["customer_id"], Hold.member_id.in_(mine))
    if query["status"]:
        found = found.where(Hold.status == query["status"])
    return answer(Page.of(at.session, found, [Hold.id.desc()], query["limit"], query["cursor"], _shown))


@blueprint.get("/holds/<uuid:id>")
@requires("holds:read")
@blueprint.response(200, HoldSchema)
def hold(id: UUID) -> Response:
    """One hold"""
    return answer(_shown(use_cases.the_hold(glance().session, id)))


@blueprint.post("/holds/<uuid:id>/capture")
@requires("holds:write", idempotency="required")
@blueprint.arguments(CaptureSchema)
@blueprint.response(200, HoldSchema)
def capture(body: dict[str, Any], id: UUID) -> Response:
    """Take the points, all or part; 409 when the hold is resolved or its time is over"""
    at = work()
    captured = use_cases.capture(at.context, id, body["points"], at.principal.username)
    at.note(str(id), captured=captured.captured)
    return answer(_shown(captured))


@blueprint.post("/holds/<uuid:id>/release")
@requires("holds:write", idempotency="required")
@blueprint.arguments(ReleaseSchema)
@blueprint.response(200, HoldSchema)
def release(body: dict[str, Any], id: UUID) -> Response:
    """Give the points back; 409 when the hold is resolved"""
    at = work()
    at.note(str(id))
    return answer(_shown(use_cases.release(at.context, id)))


def _shown(hold: Hold) -> dict[str, Any]:
    policy = glance().policies.in_force()
    return {
        "id": hold.id,
        "customer_id": hold.member_id,
        "status": hold.status,
        "points": hold.points,
        "captured": hold.captured,
        "worth": {"amount": policy.rules.redemption.money(hold.points), "currency": policy.company.currency},
        "reference": hold.reference,
        "created_at": hold.created_at,
        "expires_at": hold.expires_at,
        "resolved_at": hold.resolved_at,
        "redemption_id": hold.redemption_id,
    }
