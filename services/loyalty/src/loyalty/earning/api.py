"""``quotes``: what would this purchase earn, explained."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import validate

from chassis.errors import Invalid
from chassis.web import Blueprint, Schema, answer, fields, requires, work
from loyalty.earning.domain import Purchase
from loyalty.earning.facts import SLACK
from loyalty.earning.quoting import quote
from loyalty.members.identities import own_name
from loyalty.members.schemas import StepSchema

blueprint = Blueprint("quotes", __name__, description="What a purchase would earn")


class QuoteLineSchema(Schema):
    """A line of the purchase."""

    sku = fields.Text(128, required=True)
    amount = fields.Money(required=True)
    category = fields.Text(128, load_default=None)
    quantity = fields.Quantity(load_default=None)
    name = fields.Text(200, load_default=None)


class AskSchema(Schema):
    """``POST quotes``: a purchase that has not happened."""

    customer_id = fields.Uuid(load_default=None)
    identity = fields.Text(240, load_default=None, metadata={"description": "instead of customer_id: scheme:value"})
    occurred_at = fields.Instant(load_default=None, metadata={"description": "default: now"})
    currency = fields.String(
        load_default=None, validate=validate.Regexp("^[A-Z]{3}$"), metadata={"description": "default: the company's"}
    )
    total = fields.Money(required=True)
    lines = fields.List(fields.Nested(QuoteLineSchema), load_default=list, validate=validate.Length(max=5000))
    store = fields.Text(128, load_default=None)
    channel = fields.Text(128, load_default=None)


class QuoteSchema(Schema):
    """What it would earn, and why."""

    points = fields.Points(required=True)
    growth = fields.Points(required=True)
    tier = fields.String(required=True)
    breakdown = fields.List(fields.Nested(StepSchema), required=True)
    available_at = fields.Instant(required=True)
    expires_at = fields.Instant(required=True, allow_none=True)
    policyversion = fields.String(required=True)


@blueprint.post("/quotes")
@requires("quotes:read", audit=False)
@blueprint.arguments(AskSchema)
@blueprint.response(200, QuoteSchema)
def quotes(body: dict[str, Any]) -> Response:
    """What would this purchase earn; nothing changes"""
    at = work()
    customer_id = body["customer_id"]
    added = sum(line["amount"] for line in body["lines"])
    if body["lines"] and abs(added - body["total"]) > SLACK:
        raise Invalid(
            "The lines contradict the total", {"lines": [f"add up to {added}, the total says {body['total']}"]}
        )
    purchase = Purchase(
        purchase_id="",
        name=own_name(str(customer_id)) if customer_id else body["identity"] or "",
        occurred_at=body["occurred_at"] or at.clock.now(),
        currency=body["currency"] or at.policies.in_force().company.currency,
        total=body["total"],
        lines=body["lines"],
        store=body["store"],
        channel=body["channel"],
        content="",
    )
    return answer(quote(at.context, purchase))
