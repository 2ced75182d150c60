"""The shapes of the redemptions resource."""

from __future__ import annotations

from chassis.web import PageArgs, Schema, fields
from loyalty.rewards.domain import KINDS

MOST = 1000  # pieces of one redemption; of a discount: steps


class RedeemingSchema(Schema):
    """``POST redemptions``."""

    customer_id = fields.Uuid(required=True)
    reward = fields.Text(64, required=True, metadata={"description": "its code"})
    quantity = fields.Whole(min=1, max=MOST, load_default=1)
    hold_id = fields.Uuid(
        load_default=None,
        allow_none=True,
        metadata={"description": "pay with the points of this hold; what it set aside beyond the price goes back"},
    )
    reference = fields.Line(
        200, load_default=None, allow_none=True, metadata={"description": "the caller's own number, e.g. of the sale"}
    )


class CancellingSchema(Schema):
    """``POST redemptions/{id}/cancel``."""

    reason = fields.Text(500, required=True)


class IssuedVoucherSchema(Schema):
    """A voucher of a redemption."""

    code = fields.String(required=True)
    status = fields.Choice("issued", "used", "void", "expired", required=True)
    valid_until = fields.Instant(required=True, allow_none=True)
    used_at = fields.Instant(required=True, allow_none=True)


class RedemptionSchema(Schema):
    """Points that were given for something."""

    id = fields.Uuid(required=True)
    customer_id = fields.Uuid(required=True)
    reward = fields.String(
        required=True, allow_none=True, metadata={"description": "its code; null: a hold captured at the till"}
    )
    name = fields.String(required=True, allow_none=True)
    kind = fields.Choice(*KINDS, required=True)
    quantity = fields.Whole(required=True)
    points = fields.Points(required=True, metadata={"description": "what all of it cost"})
    amount = fields.Money(
        required=True,
        metadata={"description": "what the points are worth by the pack; of a discount: what comes off the bill"},
    )
    currency = fields.String(required=True)
    status = fields.Choice("redeemed", "cancelled", required=True)
    vouchers = fields.List(fields.Nested(IssuedVoucherSchema), required=True)
    hold_id = fields.Uuid(required=True, allow_none=True)
    transaction_id = fields.Uuid(
        required=True, allow_none=True, metadata={"description": "of the ledger; null: it cost nothing"}
    )
    reference = fields.String(required=True, allow_none=True)
    created_at = fields.Instant(required=True)
    created_by = fields.String(required=True, allow_none=True)
    cancelled_at = fields.Instant(required=True, allow_none=True)
    cancelled_by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True, metadata={"description": "why it was cancelled"})
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class RedemptionsArgs(PageArgs):
    """Whose redemptions, of which reward, in which state."""

    customer_id = fields.Uuid(load_default=None)
    reward = fields.Text(64, load_default=None, metadata={"description": "code of the reward"})
    status = fields.Choice("redeemed", "cancelled", load_default=None)
