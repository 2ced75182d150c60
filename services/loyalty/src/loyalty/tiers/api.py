"""``tiers``: what the programme offers, and each member's way through it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, glance, requires, work
from loyalty.members.queries import require_member
from loyalty.policy.rules import LoyaltyPolicy
from loyalty.tiers.tables import TierChange
from loyalty.tiers.use_cases import progress_of

blueprint = Blueprint("tiers", __name__, description="Tiers and their history")


class TierSchema(Schema):
    """A tier of the pack in force."""

    tier = fields.String(required=True)
    at = fields.Points(required=True, metadata={"description": "growth value in the window from which it is held"})
    bonus = fields.String(required=True, metadata={"description": "share of base points, e.g. 0.10"})
    rights = fields.List(fields.String(), required=True)
    clause = fields.String(required=True)


class TiersSchema(Schema):
    """All tiers, ascending."""

    items = fields.List(fields.Nested(TierSchema), required=True)
    policyversion = fields.String(required=True)


class TierChangeSchema(Schema):
    """A step of a member's tier history."""

    kind = fields.Choice("rise", "fall", "revoked", required=True)
    tier = fields.String(required=True)
    previous = fields.String(required=True)
    since = fields.Instant(required=True)
    kept_until = fields.Instant(required=True, allow_none=True)
    growth = fields.Points(required=True)
    transaction_id = fields.Uuid(required=True, allow_none=True)
    recorded_at = fields.Instant(required=True)
    clause = fields.String(required=True, allow_none=True)
    policyversion = fields.String(required=True, allow_none=True)


class NextTierSchema(Schema):
    """The tier above, and what is missing to it."""

    tier = fields.String(required=True)
    at = fields.Points(required=True)
    missing = fields.Points(required=True)


class ProgressSchema(Schema):
    """Where a member stands on the way up."""

    tier = fields.String(required=True)
    growth = fields.Points(required=True, metadata={"description": "growth value in the window"})
    window_from = fields.Instant(required=True)
    next = fields.Nested(NextTierSchema, required=True, allow_none=True)
    clause = fields.String(required=True, allow_none=True)
    policyversion = fields.String(required=True)


@blueprint.get("/tiers")
@requires("members:read")
@blueprint.response(200, TiersSchema)
def tiers() -> Response:
    """The tiers of the pack in force"""
    policy = work().policies.in_force()
    rules: LoyaltyPolicy = policy.rules
    items = [
        {"tier": tier.name, "at": tier.at, "bonus": str(tier.bonus), "rights": list(tier.rights), "clause": tier.clause}
        for tier in rules.tiers.tiers
    ]
    return answer({"items": items, "policyversion": policy.version})


@blueprint.get("/members/<uuid:customer_id>/tiers")
@requires("members:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(TierChangeSchema))
def history(query: dict[str, Any], customer_id: UUID) -> Response:
    """How the member's tier came about, newest first"""
    at = glance()
    require_member(at.session, at.principal, customer_id)
    found = select(TierChange).where(TierChange.member_id == customer_id)
    order = [TierChange.since.desc(), TierChange.id.desc()]
    return answer(Page.of(at.session, found, order, query["limit"], query["cursor"], _shown))


@blueprint.get("/members/<uuid:customer_id>/progress")
@requires("members:read")
@blueprint.response(200, ProgressSchema)
def progress(customer_id: UUID) -> Response:
    """What the member's growth in the window reaches, and what is missing to the next tier"""
    at = glance()
    require_member(at.session, at.principal, customer_id)
    policy = at.policies.in_force()
    found = progress_of(at.session, str(customer_id), policy, at.clock.now())
    return answer({**found, "policyversion": policy.version})


def _shown(change: TierChange) -> dict[str, Any]:
    names = (
        "kind", "tier", "previous", "since", "kept_until", "growth", "transaction_id", "recorded_at", "clause",
        "policyversion",
    )  # fmt: skip
    return {name: getattr(change, name) for name in names}
