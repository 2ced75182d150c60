"""Today: what waits for me, most urgent first. Each part may be missing, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, g, request

from gateway.console.area import Area, Section
from gateway.console.backend import Part
from gateway.console.web import backend, by_htmx, done, fragment, key, me, page, public
from gateway.console.words import N_, instant

blueprint = Blueprint("today", __name__, url_prefix="/console")
LINES = 15
LETTERS = 6  # of the inbox: what is read makes room for the next
OVERSEERS = frozenset({"director", "service_manager", "store_manager", "marketing", "finance", "supervisor", "auditor"})
URGENT = 8  # of everybody's, for those who handle none themselves
LOOKED_INTO = 12  # cases whose allowed actions are asked, to know whether it is me they wait for

# What the services say in lists, as people say it (``term``).
WORDS = (
    N_("Received"), N_("Acknowledged"), N_("Triaged"), N_("Investigating"), N_("Proposed"), N_("Approved"),
    N_("Resolved"), N_("Calling back"), N_("Unfounded"), N_("Waiting for customer"), N_("Closed"), N_("Withdrawn"),
    N_("Acknowledge"), N_("First contact"), N_("Triage"), N_("Investigation"), N_("Proposal"), N_("Approval"),
    N_("Resolution"), N_("Progress"), N_("Call back"), N_("Callback"), N_("Promise"), N_("Close"),
)  # fmt: skip


@blueprint.get("")
@public
def without_slash() -> Response:
    """The bare address."""
    return done("/console/")


@blueprint.get("/today")
@public
def by_name() -> Response:
    """As the search box calls it."""
    return done("/console/")


@blueprint.get("/")
def today() -> Response:
    """My due clocks, call-backs, approvals, inbox."""
    mine = me().username
    parts = backend().fan_out(
        {
            "due": ("complaints", {"handler": mine, "open": True, "order": "queue", "limit": LINES}),
            "calls": ("complaints", {"status": "calling_back", "order": "queue", "limit": LOOKED_INTO}),
            "proposals": ("complaints", {"status": "proposed", "order": "queue", "limit": LOOKED_INTO}),
            "customer": ("services/customer/approvals", {"status": "proposed", "limit": LINES}),
            "loyalty": ("services/loyalty/approvals", {"status": "proposed", "limit": LINES}),
            "inbox": ("inbox", {"unread": True, "limit": LETTERS}),
            "counts": "complaints/counts",
            "urgent": ("complaints", {"open": True, "order": "queue", "limit": URGENT}),
        }
    )
    calls, proposals = parts["calls"].entries, parts["proposals"].entries
    whole = _whole([case["id"] for case in (*calls, *proposals)])
    calls = [whole[case["id"]] for case in calls if "callback" in whole[case["id"]].get("allowed", ())]
    proposals = [whole[case["id"]] for case in proposals if "approve" in whole[case["id"]].get("allowed", ())]
    elsewhere = [
        {**approval, "service": service}
        for service in ("customer", "loyalty")
        for approval in parts[service].entries
        if approval["proposed_by"].get("id") != str(me().staff_id)
    ]
    cases = [case for case in parts["due"].entries if case["status"] != "calling_back"]
    return page(
        "console/today/today.html",
        parts=parts,
        cases=cases,
        calls=calls,
        proposals=proposals,
        approvals=elsewhere,
        overdue=sum(1 for case in cases if case["breached"]),
        due_today=sum(1 for case in cases if _due_today(case)),
        inbox=parts["inbox"],
        sees_company=me().holds(OVERSEERS),
    )


@blueprint.get("/company")
def company() -> Response:
    """How the company does, for those who answer for it: asked apart, because it counts over every customer."""
    parts = backend().fan_out({"bought": "insight/loyalty", "owed": "loyalty-reports/liability"})
    return fragment("console/today/today.html", "company", parts=parts)


@blueprint.post("/inbox/read")
def read() -> Response:
    """Messages that I have read."""
    ids = request.form.getlist("id")
    backend().post("inbox/read", {"ids": ids}, key=key())
    if not by_htmx():
        return done("/console/")
    inbox = backend().fan_out({"inbox": ("inbox", {"unread": True, "limit": LETTERS})})["inbox"]
    return fragment("console/today/today.html", "inbox_panel", inbox=inbox)


def _whole(ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Each of these cases with what I may do with it now; the case itself says it. Empty for one that doesn't come."""
    found: dict[str, Part] = backend().fan_out({id: f"complaints/{id}" for id in ids})
    return {id: part.value if part.ok else {} for id, part in found.items()}


def _due_today(case: dict[str, Any]) -> bool:
    due = instant(case.get("next_due_at"))
    return due is not None and not case["breached"] and due.date() == g.now.astimezone(due.tzinfo).date()


AREA = Area(blueprint, (Section("today", N_("Today"), "sun", "/console/"),))
