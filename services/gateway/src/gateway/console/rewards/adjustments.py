"""Points changed by hand: what waits for a second person, and what became of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from gateway.console.exporting import every, table_file
from gateway.console.house import person
from gateway.console.naming import with_customers
from gateway.console.rewards.catalogue import LINES, blueprint
from gateway.console.rewards.rights import ADJUSTING, DIRECTING
from gateway.console.web import backend, me, page
from gateway.console.words import N_, exact, gettext, term

LIST = "console/rewards/adjustments.html"
STATES = (
    ("proposed", N_("Waiting")), ("booked", N_("Booked")), ("rejected", N_("Rejected")), ("expired", N_("Expired")),
)  # fmt: skip


@blueprint.get("/adjustments")
def adjustments() -> Response:
    """Of the members whom the reader's units look after, newest first."""
    status = request.args.get("status", "proposed")
    status = status if status in dict(STATES) else "proposed"
    cursor = request.args.get("cursor", "")
    found = backend().fan_out({"found": ("adjustments", {"status": status, "cursor": cursor, "limit": LINES})})["found"]
    return page(LIST, found=found, rows=judged(with_customers(found.entries)), state=status, states=STATES,
                cursor=cursor)  # fmt: skip


@blueprint.get("/adjustments.csv")
def adjustments_file() -> Response:
    """Those of one state as a file."""
    status = request.args.get("status", "proposed")
    status = status if status in dict(STATES) else "proposed"
    told = ("When", "Customer id", "Member", "Points", "Reason", "Note", "By", "Second person", "Clause")
    rows = [
        [exact(one["created_at"]), one["customer_id"], one["customer"]["name"] if one["customer"] else "",
         one["points"], term(one["reason_code"]), one["note"], person(one["created_by"]),
         person(one["decided_by"]) if one["decided_by"] else "", one["clause"]]
        for one in with_customers(every("adjustments", status=status))
    ]  # fmt: skip
    return table_file(f"adjustments-{status}", [gettext(name) for name in told], rows)


def judged(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each with whether the reader proposed it, and whether theirs may be the second word on it."""

    def agrees(row: Mapping[str, Any]) -> bool:
        return me().holds(DIRECTING if row["needs"] == "director" else ADJUSTING)

    return [{**row, "mine": row["created_by"] == me().username, "agree": agrees(row)} for row in rows]
