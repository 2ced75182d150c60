"""The tiers of the pack, with how many members stand on each and where they came from."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, g

from gateway.console.exporting import table_file
from gateway.console.web import backend, page
from gateway.console.words import gettext, term

blueprint = Blueprint("tiers", __name__, url_prefix="/console/tiers")
TEMPLATE = "console/tiers/levels.html"
REVIEWERS = frozenset({"director", "marketing"})  # who may start a review
READERS = REVIEWERS | {"store_manager", "finance", "auditor"}
LOOK_BACK = timedelta(days=30)


@blueprint.get("/")
def levels() -> Response:
    """Each tier: what it asks for, what it gives, who has it."""
    facts = _facts()
    chart = {
        "categories": [term(one["tier"]) for one in facts["tiers"]],
        "series": [{"name": gettext("Members"), "data": [facts["members"][one["tier"]] for one in facts["tiers"]]}],
    }
    return page(TEMPLATE, chart=chart, **facts)


@blueprint.get("/levels.csv")
def levels_file() -> Response:
    """The same as a file."""
    facts = _facts()
    head = [gettext("Tier"), gettext("From"), gettext("Bonus"), gettext("Members"), gettext("30 days ago")]
    rows = [
        [term(one["tier"]), one["at"], one["bonus"], facts["members"][one["tier"]], facts["before"][one["tier"]]]
        for one in facts["tiers"]
    ]
    return table_file("tiers", head, rows)


def _facts() -> dict[str, Any]:
    span = {"from_": (g.now - LOOK_BACK).isoformat(), "to": g.now.isoformat()}
    parts = backend().fan_out({"offer": "tiers", "moved": ("loyalty-reports/tier-migration", span)})
    members, before = Counter[str](), Counter[str]()
    for move in parts["moved"].entries:
        members[move["to"]] += move["members"]
        if move["from"]:
            before[move["from"]] += move["members"]
    return {
        "offer": parts["offer"],
        "moved": parts["moved"],
        "tiers": parts["offer"].entries,
        "members": members,
        "before": before,
        "whole": members.total(),
    }
