"""The mall's regulation, end to end: money spent in a calendar year, and cards that are used too often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from chassis.testkit.builders import Purchase
from tests.pair import Pair

pytestmark = pytest.mark.database
CARD = "card:3307"
NEW_YEAR_2028 = datetime(2027, 12, 31, 16, tzinfo=UTC)


@pytest.fixture
def mall(pair_under: Callable[[str], Pair]) -> Pair:
    return pair_under("mall")


def tier(mall: Pair, member: str) -> str:
    found: str = mall.get(mall.loyalty, f"members/{member}")["tier"]
    return found


def test_what_is_brought_back_and_gift_cards_count_for_no_tier(mall: Pair) -> None:
    member = mall.register("3307")
    cards = ({"sku": "GC-1", "category": "gift_card", "quantity": "1", "unit_price": "4000.00", "amount": "4000.00"},)
    coat = Purchase(identity=CARD, total="4999.00", occurred_at=mall.clock.now())
    mall.tell(coat.event(), coat.but(total="4000.00", lines=cards, purchase_id="P-cards", event_id="cards").event())
    assert tier(mall, member) == "ordinary"

    tie = Purchase(identity=CARD, total="1.00", occurred_at=mall.clock.now() + timedelta(seconds=1))
    mall.tell(tie.event())
    assert tier(mall, member) == "gold"
    mall.tell(coat.refund("1.00").but(occurred_at=mall.clock.now()).event())

    assert tier(mall, member) == "ordinary"
    assert mall.in_balance()


def test_a_tier_holds_through_the_next_year_and_falls_one_level(mall: Pair) -> None:
    member = mall.register("3307")
    mall.tell(Purchase(identity=CARD, total="21000.00", occurred_at=mall.clock.now()).event())
    assert tier(mall, member) == "platinum"

    mall.clock.travel_to(NEW_YEAR_2028 - timedelta(seconds=1))
    assert tier(mall, member) == "platinum"
    mall.clock.travel_to(NEW_YEAR_2028 + timedelta(minutes=20))
    mall.run(mall.loyalty, "review-tiers")

    assert tier(mall, member) == "gold"


@pytest.mark.rule("ML-05", partly="the customer service lists the cards that it sets aside for inquiry")
def test_a_card_used_too_often_is_looked_at_before_its_points_count(mall: Pair) -> None:
    member = mall.register("3307")
    bills = [
        Purchase(identity=CARD, total="30.00", occurred_at=mall.clock.now() + timedelta(minutes=number))
        for number in range(-6, 0)
    ]
    mall.tell(*(bill.event() for bill in bills))

    purse = mall.purse(member)
    assert (purse["pending"], purse["blocked"]) == (150, 30)
    (review,) = mall.get(mall.loyalty, "fraud-reviews", status="open")["items"]
    assert (review["cause"], review["clause"]) == ("purchases_a_day", "ML-05")
    mall.post(mall.loyalty, f"fraud-reviews/{review['id']}/release", {"reason": "a family of six, one card"})

    assert mall.purse(member)["blocked"] == 0
    assert mall.purse(member)["pending"] == 180
    assert mall.in_balance()
