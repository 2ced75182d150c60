"""Reviews of everybody: tried first, then carried out; who rises, falls or is at risk."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from flask import Response, g, request

from gateway.console.backend import Refused
from gateway.console.exporting import every, table_file
from gateway.console.house import person
from gateway.console.naming import customers_named, name_of
from gateway.console.tiers.levels import REVIEWERS, blueprint
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page
from gateway.console.words import exact, gettext, instant, term

LIST, ONE = "console/tiers/reviews.html", "console/tiers/review.html"
LINES = 50
CHANGES = ("falls", "rises", "at_risk")
ENDED = ("done", "failed")


@blueprint.get("/reviews/")
def reviews() -> Response:
    """All of them, newest first, and the form for a new one."""
    return _listing()


@blueprint.post("/reviews/")
def begin() -> Response:
    """Try a review, or (from the page of one that was tried) carry it out."""
    typed = form()
    body: dict[str, Any] = {"dry_run": typed.get("carry_out") != "true"}
    if typed.get("as_of"):
        body["as_of"] = _evening(typed["as_of"])
    try:
        job = backend().post("tier-reviews", body, key=key())
    except Refused as refused:
        if refused.status != 422 or by_htmx():
            raise
        return _listing(422, refused, typed)
    return done(f"/console/tiers/reviews/{job['id']}")


@blueprint.get("/reviews/<uuid:id>")
def one(id: UUID) -> Response:
    """One review: how far it is, or what it found, paged."""
    if by_htmx():
        review = backend().get(f"tier-reviews/{id}")
        if review["status"] in ENDED:  # the whole page has more to say now
            return Response("", 200, {"HX-Refresh": "true"})
        return fragment(ONE, "progress", review=review)
    change, cursor = request.args.get("change", ""), request.args.get("cursor", "")
    asked = {"change": change if change in CHANGES else "", "cursor": cursor, "limit": LINES}
    parts = backend().fan_out({"review": f"tier-reviews/{id}", "lines": (f"tier-reviews/{id}/changes", asked)})
    if parts["review"].refused is not None:
        raise parts["review"].refused
    lines = parts["lines"].entries
    return page(
        ONE,
        id=id,
        part=parts["review"],
        review=parts["review"].value,
        lines=lines,
        found=parts["lines"],
        names=customers_named(line["customer_id"] for line in lines),
        changes=CHANGES,
        change=change,
        cursor=cursor,
        may=me().holds(REVIEWERS),
        of_now=_of_now(parts["review"].value),
        chart=_moves_chart(parts["review"].value or {}),
    )


@blueprint.get("/reviews/<uuid:id>.csv")
def one_file(id: UUID) -> Response:
    """Everyone whom a review names, as a file."""
    lines = list(every(f"tier-reviews/{id}/changes"))
    names = customers_named(line["customer_id"] for line in lines)
    told = ("Member", "Customer id", "What comes", "Tier before", "Tier", "Growth", "Missing", "Falls on")
    rows = [
        [name_of(line, names), line["customer_id"], term(line["change"]), term(line["previous"]), term(line["tier"]),
         line["growth"], line["missing"], exact(line["falls_at"])]
        for line in lines
    ]  # fmt: skip
    return table_file(f"tier-review-{id}", [gettext(name) for name in told], rows)


@blueprint.get("/reviews.csv")
def reviews_file() -> Response:
    """All reviews as a file."""
    counts = ("members", "rises", "falls", "at_risk", "keeps")
    head = [gettext("Review"), gettext("State"), *(term(name) for name in counts), gettext("Started by")]
    rows = [
        [exact(one["as_of"]), gettext("tried only") if one["dry_run"] else gettext("carried out"),
         *(one[name] for name in counts), person(one["started_by"])]
        for one in every("tier-reviews")
    ]  # fmt: skip
    return table_file("tier-reviews", head, rows)


def _listing(status: int = 200, refused: Refused | None = None, typed: dict[str, Any] | None = None) -> Response:
    cursor = request.args.get("cursor", "")
    found = backend().fan_out({"found": ("tier-reviews", {"limit": LINES, "cursor": cursor})})["found"]
    return page(
        LIST,
        status,
        found=found,
        cursor=cursor,
        may=me().holds(REVIEWERS),
        refused=refused,
        typed=typed or {},
    )


def _of_now(review: dict[str, Any] | None) -> bool:
    """Whether it looked at the moment in which it was started; only that can be carried out."""
    return review is not None and instant(review["as_of"]) == instant(review["created_at"])


def _evening(day: str) -> str:
    """The end of a day in company time; what is no day is left for the service to refuse."""
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59), g.company_zone).isoformat()
    except ValueError:
        return day


def _moves_chart(review: dict[str, Any]) -> dict[str, Any]:
    """How many go from where to where: ``gold → ordinary`` → members."""
    moves = sorted((review.get("moves") or {}).items(), key=lambda move: -move[1])
    said = [" → ".join(term(tier) for tier in move.split(" → ")) for move, _ in moves]
    return {
        "across": True,
        "categories": said,
        "series": [{"name": gettext("Members"), "data": [members for _, members in moves]}],
    }
