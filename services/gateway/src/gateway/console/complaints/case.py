"""One case: what it is about, what was done, and one bar with the actions allowed now, each a small form in place.

Which actions there are is the service's word (``allowed``); the order they stand in is ours. A refusal leaves the form
as it was filled in, with what the service said beside the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, abort, g, request

from gateway.console.backend import Refused
from gateway.console.complaints.queue import blueprint
from gateway.console.complaints.words import ACTIONS, AT_HAND, NEXT, categories
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page
from gateway.console.words import gettext, zone

TEMPLATE = "console/complaints/case.html"
AT_ONCE = ("acknowledge", "resume")  # nothing to fill in


@blueprint.get("/<uuid:id>")
def case(id: UUID) -> Response:
    """The page, with the form of ``?do=`` open."""
    return _page(id, request.args.get("do", ""))


@blueprint.get("/<uuid:id>/<action>")
def action_form(id: UUID, action: str) -> Response:
    """One form alone, for the place under the bar or for the drawer."""
    if action not in ACTIONS:
        abort(404)
    if not by_htmx():
        return _page(id, action)
    facts = _facts(id)
    if facts["parts"]["case"].refused:
        raise facts["parts"]["case"].refused
    return fragment(TEMPLATE, "acting", **facts, **_open(facts, action))


@blueprint.post("/<uuid:id>/<action>")
def act(id: UUID, action: str) -> Response:
    """Do it."""
    if action not in ACTIONS:
        abort(404)
    typed = form()
    try:
        backend().post(f"complaints/{id}/{action}", BODIES.get(action, dict)(typed), key=key())
    except Refused as refused:
        if refused.status not in (403, 409, 422):
            raise
        return _page(id, action, typed, refused)
    back = request.form.get("next") or f"/console/complaints/{id}"
    return done(back, gettext("Done: %(action)s", action=gettext(ACTIONS[action][0])))


def _page(id: UUID, action: str, typed: Mapping[str, Any] | None = None, refused: Refused | None = None) -> Response:
    facts = _facts(id)
    if facts["parts"]["case"].refused:
        raise facts["parts"]["case"].refused
    if facts["parts"]["case"].missing:
        raise facts["parts"]["case"].missing
    opened = _open(facts, action, typed, refused)
    status = refused.status if refused else 200
    if by_htmx():
        return fragment(TEMPLATE, "acting", status, **facts, **opened)
    return page(TEMPLATE, status, **facts, **opened)


def _facts(id: UUID) -> dict[str, Any]:
    """What the page shows, asked of the services at once."""
    parts = backend().fan_out(
        {
            "case": f"complaints/{id}",
            "history": (f"complaints/{id}/history", {"limit": 200}),
            "resolution": f"complaints/{id}/resolution",
            "choices": "complaints/choices",
            "staff": ("staff", {"limit": 200, "enabled": True}),
        }
    )
    customer_id = parts["case"].get("customer_id")
    customer = backend().fan_out({"customer": f"customers/{customer_id}"})["customer"] if customer_id else None
    phones = [phone["number"] for phone in (customer.get("phones") if customer else None) or ()]
    told = (parts["case"].get("complainant") or {}).get("phone") or ""  # as they wrote it, with or without +86
    allowed = [name for name in parts["case"].get("allowed", []) if name in ACTIONS]
    first = next((name for name in NEXT.get(parts["case"].get("status"), ()) if name in allowed), None)
    at_hand = [name for name in AT_HAND if name in allowed and name != first]
    return {
        "parts": parts,
        "case": parts["case"].value,
        "first": first,
        "at_hand": at_hand,
        "more": [name for name in allowed if name not in (first, *at_hand)],
        "at_once": AT_ONCE,
        "phones": phones,
        "known_phone": any(phone.endswith(told[-8:]) for phone in phones) if told else True,
    }


def _open(
    facts: Mapping[str, Any], action: str, typed: Mapping[str, Any] | None = None, refused: Refused | None = None
) -> dict[str, Any]:
    """The form that is open: its fields' values, what was wrong with them, what they choose from."""
    parts = facts["parts"]
    offered = action in (*facts["at_hand"], *facts["more"], facts["first"])
    ladder = parts["choices"].get("ladder", [])
    handlers = [
        (one["username"], f"{one['name']} · {one['username']}")
        for one in parts["staff"].entries
        if set(ladder) & set(one["roles"]) and one["username"] != (facts["case"] or {}).get("handler")
    ]
    return {
        "doing": action if offered or refused else "",
        "typed": typed or {},
        "errors": _by_field(refused.errors if refused else {}),
        "refused": refused,
        "handlers": handlers,
        "categories": categories(parts["choices"].get("categories", [])),
        "in_drawer": request.args.get("from") == "desk" or request.form.get("next", "").endswith("/callbacks"),
        "me": me(),
        "today": g.now.astimezone(zone()),
    }


def _by_field(errors: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """``compensation.points`` belongs to the field ``points`` of the form."""
    return {path.rpartition(".")[2]: list(found) for path, found in errors.items()}


# What the forms' flat texts become: the bodies of contract.md.


def _contact(typed: Mapping[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": typed.get("kind", "first"), "reached": typed.get("reached") != "no"}
    return body | _some(typed, "note")


def _triage(typed: Mapping[str, str]) -> dict[str, Any]:
    return {"founded": typed.get("founded") != "no", **_some(typed, "category", "department", "note")}


def _investigate(typed: Mapping[str, str]) -> dict[str, Any]:
    people = [name.strip() for name in typed.get("responsible", "").replace("，", ",").split(",") if name.strip()]
    return {**_some(typed, "cause", "note"), **({"responsible": people} if people else {})}


def _grant(typed: Mapping[str, str]) -> dict[str, Any]:
    if typed.get("points"):
        return {"points": int(typed["points"]) if typed["points"].isdigit() else typed["points"]}
    if typed.get("amount"):
        return {"amount": typed["amount"].replace(",", ""), "currency": g.company_currency}
    return {}


def _propose(typed: Mapping[str, str]) -> dict[str, Any]:
    grant = _grant(typed)
    return _some(typed, "measures") | ({"compensation": grant} if grant else {})


def _compensate(typed: Mapping[str, str]) -> dict[str, Any]:
    return _some(typed, "reason") | _grant(typed)


def _callback(typed: Mapping[str, str]) -> dict[str, Any]:
    value = typed.get("satisfaction", "")
    return {"satisfaction": int(value) if value.isdigit() else value, **_some(typed, "comment")}


def _promise(typed: Mapping[str, str]) -> dict[str, Any]:
    return {"due_at": moment(typed.get("due_at", "")), **_some(typed, "reason")}


def moment(local: str) -> str:
    """``2026-11-24T15:00`` as the reader means it, with its offset; what is no time the service will refuse."""
    try:
        return datetime.fromisoformat(local).replace(tzinfo=zone()).isoformat()
    except ValueError:
        return local


def _some(typed: Mapping[str, str], *names: str) -> dict[str, Any]:
    return {name: typed[name] for name in names if typed.get(name)}


def _all(*names: str) -> Callable[[Mapping[str, str]], dict[str, Any]]:
    return lambda typed: _some(typed, *names)


BODIES: Mapping[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
    "acknowledge": _all(),
    "resume": _all(),
    "contact": _contact,
    "triage": _triage,
    "assign": _all("handler", "note"),
    "investigate": _investigate,
    "propose": _propose,
    "approve": _all("note"),
    "resolve": _all("answer"),
    "compensate": _compensate,
    "attempt": _all("note"),
    "callback": _callback,
    "promise": _promise,
    "wait": _all("for"),
    "unfounded": _all("reason"),
    "withdraw": _all("reason"),
    "escalate": _all("reason"),
    "reopen": _all("reason"),
}
