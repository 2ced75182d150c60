"""``tier-reviews`` and ``loyalty-reports/tier-migration``: who falls, who rises, and how the population moved."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis import jobs
from chassis.errors import Invalid, NotFound
from chassis.jobs import JobRow
from chassis.jobs.api import JobSchema
from chassis.people.sight import seen_by
from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, glance, requires, work
from loyalty.members.tables import Member
from loyalty.tiers.migrating import tier_migration
from loyalty.tiers.reviewing import begin_review
from loyalty.tiers.tables import TierReview, TierReviewLine

blueprint = Blueprint("tier-reviews", __name__, description="Reviews of all tiers, dry or carried out")


class TierReviewBody(Schema):
    """``POST tier-reviews``."""

    dry_run = fields.Flag(load_default=False, metadata={"description": "only say who would fall and rise"})
    as_of = fields.Instant(load_default=None, metadata={"description": "an instant to come; only with `dry_run`"})


class TierReviewSchema(Schema):
    """One review. Counts are those so far while it runs."""

    id = fields.Uuid(required=True)
    status = fields.Choice("queued", "running", "done", "failed", required=True)
    as_of = fields.Instant(required=True)
    dry_run = fields.Flag(required=True)
    started_by = fields.String(required=True)
    created_at = fields.Instant(required=True)
    members = fields.Whole(required=True)
    falls = fields.Whole(required=True)
    rises = fields.Whole(required=True)
    at_risk = fields.Whole(required=True)
    keeps = fields.Whole(required=True)
    moves = fields.Dict(required=True, metadata={"description": "`gold → ordinary` → members"})
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class TierReviewLineSchema(Schema):
    """A member who falls, rises, or is at risk within the pack's notice."""

    customer_id = fields.Uuid(required=True)
    change = fields.Choice("falls", "rises", "at_risk", required=True)
    previous = fields.String(required=True)
    tier = fields.String(required=True)
    growth = fields.Points(required=True)
    missing = fields.Points(required=True, metadata={"description": "to keep what is lost or at risk"})
    falls_at = fields.Instant(required=True, allow_none=True)


class TierReviewLinesArgs(PageArgs):
    """Which lines."""

    change = fields.Choice("falls", "rises", "at_risk", load_default=None)


class TierMigrationArgs(Schema):
    """Between which instants."""

    from_ = fields.Instant(data_key="from", required=True)
    to = fields.Instant(required=True)


class TierMoveSchema(Schema):
    """So many members."""

    from_ = fields.String(data_key="from", required=True, allow_none=True)
    to = fields.String(required=True)
    members = fields.Whole(required=True)


class TierMigrationSchema(Schema):
    """Members by their tier at two instants; `from` null: enrolled between them."""

    items = fields.List(fields.Nested(TierMoveSchema), required=True)
    rose = fields.Whole(required=True)
    fell = fields.Whole(required=True)
    kept = fields.Whole(required=True)
    new = fields.Whole(required=True)


@blueprint.post("/tier-reviews")
@requires("tier-reviews:run")
@blueprint.arguments(TierReviewBody)
@blueprint.response(202, JobSchema)
def begin(body: dict[str, Any]) -> Response:
    """Review all members now, or say what a review would find"""
    at = work()
    review = begin_review(at.context, body["as_of"], body["dry_run"], at.principal)
    at.note(str(review.id), dry_run=review.dry_run)
    job = at.session.get_one(JobRow, review.id)
    return answer(jobs.answer(at.session, job), 202, {"Location": f"/api/v1/tier-reviews/{review.id}"})


@blueprint.get("/tier-reviews")
@requires("tier-reviews:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(TierReviewSchema))
def reviews(query: dict[str, Any]) -> Response:
    """Reviews, newest first"""
    at = glance()
    found: Any = select(TierReview, JobRow).outerjoin(JobRow, JobRow.id == TierReview.id)
    order = [TierReview.id.desc()]
    return answer(Page.of(at.session, found, order, query["limit"], query["cursor"], lambda row: _shown(*row)))


@blueprint.get("/tier-reviews/<uuid:id>")
@requires("tier-reviews:read")
@blueprint.response(200, TierReviewSchema)
def review(id: UUID) -> Response:
    """One review with its counts"""
    at = glance()
    return answer(_shown(_the_review(at.session, id), at.session.get(JobRow, id)))


@blueprint.get("/tier-reviews/<uuid:id>/changes")
@requires("tier-reviews:read")
@blueprint.arguments(TierReviewLinesArgs, location="query")
@blueprint.response(200, Page.schema(TierReviewLineSchema))
def changes(query: dict[str, Any], id: UUID) -> Response:
    """Who falls, rises or is at risk, of the members of one's own units"""
    at = glance()
    _the_review(at.session, id)
    found = select(TierReviewLine).where(TierReviewLine.review_id == id)
    if query["change"]:
        found = found.where(TierReviewLine.change == query["change"])
    if (condition := seen_by(at.principal, Member.unit)) is not None:
        found = found.where(TierReviewLine.member_id.in_(select(Member.customer_id).where(condition)))
    order = [TierReviewLine.member_id]
    return answer(Page.of(at.session, found, order, query["limit"], query["cursor"], _line))


@blueprint.get("/loyalty-reports/tier-migration")
@requires("loyalty-reports:read")
@blueprint.arguments(TierMigrationArgs, location="query")
@blueprint.response(200, TierMigrationSchema)
def migration(query: dict[str, Any]) -> Response:
    """The matrix of tiers between two instants: who rose, fell, kept, came"""
    at = glance()
    if query["to"] <= query["from_"]:
        raise Invalid("the span is empty", {"to": ["must lie after `from`"]})
    rules = at.policies.in_force().rules.tiers
    return answer(tier_migration(at.session, at.principal, query["from_"], query["to"], rules))


def _the_review(session: Any, id: UUID) -> TierReview:
    found: TierReview | None = session.get(TierReview, id)
    if found is None:
        raise NotFound(f"no tier review {id}")
    return found


def _shown(review: TierReview, job: JobRow | None) -> dict[str, Any]:
    """A review with what it has counted; jobs are forgotten after a while, their reviews are not."""
    return {
        "id": review.id,
        "status": job.status if job is not None else "done",
        "as_of": review.as_of,
        "dry_run": review.dry_run,
        "started_by": review.started_by,
        "created_at": review.created_at,
        "clause": review.clause,
        "policyversion": review.policyversion,
        **review.counts,
    }


def _line(line: TierReviewLine) -> dict[str, Any]:
    names = ("change", "previous", "tier", "growth", "missing", "falls_at")
    return {"customer_id": line.member_id, **{name: getattr(line, name) for name in names}}
