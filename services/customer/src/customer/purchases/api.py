"""``purchases``, ``unmatched-purchases`` and the stores they name."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import validate
from sqlalchemy import update

from chassis.errors import Invalid, NotFound
from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, glance, requires, work
from chassis.web.arguments import read_json
from customer.purchases import intake, queries
from customer.purchases.domain import ACCEPTED, WAITING
from customer.purchases.tables import StoreRow

blueprint = Blueprint("purchases", __name__, description="Every sale once, whichever way it was told")
LARGEST_BODY = 16 * 1024 * 1024
_EVENT = {"type": "object", "description": "A whole CloudEvent: purchase.completed.v1 or purchase.refunded.v1"}
# What is no event is answered by its index, so a list may hold anything.
_EVENTS = {"type": "array", "description": "Such events", "items": {}, "minItems": 1, "maxItems": intake.MOST}
_BODY = {"required": True, "content": {"application/json": {"schema": {"oneOf": [_EVENT, _EVENTS]}}}}


class PurchasesArgs(PageArgs):
    """Which purchases."""

    customer_id = fields.Uuid()
    store = fields.Text(max=128)
    status = fields.String(validate=validate.OneOf([ACCEPTED, WAITING]))
    from_ = fields.Instant(data_key="from", metadata={"description": "this instant and later"})
    to = fields.Instant(metadata={"description": "before this instant"})


class UnmatchedArgs(PageArgs):
    """Whose."""

    identity = fields.Text(max=240)


class RefundSchema(Schema):
    """Money given back."""

    refund_id = fields.String(required=True)
    status = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    occurred_at = fields.Instant(required=True)
    total = fields.Money(required=True)
    source = fields.String(required=True)
    event_id = fields.String(required=True)


class RefusalSchema(Schema):
    """A telling of this purchase that was refused."""

    source = fields.String(required=True)
    event_id = fields.String(required=True)
    reason = fields.String(required=True)
    at = fields.Instant(required=True)


class PurchaseSchema(Schema):
    """One purchase as it stands."""

    purchase_id = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": ["accepted", "waiting", "rejected"]})
    customer_id = fields.Uuid(allow_none=True)
    identity = fields.String(allow_none=True)
    occurred_at = fields.Instant()
    store = fields.String(allow_none=True)
    channel = fields.String(allow_none=True)
    currency = fields.String()
    total = fields.Money()
    refunded = fields.Money()
    source = fields.String()
    event_id = fields.String()
    received_at = fields.Instant()
    unit = fields.String(allow_none=True, metadata={"description": "unit of the store, if it is known"})


class PurchaseDetailSchema(PurchaseSchema):
    """One purchase and everything told of it."""

    reason = fields.String(allow_none=True)
    details = fields.Dict()
    refunds = fields.List(fields.Nested(RefundSchema))
    refusals = fields.List(fields.Nested(RefusalSchema), required=True)


class RejectedSchema(Schema):
    """One event of the call that was not taken."""

    index = fields.Whole(required=True)
    errors = fields.List(fields.String(), required=True)


class TakenSchema(Schema):
    """How many events go to the broker, and which do not."""

    accepted = fields.Whole(required=True)
    rejected = fields.List(fields.Nested(RejectedSchema), required=True)


class StoresArgs(PageArgs):
    """Which stores."""

    known = fields.Flag(metadata={"description": "true: with a unit; false: without"})


class StoreSchema(Schema):
    """A store code and its unit."""

    code = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    first_seen_at = fields.Instant(required=True)


class StoreUnitSchema(Schema):
    """The unit a store belongs to."""

    unit = fields.Text(max=64, required=True, allow_none=True)


@blueprint.post("/purchases")
@requires("purchases:publish", body_limit=LARGEST_BODY)
@blueprint.doc(requestBody=_BODY)
@blueprint.response(202, TakenSchema)
def publish() -> Response:
    """Tell one purchase event, or a list of up to 1,000, exactly as on the broker"""
    at = work()
    document = read_json()
    if not isinstance(document, dict | list):
        raise Invalid("Send one purchase event or a list of them", {"": ["an object or a list belongs here"]})
    told = document if isinstance(document, list) else [document]
    return answer(intake.publish_purchases(at.context, at.principal, told), 202)


@blueprint.get("/purchases")
@requires("purchases:read")
@blueprint.arguments(PurchasesArgs, location="query")
@blueprint.response(200, Page.schema(PurchaseSchema))
def listing(query: dict[str, Any]) -> Response:
    """Purchases, newest first"""
    at = glance()
    return answer(queries.list_purchases(at.session, at.principal, query))


@blueprint.get("/purchases/<string(maxlength=128):purchase_id>")
@requires("purchases:read")
@blueprint.response(200, PurchaseDetailSchema)
def one(purchase_id: str) -> Response:
    """What became of a purchase: accepted, waiting, or rejected with the reason"""
    at = work()
    return answer(queries.read_purchase(at.session, at.principal, purchase_id))


@blueprint.get("/unmatched-purchases")
@requires("purchases:read")
@blueprint.arguments(UnmatchedArgs, location="query")
@blueprint.response(200, Page.schema(PurchaseSchema))
def unmatched(query: dict[str, Any]) -> Response:
    """Purchases that wait for their identity to be linked, oldest first"""
    at = glance()
    return answer(queries.list_unmatched(at.session, at.principal, query))


@blueprint.get("/unmatched-purchases/stores")
@requires("purchases:read")
@blueprint.arguments(StoresArgs, location="query")
@blueprint.response(200, Page.schema(StoreSchema))
def stores(query: dict[str, Any]) -> Response:
    """Store codes that purchases came from"""
    return answer(queries.list_stores(glance().session, query))


@blueprint.put("/unmatched-purchases/stores/<string(maxlength=128):code>")
@requires("purchases:map_stores")
@blueprint.arguments(StoreUnitSchema)
@blueprint.response(200, StoreSchema)
def map_store(body: dict[str, Any], code: str) -> Response:
    """Say which unit a store belongs to"""
    at = work()
    c = StoreRow.__table__.c
    change = update(StoreRow).where(c.code == code).values(unit=body["unit"]).returning(c.code, c.unit, c.first_seen_at)
    row = at.session.execute(change).first()
    if row is None:
        raise NotFound("No purchase has come from such a store")
    at.note(code, unit=body["unit"])
    return answer(dict(row._mapping))
