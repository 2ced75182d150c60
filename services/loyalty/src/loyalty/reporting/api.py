"""``reconciliations``, ``loyalty-reports/liability`` and ``loyalty-reports/movements``."""

from __future__ import annotations

from typing import Any

from flask import Response

from chassis import jobs
from chassis.jobs.api import JobSchema
from chassis.web import Blueprint, answer, glance, requires, work
from loyalty.reporting.liability import liability as what_we_owe
from loyalty.reporting.movements import movements as what_moved
from loyalty.reporting.reconciliation import AT_ONCE, JOB, accounts, reconcile
from loyalty.reporting.schemas import LiabilitySchema, MovementsSchema, ReconciliationSchema, SpanArgs

blueprint = Blueprint("loyalty-reports", __name__, description="What we owe, and the proof that the books are right")


@blueprint.post("/reconciliations")
@requires("reconciliations:run")
@blueprint.response(200, ReconciliationSchema)
@blueprint.alt_response(202, schema=JobSchema, description="There are many: poll the job")
def reconciliations() -> Response:
    """Check every account now; a job where there are more than 100,000"""
    at = work()
    if accounts(at.session, AT_ONCE + 1) > AT_ONCE:
        job = jobs.start(at.session, at.clock, JOB, {}, at.principal)
        return answer(jobs.answer(at.session, job), 202, {"Location": f"/api/v1/services/loyalty/jobs/{job.id}"})
    return answer(reconcile(at.session))


@blueprint.get("/loyalty-reports/liability")
@requires("loyalty-reports:read")
@blueprint.response(200, LiabilitySchema)
def liability() -> Response:
    """Points outstanding, in money at cost, by tier, campaign and month of expiry"""
    at = glance()
    return answer(what_we_owe(at.session, at.policies.in_force(), at.clock.now()))


@blueprint.get("/loyalty-reports/movements")
@requires("loyalty-reports:read")
@blueprint.arguments(SpanArgs, location="query")
@blueprint.response(200, MovementsSchema)
def movements(query: dict[str, Any]) -> Response:
    """Opening + issued - redeemed - expired ± adjusted = closing, by month, checked against the accounts"""
    at = glance()
    return answer(what_moved(at.session, at.policies.in_force(), query["from_"], query["to"]))
