"""Choose a version or make a draft, see how far its trial is, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from gateway.console.backend import Refused
from gateway.console.exporting import table_file
from gateway.console.naming import customers_named
from gateway.console.simulation.drafts import Unusable, loyalty_file, with_text, with_uploads
from gateway.console.tiers.flow import flow, said, ways
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page
from gateway.console.words import gettext, term

blueprint = Blueprint("simulation", __name__, url_prefix="/console/simulation")
START, RESULT = "console/simulation/start.html", "console/simulation/result.html"
POLICIES, JOBS = "services/loyalty/policies", "services/loyalty/jobs"
KIND = "policy-simulation"
WRITERS = frozenset({"administrator"})  # who may stage a draft
READERS = frozenset({"director", "marketing", "finance", "auditor"})
LINES = 50
SHOWN = 10
ENDED = ("done", "failed")


@blueprint.get("/")
def start() -> Response:
    """The versions that may be tried, a place for a draft, and earlier trials."""
    return _start()


@blueprint.post("/")
def try_version() -> Response:
    """Try a version that is staged already."""
    return _begin(form().get("hash", ""))


@blueprint.post("/draft")
def try_draft() -> Response:
    """Stage what was typed or uploaded, which has no effect, and try it."""
    typed = form()
    version = backend().get(f"{POLICIES}/{typed.get('base', '')}")
    uploads = [upload for upload in request.files.getlist("files") if upload.filename]
    try:
        draft = with_uploads(version, uploads) if uploads else with_text(version, request.form.get("text", ""))
        staged = backend().post(POLICIES, draft, key=key())
    except Unusable as unusable:
        return _start(422, {"title": "Invalid content", "detail": str(unusable)}, typed)
    except Refused as refused:
        if refused.status != 422:
            raise
        return _start(422, refused.problem, typed)
    return _begin(staged["hash"])


@blueprint.get("/<uuid:id>")
def result(id: UUID) -> Response:
    """One trial: its progress while it runs, what it found after that."""
    job = backend().get(f"{JOBS}/{id}")
    if by_htmx():
        if job["status"] in ENDED:  # the whole page has more to say now
            return Response("", 200, {"HX-Refresh": "true"})
        return fragment(RESULT, "progress", job=job)
    return page(RESULT, id=id, job=job, **_found(id, job))


@blueprint.get("/<uuid:id>.csv")
def result_file(id: UUID) -> Response:
    """The most affected members as a file."""
    found = backend().get(f"{JOBS}/{id}/result")["result"]
    head = [gettext("Member"), gettext("Points now"), gettext("Points tried"), gettext("Difference"),
            gettext("Tier now"), gettext("Tier tried")]  # fmt: skip
    rows = [
        [row["code"] or row["customer_id"], row["points"]["in_force"], row["points"]["tried"], row["points"]["delta"],
         term(row["tier"]["in_force"]), term(row["tier"]["tried"])]
        for row in found["most_affected"]
    ]  # fmt: skip
    return table_file(f"simulation-{id}", head, rows)


def _begin(hash: str) -> Response:
    job = backend().post(f"{POLICIES}/simulate", {"hash": hash}, key=f"{key()}:try")
    return done(f"/console/simulation/{job['id']}")


def _start(status: int = 200, problem: Mapping[str, Any] | None = None, typed: Any = None) -> Response:
    parts = backend().fan_out(
        {"versions": (POLICIES, {"limit": LINES}), "jobs": (JOBS, {"limit": 200})},
    )
    versions = parts["versions"].entries
    in_force = next((one for one in versions if one["in_force"]), None)
    asked = request.args.get("base") or (typed or {}).get("base")
    base = next((one for one in versions if one["hash"] == asked), in_force)
    text, name = "", ""
    if base and me().holds(WRITERS):
        whole = backend().fan_out({"whole": f"{POLICIES}/{base['hash']}"})["whole"]
        name, text = loyalty_file(whole.value) if whole.ok else ("", "")
    return page(
        START,
        status,
        part=parts["versions"],
        versions=versions,
        base=base,
        file=name,
        text=request.form.get("text") or text,
        trials=_trials(parts["jobs"].entries),
        unlisted=parts["jobs"].forbidden,  # who may try, may read their own trials, but no list of everybody's work
        may=me().holds(WRITERS),
        problem=problem,
    )


def _trials(jobs: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The latest trials with what they found."""
    trials = [job for job in jobs if job["kind"] == KIND][:SHOWN]
    found = backend().fan_out({job["id"]: f"{JOBS}/{job['id']}/result" for job in trials if job["status"] == "done"})
    return [{**job, "found": (found[job["id"]].get("result") if job["id"] in found else None)} for job in trials]


def _found(id: UUID, job: Mapping[str, Any]) -> dict[str, Any]:
    if job["status"] != "done":
        return {"found": None}
    found = backend().get(f"{JOBS}/{id}/result")["result"]
    moves = found["tiers"]["moves"]
    order = [one["tier"] for one in backend().fan_out({"tiers": "tiers"})["tiers"].entries]
    affected = found["most_affected"]
    names = customers_named(row["customer_id"] for row in affected)
    return {
        "found": found,
        "names": names,
        "moves": ways(moves, order),
        "tier_said": said,
        "flow": flow(moves, order),
        "by_tier": _by_tier(moves, order),
        "money": _money(found),
        "changes": {
            "across": True,
            "categories": [_name(names, row) for row in affected],
            "series": [{"name": gettext("Difference in points"), "data": [row["points"]["delta"] for row in affected]}],
        },
    }


def _by_tier(moves: list[Mapping[str, Any]], order: list[str]) -> dict[str, Any]:
    """Members on each tier, now and as tried; a tier of the draft alone comes last."""
    counts: dict[str, list[int]] = {tier: [0, 0] for tier in order}
    for move in moves:
        for place, end in enumerate(("from", "to")):
            counts.setdefault(move[end], [0, 0])[place] += move["members"]
    return {
        "categories": [term(tier) for tier in counts],
        "series": [
            {"name": gettext("In force"), "data": [count[0] for count in counts.values()]},
            {"name": gettext("Tried"), "data": [count[1] for count in counts.values()]},
        ],
    }


def _money(found: Mapping[str, Any]) -> dict[str, Any]:
    rows = (found["cost"], found["liability"])
    return {
        "categories": [gettext("Cost of the points earned"), gettext("Liability today")],
        "series": [
            {"name": gettext("In force"), "data": [float(row["in_force"]) for row in rows]},
            {"name": gettext("Tried"), "data": [float(row["tried"]) for row in rows]},
        ],
    }


def _name(names: Mapping[str, Mapping[str, Any]], row: Mapping[str, Any]) -> str:
    known = names.get(row["customer_id"])
    return str(known["name"] if known else row["code"] or row["customer_id"][:8])
