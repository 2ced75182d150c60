"""The hotel's regulation, end to end: a guest joins, stays, rises, has her cake, and is told before she falls."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.testkit.builders import Purchase
from tests.pair import Pair

pytestmark = pytest.mark.database
GUEST = "card:0601"


@pytest.fixture
def hotel(pair_under: Callable[[str], Pair]) -> Pair:
    return pair_under("hotel")


@pytest.fixture
def guest(hotel: Pair) -> str:
    """She joins on 20 November 2026; her birthday is the day after."""
    return hotel.register("0601", birthday="1990-11-21")


def stays(hotel: Pair, total: str) -> str:
    """A bill is paid now; returns its key in the statement."""
    bill = Purchase(identity=GUEST, total=total, occurred_at=hotel.clock.now())
    hotel.tell(bill.event())
    hotel.clock.advance(hours=1)
    return f"purchase:{bill.purchase_id}"


def steps(hotel: Pair, guest: str, bill: str) -> dict[str, tuple[int, str]]:
    """The breakdown of a bill: rule → points and clause."""
    why = hotel.entries(guest)[bill]["why"]
    return {step["rule"]: (step["points"], step["clause"]) for step in why["breakdown"]}


def uses(hotel: Pair, guest: str, right: str, **stay: str) -> Any:
    """The desk asks for a right of the guest's."""
    return hotel.client(hotel.loyalty, roles=["front_desk"], username="desk").post(
        f"/api/v1/members/{guest}/benefits",
        json={"right": right, **stay},
        headers={"Idempotency-Key": uuid.uuid4().hex},
    )


@pytest.mark.rule("HT-03")
def test_gold_earns_a_fifth_more_and_platinum_two_fifths(hotel: Pair, guest: str) -> None:
    first, second = stays(hotel, "5000.00"), stays(hotel, "1000.00")
    big, last = stays(hotel, "14000.00"), stays(hotel, "1000.00")

    assert steps(hotel, guest, first) == {"base": (5000, "CG-22")}
    assert steps(hotel, guest, second)["tier bonus gold"] == (200, "HT-03")
    assert steps(hotel, guest, big)["tier bonus gold"] == (2800, "HT-03")
    assert steps(hotel, guest, last)["tier bonus platinum"] == (400, "HT-03")
    assert hotel.purse(guest)["pending"] == 5000 + 1200 + 16800 + 1400
    assert hotel.in_balance()


@pytest.mark.rule("HT-02")
def test_rights_are_counted_and_the_cake_is_for_a_birthday_in_the_house(hotel: Pair, guest: str) -> None:
    assert uses(hotel, guest, "late_check_out_2h").status_code == 409, "a member of the first tier has no rights"
    stays(hotel, "20000.00")

    upgrades = [uses(hotel, guest, "free_upgrade_if_available").status_code for _ in range(5)]
    too_late = uses(hotel, guest, "birthday_cake_coupon", stay_from="2026-11-22", stay_until="2026-11-24")
    cake = uses(hotel, guest, "birthday_cake_coupon", stay_from="2026-11-20", stay_until="2026-11-22")
    again = uses(hotel, guest, "birthday_cake_coupon", stay_from="2026-11-20", stay_until="2026-11-22")

    assert upgrades == [201, 201, 201, 201, 409]
    assert [answer.status_code for answer in (too_late, cake, again)] == [409, 201, 409]
    assert (cake.json["tier"], cake.json["benefit"]["clause"]) == ("platinum", "HT-02")
    left = {one["right"]: one["left"] for one in hotel.get(hotel.loyalty, f"members/{guest}/benefits")["items"]}
    assert left == {
        "early_check_in_2h": None,
        "late_check_out_2h": None,
        "free_upgrade_if_available": 0,
        "welcome_gift": None,
        "birthday_cake_coupon": 0,
    }


def test_she_is_told_sixty_days_ahead_and_lands_one_level_lower(hotel: Pair, guest: str) -> None:
    stays(hotel, "20000.00")
    ends = datetime(2028, 11, 19, 16, tzinfo=UTC) + timedelta(days=30)  # her second year, and the grace
    hotel.clock.travel_to(ends - timedelta(days=60))
    hotel.run(hotel.loyalty, "warn-of-falls")

    (notice,) = hotel.recorded(hotel.loyalty, "tier.at_risk.v1")
    assert (notice.data["tier"], notice.data["next_tier"], notice.data["missing"]) == ("platinum", "gold", 20000)
    assert datetime.fromisoformat(notice.data["ends_at"]) == ends
    hotel.clock.travel_to(ends + timedelta(minutes=20))
    hotel.run(hotel.loyalty, "review-tiers")
    assert hotel.get(hotel.loyalty, f"members/{guest}")["tier"] == "gold"

    hotel.clock.travel_to(datetime(2029, 11, 19, 16, tzinfo=UTC) + timedelta(days=30, minutes=20))
    hotel.run(hotel.loyalty, "review-tiers")
    assert hotel.get(hotel.loyalty, f"members/{guest}")["tier"] == "member"
