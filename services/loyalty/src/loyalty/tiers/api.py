"""``tiers``: what the programme offers, each member's way through it, and a tier given by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis.approvals import api as approvals
from chassis.approvals.use_cases import propose
from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, glance, requires, work
from loyalty.members.queries import require_member
from loyalty.policy.rules import LoyaltyPolicy, Tier
from loyalty.tiers.granting import GRANTING, examine_grant, withdraw_grant
from loyalty.tiers.progress import progress_of
from loyalty.tiers.tables import TierChange

blueprint = Blueprint("tiers", __name__, description="Tiers and their history")


class RightSchema(Schema):
    """What a tier may ask for; `times` null: as often as they like."""

    right = fields.String(required=True)
    times = fields.Whole(required=True, allow_none=True)
    per = fields.String(required=True, allow_none=True, metadata={"examples": ["year", "month"]})
    when = fields.String(required=True, allow_none=True, metadata={"examples": ["stays on the day"]})
    clause = fields.String(required=True)


class TierSchema(Schema):
    """A tier of the pack in force."""

    tier = fields.String(required=True)
    at = fields.Points(required=True, metadata={"description": "what the measure must reach in the window"})
    bonus = fields.String(required=True, metadata={"description": "share of base points, e.g. 0.10"})
    rights = fields.List(fields.String(), required=True)
    benefits = fields.List(fields.Nested(RightSchema), required=True, metadata={"description": "rights, how often"})
    clause = fields.String(required=True)


class TiersSchema(Schema):
    """All tiers, ascending, and how they are reached and lost."""

    items = fields.List(fields.Nested(TierSchema), required=True)
    measure = fields.Choice("growth", "amount", "count", required=True)
    period = fields.Choice("rolling", "calendar year", "anniversary year", required=True)
    rises = fields.String(required=True)
    falls = fields.String(required=True)
    policyversion = fields.String(required=True)


class TierChangeSchema(Schema):
    """A step of a member's tier history."""

    id = fields.Points(required=True)
    kind = fields.Choice(
        "rise", "fall", "revoked", "granted", "beneath", required=True,
        metadata={"description": "beneath: a rise while a higher tier was granted by hand"},
    )  # fmt: skip
    tier = fields.String(required=True)
    previous = fields.String(required=True)
    since = fields.Instant(required=True)
    kept_until = fields.Instant(required=True, allow_none=True)
    growth = fields.Points(required=True)
    transaction_id = fields.Uuid(required=True, allow_none=True)
    recorded_at = fields.Instant(required=True)
    reason = fields.String(required=True, allow_none=True)
    granted_by = fields.String(required=True, allow_none=True)
    approved_by = fields.String(required=True, allow_none=True)
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
    falls_at = fields.Instant(
        required=True, allow_none=True, metadata={"description": "when the tier is lost if nothing more comes in"}
    )
    clause = fields.String(required=True, allow_none=True)
    policyversion = fields.String(required=True)


class TierGrantBody(Schema):
    """``POST members/{id}/tiers``."""

    tier = fields.Text(60, required=True)
    until = fields.Instant(required=True, metadata={"description": "a grant always ends"})
    reason = fields.Text(500, required=True)


class TierWithdrawalBody(Schema):
    """``POST members/{id}/tiers/withdraw``."""

    reason = fields.Text(500, required=True)


@blueprint.get("/tiers")
@requires("members:read")
@blueprint.response(200, TiersSchema)
def tiers() -> Response:
    """The tiers of the pack in force"""
    policy = work().policies.in_force()
    rules: LoyaltyPolicy = policy.rules
    items = [_offered(tier) for tier in rules.tiers.tiers]
    how = {name: getattr(rules.tiers, name) for name in ("measure", "period", "rises", "falls")}
    return answer({"items": items, **how, "policyversion": policy.version})


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


@blueprint.post("/members/<uuid:customer_id>/tiers")
@requires("tiers:grant")
@blueprint.arguments(TierGrantBody)
@blueprint.response(202, approvals.ApprovalSchema)
def grant(body: dict[str, Any], customer_id: UUID) -> Response:
    """Propose a higher tier until a day; a second person decides. 409 when the member has it already"""
    at = work()
    require_member(at.session, at.principal, customer_id)
    content = examine_grant(at.context, customer_id, body["tier"], body["until"], body["reason"])
    proposal = propose(at.session, at.clock, at.principal, GRANTING, content)
    at.note(str(customer_id), tier=body["tier"], approval=str(proposal.id))
    return approvals.answer(proposal)


@blueprint.post("/members/<uuid:customer_id>/tiers/withdraw")
@requires("tiers:approve")
@blueprint.arguments(TierWithdrawalBody)
@blueprint.response(200, TierChangeSchema)
def withdraw(body: dict[str, Any], customer_id: UUID) -> Response:
    """End the grant in force before its time; 409 when there is none"""
    at = work()
    require_member(at.session, at.principal, customer_id)
    revoked = withdraw_grant(at.context, customer_id, body["reason"], at.principal.username)
    at.note(str(customer_id), grant=revoked.revokes)
    return answer(_shown(revoked))


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


def _offered(tier: Tier) -> dict[str, Any]:
    benefits = [
        {
            "right": right.name,
            "times": right.times,
            "per": right.per,
            "when": right.when.phrase if right.when else None,
            "clause": right.clause,
        }
        for right in tier.benefits
    ]
    return {
        "tier": tier.name,
        "at": tier.at,
        "bonus": str(tier.bonus),
        "rights": list(tier.rights),
        "benefits": benefits,
        "clause": tier.clause,
    }


def _shown(change: TierChange) -> dict[str, Any]:
    names = (
        "id", "kind", "tier", "previous", "since", "kept_until", "growth", "transaction_id", "recorded_at", "reason",
        "granted_by", "approved_by", "clause", "policyversion",
    )  # fmt: skip
    return {name: getattr(change, name) for name in names}
