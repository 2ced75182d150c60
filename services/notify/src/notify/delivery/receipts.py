"""``receipts/{provider}``: what providers tell of messages that they took. Signed, so that nobody else can."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from sqlalchemy import select

from chassis.errors import NotFound
from chassis.web import Blueprint, Schema, answer, fields, requires, work
from chassis.web.tokens import NotAuthentic
from notify.channels import ChannelSettings
from notify.channels.signing import SIGNATURE, TIMESTAMP, authentic
from notify.delivery.settling import give_up
from notify.messages.lifecycle import TERMINAL, after
from notify.messages.tables import Message
from notify.recipients.wishes import suppress

blueprint = Blueprint("receipts", __name__, description="Receipts of the providers")


class ReceiptSchema(Schema):
    """What became of a message, by the provider's own name for it."""

    reference = fields.Text(200, required=True)
    status = fields.Choice("delivered", "failed", "bounced", required=True)
    reason = fields.Text(500, load_default=None)


class ReceivedSchema(Schema):
    """The message's status now."""

    status = fields.String(required=True)


@blueprint.post("/receipts/<provider>")
@requires(public=True)
@blueprint.arguments(ReceiptSchema)
@blueprint.response(200, ReceivedSchema)
@blueprint.alt_response(401, description="not signed with our secret, or too long ago")
def receive(body: dict[str, Any], provider: str) -> Response:
    """A provider says whether a message arrived; a bounce closes the address"""
    at = work()
    secrets = ChannelSettings.from_environment().webhook_secrets
    headers = request.headers
    if not authentic(secrets, headers.get(TIMESTAMP), headers.get(SIGNATURE), request.get_data(), at.clock.now()):
        raise NotAuthentic("a receipt needs the signature of its provider")
    found = select(Message).where(Message.channel == provider, Message.provider_reference == body["reference"])
    message = at.session.scalars(found.with_for_update()).first()
    if message is None:
        raise NotFound(f"no message of {provider} has this reference")
    context = at.context
    if body["status"] == "bounced" and message.address:
        suppress(context, message.channel, str(message.address), body["reason"] or "bounced", f"provider:{provider}")
    if message.status not in TERMINAL:  # said twice, or late: the first word stands
        if body["status"] == "delivered":
            message.status = after(message.status, "confirm")
        else:
            give_up(context, message, body["reason"] or body["status"])
    at.note(f"message:{message.id}", status=message.status)
    return answer({"status": message.status})
