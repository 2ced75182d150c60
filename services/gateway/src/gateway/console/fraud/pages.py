"""The queue, oldest first, and the decision in place."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, request

from gateway.console.exporting import every, table_file
from gateway.console.fraud.sentences import cause, found
from gateway.console.house import person
from gateway.console.naming import customers_named, name_of
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page, say
from gateway.console.words import N_, exact, gettext, number, term

blueprint = Blueprint("fraud", __name__, url_prefix="/console/fraud")
QUEUE, ROW = "console/fraud/queue.html", "console/fraud/row.html"
STATES = ("open", "released", "voided")
DECIDERS = frozenset({"store_manager", "director", "finance"})
READERS = DECIDERS | {"service_manager", "auditor", "supervisor"}
LINES = 50
DECIDED_BY = N_("Decided by")
ASKED = N_("%(n)s points are not voided alone: a second person was asked.")
SAID = {"release": N_("%(n)s points released."), "void": N_("%(n)s points voided.")}


@blueprint.get("/")
def queue() -> Response:
    """What waits for a look, or what came of the looks."""
    status, cursor = request.args.get("status", "open"), request.args.get("cursor", "")
    status = status if status in STATES else "open"
    asked = {"status": status, "cursor": cursor, "limit": LINES}
    part = backend().fan_out({"found": ("fraud-reviews", asked)})["found"]
    return page(
        QUEUE,
        found=part,
        rows=part.entries,
        names=_names(part.entries),
        state=status,
        states=STATES,
        cursor=cursor,
        decides=me().holds(DECIDERS),
    )


@blueprint.get("/queue.csv")
def queue_file() -> Response:
    """All of one state as a file."""
    status = request.args.get("status", "open")
    status = status if status in STATES else "open"
    reviews = list(every("fraud-reviews", status=status))
    names = _names(reviews)
    told = (
        "Member",
        "Customer id",
        "Purchase",
        "What was found",
        "Why",
        "Points",
        "When",
        "State",
        DECIDED_BY,
        "Reason",
    )
    rows = [
        [name_of(one, names), one["customer_id"], one["purchase_id"], cause(one["cause"]), found(one["detail"]),
         one["points"], exact(one["opened_at"]), term(one["status"]),
         person(one["decided_by"]) if one["decided_by"] else "", one["reason"]]
        for one in reviews
    ]  # fmt: skip
    return table_file(f"points-under-review-{status}", [gettext(name) for name in told], rows)


@blueprint.post("/<uuid:id>/<word>")
def decide(id: UUID, word: str) -> Response:
    """Release the points, or void them: with the reason, which stays in the member's statement."""
    if word not in SAID:
        abort(404)
    review = backend().post(f"fraud-reviews/{id}/{word}", form(), key=key())
    message = SAID[word] if review["status"] != "open" else ASKED
    said = gettext(message, n=number(review["points"]))
    if not by_htmx():
        return done("/console/fraud/", said)
    return say(fragment(ROW, "row", one=review, names=_names([review]), decides=True, fresh=True), said)


def _names(reviews: list[Any]) -> Any:
    return customers_named(review["customer_id"] for review in reviews)
