"""The shapes of the rewards resource."""

from __future__ import annotations

from marshmallow import validate

from chassis.web import PageArgs, Schema, fields
from loyalty.rewards.domain import KINDS

# The pattern as JSON Schema and Python both read it.
CODE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_MOST = 1_000_000_000
_MEANT = {
    "points": "price of one; of a discount: points of one step, worth what the pack says",
    "tiers": "tiers that may have it; none: all",
    "per_member": "how many one member may have, for ever; null: any number",
    "stock": "how many were provided in all, claimed ones included; a gift needs it; null: not counted",
    "usable_for_days": "how long its vouchers may be used, their first day not counted; null: as the pack says",
    "valid_until": "the first instant when it is not offered any more; null: until that is changed",
}


class NewRewardSchema(Schema):
    """``POST rewards``."""

    code = fields.Text(
        64,
        required=True,
        validate=validate.Regexp(CODE, error="letters, digits, dots, dashes and underscores, 64 at most"),
        metadata={"pattern": CODE},
    )
    kind = fields.Choice(*KINDS, required=True)
    name = fields.Line(200, required=True)
    description = fields.Text(4000, load_default=None, allow_none=True)
    points = fields.Points(min=0, max=_MOST, required=True, metadata={"description": _MEANT["points"]})
    tiers = fields.List(
        fields.Text(60),
        load_default=list,
        validate=validate.Length(max=20),
        metadata={"description": _MEANT["tiers"]},
    )
    per_member = fields.Whole(min=1, load_default=None, allow_none=True, metadata={"description": _MEANT["per_member"]})
    stock = fields.Whole(min=0, load_default=None, allow_none=True, metadata={"description": _MEANT["stock"]})
    usable_for_days = fields.Whole(
        min=1, max=3660, load_default=None, allow_none=True, metadata={"description": _MEANT["usable_for_days"]}
    )
    valid_from = fields.Instant(load_default=None, allow_none=True, metadata={"description": "default: now"})
    valid_until = fields.Instant(load_default=None, allow_none=True, metadata={"description": _MEANT["valid_until"]})


class RewardChangesSchema(Schema):
    """A merge patch: what is left out stays; code and kind stay in any case."""

    name = fields.Line(200)
    description = fields.Text(4000, allow_none=True)
    points = fields.Points(min=0, max=_MOST, metadata={"description": _MEANT["points"]})
    tiers = fields.List(fields.Text(60), validate=validate.Length(max=20), metadata={"description": _MEANT["tiers"]})
    per_member = fields.Whole(min=1, allow_none=True, metadata={"description": _MEANT["per_member"]})
    stock = fields.Whole(min=0, metadata={"description": _MEANT["stock"]})
    usable_for_days = fields.Whole(
        min=1, max=3660, allow_none=True, metadata={"description": _MEANT["usable_for_days"]}
    )
    valid_from = fields.Instant()
    valid_until = fields.Instant(allow_none=True, metadata={"description": _MEANT["valid_until"]})


class RewardSchema(Schema):
    """A reward of the catalogue."""

    id = fields.Uuid(required=True)
    code = fields.String(required=True)
    kind = fields.Choice(*KINDS, required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    points = fields.Points(required=True, metadata={"description": _MEANT["points"]})
    amount = fields.Money(
        required=True, allow_none=True, metadata={"description": "of a discount: what one is worth at the till"}
    )
    currency = fields.String(required=True, metadata={"description": "of `amount`"})
    tiers = fields.List(fields.String(), required=True, metadata={"description": _MEANT["tiers"]})
    per_member = fields.Whole(required=True, allow_none=True, metadata={"description": _MEANT["per_member"]})
    stock = fields.Whole(required=True, allow_none=True, metadata={"description": _MEANT["stock"]})
    left = fields.Whole(required=True, allow_none=True, metadata={"description": "of the stock; null: any number"})
    usable_for_days = fields.Whole(required=True, allow_none=True, metadata={"description": _MEANT["usable_for_days"]})
    valid_from = fields.Instant(required=True)
    valid_until = fields.Instant(required=True, allow_none=True, metadata={"description": _MEANT["valid_until"]})
    on_offer = fields.Flag(required=True, metadata={"description": "within its validity, and not sold out"})
    created_at = fields.Instant(required=True)


class RewardsArgs(PageArgs):
    """Which rewards."""

    kind = fields.Choice(*KINDS, load_default=None)
    tier = fields.Text(60, load_default=None, metadata={"description": "what a member of this tier may have"})
    on_offer = fields.Flag(load_default=None, metadata={"description": "within its validity, and not sold out"})
