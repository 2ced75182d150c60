"""A voucher at the till: type or scan the code, see what it is good for, take it in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, request

from gateway.console.backend import Refused
from gateway.console.rewards.catalogue import ROOT, blueprint
from gateway.console.rewards.places import own_store, stores
from gateway.console.rewards.rights import REDEEMING
from gateway.console.web import backend, done, form, key, me, page
from gateway.console.words import N_, gettext

TEMPLATE = "console/rewards/voucher.html"
LONGEST = 40
STATES = {  # how each is said, in which tone, with which sign
    "issued": (N_("good"), "good", "check"),
    "used": (N_("taken in"), "neutral", "circle-check"),
    "void": (N_("void"), "bad", "ban"),
    "expired": (N_("expired"), "warn", "hourglass"),
}


@blueprint.get("/voucher")
def voucher() -> Response:
    """One voucher by its code."""
    return _shown(_said(request.args.get("code")), {})


@blueprint.post("/voucher")
def take_in() -> Response:
    """Take it in, once."""
    given, code = form(), _said(request.form.get("code"))
    body = {name: given[name] for name in ("store", "reference") if given.get(name)}
    try:
        used = backend().post(f"vouchers/{quote(code, safe='')}/use", body, key=key())
    except Refused as refused:
        if refused.status not in (404, 409, 422):
            raise
        return _shown(code, given, refused)
    return done(
        f"{ROOT}voucher?code={quote(used['code'])}", gettext("Taken in: %(name)s. Hand it out.", name=used["name"])
    )


def _said(code: str | None) -> str:
    """The code as it was typed, without what a code can't hold and a path must not."""
    return "".join(symbol for symbol in code or "" if symbol.isalnum() or symbol in " -")[:LONGEST].strip()


def _shown(code: str, given: dict[str, Any], refused: Refused | None = None) -> Response:
    questions: dict[str, Any] = {"units": ("units", {"limit": 200})}
    if code:
        questions["voucher"] = f"vouchers/{quote(code, safe='')}"
    parts = backend().fan_out(questions)
    found, units = parts.get("voucher"), parts["units"].entries
    return page(
        TEMPLATE, refused.status if refused else 200, code=code, found=found, given=given,
        voucher=found.value if found else None, refused=refused or (found.refused if found else None),
        takes=me().holds(REDEEMING), stores=stores(units), store=given.get("store") or own_store(units),
    )  # fmt: skip
