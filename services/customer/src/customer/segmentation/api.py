"""``classifications`` and ``gradings``: begin a run, read what it found and changed."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response
from marshmallow import validate
from sqlalchemy import select

from chassis import jobs
from chassis.errors import NotFound
from chassis.jobs.api import JobSchema
from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, requires, work
from customer.registry.tables import CustomerRow
from customer.segmentation.tables import RunResultRow, RunRow
from customer.segmentation.use_cases import begin_run
from customer.units import seen_by

blueprint = Blueprint("segmentation", __name__, description="Classes and grades of the whole population")

DIRECTIONS = ("new", "rise", "fall", "changed", "same")


class DayOrInstant(fields.Day):
    """A day of the company; an instant means the day it falls on."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if isinstance(value, str) and "T" in value:
            zone = work().policies.in_force().company.time_zone
            return fields.Instant()._deserialize(value, attr, data).astimezone(zone).date()
        return super()._deserialize(value, attr, data, **kwargs)


class RunBody(Schema):
    """What to compute."""

    as_of = DayOrInstant(metadata={"description": "default: today; the window ends the day before"})
    dry_run = fields.Flag(load_default=False, metadata={"description": "only the difference"})

    @ma.validates("as_of")
    def _has_a_window(self, value: date, **_: Any) -> None:
        if not 1900 < value.year < 2200:
            raise ma.ValidationError("must lie between 1901 and 2199")


class ClassificationBody(RunBody):
    """``POST classifications``."""

    scheme = fields.Text(max=64, required=True, metadata={"examples": ["frequency"]})


class GradingBody(RunBody):
    """``POST gradings``."""

    scheme = fields.Text(max=64, load_default=None, allow_none=True)


class RunSchema(Schema):
    """One run."""

    id = fields.Uuid(required=True)
    scheme = fields.String(required=True)
    as_of = fields.Day(required=True)
    dry_run = fields.Flag(required=True)
    status = fields.String(required=True, metadata={"enum": ["queued", "applying", "awaiting_approval", "done"]})
    window = fields.Dict(required=True)
    population = fields.Whole(required=True)
    buyers = fields.Whole(required=True)
    changed = fields.Whole(required=True)
    changes = fields.List(fields.Dict(), required=True)
    changes_url = fields.String(required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)
    requested_by = fields.String(required=True)
    created_at = fields.Instant(required=True)
    finished_at = fields.Instant(required=True, allow_none=True)
    approval_id = fields.Uuid(required=True, allow_none=True)


class RunsArgs(PageArgs):
    """Which runs."""

    scheme = fields.Text(max=64)


class ChangesArgs(PageArgs):
    """Which results; without a direction, whatever changed."""

    direction = fields.String(validate=validate.OneOf(DIRECTIONS))
    to = fields.Text(max=64)


class RunChangeSchema(Schema):
    """What the run found for one customer, and why."""

    customer_id = fields.Uuid(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    previous = fields.String(required=True, allow_none=True)
    value = fields.String(required=True)
    direction = fields.String(required=True)
    score = fields.Raw(required=True, allow_none=True, metadata={"type": ["number", "null"]})
    inputs = fields.Dict(required=True, allow_none=True)
    parts = fields.Dict(required=True, allow_none=True)


def _begin(family: str, path: str, body: dict[str, Any]) -> Response:
    at = work()
    run, job = begin_run(at.context, at.principal, family, body["scheme"], body.get("as_of"), body["dry_run"])
    at.note(str(run.id), scheme=run.scheme, dry_run=run.dry_run)
    url = f"/api/v1/{path}/{run.id}"
    return answer({**jobs.answer(at.session, job), "result_url": url}, 202, {"Location": url})


def _list(family: str, path: str, query: dict[str, Any]) -> Response:
    at = work()
    statement = select(RunRow).where(RunRow.family == family)
    if "scheme" in query:
        statement = statement.where(RunRow.scheme == query["scheme"])
    return answer(
        Page.of(
            at.session, statement, [RunRow.id.desc()], query["limit"], query["cursor"], lambda run: _shown(run, path)
        )
    )


def _one(family: str, id: UUID) -> RunRow:
    run = work().session.get(RunRow, id)
    if run is None or run.family != family:
        raise NotFound("There is no such run")
    return run


def _shown(run: RunRow, path: str) -> dict[str, Any]:
    names = (
        "id", "scheme", "as_of", "dry_run", "status", "population", "buyers", "clause", "policyversion", "requested_by",
        "created_at", "finished_at", "approval_id",
    )  # fmt: skip
    return {
        **{name: getattr(run, name) for name in names},
        "window": {"from": run.window_from, "to": run.window_to},
        "changed": run.summary.get("changed", 0),
        "changes": run.summary.get("changes", []),
        "changes_url": f"/api/v1/{path}/{run.id}/changes",
    }


def _changes(family: str, id: UUID, query: dict[str, Any]) -> Response:
    at = work()
    run = _one(family, id)
    r, c = RunResultRow.__table__.c, CustomerRow.__table__.c
    names = ("customer_id", "code", "name", "previous", "value", "direction", "score", "inputs", "parts")
    statement = (
        select(r.customer_id, c.code, c.name, r.previous, r.value, r.direction, r.score, r.inputs, r.parts)
        .join(CustomerRow.__table__, c.id == r.customer_id)
        .where(r.run_id == run.id)
    )
    statement = statement.where(r.direction == query["direction"] if "direction" in query else r.direction != "same")
    if "to" in query:
        statement = statement.where(r.value == query["to"])
    condition = seen_by(at.principal, c.unit)
    if condition is not None:
        statement = statement.where(condition)

    def dump(row: Any) -> dict[str, Any]:
        shown = dict(zip(names, row, strict=True))
        return {**shown, "score": None if shown["score"] is None else float(shown["score"])}

    return answer(Page.of(at.session, statement, [r.customer_id], query["limit"], query["cursor"], dump))


@blueprint.post("/classifications")
@requires("segmentation:run")
@blueprint.arguments(ClassificationBody)
@blueprint.response(202, JobSchema)
def classify(body: dict[str, Any]) -> Response:
    """Classify every customer by one scheme of the pack"""
    return _begin("classification", "classifications", body)


@blueprint.get("/classifications")
@requires("segmentation:read")
@blueprint.arguments(RunsArgs, location="query")
@blueprint.response(200, Page.schema(RunSchema))
def classifications(query: dict[str, Any]) -> Response:
    """Classification runs, newest first"""
    return _list("classification", "classifications", query)


@blueprint.get("/classifications/<uuid:id>")
@requires("segmentation:read")
@blueprint.response(200, RunSchema)
def classification(id: UUID) -> Response:
    """One classification run and its difference"""
    return answer(_shown(_one("classification", id), "classifications"))


@blueprint.get("/classifications/<uuid:id>/changes")
@requires("segmentation:read")
@blueprint.arguments(ChangesArgs, location="query")
@blueprint.response(200, Page.schema(RunChangeSchema))
def classification_changes(query: dict[str, Any], id: UUID) -> Response:
    """Who changes class, from what to what, and why"""
    return _changes("classification", id, query)


@blueprint.post("/gradings")
@requires("segmentation:run")
@blueprint.arguments(GradingBody)
@blueprint.response(202, JobSchema)
def grade(body: dict[str, Any]) -> Response:
    """Grade every customer; rises count at once, falls after approval"""
    return _begin("grading", "gradings", body)


@blueprint.get("/gradings")
@requires("segmentation:read")
@blueprint.arguments(RunsArgs, location="query")
@blueprint.response(200, Page.schema(RunSchema))
def gradings(query: dict[str, Any]) -> Response:
    """Grading runs, newest first"""
    return _list("grading", "gradings", query)


@blueprint.get("/gradings/<uuid:id>")
@requires("segmentation:read")
@blueprint.response(200, RunSchema)
def grading(id: UUID) -> Response:
    """One grading run and its difference"""
    return answer(_shown(_one("grading", id), "gradings"))


@blueprint.get("/gradings/<uuid:id>/changes")
@requires("segmentation:read")
@blueprint.arguments(ChangesArgs, location="query")
@blueprint.response(200, Page.schema(RunChangeSchema))
def grading_changes(query: dict[str, Any], id: UUID) -> Response:
    """Who changes grade, from what to what, and why"""
    return _changes("grading", id, query)
