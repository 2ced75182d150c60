"""``complaints/{id}/clocks``, and ``calendar``: what working time is here, and the years that were published."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis import jobs
from chassis.errors import Invalid
from chassis.jobs.api import JobSchema
from chassis.policies.units import Duration
from chassis.timing.calendar import NeverOpen, bundled_years
from chassis.timing.published import CalendarYearRow, put_in_force, year_of
from chassis.web import Blueprint, QuerySchema, Schema, answer, fields, glance, requires, work
from complaint.cases.queries import the_case
from complaint.cases.shown_schemas import ClockSchema
from complaint.clocks import domain
from complaint.clocks.calendars import calendar_now
from complaint.clocks.recomputing import JOB
from complaint.clocks.showing import shown

blueprint = Blueprint("clocks", __name__, description="Clocks of a case")
calendar = Blueprint("calendar", __name__, description="Working time and published years")
BLUEPRINTS = (blueprint, calendar)

MOST_DAYS, MOST_HOURS = 2_000, 20_000
NO_WARNING = Decimal(1)


class ClocksSchema(Schema):
    """Every clock of a case."""

    items = fields.List(fields.Nested(ClockSchema), required=True)


class WorkingTimeArgs(QuerySchema):
    """From when, and how much: `working_days` or `working_hours`, one of them."""

    from_ = fields.Instant(required=True, data_key="from")
    working_days = fields.Whole(min=1, max=MOST_DAYS, load_default=None)
    working_hours = fields.Whole(min=1, max=MOST_HOURS, load_default=None)


class WorkingTimeSchema(Schema):
    """The answer with its sum."""

    from_ = fields.Instant(required=True, data_key="from")
    due_at = fields.Instant(required=True)
    explanation = fields.String(required=True)
    provisional = fields.Flag(required=True, metadata={"description": "a year within is not published yet"})
    calendar = fields.String(required=True, metadata={"description": "version of the calendar"})


class YearSchema(Schema):
    """One published year."""

    year = fields.Whole(min=2000, max=2200, required=True)
    source = fields.Choice("bundled", "imported", required=True)
    holidays = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    workdays = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    imported_at = fields.Instant(required=True, allow_none=True)
    imported_by = fields.String(required=True, allow_none=True)


class YearsSchema(Schema):
    """Every year that is known, the imported version before the one that came with the software."""

    items = fields.List(fields.Nested(YearSchema), required=True)
    calendar = fields.String(required=True, metadata={"description": "version of the calendar over all of them"})


class PublishSchema(Schema):
    """A year as the authority published it: date → occasion."""

    year = fields.Whole(min=2000, max=2200, required=True)
    holidays = fields.Dict(keys=fields.String(), values=fields.Text(100, blank=True), required=True)
    workdays = fields.Dict(keys=fields.String(), values=fields.Text(100, blank=True), load_default=dict)


class PublishedSchema(Schema):
    """What was put in force, and the job that computes provisional clocks again."""

    year = fields.Whole(required=True)
    hash = fields.String(required=True)
    job = fields.Nested(JobSchema, required=True)


@blueprint.get("/complaints/<uuid:id>/clocks")
@requires("complaints:read")
@blueprint.response(200, ClocksSchema)
def clocks(id: UUID) -> Response:
    """Every clock of a case with its calculation, by round and due time"""
    at = glance()
    the_case(at.session, at.principal, id)
    return answer({"items": shown(at.session, [id])[id]})


@calendar.get("/calendar/working-time")
@requires("calendar:read")
@calendar.arguments(WorkingTimeArgs, location="query")
@calendar.response(200, WorkingTimeSchema)
def working_time(query: dict[str, Any]) -> Response:
    """When so many working days or hours are over, counted from an instant"""
    days, hours = query["working_days"], query["working_hours"]
    if (days is None) == (hours is None):
        raise Invalid("working_days or working_hours, one of them", {"working_days": ["or working_hours"]})
    at = glance()
    within = Duration(days, "working day") if days is not None else Duration(hours, "working hour")
    known = calendar_now(at.session, at.policies.in_force().company)
    try:
        timing = domain.timed("from", query["from_"], within, NO_WARNING, known)
    except (NeverOpen, OverflowError, ValueError):
        raise Invalid("that lies outside the calendar", {"from": ["too far from today"]}) from None
    return answer(
        {
            "from": query["from_"],
            "due_at": timing.due_at,
            "explanation": timing.explanation,
            "provisional": timing.provisional,
            "calendar": timing.calendar,
        }
    )


@calendar.get("/calendar/years")
@requires("calendar:read")
@calendar.response(200, YearsSchema)
def years() -> Response:
    """Every published year that is known here, newest first"""
    at = glance()
    imported: dict[int, CalendarYearRow] = {}
    for row in at.session.scalars(select(CalendarYearRow).order_by(CalendarYearRow.imported_at)):
        imported[row.year] = row
    items = [_imported(row) for row in imported.values()]
    items += [
        {
            "year": year.year,
            "source": "bundled",
            "holidays": {day.isoformat(): name for day, name in sorted(year.holidays.items())},
            "workdays": {day.isoformat(): name for day, name in sorted(year.workdays.items())},
            "imported_at": None,
            "imported_by": None,
        }
        for year in bundled_years().values()
        if year.year not in imported
    ]
    version = calendar_now(at.session, at.policies.in_force().company).version
    return answer({"items": sorted(items, key=lambda item: -item["year"]), "calendar": version})


@calendar.post("/calendar/years")
@requires("calendar:write")
@calendar.arguments(PublishSchema)
@calendar.response(202, PublishedSchema)
def publish(body: dict[str, Any]) -> Response:
    """Import a published year; clocks that were provisional for want of it are computed again"""
    at = work()
    try:
        year = year_of(body)
    except Invalid as wrong:
        field = next((name for name in ("workdays", "year") if name in wrong.detail), "holidays")
        raise Invalid(wrong.detail, {field: [wrong.detail]}) from None
    put_in_force(at.session, year, at.principal.username)
    at.session.flush()
    job = jobs.start(at.session, at.clock, JOB, {"year": year.year}, at.principal)
    at.note(str(year.year), hash=year.hash)
    shown_job = jobs.answer(at.session, job)
    location = {"Location": f"/api/v1/services/complaint/jobs/{job.id}"}
    return answer({"year": year.year, "hash": year.hash, "job": shown_job}, 202, location)


def _imported(row: CalendarYearRow) -> dict[str, Any]:
    return {
        "year": row.year,
        "source": "imported",
        "holidays": dict(sorted(row.holidays.items())),
        "workdays": dict(sorted(row.workdays.items())),
        "imported_at": row.imported_at,
        "imported_by": row.imported_by,
    }
