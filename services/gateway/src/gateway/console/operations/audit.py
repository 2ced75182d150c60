"""Who did what, in all services; and whether the chain that seals it is whole."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from gateway.console.backend import Part, Refused
from gateway.console.operations.times import as_instant
from gateway.console.web import backend, fragment, page
from gateway.console.words import N_
from gateway.overview.audit import SERVICES

blueprint = Blueprint("audit_pages", __name__, url_prefix="/console/audit")
TEMPLATE = "console/operations/audit.html"
LINES = 50
FILTERS = ("service", "username", "action", "subject", "request_id")
SLOW = 20.0  # seconds: the whole chain is recomputed
WORDS = (N_("Staff"), N_("Api key"), N_("System"), N_("Public"))


@blueprint.get("/")
def trail() -> Response:
    """The trails of all services as one, newest first."""
    filters = {name: request.args[name].strip() for name in FILTERS if request.args.get(name, "").strip()}
    times = {name: request.args.get(name, "") for name in ("since", "until")}
    asked: dict[str, Any] = {**filters, **{name: as_instant(value) for name, value in times.items() if value}}
    cursor = request.args.get("cursor", "")
    try:
        found = Part(backend().get("audit", **asked, cursor=cursor, limit=LINES))
    except Refused as refused:
        found = Part(refused=refused)
    facts: dict[str, Any] = {"found": found, "given": {**filters, **times}, "cursor": cursor, "services": SERVICES}
    return page(TEMPLATE, narrowed=bool(asked), **facts)


@blueprint.get("/inspection")
def inspection() -> Response:
    """Recompute the chain of every service, and name what no longer agrees with it."""
    parts = backend().fan_out({name: f"services/{name}/audit/inspection" for name in SERVICES}, SLOW)
    return fragment(TEMPLATE, "inspection", parts=parts)
