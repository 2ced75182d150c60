"""``members/{id}/benefits``: what the member's tier may ask for, and one use of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from chassis.web import Blueprint, Schema, answer, fields, glance, requires, work
from loyalty.members.queries import require_member
from loyalty.tiers.benefits import Asked, benefits_of, shown, use_benefit

blueprint = Blueprint("benefits", __name__, description="Rights of a tier, and how often they were used")


class BenefitSchema(Schema):
    """A right of the present tier."""

    right = fields.String(required=True)
    times = fields.Whole(required=True, allow_none=True, metadata={"description": "null: as often as they like"})
    per = fields.String(required=True, allow_none=True, metadata={"examples": ["year", "month"]})
    when = fields.String(required=True, allow_none=True, metadata={"examples": ["stays on the day"]})
    used = fields.Whole(required=True)
    left = fields.Whole(required=True, allow_none=True)
    renewed_at = fields.Instant(required=True, allow_none=True)
    clause = fields.String(required=True)


class BenefitsSchema(Schema):
    """All rights of the present tier."""

    tier = fields.String(required=True)
    items = fields.List(fields.Nested(BenefitSchema), required=True)
    policyversion = fields.String(required=True)


class BenefitUseBody(Schema):
    """``POST members/{id}/benefits``."""

    right = fields.Text(60, required=True)
    reference = fields.Text(
        200, load_default=None, metadata={"description": "the caller's own number, e.g. of the stay"}
    )
    stay_from = fields.Day(load_default=None, metadata={"description": "where the right asks for a stay"})
    stay_until = fields.Day(load_default=None)


class BenefitUseSchema(Schema):
    """One use, and what is left of the right."""

    id = fields.Uuid(required=True)
    customer_id = fields.Uuid(required=True)
    tier = fields.String(required=True)
    used_at = fields.Instant(required=True)
    used_by = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True)
    benefit = fields.Nested(BenefitSchema, required=True)
    policyversion = fields.String(required=True)


@blueprint.get("/members/<uuid:customer_id>/benefits")
@requires("members:read")
@blueprint.response(200, BenefitsSchema)
def benefits(customer_id: UUID) -> Response:
    """The rights of the member's present tier, with what is left of them"""
    at = glance()
    require_member(at.session, at.principal, customer_id)
    return answer(benefits_of(at.session, customer_id, at.policies.in_force(), at.clock.now()))


@blueprint.post("/members/<uuid:customer_id>/benefits")
@requires("benefits:use", idempotency="required")
@blueprint.arguments(BenefitUseBody)
@blueprint.response(201, BenefitUseSchema)
def use(body: dict[str, Any], customer_id: UUID) -> Response:
    """Use a right once, in any shop; 409 when it is used up or the tier has none, 404 for an unknown customer"""
    at = work()
    made, right, used = use_benefit(at.context, customer_id, Asked(**body), at.principal.username)
    at.note(str(customer_id), right=right.name, used=used)
    told = {
        "id": made.id,
        "customer_id": made.member_id,
        "tier": made.tier,
        "used_at": made.used_at,
        "used_by": made.used_by,
        "reference": made.reference,
        "benefit": shown(right, used, at.clock.now(), at.policies.in_force()),
        "policyversion": made.policyversion,
    }
    return answer(told, 201)
