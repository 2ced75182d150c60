"""Put rewards on offer, change their terms, count their stock (CG-22)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7
from chassis.runtime import Context
from chassis.web import etag
from loyalty.policy.rules import LoyaltyPolicy, TierRules
from loyalty.rewards.domain import GIFT, contradictions
from loyalty.rewards.tables import Reward


def offer_reward(context: Context, terms: Mapping[str, Any], by: str) -> Reward:
    """Add a reward to the catalogue.

    Raises Conflict for a code that is taken, Invalid for terms that do not go together.
    """
    session, now = context.session, context.clock.now()
    if session.scalar(select(Reward.id).where(Reward.code == terms["code"])) is not None:
        raise Conflict(f"there is a reward {terms['code']} already: change that one, or choose another code")
    given = {**terms, "valid_from": terms["valid_from"] or now}
    reward = Reward(id=uuid7(now), version=1, taken=0, created_at=now, created_by=by, **given)
    _check(reward, context.policies.in_force().rules)
    session.add(reward)
    session.flush()
    return reward


def change_reward(context: Context, reward_id: uuid.UUID, changes: Mapping[str, Any]) -> Reward:
    """Change what is offered from now on; what was redeemed stays as it was.

    Raises NotFound, the ETag's refusals, Invalid for terms that do not go together, Conflict for a stock below what
    was claimed or of a reward that has none.
    """
    reward = the_reward(context.session, reward_id, lock=True)
    etag.require_match(reward.version)
    if "stock" in changes:
        if reward.stock is None:
            raise Conflict(f"{reward.code} is not counted: offer another reward that is")
        if changes["stock"] < reward.taken:
            raise Conflict(
                f"{reward.taken} of {reward.code} are claimed already: give at least as many", taken=reward.taken
            )
    for name, value in changes.items():
        setattr(reward, name, value)
    with context.session.no_autoflush:  # a refusal must not meet the database's own first
        _check(reward, context.policies.in_force().rules)
    reward.version += 1
    context.session.flush()
    return reward


def the_reward(session: Session, reward_id: uuid.UUID, *, lock: bool = False) -> Reward:
    """A reward; ``lock``: to change it. Raises NotFound."""
    reward = session.get(Reward, reward_id, with_for_update=lock or None)
    if reward is None:
        raise NotFound(f"no reward {reward_id}")
    return reward


def reward_coded(session: Session, code: str) -> Reward:
    """The reward of that code; one with a stock is locked, so that its last piece is promised once.

    The member's account is locked before: accounts, then rewards. Raises Invalid.
    """
    reward = session.scalar(select(Reward).where(Reward.code == code))
    if reward is None:
        raise Invalid("no such reward", {"reward": [f"there is no reward {code}: GET rewards lists them"]})
    if reward.stock is not None:
        session.refresh(reward, with_for_update=True)
    return reward


def take_back(session: Session, reward_id: uuid.UUID, quantity: int) -> None:
    """What a member gives back can be had again."""
    reward = the_reward(session, reward_id, lock=True)
    if reward.stock is not None:
        reward.taken -= quantity


def _check(reward: Reward, rules: LoyaltyPolicy) -> None:
    wrong = contradictions(
        reward.kind, reward.points, reward.stock, reward.usable_for_days, reward.valid_from, reward.valid_until
    )
    cap, worth = rules.catalogue.gift_up_to, rules.redemption.money(reward.points)
    if reward.kind == GIFT and cap is not None and worth > cap:
        wrong["points"] = [
            f"the gift would be worth {worth:.2f} {rules.company.currency}, the pack allows {cap} a piece "
            f"({rules.catalogue.clause})"
        ]
    if unknown := _unknown(reward.tiers, rules.tiers):
        known = ", ".join(tier.name for tier in rules.tiers.tiers)
        wrong["tiers"] = [f"the pack has no tier {', '.join(unknown)}: choose among {known}"]
    if wrong:
        raise Invalid("the terms of the reward do not go together", wrong)


def _unknown(tiers: Sequence[str], rules: TierRules) -> list[str]:
    known = {tier.name for tier in rules.tiers}
    return [tier for tier in tiers if tier not in known]
