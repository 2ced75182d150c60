"""``complaint-links``: what the portal asks and says on behalf of whoever holds a personal link."""

from __future__ import annotations

from typing import Any

from flask import Response

from chassis.web import Blueprint, Schema, answer, fields, glance, requires, work
from complaint.links import use_cases
from complaint.links.following import follow

blueprint = Blueprint("complaint-links", __name__, description="Follow a complaint and answer the call-back by link")
BLUEPRINTS = (blueprint,)


class ExpectedSchema(Schema):
    """A step that is to come."""

    step = fields.String(required=True, metadata={"description": "kind of the clock: first_contact, answer, …"})
    due_at = fields.Instant(required=True)
    provisional = fields.Flag(required=True, metadata={"description": "beyond the calendar's last published year"})


class UpdateSchema(Schema):
    """Something that happened."""

    at = fields.Instant(required=True)
    kind = fields.String(required=True, metadata={"description": "received, acknowledged, contacted, resolved, …"})
    text = fields.String(required=True, metadata={"description": "our answer in its own words; else empty"})


class FollowedSchema(Schema):
    """A case as its complainant sees it."""

    number = fields.String(required=True)
    type = fields.String(required=True)
    status = fields.String(required=True)
    status_text_key = fields.String(required=True)
    round = fields.Whole(min=1, required=True)
    subject = fields.String(required=True)
    received_at = fields.Instant(required=True)
    expected = fields.List(fields.Nested(ExpectedSchema), required=True)
    handler_name = fields.String(required=True, allow_none=True)
    handler_phone = fields.String(required=True, allow_none=True, metadata={"description": "the direct line (FR-07)"})
    updates = fields.List(fields.Nested(UpdateSchema), required=True)
    purpose = fields.Choice("follow", "answer", required=True)
    may_answer = fields.Flag(required=True)
    expires_at = fields.Instant(required=True)
    scale = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, metadata={"description": "answer → its words"}
    )


class IssuingSchema(Schema):
    """``POST complaint-links``."""

    complaint_id = fields.Uuid(required=True)


class IssuedSchema(Schema):
    """A link to be shown to the complainant at once, and never again."""

    token = fields.String(required=True)
    expires_at = fields.Instant(required=True)


class AnsweringSchema(Schema):
    """``POST complaint-links/{token}/answer``."""

    satisfaction = fields.Whole(min=1, max=5, required=True)
    comment = fields.Text(2000, load_default=None, allow_none=True)


class AnsweredSchema(Schema):
    """What became of the case."""

    number = fields.String(required=True)
    status = fields.String(required=True)
    round = fields.Whole(min=1, required=True)


@blueprint.post("/complaint-links")
@requires("links:use", secret=True)
@blueprint.arguments(IssuingSchema)
@blueprint.response(201, IssuedSchema)
def issued(body: dict[str, Any]) -> Response:
    """A link to follow the case that the portal just handed in, for the page that says thanks"""
    at = work()
    token, expires_at = use_cases.issue_on_screen(at.context, at.principal, body["complaint_id"])
    at.note(str(body["complaint_id"]))
    return answer({"token": token, "expires_at": expires_at}, 201)


@blueprint.get("/complaint-links/<token>")
@requires("links:use")
@blueprint.response(200, FollowedSchema)
def followed(token: str) -> Response:
    """The case behind a link; reading changes nothing, so that a mail scanner votes nothing"""
    return answer(follow(glance().context, token))


@blueprint.post("/complaint-links/<token>/answer")
@requires("links:use")
@blueprint.arguments(AnsweringSchema)
@blueprint.response(200, AnsweredSchema)
def answered(body: dict[str, Any], token: str) -> Response:
    """Answer the call-back, once; 404 for a link that is wrong, used or too old"""
    at = work()
    case = use_cases.answer(at.context, at.principal, token, body["satisfaction"], body["comment"])
    at.note(str(case.id), satisfaction=body["satisfaction"])
    return answer({"number": case.number, "status": case.status, "round": case.round})
