"""``complaint-reports`` and ``complaint-kpis``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from chassis.errors import Invalid
from chassis.web import Blueprint, QuerySchema, answer, fields, requires, work
from complaint.analysis import periods, use_cases
from complaint.analysis.schemas import KpisSchema, ReportSchema

blueprint = Blueprint("complaint-reports", __name__, description="What complaints tell us, week by week")
BLUEPRINTS = (blueprint,)
LONGEST = 1100  # days that KPIs may span


class WeekArgs(QuerySchema):
    """Which week."""

    week = fields.String(
        load_default=None,
        metadata={"pattern": r"^[1-8][0-9]{3}-W[0-5][0-9]$", "description": "default: the present one"},
    )


class MonthArgs(QuerySchema):
    """Which month."""

    month = fields.String(
        load_default=None, metadata={"pattern": r"^[1-8][0-9]{3}-[01][0-9]$", "description": "default: the present one"}
    )


class SpanArgs(QuerySchema):
    """Which days, both included."""

    first = fields.Day(required=True, data_key="from")
    last = fields.Day(required=True, data_key="to")


@blueprint.get("/complaint-reports/weekly")
@requires("complaint-reports:read")
@blueprint.arguments(WeekArgs, location="query")
@blueprint.response(200, ReportSchema)
def weekly(query: dict[str, Any]) -> Response:
    """The weekly report: every case of the week in exactly one bucket of each breakdown"""
    return _report("week", query["week"], periods.week)


@blueprint.get("/complaint-reports/monthly")
@requires("complaint-reports:read")
@blueprint.arguments(MonthArgs, location="query")
@blueprint.response(200, ReportSchema)
def monthly(query: dict[str, Any]) -> Response:
    """The monthly report, with the targets that were missed"""
    return _report("month", query["month"], periods.month)


@blueprint.get("/complaint-kpis")
@requires("complaint-reports:read")
@blueprint.arguments(SpanArgs, location="query")
@blueprint.response(200, KpisSchema)
def kpis(query: dict[str, Any]) -> Response:
    """First contact, call-back and satisfaction, each with what it is a share of"""
    at = work()
    first, last = query["first"], query["last"]
    if last < first or (last - first).days > LONGEST or not 1950 <= first.year <= last.year < 9000:
        raise Invalid("no span of days", {"to": [f"at or after `from`, and at most {LONGEST} days later"]})
    period = periods.span(first, last, at.policies.in_force().company.time_zone)
    return answer(use_cases.kpis(at.context, at.principal, period))


def _report(field: str, name: str | None, read: Callable[[str, ZoneInfo], periods.Period]) -> Response:
    at = work()
    company = at.policies.in_force().company
    if name is None:
        present = periods.week_with if field == "week" else periods.month_with
        period = present(company.day_of(at.clock.now()), company.time_zone)
    else:
        try:
            period = read(name, company.time_zone)
        except ValueError:
            example = "2026-W47" if field == "week" else "2026-11"
            raise Invalid("no such period", {field: [f"write e.g. {example}"]}) from None
    return answer(use_cases.report(at.context, at.principal, period))
