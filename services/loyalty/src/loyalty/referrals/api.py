"""``referrals``: who brought whom, and what came of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import Select, select

from chassis.errors import NotFound
from chassis.web import Blueprint, Page, PageArgs, Principal, Schema, answer, fields, glance, requires, work
from loyalty.members.queries import visible
from loyalty.members.tables import Member
from loyalty.referrals.domain import EARNED, REWARDED, VOID, WAITING
from loyalty.referrals.tables import Referral
from loyalty.referrals.use_cases import register_referral

blueprint = Blueprint("referrals", __name__, description="Members who bring new ones")
STATES = (WAITING, EARNED, REWARDED, VOID)


class NewReferralSchema(Schema):
    """``POST referrals``."""

    referrer = fields.Uuid(required=True, metadata={"description": "customer id of the member who brings somebody"})
    referred = fields.Uuid(required=True, metadata={"description": "customer id of the new one"})


class ReferralSchema(Schema):
    """A referral. `earned`: the purchase has come, the rewards follow at once; `void`: it was taken back."""

    id = fields.Uuid(required=True)
    referrer = fields.Uuid(required=True)
    referred = fields.Uuid(required=True)
    status = fields.Choice(*STATES, required=True)
    created_by = fields.String(required=True)
    created_at = fields.Instant(required=True)
    purchase_id = fields.String(required=True, allow_none=True)
    rewarded_at = fields.Instant(required=True, allow_none=True)
    voided_at = fields.Instant(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True, metadata={"description": "why it is void"})
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class ReferralsArgs(PageArgs):
    """Which referrals."""

    referrer = fields.Uuid(load_default=None)
    referred = fields.Uuid(load_default=None)
    status = fields.Choice(*STATES, load_default=None)


@blueprint.post("/referrals")
@requires("referrals:write")
@blueprint.arguments(NewReferralSchema)
@blueprint.response(201, ReferralSchema)
def refer(body: dict[str, Any]) -> Response:
    """Note who brought a new customer; 409 with `objection` when it does not count"""
    at = work()
    made = register_referral(at.context, at.principal, body["referrer"], body["referred"])
    at.note(str(made.id))
    return answer(_shown(made), 201, {"Location": f"/api/v1/referrals/{made.id}"})


@blueprint.get("/referrals")
@requires("referrals:read")
@blueprint.arguments(ReferralsArgs, location="query")
@blueprint.response(200, Page.schema(ReferralSchema))
def referrals(query: dict[str, Any]) -> Response:
    """Referrals of one's own units' new members, newest first"""
    at = glance()
    found = _seen(at.principal)
    for name in ("referrer", "referred", "status"):
        if query[name] is not None:
            found = found.where(getattr(Referral, name) == query[name])
    return answer(Page.of(at.session, found, [Referral.id.desc()], query["limit"], query["cursor"], _shown))


@blueprint.get("/referrals/<uuid:id>")
@requires("referrals:read")
@blueprint.response(200, ReferralSchema)
def referral(id: UUID) -> Response:
    """One referral"""
    at = glance()
    found = at.session.scalar(_seen(at.principal).where(Referral.id == id))
    if found is None:
        raise NotFound(f"no referral {id}")
    return answer(_shown(found))


def _seen(principal: Principal) -> Select[Any]:
    return select(Referral).where(Referral.referred.in_(visible(select(Member.customer_id), principal)))


def _shown(referral: Referral) -> dict[str, Any]:
    return {name: getattr(referral, name) for name in ReferralSchema().fields}
