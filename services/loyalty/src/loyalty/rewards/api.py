"""``rewards``: the catalogue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import func, or_, select

from chassis.web import Blueprint, Page, Work, answer, etag, glance, requires, work
from loyalty.rewards import use_cases
from loyalty.rewards.domain import DISCOUNT
from loyalty.rewards.schemas import NewRewardSchema, RewardChangesSchema, RewardsArgs, RewardSchema
from loyalty.rewards.tables import Reward

blueprint = Blueprint("rewards", __name__, description="What points are exchanged for")


@blueprint.post("/rewards")
@requires("rewards:write")
@blueprint.arguments(NewRewardSchema)
@blueprint.response(201, RewardSchema)
def offer(body: dict[str, Any]) -> Response:
    """Add a reward to the catalogue; 409 for a code that is taken"""
    at = work()
    reward = use_cases.offer_reward(at.context, body, at.principal.username)
    at.note(str(reward.id), code=reward.code, points=reward.points)
    etag.tag(reward.version)
    return answer(_shown(at, reward), 201, {"Location": f"/api/v1/rewards/{reward.id}"})


@blueprint.get("/rewards")
@requires("rewards:read")
@blueprint.arguments(RewardsArgs, location="query")
@blueprint.response(200, Page.schema(RewardSchema))
def rewards(query: dict[str, Any]) -> Response:
    """The catalogue, newest first"""
    at = glance()
    found = select(Reward)
    if query["kind"]:
        found = found.where(Reward.kind == query["kind"])
    if query["tier"]:
        found = found.where(or_(func.jsonb_array_length(Reward.tiers) == 0, Reward.tiers.contains([query["tier"]])))
    if query["on_offer"] is not None:
        now = at.clock.now()
        offered = (
            (Reward.valid_from <= now)
            & (Reward.valid_until.is_(None) | (Reward.valid_until > now))
            & (Reward.stock.is_(None) | (Reward.taken < Reward.stock))
        )
        found = found.where(offered if query["on_offer"] else ~offered)
    order = [Reward.id.desc()]
    return answer(Page.of(at.session, found, order, query["limit"], query["cursor"], lambda one: _shown(at, one)))


@blueprint.get("/rewards/<uuid:id>")
@requires("rewards:read")
@blueprint.response(200, RewardSchema)
def reward(id: UUID) -> Response:
    """One reward"""
    at = glance()
    found = use_cases.the_reward(at.session, id)
    etag.tag(found.version)
    return answer(_shown(at, found))


@blueprint.patch("/rewards/<uuid:id>")
@requires("rewards:write", if_match=True)
@blueprint.arguments(RewardChangesSchema)
@blueprint.response(200, RewardSchema)
def change(body: dict[str, Any], id: UUID) -> Response:
    """Change what is offered from now on; 409 for a stock below what was claimed"""
    at = work()
    found = use_cases.change_reward(at.context, id, body)
    at.note(str(id), changed=sorted(body))
    etag.tag(found.version)
    return answer(_shown(at, found))


def _shown(at: Work, reward: Reward) -> dict[str, Any]:
    policy, now = at.policies.in_force(), at.clock.now()
    left = reward.left
    return {
        "id": reward.id,
        "code": reward.code,
        "kind": reward.kind,
        "name": reward.name,
        "description": reward.description,
        "points": reward.points,
        "amount": policy.rules.redemption.off_the_bill(reward.points) if reward.kind == DISCOUNT else None,
        "currency": policy.company.currency,
        "tiers": reward.tiers,
        "per_member": reward.per_member,
        "stock": reward.stock,
        "left": left,
        "usable_for_days": reward.usable_for_days,
        "valid_from": reward.valid_from,
        "valid_until": reward.valid_until,
        "on_offer": reward.valid_from <= now and (reward.valid_until is None or now < reward.valid_until) and left != 0,
        "created_at": reward.created_at,
    }
