"""Who stood where on two days: the flow between tiers beside its table (CG-25)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response, g, request

from gateway.console.exporting import table_file
from gateway.console.tiers.flow import flow, said, ways
from gateway.console.tiers.levels import blueprint
from gateway.console.web import backend, page
from gateway.console.words import N_, gettext, term

TEMPLATE = "console/tiers/migration.html"
SPANS = ((30, N_("30 days")), (90, N_("90 days")), (365, N_("A year")))


@blueprint.get("/migration")
def migration() -> Response:
    """Between the mornings of two days."""
    first, last, today = _span()
    parts = _asked(first, last)
    order = [one["tier"] for one in parts["tiers"].entries]
    spans = [(days, title, today - timedelta(days=days)) for days, title in SPANS]
    moved = parts["moved"]
    return page(
        TEMPLATE, moved=moved, moves=ways(moved.entries, order), chart=flow(moved.entries, order), first=first,
        last=last, today=today, spans=spans, tier_said=said,
    )  # fmt: skip


@blueprint.get("/migration.csv")
def migration_file() -> Response:
    """The table as a file."""
    first, last, _ = _span()
    parts = _asked(first, last)
    order = [one["tier"] for one in parts["tiers"].entries]
    head = [first.isoformat(), last.isoformat(), gettext("Members"), gettext("What happened")]
    rows = [
        [said(move["from"]), said(move["to"]), move["members"], term(move["way"])]
        for move in ways(parts["moved"].entries, order)
    ]
    return table_file(f"tier-migration-{first}-{last}", head, rows)


def _asked(first: date, last: date) -> dict[str, Any]:
    """The evening of the last day, or now where that is today; so a move of the last day counts."""
    start = datetime.combine(first, time(), g.company_zone)
    end = min(datetime.combine(last + timedelta(days=1), time(), g.company_zone), g.now)
    span = {"from_": start.isoformat(), "to": end.isoformat()}
    return backend().fan_out({"tiers": "tiers", "moved": ("loyalty-reports/tier-migration", span)}, deadline=10)


def _span() -> tuple[date, date, date]:
    today = g.now.astimezone(g.company_zone).date()
    last = min(_day(request.args.get("to")) or today, today)
    return _day(request.args.get("from")) or last - timedelta(days=90), last, today


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
