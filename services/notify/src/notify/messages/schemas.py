"""The shapes of the messages resource."""

from __future__ import annotations

from chassis.web import PageArgs, Schema, fields
from notify.messages.lifecycle import STATUSES
from notify.policy.rules import CHANNELS, CLASSES


class MessagesArgs(PageArgs):
    """Which messages."""

    status = fields.Choice(*STATUSES, load_default=None)
    customer_id = fields.Uuid(load_default=None)
    recipient = fields.Text(128, load_default=None, metadata={"description": "customer id, username, complaint:<id>"})
    route = fields.Text(60, load_default=None)
    event_id = fields.Text(512, load_default=None, metadata={"description": "of the event behind it"})
    duplicates = fields.Flag(load_default=False, metadata={"description": "only those that may have arrived twice"})


class AddresseeSchema(Schema):
    """Exactly one: a customer (with the address to use, where it is not the registry's), staff, or an address."""

    customer_id = fields.Uuid(load_default=None)
    staff = fields.Text(128, load_default=None, metadata={"description": "username"})
    name = fields.Text(200, load_default=None)
    phone = fields.Text(40, load_default=None)
    email = fields.Text(254, load_default=None)


class AskingSchema(Schema):
    """``POST messages``."""

    template = fields.Text(60, required=True)
    recipient = fields.Nested(AddresseeSchema, required=True)
    class_ = fields.Choice(*CLASSES, load_default="service", data_key="class")
    channel = fields.Choice(
        *CHANNELS, load_default=None, metadata={"description": "this one or none; default: the pack's order"}
    )
    locale = fields.Text(35, load_default=None)
    data = fields.Dict(keys=fields.String(), load_default=dict, metadata={"description": "the template's variables"})
    urgent = fields.Flag(load_default=True, metadata={"description": "also at night; service messages only"})
    expires_in = fields.Whole(
        1, 30 * 86_400, load_default=None, metadata={"description": "seconds; default: the pack's `keep` of the class"}
    )


class CancellingSchema(Schema):
    """``POST messages/{id}/cancel``."""

    reason = fields.Text(500, load_default=None)


class MessageSchema(Schema):
    """A message, what became of it, and why."""

    id = fields.Uuid(required=True)
    route = fields.String(required=True)
    cause = fields.Dict(required=True, metadata={"description": "source, id and type of the event behind it"})
    recipient_kind = fields.String(required=True)
    recipient = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True, metadata={"description": "masked by role"})
    customer_id = fields.Uuid(required=True, allow_none=True)
    channel = fields.String(required=True)
    class_ = fields.String(required=True, data_key="class")
    template = fields.String(required=True)
    template_version = fields.Whole(required=True, allow_none=True)
    locale = fields.String(required=True, allow_none=True)
    status = fields.Choice(*STATUSES, required=True)
    allowed = fields.List(fields.String(), required=True)
    why = fields.Dict(required=True, metadata={"description": "reason, clause, policyversion"})
    attempts = fields.Whole(required=True)
    possible_duplicates = fields.Whole(required=True, metadata={"description": "attempts that may have arrived too"})
    created_at = fields.Instant(required=True)
    not_before = fields.Instant(required=True)
    next_attempt_at = fields.Instant(required=True, allow_none=True)
    sent_at = fields.Instant(required=True, allow_none=True)
    ended_at = fields.Instant(required=True, allow_none=True)
    provider_reference = fields.String(required=True, allow_none=True)
    subject = fields.String(required=True, allow_none=True)
    body = fields.String(required=True, allow_none=True, metadata={"description": "as sent, secrets struck out"})
