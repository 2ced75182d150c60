"""``360/{customer_id}``: what all services know of one customer, in one answer, with or without the slow ones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chassis.errors import NotFound
from chassis.web import Blueprint, Schema, fields, requires
from gateway.console.backend import Part, Question
from gateway.overview.asking import MissingSchema, backend_for_caller, missing

blueprint = Blueprint("overview", __name__, description="One customer seen from all sides")
LINES = 20  # of each list; the rest is read where it lives


class AllSidesSchema(Schema):
    """Each part as its service tells it; null where it did not answer or has nothing, see ``missing``."""

    customer = fields.Dict(required=True, allow_none=True)
    archive = fields.List(fields.Dict(), required=True, allow_none=True)
    complaints = fields.List(fields.Dict(), required=True, allow_none=True)
    loyalty = fields.Dict(required=True, allow_none=True, metadata={"description": "null also: takes no part"})
    messages = fields.List(fields.Dict(), required=True, allow_none=True)
    missing = fields.List(fields.Nested(MissingSchema), required=True)


@blueprint.get("/360/<uuid:customer_id>")
@requires()
@blueprint.response(200, AllSidesSchema)
def all_sides(customer_id: UUID) -> dict[str, Any]:
    """One customer from all sides; parts that did not answer in time are named"""
    of_customer = {"customer_id": customer_id, "limit": LINES}
    questions: dict[str, Question] = {
        "customer": f"customers/{customer_id}",
        "archive": (f"customers/{customer_id}/archive", {"limit": LINES}),
        "complaints": ("complaints", of_customer),
        "loyalty": f"members/{customer_id}",
        "messages": ("messages", of_customer),
    }
    parts = backend_for_caller().fan_out(questions)
    # The registry's word decides whether there is such a customer for this caller. While it is silent the other
    # parts are shown: each of their services asks its own copy who may see what.
    registry = parts["customer"]
    if registry.refused is not None and registry.refused.status == 404:
        raise NotFound("There is no such customer")
    return {
        "customer": registry.value,
        "archive": _items(parts["archive"]),
        "complaints": _items(parts["complaints"]),
        "loyalty": parts["loyalty"].value,
        "messages": _items(parts["messages"]),
        "missing": missing(parts, questions),
    }


def _items(part: Part) -> list[dict[str, Any]] | None:
    return part.entries if part.ok else None
