"""``members``: who takes part, what they have, and every line of how it came."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis.web import Blueprint, Page, PageArgs, answer, glance, requires
from loyalty.ledger.tables import Lot, Transaction
from loyalty.members.queries import entry_shown, glimpse_member, lot_shown, require_member, shown, visible
from loyalty.members.schemas import EntrySchema, LotSchema, MemberLineSchema, MembersArgs, MemberSchema
from loyalty.members.tables import Member
from loyalty.tiers.progress import tier_now

blueprint = Blueprint("members", __name__, description="Members, their points and the statement behind them")


@blueprint.get("/members")
@requires("members:read")
@blueprint.arguments(MembersArgs, location="query")
@blueprint.response(200, Page.schema(MemberLineSchema))
def members(query: dict[str, Any]) -> Response:
    """Members, in the order of their registration; who became part of another one is found there"""
    found = visible(select(Member).where(Member.merged_into.is_(None)), glance().principal)
    if query["tier"]:
        found = found.where(Member.tier == query["tier"])
    return answer(Page.of(glance().session, found, [Member.customer_id], query["limit"], query["cursor"], _line))


@blueprint.get("/members/<uuid:customer_id>")
@requires("members:balance")
@blueprint.response(200, MemberSchema)
def member(customer_id: UUID) -> Response:
    """One member"""
    at = glance()
    policy, now = at.policies.in_force(), at.clock.now()
    row = glimpse_member(at.principal, customer_id, policy.company.time_zone.key)
    review_at = row["tier_review_at"]
    tier = row["tier"] if review_at is None or review_at > now else tier_now(at.session, str(customer_id), policy, now)
    return answer(shown(row, tier))


@blueprint.get("/members/<uuid:customer_id>/entries")
@requires("members:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(EntrySchema))
def entries(query: dict[str, Any], customer_id: UUID) -> Response:
    """The member's statement, newest first; each line says why"""
    at = glance()
    require_member(at.session, at.principal, customer_id)
    found = select(Transaction).where(Transaction.member_id == customer_id)
    return answer(Page.of(at.session, found, [Transaction.id.desc()], query["limit"], query["cursor"], entry_shown))


@blueprint.get("/members/<uuid:customer_id>/lots")
@requires("members:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(LotSchema))
def lots(query: dict[str, Any], customer_id: UUID) -> Response:
    """The member's lots, newest first"""
    at = glance()
    require_member(at.session, at.principal, customer_id)
    found = select(Lot).where(Lot.member_id == customer_id)
    return answer(Page.of(at.session, found, [Lot.id.desc()], query["limit"], query["cursor"], lot_shown))


def _line(member: Member) -> dict[str, Any]:
    purse = {name: getattr(member, name) for name in ("available", "pending", "held", "blocked", "deficit")}
    return {
        "customer_id": member.customer_id, "code": member.code, "status": member.status, "tier": member.tier,
        "points": purse, "growth": member.growth,
    }  # fmt: skip
