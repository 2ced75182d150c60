"""The bank's regulation, end to end: last year's business decides, campaigns are measured, gifts have a cap."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.testkit.builders import Purchase
from tests.pair import Pair

pytestmark = pytest.mark.database
NEW_YEAR_2027 = datetime(2026, 12, 31, 16, tzinfo=UTC)
NEW_YEAR_2028 = datetime(2027, 12, 31, 16, tzinfo=UTC)


@pytest.fixture
def bank(pair_under: Callable[[str], Pair]) -> Pair:
    return pair_under("bank")


def member(bank: Pair, customer: str) -> dict[str, Any]:
    return bank.get(bank.loyalty, f"members/{customer}")


@pytest.mark.rule("BK-04", partly="churn, cross-selling and growth models are the customer service's")
def test_a_years_business_decides_the_segment_of_the_next(bank: Pair) -> None:
    customer = bank.register("8000")
    bank.tell(Purchase(identity="card:8000", total="60000.00", occurred_at=bank.clock.now()).event())
    assert member(bank, customer)["tier"] == "ordinary", "a year is judged when it is over"

    bank.clock.travel_to(NEW_YEAR_2027 + timedelta(minutes=20))
    bank.run(bank.loyalty, "review-tiers")
    assert member(bank, customer)["tier"] == "platinum"
    (step,) = bank.get(bank.loyalty, f"members/{customer}/tiers")["items"]
    assert (step["growth"], step["clause"]) == (60000, "BK-04")

    bank.clock.travel_to(NEW_YEAR_2028 + timedelta(days=30))
    bank.run(bank.loyalty, "review-tiers")
    assert member(bank, customer)["tier"] == "platinum", "the advisers have a month"
    bank.clock.advance(days=1, minutes=20)
    bank.run(bank.loyalty, "review-tiers")
    assert member(bank, customer)["tier"] == "ordinary"


def test_a_dry_review_names_those_whom_the_new_year_will_raise(bank: Pair) -> None:
    customers = [bank.register(card) for card in ("8000", "8001")]
    for card, total in (("8000", "12000.00"), ("8001", "900.00")):
        bank.tell(Purchase(identity=f"card:{card}", total=total, occurred_at=bank.clock.now()).event())

    wanted = {"dry_run": True, "as_of": (NEW_YEAR_2027 + timedelta(minutes=20)).isoformat()}
    job = bank.post(bank.loyalty, "tier-reviews", wanted)
    bank.settle(bank.loyalty)

    assert bank.get(bank.loyalty, f"tier-reviews/{job['id']}")["moves"] == {"ordinary → gold": 1}
    lines = bank.get(bank.loyalty, f"tier-reviews/{job['id']}/changes")["items"]
    assert [(line["customer_id"], line["change"]) for line in lines] == [(customers[0], "rises")]
    assert member(bank, customers[0])["tier"] == "ordinary"


@pytest.mark.rule("BK-04", partly="churn, cross-selling and growth models are the customer service's")
def test_a_campaign_has_a_control_group_unless_somebody_says_otherwise(bank: Pair) -> None:
    now = bank.clock.now()
    draft = {
        "code": "deposit_week", "name": "存款周", "from": now.isoformat(),
        "until": (now + timedelta(days=7)).isoformat(), "multiplier": "2",
    }  # fmt: skip

    drafted = bank.post(bank.loyalty, "campaigns", draft)
    greedy = bank.client(bank.loyalty).post(
        "/api/v1/campaigns", json=draft | {"code": "deposit_month", "multiplier": "3"}
    )

    assert (drafted["control_group"], drafted["clause"]) == ("0.20", "BK-04")
    assert (greedy.status_code, list(greedy.json["errors"])) == (422, ["multiplier"])


@pytest.mark.rule("BK-06")
def test_no_gift_is_worth_more_than_the_cap(bank: Pair) -> None:
    gift = {"code": "TEA-SET", "kind": "gift", "name": "茶具", "stock": 10}

    refused = bank.client(bank.loyalty).post("/api/v1/rewards", json=gift | {"points": 500_001})
    bank.post(bank.loyalty, "rewards", gift | {"points": 500_000})

    assert refused.status_code == 422
    (why,) = refused.json["errors"]["points"]
    assert "the pack allows 5000 a piece (BK-06)" in why
