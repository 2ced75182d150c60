"""Taking a complaint by telephone: type the caller's number, choose who it is, write what is said, send.

Whoever is not found is written down as they say they are: nobody is turned away for not being in the registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g, request

from gateway.console.backend import Refused
from gateway.console.complaints.case import _by_field, moment
from gateway.console.complaints.queue import blueprint
from gateway.console.complaints.words import categories
from gateway.console.web import backend, by_htmx, done, form, fragment, key, page
from gateway.console.words import gettext, zone

TEMPLATE = "console/complaints/intake.html"
LEAST = 2  # characters before anybody is looked for
AGAINST = ("product", "store", "department", "staff", "policy")


@blueprint.get("/new")
def new() -> Response:
    """The form. ``?customer=`` has the caller chosen already (from the customer's page)."""
    return _form({name: value for name, value in request.args.items() if name in ("customer_id", "who")})


@blueprint.get("/callers")
def callers() -> Response:
    """Who it may be, as one types: the end of a telephone number, a name, a card."""
    typed = {name: value.strip() for name, value in request.args.items()}
    if not by_htmx():
        return _form(typed)
    return fragment(TEMPLATE, "callers", typed=typed, **_found(typed), errors={})


@blueprint.post("/new")
def record() -> Response:
    """Record it; then its page."""
    typed = form()
    try:
        case = backend().post("complaints", _body(typed), key=key())
    except Refused as refused:
        if refused.status not in (403, 409, 422):
            raise
        return _form(typed, refused)
    return done(f"/console/complaints/{case['id']}", gettext("Recorded as %(number)s", number=case["number"]))


def _form(typed: Mapping[str, Any], refused: Refused | None = None) -> Response:
    parts = backend().fan_out({"choices": "complaints/choices", "units": ("units", {"limit": 200})})
    return page(
        TEMPLATE, refused.status if refused else 200, typed=typed, refused=refused, parts=parts,
        errors=_by_field(refused.errors if refused else {}), against=AGAINST,
        categories=categories(parts["choices"].get("categories", [])), today=g.now.astimezone(zone()), **_found(typed),
    )  # fmt: skip


def _found(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Customers that fit what was typed, and what is known of a new caller from it."""
    who, chosen = typed.get("who", ""), typed.get("customer_id", "")
    questions: dict[str, Any] = {}
    if len(who) >= LEAST:
        questions["found"] = ("customers", {"q": who, "limit": 6})
    if chosen and chosen != "new":
        questions["chosen"] = f"customers/{chosen}"
    parts = backend().fan_out(questions) if questions else {}
    digits = "".join(character for character in who if character.isdigit())
    number = who if len(digits) >= 5 and not any(character.isalpha() for character in who) else ""
    return {
        "found": parts.get("found"),
        "chosen": parts["chosen"].value if "chosen" in parts and parts["chosen"].ok else None,
        "new_phone": typed.get("phone") or number,
        "new_name": typed.get("name") or ("" if number or digits else who),
    }


def _body(typed: Mapping[str, str]) -> dict[str, Any]:
    """The form's flat fields as ``POST complaints`` has them."""
    names = ("type", "channel", "description", "category", "wanted", "unit")
    body: dict[str, Any] = {name: typed[name] for name in names if typed.get(name)}
    first_line = next((line.strip() for line in typed.get("description", "").splitlines() if line.strip()), "")
    if subject := typed.get("subject") or first_line[:80]:
        body["subject"] = subject
    if typed.get("customer_id", "new") != "new":
        body["customer_id"] = typed["customer_id"]
    elif who := {name: typed[name] for name in ("name", "phone", "email") if typed.get(name)}:
        body["complainant"] = who
    if details := {name: typed[name] for name in ("product", "order", "batch", "place") if typed.get(name)}:
        body["details"] = details
    if typed.get("against"):
        body["against"] = {"kind": typed["against"], **({"ref": typed["ref"]} if typed.get("ref") else {})}
    if typed.get("amount"):
        body["value"] = {"amount": typed["amount"].replace(",", ""), "currency": g.company_currency}
    if typed.get("insists") == "true":
        body["insists"] = True
    if typed.get("received_at"):
        body["received_at"] = moment(typed["received_at"])
    return body
