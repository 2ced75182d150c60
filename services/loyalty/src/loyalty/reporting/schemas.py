"""The shapes of the reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import marshmallow as ma

from chassis.web import QuerySchema, Schema, fields

EARLIEST, LATEST = 1970, 2999
LONGEST = timedelta(days=3653)


class MismatchSchema(Schema):
    """An account whose books do not agree."""

    customer_id = fields.Uuid(required=True)
    wrong = fields.Dict(required=True, metadata={"description": "balance → cached, posted and, of lots, held"})


class ReconciliationSchema(Schema):
    """What a reconciliation found."""

    accounts = fields.Points(required=True)
    entries = fields.Points(required=True)
    mismatches = fields.Points(required=True, metadata={"description": "accounts that do not agree: 0"})
    details = fields.List(fields.Nested(MismatchSchema), required=True, metadata={"description": "the first 100"})


class TierLiabilitySchema(Schema):
    """Of one tier's members."""

    tier = fields.String(required=True)
    members = fields.Points(required=True)
    points = fields.Points(required=True)
    money = fields.Money(required=True)


class CampaignLiabilitySchema(Schema):
    """Earned by one campaign; `base` for plain purchases."""

    campaign = fields.String(required=True)
    points = fields.Points(required=True)
    money = fields.Money(required=True)


class MonthLiabilitySchema(Schema):
    """Lapsing in one month; null: never."""

    month = fields.String(required=True, allow_none=True, metadata={"examples": ["2027-12"]})
    points = fields.Points(required=True)
    money = fields.Money(required=True)


class BreakageSchema(Schema):
    """What of it will never be redeemed, as far as our own past tells; null while no lot has come to its end."""

    rate = fields.String(required=True, allow_none=True, metadata={"description": "share, e.g. 0.1250"})
    points = fields.Points(required=True, allow_none=True)
    money = fields.Money(required=True, allow_none=True)
    method = fields.String(required=True)
    lots = fields.Points(required=True, metadata={"description": "lots that ended, on which the rate rests"})
    expired = fields.Points(required=True)
    redeemed = fields.Points(required=True)


class RedemptionRateSchema(Schema):
    """Points redeemed ÷ points issued (net of refunds), booked in the last days; null where nothing was issued."""

    rate = fields.String(required=True, allow_none=True)
    redeemed = fields.Points(required=True)
    issued = fields.Points(required=True)
    days = fields.Whole(required=True)


class LiabilitySchema(Schema):
    """What we owe our members. Amounts are in `currency`."""

    as_of = fields.Instant(required=True)
    points_outstanding = fields.Points(
        required=True, metadata={"description": "what remains of all lots, less the deficit"}
    )
    money = fields.Money(required=True)
    currency = fields.String(required=True)
    deficit = fields.Points(required=True, metadata={"description": "points that members owe after refunds"})
    by_tier = fields.List(fields.Nested(TierLiabilitySchema), required=True)
    by_campaign = fields.List(fields.Nested(CampaignLiabilitySchema), required=True)
    expiring = fields.List(fields.Nested(MonthLiabilitySchema), required=True)
    expected_breakage = fields.Nested(BreakageSchema, required=True)
    redemption_rate = fields.Nested(RedemptionRateSchema, required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class SpanArgs(QuerySchema):
    """Days of the company, both included."""

    from_ = fields.Day(required=True, data_key="from")
    to = fields.Day(required=True)

    @ma.validates_schema
    def _in_order(self, data: Mapping[str, Any], **_: Any) -> None:
        if "from_" not in data or "to" not in data:
            return
        if data["from_"] > data["to"]:
            raise ma.ValidationError("must not lie after `to`", "from")
        if data["from_"].year < EARLIEST or data["to"] - data["from_"] > LONGEST:
            raise ma.ValidationError(f"ask for at most ten years, none before {EARLIEST}", "from")
        if data["to"].year > LATEST:
            raise ma.ValidationError(f"lies beyond the calendar, which ends with {LATEST}", "to")


class MovementSchema(Schema):
    """opening + issued - redeemed - expired + adjusted = closing; all in points."""

    opening = fields.Points(required=True)
    issued = fields.Points(required=True, metadata={"description": "net of `reversed`"})
    reversed = fields.Points(required=True, metadata={"description": "of it, what refunds took back"})
    redeemed = fields.Points(required=True)
    expired = fields.Points(required=True)
    adjusted = fields.Points(required=True, metadata={"description": "signed"})
    closing = fields.Points(required=True)


class MonthMovementSchema(MovementSchema):
    """Of one month of booking, in company time."""

    month = fields.String(required=True, metadata={"examples": ["2026-11"]})


class MovementsSchema(MovementSchema):
    """The span as a whole, and month by month."""

    from_ = fields.Day(required=True, data_key="from", attribute="from")
    to = fields.Day(required=True)
    held_by_members = fields.Points(
        required=True, metadata={"description": "the same closing balance by the members' accounts"}
    )
    agrees = fields.Flag(required=True, metadata={"description": "`closing` equals `held_by_members`"})
    months = fields.List(fields.Nested(MonthMovementSchema), required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)
