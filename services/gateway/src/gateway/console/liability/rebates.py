"""What dealers were given back of what they bought: who, for which period, how much and why."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from gateway.console.exporting import every, table_file
from gateway.console.liability.reports import DEADLINE, blueprint
from gateway.console.liability.sentences import MONTH, QUARTER, because, unit
from gateway.console.naming import customers_named, name_of
from gateway.console.web import backend, page
from gateway.console.words import exact, gettext, term

REBATES = "console/liability/rebates.html"
REPORT = "loyalty-reports/rebates"
LINES = 50
RECENT = 200  # settled rebates that the choices are made of
PERIODS = 8  # periods to choose from, the newest first


@blueprint.get("/rebates")
def rebates() -> Response:
    """Settled rebates, the newest period first; of one period, of one level."""
    asked, cursor = _asked(), request.args.get("cursor", "")
    parts = backend().fan_out(
        {"found": (REPORT, {**asked, "cursor": cursor, "limit": LINES}), "recent": (REPORT, {"limit": RECENT})},
        deadline=DEADLINE,
    )
    found, recent = parts["found"], parts["recent"].entries
    return page(
        REBATES,
        found=found,
        rows=found.entries,
        names=customers_named(one["customer_id"] for one in found.entries),
        periods=_choices(asked["period"], _periods(recent[0]["period"]) if recent else []),
        levels=_choices(asked["level"], sorted({one["level"] for one in recent})),
        cursor=cursor,
        **asked,
    )


@blueprint.get("/rebates.csv")
def rebates_file() -> Response:
    """The same as a file, all of them."""
    asked = _asked()
    settled = list(every(REPORT, **asked))
    names = customers_named(one["customer_id"] for one in settled)
    told = ("Customer id", "Dealer", "Period", "Level", "Bought in it", "Unit", "Points", "Why", "Clause", "Settled")
    rows = [
        [one["customer_id"], name_of(one, names), one["period"], term(one["level"]), one["bought"], unit(one["unit"]),
         one["points"], "; ".join(because(step["detail"]) for step in one["breakdown"]), one["clause"],
         exact(one["settled_at"])]
        for one in settled
    ]  # fmt: skip
    return table_file("-".join(filter(None, ("rebates", *asked.values()))), [gettext(name) for name in told], rows)


def _asked() -> dict[str, Any]:
    return {"period": request.args.get("period", "")[:7], "level": request.args.get("level", "")[:60]}


def _choices(chosen: str, known: list[str]) -> list[str]:
    """What may be chosen, with what is chosen already."""
    return known if not chosen or chosen in known else [chosen, *known]


def _periods(newest: str) -> list[str]:
    """The newest period that was settled and those before it, of the same length."""
    found = [newest]
    while len(found) < PERIODS:
        found.append(_before(found[-1]))
    return found


def _before(period: str) -> str:
    if quarter := QUARTER.fullmatch(period):
        year, number_of = int(quarter[1]), int(quarter[2])
        return f"{year}-Q{number_of - 1}" if number_of > 1 else f"{year - 1}-Q4"
    if month := MONTH.fullmatch(period):
        year, number_of = int(month[1]), int(month[2])
        return f"{year}-{number_of - 1:02}" if number_of > 1 else f"{year - 1}-12"
    return str(int(period) - 1)
