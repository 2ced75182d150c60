"""``customers/{id}/archive``: the time line, newest first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import validate
from sqlalchemy import select

from chassis.people import guard
from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, requires, work
from customer.archive.domain import ALL_KINDS
from customer.archive.tables import ArchiveEntryRow
from customer.registry.queries import require_visible

blueprint = Blueprint("archive", __name__, description="Everything known of one customer, over time")


class ArchiveArgs(PageArgs):
    """Which part of the time line."""

    kind = fields.String(validate=validate.OneOf(ALL_KINDS))
    from_ = fields.Instant(data_key="from", metadata={"description": "this instant and later"})
    to = fields.Instant(metadata={"description": "before this instant"})


class ArchiveEntrySchema(Schema):
    """One fact."""

    id = fields.Whole(required=True, max=fields.SAFE_INTEGER)
    at = fields.Instant(required=True)
    kind = fields.String(required=True)
    fact = fields.String(required=True)
    data = fields.Dict(required=True)
    source = fields.String(required=True)


@blueprint.get("/customers/<uuid:id>/archive")
@requires("customers:read")
@blueprint.arguments(ArchiveArgs, location="query")
@blueprint.response(200, Page.schema(ArchiveEntrySchema))
def archive(query: dict[str, Any], id: UUID) -> Response:
    """The time line of a customer"""
    at = work()
    require_visible(at.session, at.principal, id)
    c = ArchiveEntryRow.__table__.c
    names = ("id", "at", "kind", "fact", "data", "source")
    statement = select(*(c[name] for name in names)).where(c.customer_id == id)
    statement = statement.where(guard.viewer(at.session, at.principal).sees(c))
    if "kind" in query:
        statement = statement.where(c.kind == query["kind"])
    if "from_" in query:
        statement = statement.where(c.at >= query["from_"])
    if "to" in query:
        statement = statement.where(c.at < query["to"])
    order = [c.at.desc(), c.id.desc()]
    return answer(
        Page.of(
            at.session,
            statement,
            order,
            query["limit"],
            query["cursor"],
            lambda row: dict(zip(names, row, strict=True)),
        )
    )
