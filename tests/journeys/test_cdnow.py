"""Show 2 of the core: real purchases over RabbitMQ, twice, and every point recomputed from the file."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from kezhi.api import Api
from kezhi.demo.people import all_of
from tests.house import House, take_over
from tests.journeys.oracle import points_of_all

SAMPLE = Path(__file__).parent / "cdnow" / "cdnow_transactions.csv"
COLUMNS = (
    "purchase_id=CDNOW-{row}",
    "customer=card:{id}",
    "occurred_at={date}",
    "total={spent}",
    "currency=CNY",
    "store=SH001",
    "channel=online",
)
pytestmark = [
    pytest.mark.broker,
    pytest.mark.database,
    pytest.mark.both_engines,
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def replayed(house: House) -> tuple[Api, dict[str, str]]:
    """The house after the whole sample was published twice; answers (api, card → customer id)."""
    api = house.api()
    with SAMPLE.open(newline="") as handle:
        cards = sorted({row["id"] for row in csv.DictReader(handle)}, key=int)

    ids = take_over(api, cards)
    for _ in range(2):
        settings = [part for column in COLUMNS for part in ("--set", column)]
        done = house.command(
            "publish",
            str(SAMPLE),
            "--source",
            "/pos/cdnow",
            *settings,
            "--last-day",
            "yesterday",
            "--restart",
        )
        assert "6,919 published and confirmed, 0 refused" in done.stdout, done.stdout + done.stderr
    quiet = house.command("status", "--wait", "240")
    assert quiet.returncode == 0, quiet.stdout + quiet.stderr
    return api, ids


def test_every_purchase_is_known_once(replayed: tuple[Api, dict[str, str]]) -> None:
    api, _ = replayed

    purchases = list(all_of(api, "/purchases"))

    assert len(purchases) == len({purchase["purchase_id"] for purchase in purchases}) == 6_919
    assert len({purchase["customer_id"] for purchase in purchases}) == 2_357
    assert sum(Decimal(purchase["total"]) for purchase in purchases) == Decimal("244091.94")


@pytest.mark.rule("CG-25")
def test_the_repeat_purchase_rate_is_the_published_one(replayed: tuple[Api, dict[str, str]]) -> None:
    api, _ = replayed
    yesterday = datetime.now(UTC).date() - timedelta(days=1)

    insight = api.get("/insight/loyalty", **{"from": str(yesterday - timedelta(days=600)), "to": str(yesterday)})

    assert (round(insight["repeat_purchase_rate"], 4), insight["customers"]) == (0.4832, 2_357)


@pytest.mark.rule("CG-22")
def test_every_members_points_equal_an_independent_recomputation(
    replayed: tuple[Api, dict[str, str]],
) -> None:
    api, ids = replayed
    expected = points_of_all(SAMPLE, datetime.now(UTC) - timedelta(days=1))

    cards = {id: card for card, id in ids.items()}

    actual = {
        cards[member["customer_id"]]: sum(member["points"][part] for part in ("available", "pending", "held"))
        for member in all_of(api, "/members")
    }

    assert actual == expected


def test_the_ledger_agrees_with_itself(replayed: tuple[Api, dict[str, str]]) -> None:
    api, ids = replayed

    found = api.post("/reconciliations", {}, "cdnow-reconciliation")

    assert found["mismatches"] == 0
    assert found["accounts"] >= len(ids)
