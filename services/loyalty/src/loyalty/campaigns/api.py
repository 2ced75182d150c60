"""``campaigns``: drafted by marketing, started by a second person; and what came of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import ColumnElement, and_, select

from chassis.approvals import api as approvals
from chassis.approvals.api import ApprovalSchema
from chassis.approvals.use_cases import propose
from chassis.errors import NotFound
from chassis.web import Blueprint, Page, answer, etag, glance, requires, work
from loyalty.campaigns import schemas, use_cases
from loyalty.campaigns.effect import effect_of
from loyalty.campaigns.effect_schemas import EffectReportSchema
from loyalty.campaigns.tables import CampaignMember, CampaignRow
from loyalty.members.queries import visible
from loyalty.members.tables import Member

blueprint = Blueprint("campaigns", __name__, description="More points for a while, for some, within a budget")


@blueprint.post("/campaigns")
@requires("campaigns:write")
@blueprint.arguments(schemas.DraftSchema)
@blueprint.response(201, schemas.CampaignSchema)
def draft(body: dict[str, Any]) -> Response:
    """Draft a campaign; it gives nothing before it is started"""
    at = work()
    made = use_cases.draft_campaign(at.context, body, at.principal.username)
    at.note(str(made.id), code=made.code)
    etag.tag(made.version)
    return answer(_shown(made), 201, {"Location": f"/api/v1/campaigns/{made.id}"})


@blueprint.get("/campaigns")
@requires("campaigns:read")
@blueprint.arguments(schemas.CampaignsArgs, location="query")
@blueprint.response(200, Page.schema(schemas.CampaignSchema))
def campaigns(query: dict[str, Any]) -> Response:
    """All campaigns, newest first"""
    at = glance()
    found = select(CampaignRow)
    if query["status"]:
        found = found.where(_in_state(query["status"], at.clock.now()))
    return answer(Page.of(at.session, found, [CampaignRow.id.desc()], query["limit"], query["cursor"], _shown))


@blueprint.get("/campaigns/<uuid:id>")
@requires("campaigns:read")
@blueprint.response(200, schemas.CampaignSchema)
def campaign(id: UUID) -> Response:
    """One campaign"""
    found = _the_campaign(id)
    etag.tag(found.version)
    return answer(_shown(found))


@blueprint.patch("/campaigns/<uuid:id>")
@requires("campaigns:write", if_match=True)
@blueprint.arguments(schemas.ChangesSchema)
@blueprint.response(200, schemas.CampaignSchema)
def change(body: dict[str, Any], id: UUID) -> Response:
    """Change a draft; 409 once it was started"""
    at = work()
    found = use_cases.locked(at.session, id)
    etag.require_match(found.version)
    use_cases.change_campaign(at.context, found, body)
    at.note(str(id), changed=sorted(body))
    etag.tag(found.version)
    return answer(_shown(found))


@blueprint.post("/campaigns/<uuid:id>/start")
@requires("campaigns:write")
@blueprint.arguments(schemas.StartSchema)
@blueprint.response(202, ApprovalSchema)
def start(body: dict[str, Any], id: UUID) -> Response:
    """Ask a second person to start it; the answer is the approval that waits for them"""
    at = work()
    content = use_cases.starting(at.context, use_cases.locked(at.session, id))
    row = propose(at.session, at.clock, at.principal, use_cases.STARTING, content)
    at.note(str(id), approval=str(row.id))
    return approvals.answer(row)


@blueprint.post("/campaigns/<uuid:id>/stop")
@requires("campaigns:write")
@blueprint.arguments(schemas.StopSchema)
@blueprint.response(200, schemas.CampaignSchema)
def stop(body: dict[str, Any], id: UUID) -> Response:
    """End it now; what was bought before keeps what was promised"""
    at = work()
    stopped = use_cases.stop_campaign(at.context, id, body["reason"], at.principal.username)
    at.note(str(id), code=stopped.code)
    at.session.flush()
    etag.tag(stopped.version)
    return answer(_shown(stopped))


@blueprint.get("/campaigns/<uuid:id>/members")
@requires("campaigns:read")
@blueprint.arguments(schemas.ListedArgs, location="query")
@blueprint.response(200, Page.schema(schemas.ListedSchema))
def members(query: dict[str, Any], id: UUID) -> Response:
    """The name list, those of one's own units; kept where it has a control group or counts how often"""
    at = glance()
    _the_campaign(id)
    own = visible(select(Member.customer_id), at.principal)
    found = select(CampaignMember).where(CampaignMember.campaign_id == id, CampaignMember.member_id.in_(own))
    if query["arm"]:
        found = found.where(CampaignMember.arm == query["arm"])
    return answer(Page.of(at.session, found, [CampaignMember.member_id], query["limit"], query["cursor"], _listed))


@blueprint.get("/loyalty-reports/campaigns/<uuid:id>")
@requires("loyalty-reports:read")
@blueprint.response(200, EffectReportSchema)
def effect(id: UUID) -> Response:
    """What came of it: treated against control, with an interval, and what it cost"""
    at = glance()
    found = _the_campaign(id)
    now = at.clock.now()
    report = effect_of(at.session, found, at.policies.in_force(), now)
    return answer({**report, "status": use_cases.state(found, now)})


def _the_campaign(id: UUID) -> CampaignRow:
    found = glance().session.get(CampaignRow, id)
    if found is None:
        raise NotFound(f"no campaign {id}")
    return found


def _listed(row: CampaignMember) -> dict[str, Any]:
    return {
        "customer_id": row.member_id, "arm": row.arm, "listed": row.listed, "times": row.times, "points": row.points,
    }  # fmt: skip


def _in_state(state: str, now: Any) -> ColumnElement[bool]:
    row, started = CampaignRow, CampaignRow.status == use_cases.STARTED
    if state == "scheduled":
        return and_(started, row.runs_from > now)
    if state == "running":
        return and_(started, row.runs_from <= now, row.runs_until > now)
    return and_(started, row.runs_until <= now) if state == "ended" else row.status == state


def _shown(campaign: CampaignRow) -> dict[str, Any]:
    names = (
        "id", "code", "name", "runs_from", "runs_until", "multiplier", "bonus", "control_group", "times", "budget",
        "granted", "clause", "policyversion", "created_by", "created_at", "started_by", "stopped_by", "stopped_because",
    )  # fmt: skip
    said, hour = campaign.conditions, campaign.conditions.get("happy_hour")
    segment = said.get("segment")
    conditions = {
        "segment": None if segment is None else {**_NOT_ASKED, **segment},
        **{name: said.get(name, []) for name in ("products", "categories", "stores", "channels")},
        "least_total": said.get("least_total"),
        "happy_hour": None if hour is None else {"weekdays": [], **hour},
        "birthday_month": said.get("birthday_month", False),
    }
    return {
        **{name: getattr(campaign, name) for name in names},
        "status": use_cases.state(campaign, glance().clock.now()),
        "from": campaign.starts_at,
        "until": campaign.ends_at,
        "conditions": conditions,
    }


_NOT_ASKED: dict[str, Any] = {"tiers": [], "grades": [], "tags": [], "classes": {}}
