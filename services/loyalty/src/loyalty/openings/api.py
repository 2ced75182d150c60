"""``opening-balances``: what members had in another system, as a CSV file that adds up to the source's totals."""

from __future__ import annotations

from io import StringIO
from typing import Any
from uuid import UUID

from flask import Response, request
from sqlalchemy import select

from chassis.errors import NotFound
from chassis.web import Blueprint, Page, PageArgs, QuerySchema, Schema, answer, fields, glance, requires, work
from chassis.web.problems import Unreadable, WrongMediaType
from loyalty.openings.tables import Opening
from loyalty.openings.use_cases import take_over_balances

blueprint = Blueprint("opening-balances", __name__, description="What members had before")
LARGEST_FILE = 64 * 1024 * 1024
_BODY = {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}


class OpeningArgs(QuerySchema):
    """Where from, and what it must add up to."""

    source = fields.Text(
        60, required=True, metadata={"description": "the system before; its references are its own", "example": "crm"}
    )
    points = fields.Points(min=0, required=True, metadata={"description": "the source's own total"})
    growth = fields.Points(min=0, load_default=None, metadata={"description": "the source's own total, if it has one"})
    dry_run = fields.Flag(load_default=False, metadata={"description": "try everything, keep nothing"})


class OpeningSchema(Schema):
    """A file that was taken over, reconciled with its source and with the ledger to the last point."""

    id = fields.Uuid(required=True)
    source = fields.String(required=True)
    lines = fields.Points(required=True)
    known = fields.Points(required=True, metadata={"description": "of them, taken over before: no second effect"})
    members = fields.Points(required=True)
    points = fields.Points(required=True)
    growth = fields.Points(required=True)
    created_by = fields.String(required=True)
    created_at = fields.Instant(required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


@blueprint.post("/opening-balances")
@requires("openings:write", idempotency="required", body_limit=LARGEST_FILE, body_types=("text/csv",))
@blueprint.arguments(OpeningArgs, location="query")
@blueprint.doc(requestBody=_BODY)
@blueprint.response(201, OpeningSchema)
@blueprint.alt_response(200, schema=OpeningSchema, description="A dry run: nothing was kept")
def take_over(query: dict[str, Any]) -> Response:
    """Take over a CSV file (customer, points, growth, earned_on, expires_on, reference): all of it or nothing"""
    if request.mimetype != "text/csv":
        raise WrongMediaType("send the file as text/csv")
    try:
        file = StringIO(request.get_data().decode("utf-8-sig"), newline="")
    except UnicodeDecodeError:
        raise Unreadable("the file is not UTF-8") from None
    at = work()
    made = take_over_balances(at.context, at.principal.username, file=file, **query)
    at.note(str(made.id), source=made.source, lines=made.lines, points=made.points, dry_run=query["dry_run"])
    if query["dry_run"]:
        return answer(_shown(made))
    return answer(_shown(made), 201, {"Location": f"/api/v1/opening-balances/{made.id}"})


@blueprint.get("/opening-balances")
@requires("openings:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(OpeningSchema))
def openings(query: dict[str, Any]) -> Response:
    """Files that were taken over, newest first"""
    at = glance()
    return answer(Page.of(at.session, select(Opening), [Opening.id.desc()], query["limit"], query["cursor"], _shown))


@blueprint.get("/opening-balances/<uuid:id>")
@requires("openings:read")
@blueprint.response(200, OpeningSchema)
def opening(id: UUID) -> Response:
    """One file that was taken over"""
    found = glance().session.get(Opening, id)
    if found is None:
        raise NotFound(f"no opening balances {id}")
    return answer(_shown(found))


def _shown(opening: Opening) -> dict[str, Any]:
    return {name: getattr(opening, name) for name in OpeningSchema().fields}
