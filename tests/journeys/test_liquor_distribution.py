"""The liquor distributor's regulation, end to end: dealers of two levels, their quarter, a suggestion that helps."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.messaging.testing import deliver
from chassis.testkit.builders import Purchase
from kezhi_contracts import schemas
from tests.pair import Pair

pytestmark = pytest.mark.database
NEW_YEAR = datetime(2026, 12, 31, 16, tzinfo=UTC)
SETTLED = NEW_YEAR + timedelta(days=15)


@pytest.fixture
def liquor(pair_under: Callable[[str], Pair]) -> Pair:
    return pair_under("liquor-distribution")


def dealer(liquor: Pair, card: str, level: int) -> str:
    return liquor.register(card, kind="enterprise", name=f"酒行 {card}", tags=[f"dealer_level_{level}"])


def buys(liquor: Pair, card: str, total: str, **more: Any) -> Purchase:
    """Goods at wholesale, now."""
    order = Purchase(identity=f"card:{card}", total=total, occurred_at=liquor.clock.now(), channel="wholesale", **more)
    liquor.tell(order.event())
    liquor.clock.advance(hours=1)
    return order


def settles(liquor: Pair, at: datetime = SETTLED) -> None:
    liquor.clock.travel_to(at)
    liquor.run(liquor.loyalty, "settle-rebates")


def rebates(liquor: Pair, customer: str) -> list[dict[str, Any]]:
    return list(liquor.get(liquor.loyalty, f"members/{customer}/rebates")["items"])


@pytest.mark.rule("LQ-05")
def test_rebates_differ_by_level_and_by_performance(liquor: Pair) -> None:
    first, second, small = dealer(liquor, "1001", 1), dealer(liquor, "2001", 2), dealer(liquor, "2002", 2)
    for card, total in (("1001", "600000.00"), ("2001", "600000.00"), ("2002", "49999.00")):
        buys(liquor, card, total)

    settles(liquor)

    (one,), (two,), (three,) = (rebates(liquor, customer) for customer in (first, second, small))
    assert [(each["level"], each["bought"], each["points"]) for each in (one, two, three)] == [
        ("level_1", 600_000, 1_200_000),  # 2 % are 12,000 yuan
        ("level_2", 600_000, 1_500_000),  # 2.5 %: level 2 is fostered
        ("level_2", 49_999, 0),
    ]
    assert (one["period"], one["clause"], one["breakdown"][0]["detail"]) == (
        "2026-Q4", "LQ-05", "2 % of 600000 CNY: 12000.00",
    )  # fmt: skip
    assert three["breakdown"][0]["detail"] == "49999 CNY, from 50000 on there is a rebate"
    assert [liquor.purse(customer)["available"] for customer in (first, second, small)] == [1_200_000, 1_500_000, 0]
    assert liquor.in_balance()


@pytest.mark.rule("LQ-05")
def test_the_dealer_sees_the_quarter_run_and_what_is_missing_to_more(liquor: Pair) -> None:
    customer = dealer(liquor, "2001", 2)
    buys(liquor, "2001", "180000.00")

    running = liquor.get(liquor.loyalty, f"members/{customer}/rebates/current")

    assert (running["period"], running["level"], running["points"]) == ("2026-Q4", "level_2", 180_000)
    assert running["next"] == {"at": 200_000, "missing": 20_000}
    assert datetime.fromisoformat(running["paid_from"]) == SETTLED
    assert liquor.purse(customer)["available"] == 0, "it is a forecast: nothing is booked"


@pytest.mark.rule("LQ-05")
def test_what_came_back_is_deducted_and_each_quarter_is_paid_once(liquor: Pair) -> None:
    customer = dealer(liquor, "1001", 1)
    order = buys(liquor, "1001", "1000000.00")
    liquor.clock.travel_to(NEW_YEAR + timedelta(days=10))
    liquor.tell(order.refund("400000.00").but(occurred_at=liquor.clock.now()).event())

    settles(liquor, SETTLED - timedelta(seconds=1))
    assert rebates(liquor, customer) == [], "goods may still come back"
    settles(liquor)
    settles(liquor, SETTLED + timedelta(hours=1))

    (one,) = rebates(liquor, customer)
    assert (one["bought"], one["points"]) == (600_000, 1_200_000)
    earned = liquor.recorded(liquor.loyalty, "points.earned.v1")
    assert [(event.data["kind"], event.data["reference"]) for event in earned if event.data["points"]] == [
        ("rebate", f"rebate:{customer}:2026-Q4")
    ]


@pytest.mark.rule("LQ-05")
def test_a_promoted_dealer_is_treated_as_one_and_drinkers_earn_as_ever(liquor: Pair) -> None:
    customer, drinker = dealer(liquor, "2001", 2), liquor.register("7001")
    buys(liquor, "2001", "2000000.00")
    liquor.tell(Purchase(identity="card:7001", total="99.00", occurred_at=liquor.clock.now()).event())
    liquor.client(liquor.customer).delete(f"/api/v1/customers/{customer}/tags/dealer_level_2")
    liquor.post(liquor.customer, f"customers/{customer}/tags", {"tags": ["dealer_level_1"]})
    liquor.pass_on()

    settles(liquor)

    (one,) = rebates(liquor, customer)
    assert (one["level"], one["points"]) == ("level_1", 8_000_000)
    assert (rebates(liquor, drinker), liquor.purse(drinker)["pending"]) == ([], 99)


@pytest.mark.rule("LQ-10", partly="whether it is the first suggestion of its kind is for whoever adopts it")
def test_a_suggestion_that_helps_is_rewarded_once(liquor: Pair) -> None:
    customer = dealer(liquor, "2001", 2)
    liquor.clock.travel_to(datetime(2026, 11, 22, tzinfo=UTC))
    said = schemas.example("suggestion.adopted.v1")
    said["data"] |= {"customer_id": customer}

    deliver(liquor.loyalty, "rewards", [said, said | {"id": uuid.uuid4().hex}])

    (entry,) = liquor.entries(customer).values()
    assert (entry["kind"], entry["points"], entry["why"]["clause"]) == ("suggestion", 500, "LQ-10")
    assert liquor.in_balance()
