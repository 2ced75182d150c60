"""``portal/points``: ask for a code by telephone number; with the code, see one's own points.

These views keep their own transactions, as signing in does: a wrong try must be counted although its answer is a
refusal.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Response, current_app
from marshmallow import validate

from chassis.errors import Forbidden
from chassis.runtime import Runtime
from chassis.web import Blueprint, Schema, answer, fields, requires, work
from chassis.web.application import Application
from chassis.web.limits import Limits
from gateway.codes import use_cases
from gateway.codes.domain import DIGITS, LIFE
from gateway.codes.errands import Errands

blueprint = Blueprint("points", __name__, description="Own points by one-time code")
ASKING = "10 per hour"  # of one address
TRYING = "30 per hour"


class NumberSchema(Schema):
    """A telephone number, and the code once it is there."""

    phone = fields.Text(40, required=True, load_only=True)
    code = fields.String(
        load_default=None, allow_none=True, load_only=True, validate=validate.Regexp(rf"^[0-9]{{{DIGITS}}}\Z")
    )
    locale = fields.Choice("zh-CN", "en", load_default=None, allow_none=True)


class AskedSchema(Schema):
    """The answer to whoever asks for a code, whether the number is known or not."""

    expires_in = fields.Whole(required=True, metadata={"description": "seconds in which the code works"})


class OwnPointsSchema(Schema):
    """One's own points. ``tier`` is null for a customer who takes no part."""

    tier = fields.String(required=True, allow_none=True)
    points = fields.Dict(required=True, metadata={"description": "available, pending, held"})
    growth = fields.Points(required=True)
    expiring = fields.List(fields.Dict(), required=True, metadata={"description": "points and the day, on"})


@blueprint.post("/portal/points")
@requires(public=True, secret=True, audit=False)
@blueprint.arguments(NumberSchema)
@blueprint.response(200, OwnPointsSchema)
@blueprint.alt_response(202, schema=AskedSchema, description="A code is on its way, if the number is a customer's")
@blueprint.alt_response(403)
def points(body: dict[str, Any]) -> Response:
    """Ask for a code, or see one's points by it."""
    at, limits = work(), cast(Application, current_app).limits
    if body["code"] is not None:
        return answer(see_points(at.runtime, limits, body["phone"], body["code"], at.request_id))
    ask(at.runtime, limits, body["phone"], body["locale"])
    return answer({"expires_in": int(LIFE.total_seconds())}, 202)


def ask(runtime: Runtime, limits: Limits | None, phone: str, locale: str | None) -> None:
    """Have a code sent, counted against the caller's address. Raises TooMany."""
    if limits is not None:
        limits.spend(ASKING, "portal.code")
    with runtime.context() as own:
        use_cases.ask_for_code(own, phone, locale)


def see_points(runtime: Runtime, limits: Limits | None, phone: str, code: str, request_id: str) -> dict[str, Any]:
    """The points behind a right code, which is spent by it. Raises Forbidden, TooMany, Unavailable."""
    if limits is not None:
        limits.spend(TRYING, "portal.points")
    refusal = Forbidden("This code is wrong, used or too old. Ask for a new one.")
    with runtime.context() as own:
        found = use_cases.try_code(own.session, own.clock, runtime.settings.field_keys[0], phone, code)
    if found is None:
        raise refusal
    with runtime.context() as own:
        member = Errands.of(own, request_id).points(found[1])
        if not use_cases.use_code(own.session, own.clock, found[0]):
            raise refusal
    if member is None:
        return {"tier": None, "points": {"available": 0, "pending": 0, "held": 0}, "growth": 0, "expiring": []}
    purse = {name: member["points"][name] for name in ("available", "pending", "held")}
    return {"tier": member["tier"], "points": purse, "growth": member["growth"], "expiring": member["expiring"]}
