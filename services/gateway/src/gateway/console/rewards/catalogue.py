"""The catalogue: what points are exchanged for, put on offer, changed and withdrawn in a drawer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, g, request

from gateway.console.backend import Refused
from gateway.console.exporting import every, table_file
from gateway.console.operations.times import as_instant, as_typed
from gateway.console.rewards.rights import OFFERING
from gateway.console.rewards.typed import whole, whole_or_none
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page
from gateway.console.words import N_, exact, gettext, instant, term

blueprint = Blueprint("rewards", __name__, url_prefix="/console/rewards")
ROOT = "/console/rewards/"
LIST, FORM, WITHDRAW = (f"console/rewards/{name}.html" for name in ("list", "reward_form", "withdraw"))
LINES = 50
WORDS = (N_("Offered until"),)
KINDS = ("voucher", "gift", "benefit", "discount")
STATES = (("", N_("On offer"), True), ("not", N_("Not on offer"), False), ("all", N_("All of them"), None))
STATE_WORDS = {
    "on_offer": N_("on offer"), "sold_out": N_("sold out"), "coming": N_("not yet"), "over": N_("withdrawn"),
}  # fmt: skip
_MINUTE = timedelta(minutes=1)


@blueprint.get("/")
def listing() -> Response:
    """What is on offer; or what was, or will be."""
    state, wanted = _asked()
    cursor = request.args.get("cursor", "")
    found = backend().fan_out({"found": ("rewards", {**wanted, "cursor": cursor, "limit": LINES})})["found"]
    return page(
        LIST, found=found, rows=[{**one, "state": state_of(one)} for one in found.entries], state=state,
        states=STATES, kind=wanted["kind"], kinds=KINDS, cursor=cursor, writes=me().holds(OFFERING),
    )  # fmt: skip


@blueprint.get("/catalogue.csv")
def catalogue_file() -> Response:
    """The same as a file."""
    told = ("Code", "Reward", "Kind", "Price in points", "How many in all", "Left", "Offered from", "Offered until",
            "For which tiers", "For each member at most", "State")  # fmt: skip
    rows = [
        [one["code"], one["name"], term(one["kind"]), one["points"], one["stock"], one["left"],
         exact(one["valid_from"]), exact(one["valid_until"]) if one["valid_until"] else "",
         ", ".join(map(term, one["tiers"])), one["per_member"],
         gettext(STATE_WORDS[state_of(one)])]
        for one in every("rewards", **_asked()[1])
    ]  # fmt: skip
    return table_file("rewards", [gettext(name) for name in told], rows)


@blueprint.get("/new")
def new() -> Response:
    """The form to put a reward on offer."""
    return _reward_form({"kind": "voucher", "tiers": []}, None)


@blueprint.post("/new")
def offer() -> Response:
    """Put a reward on offer."""
    given = _given()
    body: dict[str, Any] = {"code": given.get("code"), "kind": given.get("kind"), "name": given.get("name")}
    body |= {name: read(given.get(name)) for name, read in READ.items() if given.get(name)}
    body["points"] = whole(given.get("points"))
    try:
        made = backend().post("rewards", body, key=key())
    except Refused as refused:
        return _reward_form(given, None, _mendable(refused))
    return done(ROOT, gettext("%(name)s is in the catalogue.", name=made["name"]))


@blueprint.get("/<uuid:id>/edit")
def edit(id: Any) -> Response:
    """The form to change what a reward is offered for."""
    read = backend().ask("GET", f"rewards/{id}")
    return _reward_form({**typed(read.value), "etag": read.etag}, read.value)


@blueprint.post("/<uuid:id>/edit")
def change(id: Any) -> Response:
    """Change what was touched: a time is shown in minutes, and what nobody touched keeps its seconds."""
    given, reward = _given(), backend().get(f"rewards/{id}")
    known = typed(reward)
    changes = {name: READ[name](given.get(name)) for name in READ if (given.get(name) or known[name]) != known[name]}
    changes |= {name: None for name in CLEARED if known[name] and not given.get(name)}
    if given.get("name") != known["name"]:
        changes["name"] = given.get("name", "")
    if given["tiers"] != known["tiers"]:
        changes["tiers"] = given["tiers"]
    try:
        if changes:
            backend().patch(f"rewards/{id}", changes, etag=given.get("etag", ""))
    except Refused as refused:
        return _reward_form({**known, **given, "kind": reward["kind"]}, reward, _mendable(refused))
    return done(ROOT, gettext("Saved."))


@blueprint.get("/<uuid:id>/withdraw")
def ask_withdraw(id: Any) -> Response:
    """What withdrawing means, before it is done."""
    read = backend().ask("GET", f"rewards/{id}")
    facts = {"reward": read.value, "etag": read.etag}
    return fragment(WITHDRAW, "form", **facts) if by_htmx() else page(WITHDRAW, **facts)


@blueprint.post("/<uuid:id>/withdraw")
def withdraw(id: Any) -> Response:
    """Offer it no more from now on; what was redeemed stays good."""
    reward = backend().get(f"rewards/{id}")
    ends = g.now.isoformat()
    # One that has not begun yet ends before it begins: its whole time is moved into the past.
    early = {"valid_from": (g.now - _MINUTE).isoformat()} if _begins_later(reward) else {}
    backend().patch(f"rewards/{id}", {**early, "valid_until": ends}, etag=request.form.get("etag", ""))
    return done(ROOT, gettext("%(name)s is offered no more.", name=reward["name"]))


def state_of(reward: Mapping[str, Any]) -> str:
    """``on_offer``, ``sold_out``, ``coming`` or ``over``."""
    if reward["on_offer"]:
        return "on_offer"
    if _begins_later(reward):
        return "coming"
    until = instant(reward["valid_until"])
    return "over" if until is not None and until <= g.now else "sold_out"


def typed(reward: Mapping[str, Any]) -> dict[str, Any]:
    """A reward as the form's fields show it."""
    plain = {name: _text(reward[name]) for name in ("code", "kind", "name", "description", *NUMBERS)}
    times = {name: as_typed(reward[name]) for name in TIMES}
    return {"id": reward["id"], **plain, **times, "tiers": list(reward["tiers"])}


NUMBERS = ("points", "per_member", "stock", "usable_for_days")
TIMES = ("valid_from", "valid_until")
CLEARED = ("description", "per_member", "usable_for_days", "valid_until")  # empty: no limit, for ever
READ: Mapping[str, Callable[[Any], Any]] = {
    "description": lambda text: text,
    **dict.fromkeys(NUMBERS, whole_or_none),
    **dict.fromkeys(TIMES, as_instant),
    "tiers": list,
}


def _asked() -> tuple[str, dict[str, Any]]:
    """Which of them: the state as the links name it, and what the service is asked."""
    state = next((one for one in STATES if one[0] == request.args.get("state", "")), STATES[0])
    kind = request.args.get("kind", "")
    return state[0], {"on_offer": state[2], "kind": kind if kind in KINDS else ""}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _given() -> dict[str, Any]:
    return {**form(), "tiers": request.form.getlist("tiers")}


def _begins_later(reward: Mapping[str, Any]) -> bool:
    begins = instant(reward["valid_from"])
    return begins is not None and begins > g.now


def _mendable(refused: Refused) -> Refused:
    """What the form can show; anything else is a page's problem."""
    if refused.status not in (409, 412, 422):
        raise refused
    return refused


def _reward_form(
    given: Mapping[str, Any], reward: Mapping[str, Any] | None, refused: Refused | None = None
) -> Response:
    if not me().holds(OFFERING):
        abort(403)
    tiers = backend().fan_out({"tiers": "tiers"})["tiers"]
    facts: dict[str, Any] = {
        "given": given, "reward": reward, "refused": refused, "errors": dict(refused.errors) if refused else {},
        "tiers": [one["tier"] for one in tiers.entries], "kinds": KINDS,
    }  # fmt: skip
    status = 422 if refused and not by_htmx() else 200
    return fragment(FORM, "form", status, **facts) if by_htmx() else page(FORM, status, **facts)
