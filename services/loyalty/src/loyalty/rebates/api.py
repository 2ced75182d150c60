"""``members/{id}/rebates`` and ``loyalty-reports/rebates``: what was settled, and what the running period comes to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis.errors import NotFound
from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, glance, requires
from loyalty.members.queries import require_member, visible
from loyalty.members.schemas import StepSchema
from loyalty.members.tables import Member
from loyalty.rebates.tables import Rebate
from loyalty.rebates.use_cases import current_rebate

blueprint = Blueprint("rebates", __name__, description="What dealers are given back of what they bought")


class RebateSchema(Schema):
    """One dealer's period, settled."""

    customer_id = fields.Uuid(required=True)
    period = fields.String(required=True, metadata={"examples": ["2026-Q4"]})
    from_ = fields.Instant(required=True, data_key="from")
    until = fields.Instant(required=True, metadata={"description": "the first instant after it"})
    level = fields.String(required=True)
    bought = fields.Points(required=True, metadata={"description": "net of what was brought back, in `unit`"})
    unit = fields.String(required=True, metadata={"examples": ["CNY"]})
    points = fields.Points(required=True, metadata={"description": "0: less was bought than the first bracket asks"})
    breakdown = fields.List(fields.Nested(StepSchema), required=True)
    transaction_id = fields.Uuid(required=True, allow_none=True)
    settled_at = fields.Instant(required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class NextBracketSchema(Schema):
    """The bracket above, and what is missing to it."""

    at = fields.Points(required=True)
    missing = fields.Points(required=True)


class CurrentRebateSchema(Schema):
    """What the running period would come to if it ended now."""

    period = fields.String(required=True)
    from_ = fields.Instant(required=True, data_key="from")
    until = fields.Instant(required=True)
    paid_from = fields.Instant(required=True, metadata={"description": "when it is settled at the earliest"})
    level = fields.String(required=True, allow_none=True, metadata={"description": "null: no dealer of any level"})
    bought = fields.Points(required=True)
    unit = fields.String(required=True)
    points = fields.Points(required=True)
    next = fields.Nested(NextBracketSchema, required=True, allow_none=True)
    breakdown = fields.List(fields.Nested(StepSchema), required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class RebatesArgs(PageArgs):
    """Which rebates."""

    period = fields.Text(7, load_default=None, metadata={"examples": ["2026-Q4"]})
    level = fields.Text(60, load_default=None)


@blueprint.get("/members/<uuid:customer_id>/rebates")
@requires("members:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(RebateSchema))
def rebates(query: dict[str, Any], customer_id: UUID) -> Response:
    """The periods of one dealer, the newest first by their name"""
    at = glance()
    require_member(at.session, at.principal, customer_id)
    found = select(Rebate).where(Rebate.member_id == customer_id)
    return answer(Page.of(at.session, found, [Rebate.period.desc()], query["limit"], query["cursor"], _shown))


@blueprint.get("/members/<uuid:customer_id>/rebates/current")
@requires("members:read")
@blueprint.response(200, CurrentRebateSchema)
def current(customer_id: UUID) -> Response:
    """What the running period would come to, explained, without effect; 404 under a pack that gives no rebates"""
    at = glance()
    require_member(at.session, at.principal, customer_id)
    policy = at.policies.in_force()
    if policy.rules.rebates is None:
        raise NotFound("the policy pack gives no rebates")
    found = current_rebate(at.session, customer_id, policy)
    return answer({**found, "from_": found.pop("from")})


@blueprint.get("/loyalty-reports/rebates")
@requires("loyalty-reports:read")
@blueprint.arguments(RebatesArgs, location="query")
@blueprint.response(200, Page.schema(RebateSchema))
def settled(query: dict[str, Any]) -> Response:
    """Who was given what, period by period"""
    at = glance()
    found = select(Rebate).where(Rebate.member_id.in_(visible(select(Member.customer_id), at.principal)))
    for name in ("period", "level"):
        if query[name] is not None:
            found = found.where(getattr(Rebate, name) == query[name])
    order = [Rebate.period.desc(), Rebate.member_id.desc()]
    return answer(Page.of(at.session, found, order, query["limit"], query["cursor"], _shown))


def _shown(rebate: Rebate) -> dict[str, Any]:
    names = (
        "period", "until", "level", "bought", "unit", "points", "breakdown", "transaction_id", "settled_at", "clause",
        "policyversion",
    )  # fmt: skip
    shown = {name: getattr(rebate, name) for name in names}
    return {**shown, "customer_id": rebate.member_id, "from_": rebate.since}
