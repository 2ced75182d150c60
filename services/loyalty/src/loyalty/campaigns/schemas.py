"""The shapes of the campaign resources."""

from __future__ import annotations

from typing import Any

from marshmallow import validate

from chassis.web import PageArgs, Schema, fields
from loyalty.campaigns.domain import WEEKDAYS

STATES = ("draft", "scheduled", "running", "ended", "stopped")
_HOUR = validate.Regexp(r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")
_CODE = validate.Regexp(r"^[a-z][a-z0-9_-]{0,59}\Z")
_FEW = validate.Length(max=200)


def _words(**kwargs: Any) -> fields.List:
    return fields.List(fields.Text(128), validate=_FEW, **kwargs)


class SegmentSchema(Schema):
    """Whom it is for: one of the tiers, one of the grades, one of the tags, a value of each class; empty: everybody."""

    tiers = _words(load_default=list)
    grades = _words(load_default=list)
    tags = _words(load_default=list)
    classes = fields.Dict(
        keys=fields.Text(60),
        values=_words(),
        load_default=dict,
        validate=_FEW,
        metadata={"description": "scheme → values", "examples": [{"frequency": ["high"]}]},
    )


class HappyHourSchema(Schema):
    """Company time; past midnight when it ends before it begins."""

    since = fields.String(data_key="from", required=True, validate=_HOUR, metadata={"examples": ["18:00"]})
    until = fields.String(required=True, validate=_HOUR, metadata={"examples": ["20:00"]})
    weekdays = fields.List(fields.Choice(*WEEKDAYS), load_default=list, metadata={"description": "empty: every day"})


class ConditionsSchema(Schema):
    """Which purchases it is about; what is left out does not matter."""

    segment = fields.Nested(SegmentSchema, load_default=None, allow_none=True)
    products = _words(load_default=list, metadata={"description": "SKUs; only these lines, and those of `categories`"})
    categories = _words(load_default=list)
    stores = _words(load_default=list)
    channels = _words(load_default=list)
    least_total = fields.Money(min="0", load_default=None, allow_none=True)
    happy_hour = fields.Nested(HappyHourSchema, load_default=None, allow_none=True)
    birthday_month = fields.Flag(load_default=False, metadata={"description": "only in the member's birthday month"})


class DraftSchema(Schema):
    """``POST campaigns``: give a multiplier of the base or a fixed bonus, one of them."""

    code = fields.String(required=True, validate=_CODE, metadata={"examples": ["double_tea_2026"]})
    name = fields.Text(200, required=True)
    starts_at = fields.Instant(data_key="from", required=True)
    ends_at = fields.Instant(data_key="until", required=True)
    multiplier = fields.Quantity(2, load_default=None, allow_none=True, metadata={"examples": ["2"]})
    bonus = fields.Points(min=1, load_default=None, allow_none=True, metadata={"description": "points per purchase"})
    conditions = fields.Nested(ConditionsSchema, load_default=None)
    control_group = fields.Quantity(
        4,
        min="0",
        load_default=None,
        metadata={
            "description": "share of members that gets nothing, 0 to 0.5; default: the pack's",
            "examples": ["0.1"],
        },
    )
    times = fields.Whole(
        min=1, load_default=None, allow_none=True, metadata={"description": "how often one member may profit"}
    )
    budget = fields.Points(
        min=1, load_default=None, allow_none=True, metadata={"description": "points it may give in all; never exceeded"}
    )
    clause = fields.Text(60, load_default=None, allow_none=True, metadata={"description": "default: the pack's"})


class ChangesSchema(Schema):
    """``PATCH campaigns/{id}``: a draft's; what is left out stays."""

    name = fields.Text(200)
    starts_at = fields.Instant(data_key="from")
    ends_at = fields.Instant(data_key="until")
    multiplier = fields.Quantity(2, allow_none=True)
    bonus = fields.Points(min=1, allow_none=True)
    conditions = fields.Nested(ConditionsSchema)
    control_group = fields.Quantity(4, min="0")
    times = fields.Whole(min=1, allow_none=True)
    budget = fields.Points(min=1, allow_none=True)
    clause = fields.Text(60)


class StartSchema(Schema):
    """``POST campaigns/{id}/start``: nothing to say."""


class StopSchema(Schema):
    """``POST campaigns/{id}/stop``."""

    reason = fields.Text(500, required=True)


class CampaignsArgs(PageArgs):
    """Which campaigns."""

    status = fields.Choice(*STATES, load_default=None)


class ListedArgs(PageArgs):
    """Which of its members."""

    arm = fields.Choice("treated", "control", load_default=None)


class ListedSchema(Schema):
    """A member in a campaign."""

    customer_id = fields.Uuid(required=True)
    arm = fields.Choice("treated", "control", required=True, metadata={"description": "control: gets nothing"})
    listed = fields.Flag(required=True, metadata={"description": "in its segment when it was started"})
    times = fields.Whole(required=True, metadata={"description": "purchases that profited"})
    points = fields.Points(required=True)


class CampaignSchema(Schema):
    """A campaign."""

    id = fields.Uuid(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    status = fields.Choice(*STATES, required=True)
    starts_at = fields.Instant(data_key="from", required=True)
    ends_at = fields.Instant(data_key="until", required=True)
    runs_from = fields.Instant(
        required=True, allow_none=True, metadata={"description": "it applies to purchases from here; null: a draft"}
    )
    runs_until = fields.Instant(required=True, allow_none=True)
    multiplier = fields.Quantity(2, required=True, allow_none=True)
    bonus = fields.Points(required=True, allow_none=True)
    conditions = fields.Nested(ConditionsSchema, required=True)
    control_group = fields.Quantity(4, required=True)
    times = fields.Whole(required=True, allow_none=True)
    budget = fields.Points(required=True, allow_none=True)
    granted = fields.Points(required=True, metadata={"description": "of the budget; refunds do not give it back"})
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)
    created_by = fields.String(required=True)
    created_at = fields.Instant(required=True)
    started_by = fields.String(required=True, allow_none=True, metadata={"description": "the second person"})
    stopped_by = fields.String(required=True, allow_none=True)
    stopped_because = fields.String(required=True, allow_none=True)
