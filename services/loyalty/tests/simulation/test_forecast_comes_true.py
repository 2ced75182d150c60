"""Real purchases: what is forecast of a switch is what the books hold where the switch took place (CDNOW)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from services.loyalty.tests.conftest import Programme

from chassis.clock import FakeClock
from chassis.runtime import Runtime
from loyalty.bootstrap import build_service

SWITCH = {
    "gold, at: 1000 growth, bonus: 10%": "gold, at: 300 growth, bonus: 15%",
    "platinum, at: 5000 growth, bonus: 20%": "platinum, at: 900 growth, bonus: 30%",
    "window: 365 days": "window: 180 days",
    "kept_for: 365 days": "kept_for: 90 days",
    "expires: end of next year": "expires: 4 months",
    "worth: 1.00 CNY": "worth: 1.20 CNY",
}
pytestmark = [pytest.mark.database, pytest.mark.timeout(300)]


@pytest.fixture
def bought(request: pytest.FixtureRequest, clock: FakeClock) -> list[tuple[str, datetime, str]]:
    """(customer, instant, total) of the sample, shifted so that its last day is yesterday.

    The file knows days alone; a second each puts the purchases of a day in the order of the file.
    """
    file = request.config.rootpath / "tests" / "journeys" / "cdnow" / "cdnow_transactions.csv"
    with file.open(newline="") as handle:
        rows = [
            (row["id"], datetime.strptime(row["date"], "%Y%m%d").replace(hour=12, tzinfo=UTC), row["spent"])
            for row in csv.DictReader(handle)
        ]
    shift = (clock.now() - timedelta(days=1)).date() - max(at for _, at, _ in rows).date()
    return sorted(
        ((card, at + shift + timedelta(seconds=place), spent) for place, (card, at, spent) in enumerate(rows)),
        key=lambda row: row[1],
    )


def lives_through(programme: Programme, bought: list[tuple[str, datetime, str]]) -> None:
    cards = sorted({card for card, _, _ in bought}, key=int)
    ids = {card: f"00000000-0000-7000-8000-{int(card):012d}" for card in cards}
    programme.tell(
        "customers",
        *(
            programme.customer_event(
                "registered", ids[card], identities=[{"scheme": "card", "value": card}], code=f"C-{card}"
            )
            for card in cards
        ),
    )
    programme.tell(
        "purchases",
        *(
            programme.purchase(spent, f"CDNOW-{number}", by=f"card:{card}", at=at)
            for number, (card, at, spent) in enumerate(bought)
        ),
    )
    for schedule in ("release-pending", "expire-lots", "review-tiers"):
        programme.run(schedule)


def counted(programme: Programme, since: datetime) -> tuple[int, Decimal, dict[str, int]]:
    """Points of purchases since then, money owed, members by tier: from the books."""
    (earned,) = programme.rows("SELECT -sum(points_issued) AS n FROM transaction WHERE occurred_at >= :s", s=since)
    (owed,) = programme.rows("SELECT sum(remaining * unit_cost) AS n FROM lot")
    tiers = programme.rows("SELECT tier, count(*) AS n FROM member GROUP BY tier")
    return int(earned["n"]), owed["n"], {row["tier"]: row["n"] for row in tiers}


@pytest.mark.rule("CG-22")
@pytest.mark.rule("CG-23")
def test_a_switch_brings_what_was_forecast(
    programme: Programme,
    make_runtime: Callable[..., Runtime],
    clock: FakeClock,
    bought: list[tuple[str, datetime, str]],
    draft: Any,
    forecast: Any,
    lived_under: Any,
) -> None:
    lives_through(programme, bought)

    told = forecast(draft(SWITCH))

    since = datetime.fromisoformat(told["from"])
    switched = Programme(make_runtime(build_service, pack=None), clock)
    lived_under(switched, draft({}, version="1.0"), since - timedelta(days=1))
    lived_under(switched, draft(SWITCH), since)
    lives_through(switched, bought)
    for place, company in (("in_force", programme), ("tried", switched)):
        points, owed, tiers = counted(company, since)
        end = {"in_force": "from", "tried": "to"}[place]
        forecast_tiers: dict[str, int] = {}
        for move in told["tiers"]["moves"]:
            forecast_tiers[move[end]] = forecast_tiers.get(move[end], 0) + move["members"]
        assert told["points"][place] == points
        assert Decimal(told["liability"][place]) == owed
        assert forecast_tiers == tiers
    assert told["points"]["delta"] > 0
    assert told["tiers"]["upgrades"] > 10
    assert len(told["most_affected"]) == 20
    for row in told["most_affected"]:
        for place, company in (("in_force", programme), ("tried", switched)):
            (books,) = company.rows(
                "SELECT tier, (SELECT -sum(points_issued) FROM transaction WHERE member_id = customer_id"
                " AND occurred_at >= :since) AS points FROM member WHERE customer_id = :id",
                id=row["customer_id"], since=since,
            )  # fmt: skip
            assert (row["tier"][place], row["points"][place]) == (books["tier"], books["points"])
