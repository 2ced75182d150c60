"""The shape of the report on a campaign's effect."""

from __future__ import annotations

from chassis.web import Schema, fields
from loyalty.campaigns.schemas import STATES


class ArmSchema(Schema):
    """One arm of the name list."""

    arm = fields.Choice("treated", "control", required=True)
    members = fields.Points(required=True)
    buyers = fields.Points(required=True, metadata={"description": "who bought while it ran"})
    spend = fields.Money(required=True, metadata={"description": "net of refunds, while it ran"})
    mean = fields.Money(required=True, metadata={"description": "spend per member, buyer or not"})


class UpliftSchema(Schema):
    """What a treated member spent more than one of the control group."""

    difference = fields.Money(required=True)
    low = fields.Money(required=True)
    high = fields.Money(required=True)
    confidence = fields.String(required=True, metadata={"examples": ["0.95"]})
    relative = fields.String(required=True, allow_none=True, metadata={"description": "of the control group's mean"})
    shown = fields.Flag(required=True, metadata={"description": "the interval leaves no effect out"})
    extra_spend = fields.Money(required=True, metadata={"description": "difference x treated members"})
    method = fields.String(required=True)


class CostSchema(Schema):
    """What it gave, at the cost of its lots."""

    purchases = fields.Points(required=True)
    points = fields.Points(required=True)
    taken_back = fields.Points(required=True, metadata={"description": "by refunds and reviews"})
    money = fields.Money(required=True, metadata={"description": "of points - taken_back"})
    currency = fields.String(required=True)
    budget = fields.Points(required=True, allow_none=True)
    left = fields.Points(required=True, allow_none=True, metadata={"description": "of the budget"})


class WeekSchema(Schema):
    """One ISO week of it."""

    week = fields.String(required=True, metadata={"examples": ["2026-W47"]})
    purchases = fields.Points(required=True)
    points = fields.Points(required=True)


class EffectReportSchema(Schema):
    """A campaign's effect and cost. Without a control group nobody knows what it changed: `uplift` is null."""

    campaign_id = fields.Uuid(required=True)
    code = fields.String(required=True)
    status = fields.Choice(*STATES, required=True)
    runs_from = fields.Instant(required=True, allow_none=True)
    runs_until = fields.Instant(required=True, allow_none=True)
    as_of = fields.Instant(required=True)
    arms = fields.List(fields.Nested(ArmSchema), required=True, metadata={"description": "those on the name list"})
    uplift = fields.Nested(UpliftSchema, required=True, allow_none=True)
    cost = fields.Nested(CostSchema, required=True)
    by_week = fields.List(fields.Nested(WeekSchema), required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)
