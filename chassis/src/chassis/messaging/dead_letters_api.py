"""``services/{service}/dead-letters``: look, replay after the mend, or drop with a reason."""

from __future__ import annotations

import uuid
from typing import Any

from marshmallow.validate import Length

from chassis.messaging import dead_letters
from chassis.messaging.dead_letters import DeadLetter
from chassis.people import guard
from chassis.people.guard import Viewer
from chassis.web import Blueprint, Page, PageArgs, Schema, Work, fields, glance, requires, work

STATUSES = ("waiting", "replayed", "dropped")
_MOST = 1000  # letters in one call


class DeadLetterSchema(Schema):
    """A message that was not taken, and why."""

    id = fields.Uuid(required=True)
    queue = fields.String(required=True)
    source = fields.String(required=True, allow_none=True)
    event_id = fields.String(required=True, allow_none=True)
    type = fields.String(required=True, allow_none=True)
    publisher = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    first_error = fields.String(required=True, allow_none=True)
    attempts = fields.Whole(required=True)
    times = fields.Whole(required=True, metadata={"description": "how often it died"})
    status = fields.Choice(*STATUSES, required=True)
    first_at = fields.Instant(required=True)
    last_at = fields.Instant(required=True)
    decided_at = fields.Instant(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True, metadata={"description": "why it was dropped"})


class WholeDeadLetterSchema(DeadLetterSchema):
    """The same with what it carried."""

    content_type = fields.String(required=True, allow_none=True)
    headers = fields.Dict(required=True)
    body = fields.String(required=True, metadata={"description": "as text; unreadable bytes are replaced"})


class DeadLetterQuery(PageArgs):
    """Filters."""

    status = fields.Choice(*STATUSES)
    queue = fields.Text(max=255)
    type = fields.Text(max=512)


class DropSchema(Schema):
    """Why it is right to lose it."""

    reason = fields.Text(max=2000, required=True)


class ReplayManySchema(Schema):
    """Which letters."""

    ids = fields.List(fields.Uuid(), required=True, validate=Length(1, _MOST))


class DropManySchema(ReplayManySchema):
    """Which letters, and why it is right to lose them."""

    reason = fields.Text(max=2000, required=True)


class DecidedSchema(Schema):
    """The letters after the decision."""

    items = fields.List(fields.Nested(DeadLetterSchema), required=True)


def _viewer(at: Work) -> Viewer:
    return guard.viewer(at.session, at.principal)


def blueprint(service_name: str) -> Blueprint:
    """Mounted under ``services/{service}``."""
    made = Blueprint("dead_letters", __name__, description=f"Messages that `{service_name}` could not take")

    @made.get("/dead-letters")
    @requires("dead-letters:read")
    @made.arguments(DeadLetterQuery, location="query")
    @made.response(200, Page.schema(DeadLetterSchema))
    def letters(query: dict[str, Any]) -> Any:
        """The dead letters, newest first"""
        limit, cursor = query.pop("limit"), query.pop("cursor")
        order = [DeadLetter.last_at.desc(), DeadLetter.id.desc()]
        return Page.of(glance().session, dead_letters.listing(**query, viewer=_viewer(glance())), order, limit, cursor)

    @made.get("/dead-letters/<uuid:letter_id>")
    @requires("dead-letters:read")
    @made.response(200, WholeDeadLetterSchema)
    def letter(letter_id: uuid.UUID) -> Any:
        """One dead letter whole, body included"""
        at_hand = work()
        found = dead_letters.find(at_hand.session, letter_id, _viewer(at_hand))
        at_hand.audit("dead-letter.read", str(letter_id))
        shown = {name: getattr(found, name) for name in DeadLetterSchema().fields}
        body = found.body.decode("utf-8", "replace")
        return shown | {"content_type": found.content_type, "headers": found.headers, "body": body}

    @made.post("/dead-letters/<uuid:letter_id>/replay")
    @requires("dead-letters:write")
    @made.response(200, DeadLetterSchema)
    def replay(letter_id: uuid.UUID) -> Any:
        """Send it to its queue again; repeating this has no second effect"""
        at = work()
        return dead_letters.replay(at.context, [letter_id], at.principal.username, _viewer(at))[0]

    @made.post("/dead-letters/<uuid:letter_id>/drop")
    @requires("dead-letters:write")
    @made.arguments(DropSchema)
    @made.response(200, DeadLetterSchema)
    def drop(body: dict[str, Any], letter_id: uuid.UUID) -> Any:
        """Give it up, with a reason that is kept"""
        at = work()
        return dead_letters.drop(at.context, [letter_id], at.principal.username, body["reason"], _viewer(at))[0]

    @made.post("/dead-letters/replay")
    @requires("dead-letters:write")
    @made.arguments(ReplayManySchema)
    @made.response(200, DecidedSchema)
    def replay_many(body: dict[str, Any]) -> Any:
        """Send several to their queues again"""
        at = work()
        ids = body["ids"][:_MOST]
        return {"items": dead_letters.replay(at.context, ids, at.principal.username, _viewer(at))}

    @made.post("/dead-letters/drop")
    @requires("dead-letters:write")
    @made.arguments(DropManySchema)
    @made.response(200, DecidedSchema)
    def drop_many(body: dict[str, Any]) -> Any:
        """Give several up, with a reason that is kept"""
        at = work()
        ids = body["ids"][:_MOST]
        return {"items": dead_letters.drop(at.context, ids, at.principal.username, body["reason"], _viewer(at))}

    return made
