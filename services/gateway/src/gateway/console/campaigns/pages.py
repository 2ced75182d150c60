"""Campaigns: the list with its budgets, one campaign with what came of it; start and stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, request

from gateway.console.backend import Part, Refused
from gateway.console.campaigns import effect
from gateway.console.exporting import every, table_file
from gateway.console.house import place
from gateway.console.rewards.rights import OFFERING, STARTING
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page
from gateway.console.words import exact, gettext, money, number, term

blueprint = Blueprint("campaigns", __name__, url_prefix="/console/campaigns")
ROOT = "/console/campaigns/"
LIST, ONE, STOP = (f"console/campaigns/{name}.html" for name in ("list", "one", "stop"))
LINES = 50
WAITING = 100  # proposals among which this campaign's is looked for
STATES = ("draft", "scheduled", "running", "ended", "stopped")
TONES = {"draft": "neutral", "scheduled": "info", "running": "good", "ended": "neutral", "stopped": "warn"}
NEARLY = 0.9  # of a budget: shown as a warning


@blueprint.get("/")
def listing() -> Response:
    """All campaigns, newest first, each with what its budget has left."""
    state, cursor = request.args.get("state", ""), request.args.get("cursor", "")
    wanted = {"status": state if state in STATES else "", "cursor": cursor, "limit": LINES}
    found = backend().fan_out({"found": ("campaigns", wanted)})["found"]
    return page(LIST, found=found, state=state, states=STATES, cursor=cursor, writes=me().holds(OFFERING))


@blueprint.get("/campaigns.csv")
def listing_file() -> Response:
    """The same as a file."""
    state = request.args.get("state", "")
    told = ("Code", "Campaign", "State", "Promise", "Starts", "Ends", "Points given", "Budget, points", "Control group",
            "Clause")  # fmt: skip
    rows = [
        [one["code"], one["name"], term(one["status"]), promise(one), exact(one["from"]), exact(one["until"]),
         one["granted"], one["budget"], one["control_group"], one["clause"]]
        for one in every("campaigns", status=state if state in STATES else "")
    ]  # fmt: skip
    return table_file("campaigns", [gettext(name) for name in told], rows)


@blueprint.get("/<uuid:id>")
def one(id: Any) -> Response:
    """One campaign: what it promises to whom, what came of it, who decides next."""
    parts = backend().fan_out(
        {
            "campaign": f"campaigns/{id}",
            "effect": f"loyalty-reports/campaigns/{id}",
            "waiting": ("services/loyalty/approvals", {"status": "proposed", "kind": "campaign", "limit": WAITING}),
        },
        deadline=10,
    )
    campaign = parts["campaign"]
    if campaign.refused is not None:
        raise campaign.refused
    report = parts["effect"].value
    return page(
        ONE, id=id, parts=parts, campaign=campaign.value, report=report,
        verdict=effect.verdict(report) if report else [], interval=effect.interval(report) if report else None,
        charts=effect.charts(report) if report else {}, conditions=conditions(campaign.value) if campaign.ok else [],
        waiting=_proposal(parts["waiting"], str(id)), my_id=str(me().staff_id), writes=me().holds(OFFERING),
        starts=me().holds(STARTING),
    )  # fmt: skip


@blueprint.post("/<uuid:id>/start")
def start(id: Any) -> Response:
    """Ask a second person to start it."""
    backend().post(f"campaigns/{id}/start", {}, key=key())
    return done(f"{ROOT}{id}", gettext("Proposed: a second person starts it."))


@blueprint.get("/<uuid:id>/stop")
def ask_stop(id: Any) -> Response:
    """What stopping means, and the question why."""
    return _stop_form(id)


@blueprint.post("/<uuid:id>/stop")
def stop(id: Any) -> Response:
    """End it now."""
    try:
        backend().post(f"campaigns/{id}/stop", form(), key=key())
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        return _stop_form(id, refused)
    return done(f"{ROOT}{id}", gettext("Stopped. What was bought before keeps what was promised."))


def promise(campaign: Mapping[str, Any]) -> str:
    """What it gives, in a few words."""
    if campaign["multiplier"] is not None:
        return gettext("base points × %(n)s", n=number(campaign["multiplier"]))
    return gettext("%(n)s points a purchase", n=number(campaign["bonus"]))


def budget_share(campaign: Mapping[str, Any]) -> int:
    """How much of the budget is given, in whole percent."""
    return min(100, 100 * campaign["granted"] // campaign["budget"]) if campaign["budget"] else 0


def conditions(campaign: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom and what it is about, line by line; nothing: everybody and everything."""
    said = campaign["conditions"]
    segment, hour = said["segment"] or {}, said["happy_hour"]
    lines = [
        (gettext("Tier"), _named(segment.get("tiers"))),
        (gettext("Grade"), _named(segment.get("grades"))),
        (gettext("Tags"), _listed(segment.get("tags"))),
        *((term(scheme), _named(values)) for scheme, values in (segment.get("classes") or {}).items()),
        (gettext("Products"), _listed(said["products"])),
        (gettext("Categories"), _listed(said["categories"])),
        (gettext("Stores"), gettext(", ").join(map(place, said["stores"]))),
        (gettext("Channels"), _named(said["channels"])),
        (gettext("From a total of"), money(said["least_total"]) if said["least_total"] else ""),
        (gettext("Happy hour"), _hour(hour) if hour else ""),
        (gettext("Birthday month"), gettext("only then") if said["birthday_month"] else ""),
    ]
    return [(label, text) for label, text in lines if text]


def _hour(hour: Mapping[str, Any]) -> str:
    days = _named(hour["weekdays"]) or gettext("every day")
    return f"{hour['from']}–{hour['until']}, {days}"


def _named(codes: list[str] | None) -> str:
    return gettext(", ").join(map(term, codes or ()))


def _listed(words: list[str] | None) -> str:
    return gettext(", ").join(words or ())


def _proposal(waiting: Part, id: str) -> Mapping[str, Any] | None:
    """The proposal to start this campaign, where the reader may see it."""
    return next((one for one in waiting.entries if one["content"].get("campaign") == id), None)


def _stop_form(id: Any, refused: Refused | None = None) -> Response:
    if not me().holds(OFFERING):
        abort(403)
    facts: dict[str, Any] = {
        "campaign": backend().get(f"campaigns/{id}"), "refused": refused,
        "errors": dict(refused.errors) if refused else {},
    }  # fmt: skip
    status = 422 if refused and not by_htmx() else 200
    return fragment(STOP, "form", status, **facts) if by_htmx() else page(STOP, status, **facts)
