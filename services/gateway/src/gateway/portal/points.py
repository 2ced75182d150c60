"""One's own points, by a code to one's telephone: two forms and a page, none of which tells whose number is known."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, current_app, g, request

from chassis.errors import Forbidden, Unavailable
from chassis.web.problems import TooMany
from gateway.codes.api import ask, see_points
from gateway.codes.domain import DIGITS
from gateway.console.area import Area
from gateway.console.web import page, public
from gateway.console.words import N_, gettext, language

blueprint = Blueprint("portal_points", __name__, url_prefix="/portal/points")
AREA = Area(blueprint)
PAGE = "portal/points.html"

_PHONE = re.compile(r"^\+?[0-9() \-]{5,40}$")
_CODE = re.compile(rf"^[0-9]{{{DIGITS}}}$")
WRONG = N_("This code is wrong, was used already or is too old. You can ask for a new one.")
TOO_MANY = N_("Too many codes were asked for. Please wait an hour before the next one.")
AWAY = N_("Your points can't be looked up right now; the code stays good. Please try again in a minute.")


@blueprint.get("")
@public
def form() -> Response:
    """Whose number."""
    return page(PAGE, step="number", phone="", wrong="")


@blueprint.post("")
@public
def ask_for_code() -> Response:
    """Send a code there, if it is a customer's; the page is the same if it is not."""
    phone = request.form.get("phone", "").strip()
    if not _PHONE.match(phone):
        return page(PAGE, 422, step="number", phone=phone, wrong=gettext("This does not look like a telephone number."))
    try:
        ask(_console().runtime, _console().api.limits, phone, language())
    except TooMany:
        return page(PAGE, 429, step="number", phone=phone, wrong=gettext(TOO_MANY))
    return page(PAGE, step="code", phone=phone, wrong="")


@blueprint.post("/seen")
@public
def show() -> Response:
    """The points behind the code."""
    phone, code = request.form.get("phone", "").strip()[:40], request.form.get("code", "").strip()
    if not _CODE.match(code):
        return page(PAGE, 422, step="code", phone=phone, wrong=gettext("The code has %(n)s digits.", n=DIGITS))
    try:
        points = see_points(_console().runtime, _console().api.limits, phone, code, g.request_id)
    except (Forbidden, TooMany, Unavailable) as refused:
        told = {Forbidden: WRONG, TooMany: TOO_MANY, Unavailable: AWAY}[type(refused)]
        return page(PAGE, refused.status, step="code", phone=phone, wrong=gettext(told))
    return page(PAGE, step="points", own=points, phone="", wrong="")


def _console() -> Any:
    return current_app
