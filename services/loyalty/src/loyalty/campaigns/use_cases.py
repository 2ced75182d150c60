"""Draft a campaign, have a second person start it, stop it (BK-04, BK-05).

What was promised stays promised: a campaign that was started is not changed any more, only stopped, and purchases from
before its stop keep what it promised them, however late they are told.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.approvals.registry import Approval
from chassis.approvals.use_cases import ApprovalRow, content_hash
from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7
from chassis.policies.book import Policy
from chassis.runtime import Context
from chassis.web.fields import instant, plain
from loyalty.campaigns.listing import count_listed, list_members
from loyalty.campaigns.tables import CampaignRow
from loyalty.policy.campaigns import CampaignRules
from loyalty.policy.rules import LoyaltyPolicy

DRAFT, STARTED, STOPPED = "draft", "started", "stopped"
START = "campaign"  # kind of the approval
_MOST_HELD_OUT = Decimal("0.5")
_PROMISED = ("starts_at", "ends_at", "multiplier", "bonus", "conditions", "control_group")


def draft_campaign(context: Context, command: Mapping[str, Any], by: str) -> CampaignRow:
    """Write a campaign down. It gives nothing before somebody else has agreed to it.

    Raises Invalid for what goes beyond the pack's bounds, Conflict for a taken code or a pack without campaigns.
    """
    session, policy, now = context.session, context.policies.in_force(), context.clock.now()
    rules = _bounds(policy)
    facts = {
        **command,
        "conditions": command["conditions"] or {},
        "control_group": rules.control_group if command["control_group"] is None else command["control_group"],
        "clause": command["clause"] or rules.clause,
    }
    _check(facts, policy)
    row = {**facts, "id": uuid7(now), "status": DRAFT, "granted": 0, "version": 1, "created_by": by, "created_at": now}
    row |= {"conditions": _stored(facts["conditions"]), "policyversion": policy.version}
    made = insert(CampaignRow).values(row).on_conflict_do_nothing(constraint="uq_campaign_code")
    id_ = session.scalar(made.returning(CampaignRow.id))
    if id_ is None:
        raise Conflict(f"there is a campaign {command['code']} already: give this one another code")
    return session.get_one(CampaignRow, id_)


def change_campaign(context: Context, campaign: CampaignRow, changes: Mapping[str, Any]) -> None:
    """Change a draft that is locked. Raises Conflict once it was started, Invalid as ``draft_campaign``."""
    if campaign.status != DRAFT:
        raise Conflict("it was started: what is promised stays promised. Stop it and draft another one")
    policy = context.policies.in_force()
    _check({**{name: getattr(campaign, name) for name in _PROMISED}, **changes}, policy)
    for name, value in changes.items():
        setattr(campaign, name, _stored(value) if name == "conditions" else value)
    campaign.policyversion = policy.version
    campaign.version += 1
    context.session.flush()


def starting(context: Context, campaign: CampaignRow) -> dict[str, Any]:
    """What is proposed when somebody asks to start a campaign: all of it, and how many members it is for.

    Raises Conflict when it was started already or its time is over.
    """
    _refuse_start(context, campaign)
    promise = f"bonus of {campaign.bonus}" if campaign.multiplier is None else f"base x {plain(campaign.multiplier, 0)}"
    return {
        "campaign": str(campaign.id), "code": campaign.code, "name": campaign.name, "version": campaign.version,
        "promise": promise, "from": instant(campaign.starts_at), "until": instant(campaign.ends_at),
        "conditions": campaign.conditions, "control_group": plain(campaign.control_group, 0), "times": campaign.times,
        "budget": campaign.budget, "members": count_listed(context.session, campaign),
    }  # fmt: skip


def start_campaign(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """The second person agreed: it applies to what is bought from now on, or from its start where that lies ahead.

    Where it holds out a control group, the name list is made now: every member of its segment, each in one arm.
    Raises Conflict when the draft was changed since it was proposed.
    """
    session, now = context.session, context.clock.now()
    campaign = locked(session, uuid.UUID(content["campaign"]))
    _refuse_start(context, campaign)
    if campaign.version != content["version"]:
        raise Conflict("the draft was changed since it was proposed: propose it again")
    campaign.status = STARTED
    campaign.runs_from, campaign.runs_until = max(campaign.starts_at, now), campaign.ends_at
    campaign.started_by = _approver(session, content)
    campaign.version += 1
    session.flush()
    listed = list_members(session, campaign) if campaign.control_group else {}
    return {"campaign": content["campaign"], "runs_from": instant(campaign.runs_from), "listed": listed}


def stop_campaign(context: Context, campaign_id: uuid.UUID, reason: str, by: str) -> CampaignRow:
    """End a campaign before its time. Raises Conflict when it does not run."""
    campaign, now = locked(context.session, campaign_id), context.clock.now()
    if campaign.status != STARTED or campaign.runs_from is None or campaign.runs_until is None:
        raise Conflict(f"it does not run, it is {state(campaign, now)}", state=state(campaign, now))
    if campaign.runs_until <= now:
        raise Conflict(f"it ended by itself at {instant(campaign.runs_until)}", state="ended")
    campaign.status, campaign.stopped_by, campaign.stopped_because = STOPPED, by, reason
    campaign.runs_until = max(campaign.runs_from, now)
    campaign.version += 1
    return campaign


def locked(session: Session, campaign_id: uuid.UUID) -> CampaignRow:
    """The campaign, locked until the transaction ends. Raises NotFound."""
    campaign = session.get(CampaignRow, campaign_id, with_for_update=True)
    if campaign is None:
        raise NotFound(f"no campaign {campaign_id}")
    return campaign


def state(campaign: CampaignRow, now: Any) -> str:
    """What people call its state at an instant."""
    if campaign.status != STARTED or campaign.runs_from is None or campaign.runs_until is None:
        return campaign.status
    return "scheduled" if now < campaign.runs_from else "running" if now < campaign.runs_until else "ended"


def _refuse_start(context: Context, campaign: CampaignRow) -> None:
    now = context.clock.now()
    if campaign.status != DRAFT:
        raise Conflict(f"it is {state(campaign, now)} already", state=state(campaign, now))
    if campaign.ends_at <= now:
        raise Conflict("its time is over: give the draft another one", state=DRAFT)
    try:
        _check({name: getattr(campaign, name) for name in _PROMISED}, context.policies.in_force())
    except Invalid as beyond:  # drafted under another version of the pack
        raise Conflict(
            "the policy pack in force does not allow it any more", state=DRAFT, wrong=beyond.errors
        ) from None


def _bounds(policy: Policy) -> CampaignRules:
    rules: LoyaltyPolicy = policy.rules
    if rules.campaigns is None:
        raise Conflict("the policy pack in force has no campaigns: add the section `campaigns` to loyalty.yaml")
    return rules.campaigns


def _check(facts: Mapping[str, Any], policy: Policy) -> None:
    """Everything that is wrong with a campaign under a pack, at once."""
    rules, wrong = _bounds(policy), {}
    if facts["ends_at"] <= facts["starts_at"]:
        wrong["until"] = ["must lie after `from`"]
    multiplier, bonus = facts["multiplier"], facts["bonus"]
    if (multiplier is None) == (bonus is None):
        wrong["multiplier"] = ["give a multiplier or a bonus, one of them"]
    elif multiplier is not None and not 1 < multiplier <= rules.multiplier_up_to:
        wrong["multiplier"] = [f"above 1 and at most {rules.multiplier_up_to}, says the policy pack ({rules.clause})"]
    elif bonus is not None and bonus > rules.bonus_up_to:
        wrong["bonus"] = [f"at most {rules.bonus_up_to} points, says the policy pack ({rules.clause})"]
    if facts["control_group"] > _MOST_HELD_OUT:
        wrong["control_group"] = [f"at most {_MOST_HELD_OUT}"]
    known = {tier.name for tier in policy.rules.tiers.tiers}
    asked = ((facts["conditions"] or {}).get("segment") or {}).get("tiers") or ()
    if unknown := sorted(set(asked) - known):
        wrong["conditions.segment.tiers"] = [f"no tier of the policy pack: {', '.join(unknown)}"]
    if wrong:
        raise Invalid("The campaign cannot be", wrong)


def _stored(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON, without what does not matter."""
    kept = {name: value for name, value in conditions.items() if value}
    if "least_total" in kept:
        kept["least_total"] = str(kept["least_total"])
    if hour := kept.get("happy_hour"):
        kept["happy_hour"] = {"from" if name == "since" else name: value for name, value in hour.items() if value}
    return kept


def _approver(session: Session, content: dict[str, Any]) -> str | None:
    mine = select(ApprovalRow.decided_by_name).where(
        ApprovalRow.kind == START, ApprovalRow.content_hash == content_hash(content), ApprovalRow.status == "approved"
    )
    return session.scalar(mine.order_by(ApprovalRow.id.desc()).limit(1))


STARTING = Approval(
    kind=START,
    permission="campaigns:approve",
    execute=start_campaign,
    describe=lambda content: f"Start campaign {content['code']}: {content['promise']}, {content['members']} members",
)
