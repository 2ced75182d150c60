"""``redemptions``: exchange points for a reward, look at what was exchanged, cancel it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis.people.sight import sees_all
from chassis.web import Blueprint, Page, Work, answer, glance, requires, work
from loyalty.members.queries import visible
from loyalty.members.tables import Member
from loyalty.redemption import cancelling
from loyalty.redemption.redeeming import Claim, redeem
from loyalty.redemption.schemas import CancellingSchema, RedeemingSchema, RedemptionsArgs, RedemptionSchema
from loyalty.redemption.spending import selves
from loyalty.redemption.tables import Redemption
from loyalty.rewards.tables import Reward
from loyalty.vouchers.domain import state
from loyalty.vouchers.use_cases import of_redemptions

blueprint = Blueprint("redemptions", __name__, description="Points given for rewards")


@blueprint.post("/redemptions")
@requires("redemptions:write", idempotency="required")
@blueprint.arguments(RedeemingSchema)
@blueprint.response(201, RedemptionSchema)
def claim(body: dict[str, Any]) -> Response:
    """Exchange points for a reward; 404 for an unknown customer, 409 says what stands in the way"""
    at = work()
    redemption = redeem(at.context, Claim(**body, by=at.principal.username))
    at.note(str(redemption.id), reward=redemption.reward, points=redemption.points)
    return answer(_shown(at, [redemption])[0], 201, {"Location": f"/api/v1/redemptions/{redemption.id}"})


@blueprint.get("/redemptions")
@requires("redemptions:read")
@blueprint.arguments(RedemptionsArgs, location="query")
@blueprint.response(200, Page.schema(RedemptionSchema))
def redemptions(query: dict[str, Any]) -> Response:
    """What members of one's own units gave their points for, newest first"""
    at = glance()
    found = select(Redemption)
    if not sees_all(at.principal):
        found = found.where(Redemption.member_id.in_(visible(select(Member.customer_id), at.principal)))
    if query["customer_id"]:
        found = found.where(Redemption.member_id.in_(selves(query["customer_id"])))
    if query["reward"]:
        coded = select(Reward.id).where(Reward.code == query["reward"])
        found = found.where(Redemption.reward_id == coded.scalar_subquery())
    if query["status"]:
        found = found.where(Redemption.status == query["status"])
    page = Page.of(at.session, found, [Redemption.id.desc()], query["limit"], query["cursor"])
    return answer({**page, "items": _shown(at, page["items"])})


@blueprint.get("/redemptions/<uuid:id>")
@requires("redemptions:read")
@blueprint.response(200, RedemptionSchema)
def redemption(id: UUID) -> Response:
    """One redemption, of a member of one's own units or made by oneself"""
    at = glance()
    return answer(_shown(at, [cancelling.the_redemption(at.session, at.principal, id)])[0])


@blueprint.post("/redemptions/<uuid:id>/cancel")
@requires("redemptions:cancel", idempotency="required")
@blueprint.arguments(CancellingSchema)
@blueprint.response(200, RedemptionSchema)
def cancel(body: dict[str, Any], id: UUID) -> Response:
    """Give the points back to their lots; 409 when it is cancelled, too late, or a voucher of it is used or expired"""
    at = work()
    found = cancelling.the_redemption(at.session, at.principal, id)
    cancelled = cancelling.cancel(at.context, found, body["reason"], at.principal.username)
    at.note(str(id), points=cancelled.points)
    return answer(_shown(at, [cancelled])[0])


def _shown(at: Work, redemptions: list[Redemption]) -> list[dict[str, Any]]:
    now = at.clock.now()
    vouchers = of_redemptions(at.session, [one.id for one in redemptions if one.reward_id is not None])
    return [
        {
            "id": one.id,
            "customer_id": one.member_id,
            "reward": one.reward,
            "name": one.name,
            "kind": one.kind,
            "quantity": one.quantity,
            "points": one.points,
            "amount": one.amount,
            "currency": one.currency,
            "status": one.status,
            "vouchers": [
                {
                    "code": voucher.code,
                    "status": state(voucher.status, voucher.valid_until, now),
                    "valid_until": voucher.valid_until,
                    "used_at": voucher.used_at,
                }
                for voucher in vouchers.get(one.id, ())
            ],
            "hold_id": one.hold_id,
            "transaction_id": one.transaction_id,
            "reference": one.reference,
            "created_at": one.created_at,
            "created_by": one.created_by,
            "cancelled_at": one.cancelled_at,
            "cancelled_by": one.cancelled_by,
            "reason": one.cancelled_because,
            "clause": one.clause,
            "policyversion": one.policyversion,
        }
        for one in redemptions
    ]
