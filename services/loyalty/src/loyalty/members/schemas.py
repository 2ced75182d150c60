"""The shapes of the members resources."""

from __future__ import annotations

from chassis.web import PageArgs, Schema, fields


class PurseSchema(Schema):
    """A member's points by what may be done with them."""

    available = fields.Points(required=True, metadata={"description": "may be spent; negative after refunds"})
    pending = fields.Points(required=True)
    held = fields.Points(required=True)
    blocked = fields.Points(required=True)
    deficit = fields.Points(required=True, metadata={"description": "owed after refunds, absorbed by later credits"})


class ExpiringSchema(Schema):
    """Points whose last day is `on`."""

    points = fields.Points(required=True)
    on = fields.Day(required=True)


class MemberSchema(Schema):
    """A member."""

    customer_id = fields.Uuid(required=True)
    code = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    enrolled_at = fields.Instant(required=True)
    under_review = fields.Flag(
        required=True,
        metadata={"description": "blacklisted or flagged: what is earned is blocked, nothing is redeemed"},
    )
    tier = fields.String(required=True)
    tier_since = fields.Instant(required=True, allow_none=True)
    tier_kept_until = fields.Instant(required=True, allow_none=True)
    points = fields.Nested(PurseSchema, required=True)
    growth = fields.Points(required=True, metadata={"description": "growth value in all; tiers look at their window"})
    merged_into = fields.Uuid(
        required=True,
        allow_none=True,
        metadata={"description": "the customer this one is part of; theirs is all it had"},
    )
    expiring = fields.List(fields.Nested(ExpiringSchema), required=True)


class MembersArgs(PageArgs):
    """Which members."""

    tier = fields.Text(60, load_default=None)


class MemberLineSchema(Schema):
    """A member in a list."""

    customer_id = fields.Uuid(required=True)
    code = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    tier = fields.String(required=True)
    points = fields.Nested(PurseSchema, required=True)
    growth = fields.Points(required=True)


class LegSchema(Schema):
    """A leg of a transaction: member accounts pending, available, held, blocked; the programme's issued and so on."""

    currency = fields.Choice("points", "growth", required=True)
    account = fields.String(required=True)
    amount = fields.Points(required=True)


class StepSchema(Schema):
    """A step of the calculation and the clause it rests on."""

    rule = fields.String(required=True)
    points = fields.Points(required=True)
    growth = fields.Points(required=True)
    clause = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)


class EntryWhySchema(Schema):
    """Why so many."""

    decision = fields.String(required=True)
    clause = fields.String(required=True, allow_none=True)
    policyversion = fields.String(required=True, allow_none=True)
    breakdown = fields.List(fields.Nested(StepSchema), required=True)
    inputs = fields.Dict(required=True)


class EntrySchema(Schema):
    """A line of a member's statement."""

    id = fields.Uuid(required=True)
    kind = fields.String(required=True)
    key = fields.String(required=True)
    occurred_at = fields.Instant(required=True)
    recorded_at = fields.Instant(required=True)
    points = fields.Points(required=True)
    growth = fields.Points(required=True)
    legs = fields.List(fields.Nested(LegSchema), required=True)
    reference = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    why = fields.Nested(EntryWhySchema, required=True)


class LotSchema(Schema):
    """Points of one origin with one expiry."""

    id = fields.Uuid(required=True)
    transaction_id = fields.Uuid(required=True)
    state = fields.Choice("pending", "available", "blocked", required=True)
    points = fields.Points(required=True)
    remaining = fields.Points(required=True)
    reserved = fields.Points(required=True)
    campaign = fields.String(required=True, allow_none=True)
    earned_at = fields.Instant(required=True)
    available_at = fields.Instant(required=True)
    expires_at = fields.Instant(required=True, allow_none=True)
