"""Dead letters of every service: what it was, why it was not taken; sent again or given up, in place."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from flask import Blueprint, Response, abort, request

from gateway.console.backend import Refused
from gateway.console.customers.timeline import HEADLINES
from gateway.console.web import backend, by_htmx, done, form, fragment, here, key, page
from gateway.console.words import N_, gettext, ngettext, term
from gateway.overview.audit import SERVICES

blueprint = Blueprint("dead_letters", __name__, url_prefix="/console/dead-letters")
LIST, DETAIL, DROP = (f"console/operations/{name}.html" for name in ("dead_letters", "dead_letter", "drop"))
LINES = 50
STATUSES = ("waiting", "replayed", "dropped")
WORDS = (N_("Waiting"), N_("Replayed"), N_("Dropped"))


@blueprint.get("/")
def listing() -> Response:
    """The letters of all services, newest first."""
    return page(LIST, **_facts(request.args.get("service", ""), request.args.get("status", "waiting")))


@blueprint.get("/<service>/<uuid:id>")
def letter(service: str, id: Any) -> Response:
    """One letter whole, body included: reading it leaves an audit row."""
    whole = backend().get(f"services/{_known(service)}/dead-letters/{id}")
    facts = {"service": service, "letter": whole, "body": _readable(whole["body"])}
    return fragment(DETAIL, "content", **facts) if by_htmx() else page(DETAIL, **facts)


@blueprint.post("/replay")
def replay() -> Response:
    """Send the chosen letters to their queues again: one by its own button, or all that are ticked."""
    chosen = request.form.getlist("one") or request.form.getlist("letter")
    by_service: dict[str, list[str]] = defaultdict(list)
    for each in chosen:
        service, _, id = each.partition(":")
        by_service[_known(service)].append(id)
    sent = 0
    for service, ids in by_service.items():
        answer = backend().post(f"services/{service}/dead-letters/replay", {"ids": ids}, key=f"{key()}:{service}")
        sent += len(answer["items"])
    said = (
        ngettext("%(n)s letter sent again.", "%(n)s letters sent again.", sent)
        if sent
        else gettext("Tick a letter first.")
    )
    return done(request.form.get("next") or "/console/dead-letters/", said)


@blueprint.get("/<service>/<uuid:id>/drop")
def why_drop(service: str, id: Any) -> Response:
    """The form that asks why it is right to lose it."""
    return _drop_form(_known(service), str(id))


@blueprint.post("/<service>/<uuid:id>/drop")
def drop(service: str, id: Any) -> Response:
    """Give a letter up, with the reason."""
    try:
        backend().post(f"services/{_known(service)}/dead-letters/{id}/drop", form(), key=key())
    except Refused as refused:
        if refused.status != 422:
            raise
        return _drop_form(service, str(id), refused)
    return done("/console/dead-letters/", gettext("Given up, with the reason kept."))


def _readable(body: str) -> str:
    """JSON with its members under each other; anything else as it came."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body


def _facts(service: str, status: str) -> dict[str, Any]:
    status = status if status in STATUSES else "waiting"
    asked = [service] if service in SERVICES else list(SERVICES)
    wanted = {"status": status, "limit": LINES}
    parts = backend().fan_out({name: (f"services/{name}/dead-letters", wanted) for name in asked})
    letters = [{**one, "service": name} for name, part in parts.items() for one in part.entries]
    letters.sort(key=lambda one: one["last_at"], reverse=True)
    return {
        "letters": letters,
        "parts": parts,
        "more": any(part.get("next") for part in parts.values()),
        "forbidden": all(part.forbidden for part in parts.values()),
        "service": service if service in SERVICES else "",
        "services": SERVICES,
        "state": status,
        "states": STATUSES,
        "back": here(),
    }


def _drop_form(service: str, id: str, refused: Refused | None = None) -> Response:
    facts: dict[str, Any] = {
        "service": service,
        "id": id,
        "refused": refused,
        "errors": dict(refused.errors) if refused else {},
    }
    return fragment(DROP, "form", **facts) if by_htmx() else page(DROP, 422 if refused else 200, **facts)


def event_words(type: str | None) -> str:
    """What kind of event it was, as the time line says it."""
    if not type:
        return gettext("unreadable")
    name = type.rpartition(".v")[0]
    return gettext(HEADLINES[name]) if name in HEADLINES else term(name.replace(".", " "))


def _known(service: str) -> str:
    if service not in SERVICES:
        abort(404)
    return service
