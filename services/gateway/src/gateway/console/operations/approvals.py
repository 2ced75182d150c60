"""What waits for a second person, of every service, and their word on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, abort, request

from gateway.console.reasons import reason
from gateway.console.web import backend, done, key, me, page
from gateway.console.words import N_, day, exact, gettext, spoken, term
from gateway.overview.audit import SERVICES

blueprint = Blueprint("approvals", __name__, url_prefix="/console/approvals")
TEMPLATE = "console/operations/approvals.html"
STATUSES = ("proposed", "approved", "rejected", "expired")
LINES = 50
CASES = 8  # cases whose allowed actions are asked, to know whether it is the reader they wait for
PLAIN = ("scheme", "scope", "kind", "needs", "reason_code")  # members whose values are codes
LINKS = {"customer_id": "/console/customers/", "campaign": "/console/campaigns/"}  # members whose values have a page
UNTOLD = ("entry", "policyversion", "run", "adjustment_id", "unit_path")  # what nobody needs to decide
_DAY = re.compile(r"^\d{4}-\d\d-\d\d$")
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
WORDS = (
    N_("Proposed"), N_("Approved"), N_("Rejected"), N_("Expired"), N_("Reason"), N_("Scheme"), N_("Customer id"),
    N_("Scope"), N_("Unit"), N_("From"), N_("Until"), N_("Version"), N_("Hash"), N_("Effective from"), N_("Points"),
    N_("Policy activate"), N_("Policy activation"), N_("Blacklist"), N_("Run"), N_("Change"), N_("Rounds"), N_("As of"),
    N_("Since"),
    N_("Clause"), N_("Evidence"), N_("Value"), N_("Company"),
)  # fmt: skip


@blueprint.get("/")
def listing() -> Response:
    """Proposals of all services, newest first; compensations of complaints among them."""
    status = request.args.get("status", "proposed")
    status = status if status in STATUSES else "proposed"
    service = request.args.get("service", "")
    asked = [service] if service in SERVICES else list(SERVICES)
    wanted = {"status": status, "limit": LINES}
    questions: dict[str, Any] = {name: (f"services/{name}/approvals", wanted) for name in asked}
    if status == "proposed" and "complaint" in asked:
        questions["cases"] = ("complaints", {"status": "proposed", "order": "queue", "limit": CASES})
    parts = backend().fan_out(questions)
    cases = _mine(parts["cases"].entries) if "cases" in parts else []
    proposals = [
        {**one, "service": name, "lines": list(_lines(one["content"])), "moves": _moves(one["content"])}
        for name in asked
        for one in parts[name].entries
    ]
    proposals.sort(key=lambda one: one["proposed_at"], reverse=True)
    return page(
        TEMPLATE,
        proposals=proposals,
        cases=cases,
        parts=parts,
        state=status,
        states=STATUSES,
        service=service if service in SERVICES else "",
        my_id=str(me().staff_id),
    )


@blueprint.post("/<service>/<uuid:id>/<word>")
def decide(service: str, id: Any, word: str) -> Response:
    """Approve what was read (its hash goes along), or reject it."""
    if service not in SERVICES or word not in ("approve", "reject"):
        abort(404)
    body: dict[str, Any] = {"note": request.form.get("note", "").strip() or None}
    if word == "approve":
        body["content_hash"] = request.form.get("content_hash") or None
    backend().post(f"services/{service}/approvals/{id}/{word}", body, key=key())
    said = gettext("Approved and carried out.") if word == "approve" else gettext("Rejected.")
    return done(request.form.get("next") or "/console/approvals/", said)


@blueprint.post("/cases/<uuid:id>/approve")
def approve_case(id: Any) -> Response:
    """Approve the compensation that a case's handler proposed."""
    note = request.form.get("note", "").strip()
    backend().post(f"complaints/{id}/approve", {"note": note} if note else {}, key=key())
    return done("/console/approvals/", gettext("Approved and carried out."))


def _moves(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """How many customers move from which grade to which, where that is what is proposed."""
    changes = content.get("changes") or content.get("change") or []
    return [one for one in changes if isinstance(one, Mapping) and {"from", "to", "customers", "direction"} <= set(one)]


def _lines(content: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is proposed, line by line: its name, its value as people read it, and where that leads."""
    for name, value in content.items():
        if name in UNTOLD or value is None:
            continue
        if name in LINKS:
            yield name, gettext("Look at it"), f"{LINKS[name]}{value}"
        elif isinstance(value, str) and _INSTANT.match(value):
            yield name, exact(value), ""
        elif isinstance(value, str) and _DAY.match(value):
            yield name, day(value), ""
        elif name in PLAIN:
            yield name, spoken(value), ""
        elif isinstance(value, Mapping):
            yield name, "; ".join(f"{term(key)}: {_inner(inner)}" for key, inner in value.items() if inner), ""
        elif isinstance(value, list):
            if value and not isinstance(value[0], Mapping):
                yield name, ", ".join(map(str, value)), ""
        else:
            yield name, reason(str(value)), ""


def _inner(value: Any) -> str:
    """What stands within a member: codes as people say them, what is empty left out."""
    if isinstance(value, Mapping):
        return ", ".join(f"{term(key)} {_inner(inner)}" for key, inner in value.items() if inner)
    return ", ".join(map(spoken, value)) if isinstance(value, list) else str(value)


def _mine(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cases that this reader may approve, as they are now."""
    whole = backend().fan_out({case["id"]: f"complaints/{case['id']}" for case in cases}) if cases else {}
    return [part.value for part in whole.values() if part.ok and "approve" in part.get("allowed", ())]
