"""``services/{service}/audit``: who did what, newest first, for administrators and auditors; and is the chain whole?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import or_, select

from chassis.audit.trail import AuditRow, inspect
from chassis.people import guard
from chassis.web import fields
from chassis.web.access import requires
from chassis.web.blueprint import Blueprint
from chassis.web.pages import Page
from chassis.web.schema import PageArgs, Schema
from chassis.web.work import glance, work


class AuditSchema(Schema):
    """One thing somebody did."""

    id = fields.Points(required=True)
    at = fields.Instant(required=True)
    principal = fields.String(required=True)
    kind = fields.String(required=True)
    username = fields.String(required=True)
    action = fields.String(required=True)
    method = fields.String(required=True, allow_none=True)
    path = fields.String(required=True, allow_none=True)
    status = fields.Whole(required=True, allow_none=True)
    subject = fields.String(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    details = fields.Dict(required=True)
    seal = fields.Points(required=True, allow_none=True, metadata={"description": "null until sealed"})


class AuditQuery(PageArgs):
    """Filters."""

    principal = fields.Text(max=200)
    username = fields.Text(max=200)
    action = fields.Text(max=200)
    subject = fields.Text(max=200)
    request_id = fields.Text(max=64)
    since = fields.Instant(metadata={"description": "at or after"})
    until = fields.Instant(metadata={"description": "before"})


class InspectionSchema(Schema):
    """What a check of the chain found."""

    seals = fields.Points(required=True)
    sealed = fields.Points(required=True)
    waiting = fields.Points(required=True)
    broken = fields.List(fields.Dict(), required=True)


def blueprint() -> Blueprint:
    """Mounted under ``services/{service}``."""
    made = Blueprint("audit", __name__, description="The audit trail")

    @made.get("/audit")
    @requires("audit:read")
    @made.arguments(AuditQuery, location="query")
    @made.response(200, Page.schema(AuditSchema))
    def trail(query: dict[str, Any]) -> Any:
        """Who did what, newest first"""
        limit, cursor = query.pop("limit"), query.pop("cursor")
        at = glance()
        statement = select(AuditRow)
        if (hidden := at.runtime.service.hidden_subjects) is not None:
            # Whoever a matter is against must not read in the trail that it exists (decision 13).
            kept_back = hidden(guard.viewer(at.session, at.principal))
            statement = statement.where(or_(AuditRow.subject.is_(None), AuditRow.subject.not_in(kept_back)))
        if "since" in query:
            statement = statement.where(AuditRow.at >= query.pop("since"))
        if "until" in query:
            statement = statement.where(AuditRow.at < query.pop("until"))
        for name, value in query.items():
            statement = statement.where(getattr(AuditRow, name) == value)
        return Page.of(at.session, statement, [AuditRow.id.desc()], limit, cursor)

    @made.get("/audit/inspection")
    @requires("audit:read")
    @made.response(200, InspectionSchema)
    def inspection() -> Any:
        """Recompute the chain and name what no longer agrees with it"""
        return asdict(inspect(work().session))

    return made
