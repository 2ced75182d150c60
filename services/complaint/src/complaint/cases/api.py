"""``complaints``: receive, find, count, read, and one POST for each action of the lifecycle's table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis.web import Blueprint, Page, PageArgs, answer, etag, glance, requires, work
from complaint.cases import queries, showing
from complaint.cases.acting import take
from complaint.cases.actions import ACTIONS, Action
from complaint.cases.amending import amend
from complaint.cases.glimpsing import glimpse_case
from complaint.cases.handing_over import hand_over
from complaint.cases.intake import receive
from complaint.cases.schemas import AmendSchema, HandedOverSchema, HandOverSchema, IntakeSchema, ListArgs
from complaint.cases.shown_schemas import CaseSchema, CountsSchema, StepSchema, SummarySchema
from complaint.cases.tables import Step

blueprint = Blueprint("complaints", __name__, description="Cases, from the first word to the satisfied answer")
BLUEPRINTS = (blueprint,)


@blueprint.post("/complaints")
@requires("complaints:create")
@blueprint.arguments(IntakeSchema)
@blueprint.response(201, CaseSchema)
def record(body: dict[str, Any]) -> Response:
    """Record what somebody said; it has a number, a level, a handler and clocks before the answer goes out"""
    at = work()
    received = receive(at.context, at.principal, body)
    case = received.case
    at.note(str(case.id), number=case.number, level=case.level)
    shown = showing.whole(at.context, at.principal, received)
    return answer(shown, 201, {"Location": f"/api/v1/complaints/{case.id}"})


@blueprint.get("/complaints")
@requires("complaints:read")
@blueprint.arguments(ListArgs, location="query")
@blueprint.response(200, Page.schema(SummarySchema))
def complaints(query: dict[str, Any]) -> Response:
    """Cases the caller may know of; `order=queue`: breached, due soonest, level, the customer's grade"""
    at = glance()
    found, order = queries.listing(at.session, at.principal, query, at.runtime.settings.field_keys)
    page = Page.of(at.session, found, order, query["limit"], query["cursor"])
    return answer({**page, "items": showing.summaries(at.context, at.principal, page["items"])})


@blueprint.get("/complaints/counts")
@requires("complaints:read")
@blueprint.response(200, CountsSchema)
def counts() -> Response:
    """How many open cases the caller may know of"""
    at = glance()
    zone = at.policies.in_force().company.time_zone
    today = at.clock.now().astimezone(zone).date()
    end = datetime.combine(today + timedelta(days=1), time(0), zone)
    return answer(queries.counts(at.session, at.principal, end))


@blueprint.post("/complaints/hand-over")
@requires("complaints:hand-over")
@blueprint.arguments(HandOverSchema)
@blueprint.response(200, HandedOverSchema)
def hand_over_all(body: dict[str, Any]) -> Response:
    """Give all open cases of somebody to somebody else, or to whoever each of them falls to"""
    at = work()
    done = hand_over(at.context, at.principal, body["from"], body["to"], body["reason"])
    at.note(body["from"], moved=len(done.moved), left=len(done.left))
    return answer({"moved": done.moved, "left": done.left})


@blueprint.get("/complaints/<uuid:id>")
@requires("complaints:read")
@blueprint.response(200, CaseSchema)
def complaint(id: UUID) -> Response:
    """One case, with its clocks, its rounds and what the caller may do now"""
    at = glance()
    found = glimpse_case(at, id)
    etag.tag(found.case.version)
    return answer(showing.whole(at.context, at.principal, found))


@blueprint.patch("/complaints/<uuid:id>")
@requires("complaints:act", if_match=True)
@blueprint.arguments(AmendSchema)
@blueprint.response(200, CaseSchema)
def amended(body: dict[str, Any], id: UUID) -> Response:
    """Set right what was written down; a change of `against` re-evaluates who must not see the case"""
    at = work()
    case = amend(at.context, at.principal, id, body)
    at.note(str(id), changed=sorted(body))
    etag.tag(case.version)
    return answer(showing.full(at.context, at.principal, case))


@blueprint.get("/complaints/<uuid:id>/history")
@requires("complaints:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(StepSchema))
def history(query: dict[str, Any], id: UUID) -> Response:
    """Every step, oldest first: who did what, when, under which article"""
    at = glance()
    queries.the_case(at.session, at.principal, id)
    found = select(Step).where(Step.complaint_id == id)
    return answer(Page.of(at.session, found, [Step.id], query["limit"], query["cursor"], showing.step_shown))


def _offer(name: str, action: Action) -> None:
    """Serve one action of the table."""

    @requires(action.permission, idempotency="required" if action.moves_value else "optional")
    @blueprint.arguments(action.schema)
    @blueprint.response(200, CaseSchema)
    def act(body: dict[str, Any], id: UUID) -> Response:
        at = work()
        case = take(at.context, at.principal, id, name, body)
        at.note(str(id), action=name, status=case.status)
        return answer(showing.full(at.context, at.principal, case))

    act.__name__ = act.__qualname__ = name
    act.__doc__ = (action.schema.__doc__ or name).strip()
    route: Callable[[Any], Any] = blueprint.post(f"/complaints/<uuid:id>/{name}")
    route(act)


for _name, _action in ACTIONS.items():
    _offer(_name, _action)
