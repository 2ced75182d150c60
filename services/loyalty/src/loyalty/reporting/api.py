"""``reconciliations`` and ``loyalty-reports/liability``."""

from __future__ import annotations

from flask import Response

from chassis import jobs
from chassis.jobs.api import JobSchema
from chassis.web import Blueprint, Schema, answer, fields, glance, requires, work
from loyalty.reporting.liability import liability as what_we_owe
from loyalty.reporting.reconciliation import AT_ONCE, JOB, accounts, reconcile

blueprint = Blueprint("loyalty-reports", __name__, description="What we owe, and the proof that the books are right")


class MismatchSchema(Schema):
    """An account whose books do not agree."""

    customer_id = fields.Uuid(required=True)
    wrong = fields.Dict(required=True, metadata={"description": "balance → cached, posted and, of lots, held"})


class ReconciliationSchema(Schema):
    """What a reconciliation found."""

    accounts = fields.Points(required=True)
    entries = fields.Points(required=True)
    mismatches = fields.Points(required=True, metadata={"description": "accounts that do not agree: 0"})
    details = fields.List(fields.Nested(MismatchSchema), required=True, metadata={"description": "the first 100"})


class TierLiabilitySchema(Schema):
    """Of one tier's members."""

    tier = fields.String(required=True)
    members = fields.Points(required=True)
    points = fields.Points(required=True)
    money = fields.Money(required=True)


class CampaignLiabilitySchema(Schema):
    """Earned by one campaign; `base` for plain purchases."""

    campaign = fields.String(required=True)
    points = fields.Points(required=True)
    money = fields.Money(required=True)


class MonthLiabilitySchema(Schema):
    """Lapsing in one month; null: never."""

    month = fields.String(required=True, allow_none=True, metadata={"examples": ["2027-12"]})
    points = fields.Points(required=True)
    money = fields.Money(required=True)


class LiabilitySchema(Schema):
    """What we owe our members. Amounts are in `currency`."""

    as_of = fields.Instant(required=True)
    points_outstanding = fields.Points(
        required=True, metadata={"description": "what remains of all lots, less the deficit"}
    )
    money = fields.Money(required=True)
    currency = fields.String(required=True)
    deficit = fields.Points(required=True, metadata={"description": "points that members owe after refunds"})
    by_tier = fields.List(fields.Nested(TierLiabilitySchema), required=True)
    by_campaign = fields.List(fields.Nested(CampaignLiabilitySchema), required=True)
    expiring = fields.List(fields.Nested(MonthLiabilitySchema), required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


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
