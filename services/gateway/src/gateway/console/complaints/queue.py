"""Which case next: the queue by urgency with its filters as links, the board by state, the call-back desk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from gateway.console.complaints.words import STATES, categories
from gateway.console.web import backend, me, page
from gateway.console.words import N_

blueprint = Blueprint("complaints", __name__, url_prefix="/console/complaints")

VIEWS: tuple[tuple[str, str, Mapping[str, Any], str], ...] = (  # name, title, filters, member of the counts
    ("", N_("All open"), {"open": True, "order": "queue"}, "open"),
    ("mine", N_("My cases"), {"open": True, "order": "queue", "handler": "*"}, "mine"),
    ("late", N_("Overdue"), {"open": True, "order": "queue", "breached": True}, "breached"),
    ("top", N_("Level 3"), {"open": True, "order": "queue", "level": 3}, "by_level.3"),
    ("callback", N_("To call back"), {"status": "calling_back", "order": "queue"}, "by_status.calling_back"),
    ("executive", N_("General manager's list"), {"executive": True, "order": "newest"}, ""),
    ("closed", N_("Closed"), {"open": False, "order": "newest"}, ""),
    ("all", N_("All, newest first"), {"order": "newest"}, ""),
)
FILTERS = ("status", "level", "type", "channel", "category", "unit", "handler", "q", "cursor")
ON_BOARD = 200


@blueprint.get("/")
def queue() -> Response:
    """The queue: breached, due soonest, level, the customer's grade."""
    view = next((each for each in VIEWS if each[0] == request.args.get("view", "")), VIEWS[0])
    asked = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    wanted = {**view[2], **asked, "limit": 50}
    if wanted.get("handler") == "*":
        wanted["handler"] = me().username
    if asked.get("q"):  # who searches means every case, not only what waits
        wanted = {**asked, "order": "newest", "limit": 50}
    parts = backend().fan_out(
        {"cases": ("complaints", wanted), "counts": "complaints/counts", "choices": "complaints/choices",
         "units": ("units", {"limit": 200})}
    )  # fmt: skip
    return page(
        "console/complaints/queue.html", parts=parts, view=view[0], views=_counted(parts["counts"]), asked=asked,
        states=(*STATES, "closed", "withdrawn"), categories=categories(parts["choices"].get("categories", [])),
        filtered=any(name in asked for name in FILTERS if name not in ("q", "cursor")),
    )  # fmt: skip


@blueprint.get("/board")
def board() -> Response:
    """What waits where: a column for each state, the most urgent on top."""
    wanted = {"open": True, "order": "queue", "limit": ON_BOARD}
    if request.args.get("whose") == "mine":
        wanted["handler"] = me().username
    parts = backend().fan_out({"cases": ("complaints", wanted), "counts": "complaints/counts"})
    columns = {state: [case for case in parts["cases"].entries if case["status"] == state] for state in STATES}
    return page("console/complaints/board.html", parts=parts, columns=columns, mine="handler" in wanted)


@blueprint.get("/callbacks")
def callbacks() -> Response:
    """Whom to ask: cases that were resolved and not by me, the oldest due first."""
    parts = backend().fan_out(
        {"cases": ("complaints", {"status": "calling_back", "order": "queue", "limit": 100}),
         "choices": "complaints/choices"}
    )  # fmt: skip
    return page("console/complaints/callbacks.html", parts=parts)


def _counted(counts: Any) -> list[tuple[str, str, int | None]]:
    """Each view with its title and how many cases it holds, where the counts tell."""

    def count(member: str) -> int | None:
        group, _, name = member.partition(".")
        found = counts.get(group)
        return (found or {}).get(name, 0) if name and counts.ok else found

    return [(name, title, count(member) if member else None) for name, title, _, member in VIEWS]
