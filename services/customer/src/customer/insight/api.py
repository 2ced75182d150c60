"""``insight/rfm`` and ``insight/loyalty``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from chassis.web import Blueprint, QuerySchema, Schema, answer, fields, requires, work
from customer.insight import queries
from customer.segmentation.api import DayOrInstant

blueprint = Blueprint("insight", __name__, description="What the purchases say of the whole")


class SpanArgs(QuerySchema):
    """Days of the company, both included."""

    from_ = DayOrInstant(data_key="from", metadata={"description": "default: the first purchase known"})
    to = DayOrInstant(metadata={"description": "default: today"})

    @ma.validates_schema
    def _in_order(self, data: Mapping[str, Any], **_: Any) -> None:
        if "from_" in data and "to" in data and data["from_"] > data["to"]:
            raise ma.ValidationError("must not lie after `to`", "from")


class RfmArgs(QuerySchema):
    """As of which day."""

    as_of = DayOrInstant(metadata={"description": "default: today; the window ends the day before"})


class WindowSchema(Schema):
    """First and last day, both included."""

    from_ = fields.Day(required=True, data_key="from")
    to = fields.Day(required=True)


class LeftOutSchema(Schema):
    """Purchases of the window that count for nobody."""

    anonymous_purchases = fields.Whole(required=True)
    waiting_purchases = fields.Whole(required=True)
    refunded_purchases = fields.Whole(required=True)


class Rate(fields.Raw):
    """A share from 0 to 1."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=True, metadata={"type": "number", "minimum": 0, "maximum": 1}, **kwargs)


class LoyaltySchema(Schema):
    """The loyalty of those who bought in a window."""

    repeat_purchase_rate = Rate()
    churn_rate = Rate()
    referral_rate = Rate()
    customers = fields.Whole(required=True)
    repeat_customers = fields.Whole(required=True)
    churned_customers = fields.Whole(required=True)
    referred_customers = fields.Whole(required=True)
    window = fields.Nested(WindowSchema, required=True)
    left_out = fields.Nested(LeftOutSchema, required=True)
    definitions = fields.Dict(required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class CellSchema(Schema):
    """Customers of one cell."""

    r = fields.Whole(required=True)
    f = fields.Whole(required=True)
    m = fields.Whole(required=True)
    customers = fields.Whole(required=True)
    amount = fields.Money(required=True)


class RfmSchema(Schema):
    """Recency, frequency and money of those who bought in the window."""

    as_of = fields.Day(required=True)
    groups = fields.Whole(required=True)
    customers = fields.Whole(required=True)
    amount = fields.Money(required=True)
    cells = fields.List(fields.Nested(CellSchema), required=True)
    window = fields.Nested(WindowSchema, required=True)
    left_out = fields.Nested(LeftOutSchema, required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


@blueprint.get("/insight/loyalty")
@requires("insight:read")
@blueprint.arguments(SpanArgs, location="query")
@blueprint.response(200, LoyaltySchema)
def loyalty(query: dict[str, Any]) -> Response:
    """Repeat-purchase, churn and referral rate"""
    at = work()
    policy = at.policies.in_force()
    today = policy.company.day_of(at.clock.now())
    return answer(queries.loyalty(at.session, policy, today, query.get("from_"), query.get("to")))


@blueprint.get("/insight/rfm")
@requires("insight:read")
@blueprint.arguments(RfmArgs, location="query")
@blueprint.response(200, RfmSchema)
def rfm(query: dict[str, Any]) -> Response:
    """Customers by recency, frequency and money"""
    at = work()
    policy = at.policies.in_force()
    return answer(queries.rfm(at.session, policy, policy.company.day_of(at.clock.now()), query.get("as_of")))
