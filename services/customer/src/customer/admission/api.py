"""``customers/{id}/standing`` and ``customers/{id}/blacklist``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response
from marshmallow import validate
from sqlalchemy import select

from chassis.approvals import api as approvals
from chassis.approvals.use_cases import propose
from chassis.errors import Invalid, NotFound
from chassis.web import Blueprint, Page, PageArgs, QuerySchema, Schema, answer, fields, requires, work
from customer.admission.approvals import BLACKLISTING, REINSTATEMENT
from customer.admission.domain import standing_of
from customer.admission.queries import open_entries
from customer.admission.tables import BlacklistEntryRow
from customer.admission.use_cases import blacklisting, reinstatement
from customer.registry.queries import require_visible
from customer.registry.schemas import StandingArgs, StandingSchema
from customer.registry.tables import CustomerRow
from customer.units import above

blueprint = Blueprint("admission", __name__, description="May we trade with them now")


class BlacklistSchema(Schema):
    """``POST …/blacklist``."""

    scope = fields.String(required=True, validate=validate.OneOf(["company", "unit"]))
    unit = fields.Line(max=64, metadata={"description": "code of the unit, for scope `unit`"})
    reason = fields.Text(max=2000, required=True)
    evidence = fields.List(fields.Text(max=1000), validate=validate.Length(max=50))
    from_ = fields.Instant(data_key="from", metadata={"description": "default: now"})
    until = fields.Instant(metadata={"description": "for a unit: sooner than the pack's time"})

    @ma.validates_schema
    def _unit_fits(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data.get("scope") == "unit") != ("unit" in data):
            raise ma.ValidationError("belongs to scope `unit`, and to no other", "unit")


class ReinstateArgs(QuerySchema):
    """Which entry, where there are several."""

    entry = fields.Uuid()
    unit = fields.Text(max=64)
    reason = fields.Text(max=2000, metadata={"description": "for clients that send no body with DELETE"})


class ReinstateSchema(Schema):
    """Why they may come back (AD-06)."""

    reason = fields.Text(max=2000, metadata={"description": "the circumstances that changed materially"})
    evaluation = fields.Text(max=5000, metadata={"description": "the new evaluation"})


class BlacklistEntrySchema(Schema):
    """One entry of a blacklist."""

    id = fields.Uuid(required=True)
    scope = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    evidence = fields.List(fields.String(), required=True)
    status = fields.String(required=True, metadata={"enum": ["in_force", "evaluation_due", "lifted"]})
    since = fields.Instant(required=True)
    until = fields.Instant(required=True, allow_none=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)
    proposed_by = fields.String(required=True)
    approved_by = fields.String(required=True)
    lifted_at = fields.Instant(required=True, allow_none=True)
    lifted_by = fields.String(required=True, allow_none=True)
    lift = fields.Dict(required=True, allow_none=True)


@blueprint.get("/customers/<uuid:id>/standing")
@requires("customers:standing")
@blueprint.arguments(StandingArgs, location="query")
@blueprint.response(200, StandingSchema)
def standing(query: dict[str, Any], id: UUID) -> Response:
    """May we - or may this unit - trade with the customer now"""
    at = work()
    c = CustomerRow.__table__.c
    row = at.session.execute(select(c.status, c.standing).where(c.id == id)).first()
    if row is None:
        raise NotFound("There is no such customer")
    if "unit" not in query or row.standing["reasons"] == []:
        return answer(row.standing)
    return answer(standing_of(row.status, open_entries(at.session, id), above(at.session, query["unit"])))


@blueprint.get("/customers/<uuid:id>/blacklist")
@requires("customers:standing")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(BlacklistEntrySchema))
def entries(page: dict[str, Any], id: UUID) -> Response:
    """Every blacklisting of a customer, newest first"""
    at = work()
    require_visible(at.session, at.principal, id)
    c = BlacklistEntryRow.__table__.c
    names = [column.name for column in c if column.name != "customer_id"]
    statement = select(*(c[name] for name in names)).where(c.customer_id == id)
    return answer(
        Page.of(at.session, statement, [c.id.desc()], **page, dump=lambda row: dict(zip(names, row, strict=True)))
    )


@blueprint.post("/customers/<uuid:id>/blacklist")
@requires("blacklist:propose")
@blueprint.arguments(BlacklistSchema)
@blueprint.response(202, approvals.ApprovalSchema)
def blacklist(body: dict[str, Any], id: UUID) -> Response:
    """Propose to blacklist a customer; a second person decides"""
    at = work()
    require_visible(at.session, at.principal, id)
    proposal = propose(at.session, at.clock, at.principal, BLACKLISTING, blacklisting(at.context, id, body))
    at.note(str(id))
    return approvals.answer(proposal)


@blueprint.delete("/customers/<uuid:id>/blacklist")
@requires("blacklist:propose")
@blueprint.arguments(ReinstateArgs, location="query")
@blueprint.arguments(ReinstateSchema)
@blueprint.response(202, approvals.ApprovalSchema)
def reinstate(query: dict[str, Any], body: dict[str, Any], id: UUID) -> Response:
    """Propose to take a customer off a blacklist; a second person decides"""
    at = work()
    require_visible(at.session, at.principal, id)
    command = {**query, **body}
    if "reason" not in command:
        raise Invalid("Some fields are not valid", {"reason": ["say which circumstances changed"]})
    proposal = propose(at.session, at.clock, at.principal, REINSTATEMENT, reinstatement(at.session, id, command))
    at.note(str(id))
    return approvals.answer(proposal)
