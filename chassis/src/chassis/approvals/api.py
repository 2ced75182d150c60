"""``services/{service}/approvals``: what waits for a second person, and their word on it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, current_app
from sqlalchemy import or_, select

from chassis.approvals import use_cases
from chassis.approvals.registry import Approval
from chassis.approvals.use_cases import ApprovalRow
from chassis.errors import NotFound
from chassis.web import fields
from chassis.web.access import requires
from chassis.web.application import answer as respond
from chassis.web.blueprint import Blueprint
from chassis.web.pages import Page
from chassis.web.schema import PageArgs, Schema
from chassis.web.work import desk, glance, work

STATES = ("proposed", "approved", "rejected", "expired")


class ApprovalSchema(Schema):
    """One proposal and what became of it."""

    id = fields.Uuid(required=True)
    kind = fields.String(required=True)
    description = fields.String(required=True)
    status = fields.Choice(*STATES, required=True)
    content = fields.Dict(required=True)
    content_hash = fields.String(required=True)
    permission = fields.String(required=True, metadata={"description": "held by those who may decide"})
    proposed_by = fields.Dict(required=True)
    proposed_at = fields.Instant(required=True)
    expires_at = fields.Instant(required=True)
    decided_by = fields.Dict(required=True, allow_none=True)
    decided_at = fields.Instant(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    alone = fields.Flag(required=True, metadata={"description": "approved by the proposer, the only administrator"})
    result = fields.Dict(required=True, allow_none=True)


class ApprovalQuery(PageArgs):
    """Filters."""

    status = fields.Choice(*STATES)
    kind = fields.Text(max=100)


class ApproveSchema(Schema):
    """Agreement."""

    note = fields.Text(max=2000, load_default=None, allow_none=True)
    content_hash = fields.Text(max=64, load_default=None, allow_none=True, metadata={"description": "what you read"})


class RejectSchema(Schema):
    """Refusal."""

    note = fields.Text(max=2000, load_default=None, allow_none=True)


def blueprint() -> Blueprint:
    """Mounted under ``services/{service}``."""
    made = Blueprint("approvals", __name__, description="What a second person must agree to")

    @made.get("/approvals")
    @requires()
    @made.arguments(ApprovalQuery, location="query")
    @made.response(200, Page.schema(ApprovalSchema))
    def listing(query: dict[str, Any]) -> Any:
        """What was proposed, newest first: what you may decide, and what you proposed yourself"""
        at = glance()
        statement = select(ApprovalRow)
        if not at.principal.may("approvals:read"):
            mine = ApprovalRow.proposed_by == at.principal.id
            statement = statement.where(or_(mine, ApprovalRow.permission.in_(sorted(at.principal.permissions))))
        if "kind" in query:
            statement = statement.where(ApprovalRow.kind == query["kind"])
        if "status" in query:
            statement = statement.where(_status(query["status"], at.clock.now()))
        return Page.of(at.session, statement, [ApprovalRow.id.desc()], query["limit"], query["cursor"], dump)

    @made.get("/approvals/<uuid:id>")
    @requires()
    @made.response(200, ApprovalSchema)
    def one(id: uuid.UUID) -> Any:
        """One proposal"""
        at = glance()
        row = at.session.get(ApprovalRow, id)
        if row is None or not use_cases.visible(row, at.principal):
            raise NotFound("no such approval")
        return dump(row)

    @made.post("/approvals/<uuid:id>/approve")
    @requires()
    @made.arguments(ApproveSchema)
    @made.response(200, ApprovalSchema)
    def approve(body: dict[str, Any], id: uuid.UUID) -> Any:
        """Agree, and carry it out"""
        at = work()
        row = use_cases.approve(at.context, _kinds(), at.principal, id, body["note"], body["content_hash"])
        at.note(str(row.id), kind=row.kind, content_hash=row.content_hash, alone=row.alone)
        return dump(row)

    @made.post("/approvals/<uuid:id>/reject")
    @requires()
    @made.arguments(RejectSchema)
    @made.response(200, ApprovalSchema)
    def reject(body: dict[str, Any], id: uuid.UUID) -> Any:
        """Decline, or withdraw your own proposal"""
        at = work()
        row = use_cases.reject(at.context, _kinds(), at.principal, id, body["note"])
        at.note(str(row.id), kind=row.kind, content_hash=row.content_hash)
        return dump(row)

    return made


def answer(row: ApprovalRow) -> Response:
    """The 202 of a call that proposed something instead of doing it."""
    service = desk().runtime.service.name
    location = f"/api/v1/services/{service}/approvals/{row.id}"
    return respond(ApprovalSchema().dump(dump(row)), 202, {"Location": location})


def dump(row: ApprovalRow) -> dict[str, Any]:
    """The row as the schema writes it."""
    declared = _kinds().get(row.kind)
    decided = {"id": row.decided_by, "username": row.decided_by_name} if row.decided_by else None
    return {
        **{name: getattr(row, name) for name in _PLAIN},
        "status": row.state(desk().runtime.clock.now()),
        "description": declared.describe(row.content) if declared else "",
        "proposed_by": {"id": row.proposed_by, "username": row.proposed_by_name},
        "decided_by": decided,
    }


_PLAIN = (
    "id",
    "kind",
    "content",
    "content_hash",
    "permission",
    "proposed_at",
    "expires_at",
    "decided_at",
    "note",
    "alone",
    "result",
)


def _kinds() -> dict[str, Approval]:
    return current_app.approval_kinds  # type: ignore[attr-defined]


def _status(status: str, now: Any) -> Any:
    overdue = (ApprovalRow.status == "proposed") & (ApprovalRow.expires_at <= now)
    if status == "proposed":
        return (ApprovalRow.status == "proposed") & (ApprovalRow.expires_at > now)
    return or_(ApprovalRow.status == "expired", overdue) if status == "expired" else ApprovalRow.status == status
