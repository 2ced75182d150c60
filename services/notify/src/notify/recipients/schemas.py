"""The shapes of preferences, consents and suppressions."""

from __future__ import annotations

from marshmallow.validate import Length

from chassis.web import PageArgs, Schema, fields
from notify.policy.rules import CLASSES

WAYS = ("sms", "email", "call_task", "webhook")
_TIME = {"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["21:30"]}


class UnwantedSchema(Schema):
    """A class of messages that is not wanted over a channel."""

    class_ = fields.Choice("care", "marketing", required=True, data_key="class")
    channel = fields.Choice(*WAYS, "any", required=True)


class PreferenceSchema(Schema):
    """How a customer wants to be written to."""

    customer_id = fields.Uuid(required=True)
    locale = fields.String(required=True, allow_none=True)
    time_zone = fields.String(required=True, allow_none=True)
    quiet_from = fields.String(required=True, allow_none=True, metadata={"description": "null: the pack's"})
    quiet_until = fields.String(required=True, allow_none=True)
    channels = fields.List(fields.String(), required=True, metadata={"description": "best first"})
    off = fields.List(fields.Nested(UnwantedSchema), required=True)


class PreferringSchema(Schema):
    """``PATCH preferences/{customer_id}``: merge; null takes a wish back."""

    locale = fields.Text(35, allow_none=True)
    time_zone = fields.Text(60, allow_none=True)
    quiet_from = fields.Text(5, allow_none=True, metadata=_TIME)
    quiet_until = fields.Text(5, allow_none=True, metadata=_TIME)
    channels = fields.List(fields.Choice(*WAYS), validate=Length(max=len(WAYS)))
    off = fields.List(fields.Nested(UnwantedSchema), validate=Length(max=20))


class SayingSchema(Schema):
    """``POST consents/{customer_id}``."""

    class_ = fields.Choice(*CLASSES, required=True, data_key="class")
    channel = fields.Choice(*WAYS, "any", load_default="any")
    given = fields.Flag(required=True, metadata={"description": "false: withdrawn"})
    source = fields.Text(200, required=True, metadata={"description": "through what it was said"})


class ConsentSchema(Schema):
    """One thing a customer said."""

    class_ = fields.String(required=True, data_key="class")
    channel = fields.String(required=True)
    given = fields.Flag(required=True)
    at = fields.Instant(required=True)
    source = fields.String(required=True, allow_none=True)
    by = fields.String(required=True, allow_none=True)


class SuppressingSchema(Schema):
    """``POST suppressions``."""

    channel = fields.Choice("sms", "email", "webhook", required=True)
    address = fields.Text(500, required=True)
    reason = fields.Text(500, required=True)


class SuppressionsArgs(PageArgs):
    """Which suppressions."""

    channel = fields.Choice("sms", "email", "webhook", load_default=None)


class SuppressionSchema(Schema):
    """An address that nothing is sent to."""

    id = fields.Uuid(required=True)
    channel = fields.String(required=True)
    address = fields.String(required=True)
    reason = fields.String(required=True)
    at = fields.Instant(required=True)
    by = fields.String(required=True)
