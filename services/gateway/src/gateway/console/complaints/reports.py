"""What complaints tell: the week, every case in one bucket; the three KPIs with what they are shares of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from flask import Response, g, request

from gateway.console.complaints.queue import blueprint
from gateway.console.complaints.words import category
from gateway.console.house import person, place
from gateway.console.web import backend, page
from gateway.console.words import N_, gettext, spoken, term

WEEK = re.compile(r"^\d{4}-W[0-5]\d$")
_SAID: Mapping[str, Callable[[str], str]] = {  # what a breakdown counts by → how its keys are said
    "category": category,
    **dict.fromkeys(("type", "channel", "status", "outcome", "against", "handler_role", "group"), term),
    "level": lambda level: gettext("Level %(n)s", n=level),
    "person": person,
    "cause": spoken,
    **dict.fromkeys(("unit", "store"), place),
}
SPANS = ((30, N_("30 days")), (90, N_("90 days")), (365, N_("A year")))


@blueprint.get("/report")
def report() -> Response:
    """One week."""
    today = g.now.astimezone(g.company_zone).date()
    asked = request.args.get("week", "")
    week = asked if WEEK.match(asked) else _week(today)
    monday = _monday(week) or _monday(_week(today)) or today
    parts = backend().fan_out({"report": ("complaint-reports/weekly", {"week": week})}, deadline=10)
    told = parts["report"].value or {}
    trend = told.get("trend", {}).get("periods", [])
    chart = {
        "categories": [one["period"] for one in trend],
        "series": [{"name": gettext("Cases"), "data": [one["count"] for one in trend]}],
    }
    if told.get("trend", {}).get("mean"):
        mean = float(told["trend"]["mean"])
        chart["series"].append({"name": gettext("Mean"), "type": "line", "data": [mean] * len(trend)})
    untold = [name for name, found in told.get("breakdowns", {}).items() if _tells_nothing(found)]
    return page(
        "console/complaints/report.html", part=parts["report"], report=told, week=week, chart=chart, trend=trend,
        before=_week(monday - timedelta(days=7)), after=_week(monday + timedelta(days=7)) if monday < today - timedelta(
            days=today.weekday()) else "", key_words=_key_words, untold=untold,
    )  # fmt: skip


@blueprint.get("/kpis")
def kpis() -> Response:
    """First contact, call-back, satisfaction over a span of days."""
    today = g.now.astimezone(g.company_zone).date()
    first, last = _day(request.args.get("from")) or today - timedelta(days=29), _day(request.args.get("to")) or today
    question = ("complaint-kpis", {"from": first.isoformat(), "to": last.isoformat()})
    parts = backend().fan_out({"kpis": question}, deadline=10)
    told = parts["kpis"].value or {}
    spans = [(days, title, today - timedelta(days=days - 1)) for days, title in SPANS]
    handlers = [one for one in told.get("by_handler", []) if one["rate"] is not None]
    chart = {
        "categories": [person(one["handler"]) if one["handler"] else gettext("Nobody") for one in handlers],
        "series": [{"name": gettext("Satisfied, percent"), "data": [_hundredth(one["rate"]) for one in handlers]}],
    }
    return page("console/complaints/kpis.html", part=parts["kpis"], kpis=told, first=first, last=last, today=today,
                spans=spans, chart=chart)  # fmt: skip


def _tells_nothing(breakdown: Mapping[str, Any]) -> bool:
    """Every case in the one bucket of those that it doesn't apply to."""
    return [bucket["key"] for bucket in breakdown["buckets"]] == [None]


def _key_words(name: str, key: str | None) -> str:
    """A bucket of a breakdown in words: codes are said, products and places stay as they are."""
    if key is None:
        return gettext("does not apply")
    if key == "fewer":
        return gettext("Groups too small to be shown")
    said = _SAID.get(name)
    return said(key) if said else key


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def _monday(week: str) -> date | None:
    try:
        return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    except ValueError:
        return None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _hundredth(share: str) -> float:
    return round(float(share) * 100, 1)
