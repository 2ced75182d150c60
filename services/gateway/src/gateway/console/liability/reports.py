"""Finance's reports, each chart with its table, each table as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, abort, g, request

from gateway.console.exporting import table_file
from gateway.console.web import backend, page
from gateway.console.words import N_, gettext, term

blueprint = Blueprint("liability", __name__, url_prefix="/console/liability")
OWED, MOVED = "console/liability/owed.html", "console/liability/movements.html"
READERS = frozenset({"finance", "auditor", "director", "marketing", "store_manager"})
DEADLINE = 10
TABLES: Mapping[str, tuple[str, str]] = {  # file → (member of the report, what its rows are by)
    "tiers": ("by_tier", "tier"),
    "campaigns": ("by_campaign", "campaign"),
    "months": ("expiring", "month"),
}
MOVEMENTS = ("opening", "issued", "reversed", "redeemed", "expired", "adjusted", "closing")
BASE = N_("Purchases, without a campaign")
SPANS = ((3, N_("3 months")), (12, N_("12 months")), (24, N_("24 months")))


@blueprint.get("/")
def owed() -> Response:
    """Points outstanding and money at cost: when they lapse, whose they are, what earned them."""
    part = backend().fan_out({"owed": "loyalty-reports/liability"}, deadline=DEADLINE)["owed"]
    report = part.value or {}
    money = {name: [row["money"] for row in report.get(member, ())] for name, (member, _) in TABLES.items()}
    return page(
        OWED,
        part=part,
        report=report,
        curve=_curve(report),
        by_tier=_bars([term(row["tier"]) for row in report.get("by_tier", ())], money["tiers"]),
        by_campaign=_bars([campaign(row["campaign"]) for row in report.get("by_campaign", ())], money["campaigns"]),
        still=_still(report.get("expiring", ()), report.get("deficit", 0)),
        campaign=campaign,
    )


@blueprint.get("/<name>.csv")
def owed_file(name: str) -> Response:
    """One of the report's tables as a file."""
    if name not in TABLES:
        abort(404)
    member, by = TABLES[name]
    report = backend().get("loyalty-reports/liability")
    said = {"tier": term, "campaign": campaign, "month": lambda month: month or gettext("never")}[by]
    head = [gettext(by.capitalize()), gettext("Points"), f"{gettext('Money at cost')} ({report['currency']})"]
    rows = [[said(row[by]), row["points"], row["money"]] for row in report[member]]
    return table_file(f"liability-{name}-{report['as_of'][:10]}", head, rows)


@blueprint.get("/movements")
def movements() -> Response:
    """Opening + issued - redeemed - expired ± adjusted = closing, and whether the members' accounts agree."""
    first, last, today = _span()
    part = backend().fan_out({"moved": _movements(first, last)}, deadline=DEADLINE)["moved"]
    report = part.value or {}
    months: Sequence[Mapping[str, Any]] = report.get("months", ())
    chart = {
        "categories": [month["month"] for month in months],
        "series": [
            {"name": gettext("Issued"), "data": [month["issued"] for month in months]},
            {"name": gettext("Redeemed"), "data": [-month["redeemed"] for month in months]},
            {"name": gettext("Expired"), "data": [-month["expired"] for month in months]},
            {"name": gettext("Outstanding"), "type": "line", "data": [month["closing"] for month in months]},
        ],
    }
    spans = [(title, _back(today, months - 1)) for months, title in SPANS]
    return page(MOVED, part=part, report=report, chart=chart, first=first, last=last, today=today, spans=spans)


@blueprint.get("/movements.csv")
def movements_file() -> Response:
    """The movements as a file, the whole span in its last line."""
    first, last, _ = _span()
    path, asked = _movements(first, last)
    report = backend().get(path, **asked)
    head = [gettext("Month"), *(term(name) for name in MOVEMENTS)]
    rows = [[month["month"], *(month[name] for name in MOVEMENTS)] for month in report["months"]]
    rows.append([gettext("Sum"), *(report[name] for name in MOVEMENTS)])
    return table_file(f"movements-{first}-{last}", head, rows)


def campaign(code: str) -> str:
    """A campaign by its code; ``base`` is what plain purchases earned."""
    return gettext(BASE) if code == "base" else code


def _movements(first: date, last: date) -> tuple[str, dict[str, str]]:
    return "loyalty-reports/movements", {"from_": first.isoformat(), "to": last.isoformat()}


def _curve(report: Mapping[str, Any]) -> dict[str, Any]:
    """What lapses in each month, and what is still outstanding after it if nobody spends anything."""
    ending = [row for row in report.get("expiring", ()) if row["month"]]
    return {
        "categories": [row["month"] for row in ending],
        "series": [
            {"name": gettext("Lapses"), "data": [row["points"] for row in ending]},
            {
                "name": gettext("Outstanding after it"),
                "type": "line",
                "data": _still(report.get("expiring", ()), report.get("deficit", 0))[: len(ending)],
            },
        ],
    }


def _still(expiring: Sequence[Mapping[str, Any]], deficit: int) -> list[int]:
    """After each row's month, of all lots less what members owe; nothing is spent meanwhile."""
    left = sum(row["points"] for row in expiring) - deficit
    told = []
    for row in expiring:
        left -= row["points"] if row["month"] else 0
        told.append(left)
    return told


def _bars(categories: list[str], money: list[str]) -> dict[str, Any]:
    series = [{"name": gettext("Money at cost"), "data": [float(amount) for amount in money]}]
    return {"categories": categories, "series": series}


def _span() -> tuple[date, date, date]:
    today = g.now.astimezone(g.company_zone).date()
    last = _day(request.args.get("to")) or today
    return _day(request.args.get("from")) or _back(last, 11), last, today


def _back(day: date, months: int) -> date:
    """The first day of the month so many months before."""
    month = day.replace(day=1)
    for _ in range(months):
        month = (month - timedelta(days=1)).replace(day=1)
    return month


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
