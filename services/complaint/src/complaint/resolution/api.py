"""``complaints/{id}/resolution``: what was proposed and granted, by whom, and who may approve what waits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.web import Blueprint, Schema, answer, fields, glance, requires
from complaint.cases.queries import the_case
from complaint.resolution.tables import Compensation, Proposal

blueprint = Blueprint("resolution", __name__, description="Proposals, approvals and compensation")
BLUEPRINTS = (blueprint,)


class ProposalSchema(Schema):
    """What somebody wants to do for the customer."""

    id = fields.Uuid(required=True)
    round = fields.Whole(min=1, required=True)
    measures = fields.String(required=True)
    points = fields.Points(required=True)
    amount = fields.Money(required=True, allow_none=True)
    currency = fields.String(required=True, allow_none=True)
    value = fields.Money(required=True, metadata={"description": "of this proposal, as money"})
    summed = fields.Money(required=True, metadata={"description": "with all that the case was granted before"})
    status = fields.Choice("needs_approval", "open", "approved", "superseded", "carried_out", required=True)
    may = fields.List(fields.String(), required=True, metadata={"description": "roles whose limit suffices"})
    approver = fields.String(required=True, allow_none=True, metadata={"description": "whom it was routed to"})
    because = fields.String(required=True)
    clause = fields.String(required=True)
    proposed_by = fields.String(required=True)
    proposed_at = fields.Instant(required=True)
    approved_by = fields.String(required=True, allow_none=True)
    approved_at = fields.Instant(required=True, allow_none=True)
    alone = fields.Flag(required=True, metadata={"description": "approved by the single administrator who proposed it"})


class CompensationGrantedSchema(Schema):
    """What was granted; `id` is the event's `compensation_id`."""

    id = fields.Uuid(required=True)
    round = fields.Whole(min=1, required=True)
    proposal_id = fields.Uuid(required=True, allow_none=True)
    points = fields.Points(required=True)
    amount = fields.Money(required=True, allow_none=True)
    currency = fields.String(required=True, allow_none=True)
    value = fields.Money(required=True)
    reason = fields.String(required=True, allow_none=True)
    granted_by = fields.String(required=True)
    approved_by = fields.String(required=True, allow_none=True)
    granted_at = fields.Instant(required=True)
    clause = fields.String(required=True)


class ResolutionSchema(Schema):
    """Oldest first."""

    proposals = fields.List(fields.Nested(ProposalSchema), required=True)
    compensations = fields.List(fields.Nested(CompensationGrantedSchema), required=True)
    compensated = fields.Money(required=True, metadata={"description": "granted so far, as money"})
    currency = fields.String(required=True)


@blueprint.get("/complaints/<uuid:id>/resolution")
@requires("complaints:read")
@blueprint.response(200, ResolutionSchema)
def resolution(id: UUID) -> Response:
    """What was proposed and granted, by whom, and who may approve what waits"""
    at = glance()
    case = the_case(at.session, at.principal, id)
    return answer(
        {
            "proposals": _shown(at.session, Proposal, Proposal.proposed_at, id, ProposalSchema),
            "compensations": _shown(at.session, Compensation, Compensation.granted_at, id, CompensationGrantedSchema),
            "compensated": case.compensated,
            "currency": at.policies.in_force().company.currency,
        }
    )


def _shown(session: Session, table: Any, order: Any, id: UUID, schema: type[Schema]) -> list[dict[str, Any]]:
    names = list(schema().fields)
    rows = session.scalars(select(table).where(table.complaint_id == id).order_by(order, table.id))
    return [{name: getattr(row, name) for name in names} for row in rows]
