"""A draft: the form's flat fields, and the body that the API takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Response, abort, g, request

from gateway.console.backend import Refused
from gateway.console.campaigns.pages import ROOT, blueprint
from gateway.console.operations.times import as_instant, as_typed
from gateway.console.rewards.places import stores
from gateway.console.rewards.rights import OFFERING
from gateway.console.rewards.typed import joined, listed, whole_or_none
from gateway.console.web import backend, done, form, key, me, page
from gateway.console.words import N_, gettext

FORM = "console/campaigns/form.html"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORDS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip
LISTS = ("products", "categories", "channels")
SEVERAL = ("tiers", "stores", "weekdays")  # ticked or chosen, more than one
_FIELDS = {  # where the API finds a fault → the field that it came from
    "conditions.segment.tiers": "tiers", "conditions.least_total": "least_total", "conditions.happy_hour": "happy_from",
    "conditions.happy_hour.from": "happy_from", "conditions.happy_hour.until": "happy_until",
}  # fmt: skip


@blueprint.get("/new")
def new() -> Response:
    """The form to draft a campaign."""
    return _form({name: [] for name in SEVERAL}, None)


@blueprint.post("/new")
def draft() -> Response:
    """Draft it; then its page."""
    given = _given()
    body = {name: value for name, value in _body(given).items() if value is not None}
    try:
        made = backend().post("campaigns", {**body, "code": given.get("code", "")}, key=key())
    except Refused as refused:
        return _form(given, None, refused)
    return done(f"{ROOT}{made['id']}", gettext("Drafted. It gives nothing before a second person starts it."))


@blueprint.get("/<uuid:id>/edit")
def edit(id: Any) -> Response:
    """The form to change a draft."""
    read = backend().ask("GET", f"campaigns/{id}")
    return _form({**typed(read.value), "etag": read.etag}, read.value)


@blueprint.post("/<uuid:id>/edit")
def change(id: Any) -> Response:
    """Change a draft; a time that nobody touched keeps its seconds."""
    given, campaign = _given(), backend().get(f"campaigns/{id}")
    known, body = typed(campaign), _body(given)
    kept = [name for name in ("from", "until") if given.get(name) == known[name]]
    left_out = [name for name in ("control_group", "clause") if body[name] is None]
    changes = {name: value for name, value in body.items() if name not in (*kept, *left_out)}
    try:
        backend().patch(f"campaigns/{id}", changes, etag=given.get("etag", ""))
    except Refused as refused:
        return _form(given, campaign, refused)
    return done(f"{ROOT}{id}", gettext("Saved."))


def typed(campaign: Mapping[str, Any]) -> dict[str, Any]:
    """A campaign as the form's fields show it."""
    said = campaign["conditions"]
    segment, hour = said["segment"] or {}, said["happy_hour"] or {}
    classes = segment.get("classes") or {}
    plain = {
        name: _text(campaign[name]) for name in ("code", "name", "multiplier", "bonus", "times", "budget", "clause")
    }
    return {
        **plain,
        "from": as_typed(campaign["from"]),
        "until": as_typed(campaign["until"]),
        "control_group": _text(_hundred(campaign["control_group"])),
        "tiers": segment.get("tiers") or [],
        "grades": joined(segment.get("grades") or ()),
        "tags": joined(segment.get("tags") or ()),
        "classes": "\n".join(f"{scheme}: {joined(values)}" for scheme, values in classes.items()),
        **{name: joined(said[name]) for name in LISTS},
        "stores": said["stores"],
        "least_total": _text(said["least_total"]),
        "happy_from": hour.get("from", ""),
        "happy_until": hour.get("until", ""),
        "weekdays": hour.get("weekdays") or [],
        "birthday_month": "true" if said["birthday_month"] else "",
    }


def _body(given: Mapping[str, Any]) -> dict[str, Any]:
    """The form's fields as ``POST campaigns`` has them; None: nothing was typed."""
    return {
        "name": given.get("name", ""),
        "from": as_instant(given.get("from", "")),
        "until": as_instant(given.get("until", "")),
        "multiplier": given.get("multiplier"),
        "bonus": whole_or_none(given.get("bonus")),
        "conditions": _conditions(given),
        "control_group": _share(given.get("control_group")),
        "times": whole_or_none(given.get("times")),
        "budget": whole_or_none(given.get("budget")),
        "clause": given.get("clause"),
    }


def _conditions(given: Mapping[str, Any]) -> dict[str, Any]:
    segment: dict[str, Any] = {
        "tiers": given["tiers"], "grades": listed(given.get("grades")), "tags": listed(given.get("tags")),
        "classes": _classes(given.get("classes", "")),
    }  # fmt: skip
    conditions: dict[str, Any] = {name: listed(given.get(name)) for name in LISTS}
    conditions |= {"stores": given["stores"], "birthday_month": given.get("birthday_month") == "true"}
    if any(segment.values()):
        conditions["segment"] = segment
    if given.get("least_total"):
        conditions["least_total"] = given["least_total"].replace(",", "")
    if given.get("happy_from") or given.get("happy_until"):
        hours = {"from": given.get("happy_from", ""), "until": given.get("happy_until", "")}
        conditions["happy_hour"] = {**hours, "weekdays": given["weekdays"]}
    return conditions


def _classes(text: str) -> dict[str, list[str]]:
    """``frequency: high, mid`` in each line."""
    pairs = (re.split(r"[:：]", line, maxsplit=1) for line in text.splitlines() if line.strip())
    return {pair[0].strip(): listed(pair[1]) for pair in pairs if len(pair) == 2}


def _share(text: str | None) -> str | None:
    """Percent as people type them, as a share: 12.5 is 0.125."""
    if not text:
        return None
    try:
        return f"{Decimal(text.strip(' %％')) / 100:f}"
    except InvalidOperation:
        return text


def _hundred(share: str) -> str:
    return f"{(Decimal(share) * 100).normalize():f}"


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _given() -> dict[str, Any]:
    return {**form(), **{name: request.form.getlist(name) for name in SEVERAL}}


def _form(given: Mapping[str, Any], campaign: Mapping[str, Any] | None, refused: Refused | None = None) -> Response:
    if refused is not None and refused.status not in (409, 412, 422):
        raise refused
    if not me().holds(OFFERING):
        abort(403)
    parts = backend().fan_out({"tiers": "tiers", "units": ("units", {"limit": 200})})
    errors = {_FIELDS.get(path, path): messages for path, messages in (refused.errors if refused else {}).items()}
    return page(
        FORM, refused.status if refused else 200, given=given, campaign=campaign, refused=refused, errors=errors,
        tiers=[one["tier"] for one in parts["tiers"].entries], weekdays=WEEKDAYS, currency=g.company_currency,
        store_options=stores(parts["units"].entries),
    )  # fmt: skip
