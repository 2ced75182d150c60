"""``messages``: what was said to whom, what became of it, and saying something."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from chassis.web import Blueprint, Page, answer, glance, requires, work
from notify.messages.asking import Asking, ask_for_message, cancel
from notify.messages.queries import shown, the_message, visible
from notify.messages.schemas import AskingSchema, CancellingSchema, MessagesArgs, MessageSchema
from notify.messages.tables import Message

blueprint = Blueprint("messages", __name__, description="Messages: sent, waiting, held, or not sent, and why")


@blueprint.get("/messages")
@requires("messages:read")
@blueprint.arguments(MessagesArgs, location="query")
@blueprint.response(200, Page.schema(MessageSchema))
def messages(query: dict[str, Any]) -> Response:
    """Messages, newest first"""
    at = glance()
    limit, cursor, duplicates = query.pop("limit"), query.pop("cursor"), query.pop("duplicates")
    found = visible(at.session, at.principal).filter_by(**{name: value for name, value in query.items() if value})
    if duplicates:
        found = found.where(Message.possible_duplicates > 0)
    page = Page.of(at.session, found, [Message.id.desc()], limit, cursor, lambda one: shown(one, at.principal))
    return answer(page)


@blueprint.get("/messages/<uuid:message_id>")
@requires("messages:read")
@blueprint.response(200, MessageSchema)
def message(message_id: UUID) -> Response:
    """One message"""
    at = glance()
    return answer(shown(the_message(at.session, at.principal, message_id), at.principal))


@blueprint.post("/messages")
@requires("messages:send", idempotency="required")
@blueprint.arguments(AskingSchema)
@blueprint.response(201, MessageSchema)
def send_message(body: dict[str, Any]) -> Response:
    """Send a template to somebody; quiet hours, consent and caps hold here too"""
    at = work()
    made = ask_for_message(at.context, at.principal, Asking(**body))
    at.note(f"message:{made.id}", template=made.template, channel=made.channel)
    return answer(shown(made, at.principal), 201, {"Location": f"/api/v1/messages/{made.id}"})


@blueprint.post("/messages/<uuid:message_id>/cancel")
@requires("messages:cancel")
@blueprint.arguments(CancellingSchema)
@blueprint.response(200, MessageSchema)
def cancel_message(body: dict[str, Any], message_id: UUID) -> Response:
    """Take a message back that did not go yet; 409 for one that did"""
    at = work()
    found = the_message(at.session, at.principal, message_id, lock=True)
    cancel(at.context, found, body["reason"], at.principal.username)
    at.note(f"message:{message_id}")
    return answer(shown(found, at.principal))
