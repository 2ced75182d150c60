"""Pending points become available, old ones expire, a deficit is absorbed by what comes in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


@pytest.mark.rule("CG-22")
def test_points_become_available_seven_days_after_the_purchase(programme: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("40.00")
    programme.clock.advance(days=7, seconds=-1)
    programme.run("release-pending")
    assert programme.purse(customer)["available"] == 0

    programme.clock.advance(seconds=1)
    programme.run("release-pending")

    assert programme.purse(customer)["available"] == 40
    in_balance()


@pytest.mark.rule("CG-22")
def test_points_expire_at_the_end_of_the_year_after_the_earning_year(
    programme: Any, in_balance: Any, recorded: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("40.00")
    programme.clock.advance(days=8)
    programme.run("release-pending")
    programme.clock.travel_to(datetime(2027, 12, 31, 15, 59, 59, tzinfo=UTC))
    programme.run("expire-lots")
    assert programme.purse(customer)["available"] == 40

    programme.clock.advance(seconds=1)
    programme.run("expire-lots")

    assert programme.purse(customer)["available"] == 0
    (event,) = recorded(programme.runtime, "points.expired.v1")
    assert event.data["points"] == 40
    in_balance()


@pytest.mark.rule("CG-22")
def test_a_refund_of_spent_points_leaves_a_deficit_that_later_credits_absorb(
    programme: Any, api: Any, in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("100.00", "P1", at=programme.clock.now() - timedelta(days=10))
    hold = api.post("holds", {"customer_id": customer, "points": 80}).get_json()["id"]
    api.post(f"holds/{hold}/capture")

    programme.refunds("P1", "100.00")
    assert (programme.purse(customer)["available"], programme.purse(customer)["deficit"]) == (-80, 80)
    in_balance()

    programme.buys("50.00", "P2")
    programme.clock.advance(days=8)
    programme.run("release-pending")
    assert (programme.purse(customer)["available"], programme.purse(customer)["deficit"]) == (-30, 30)
    programme.buys("50.00", "P3", at=programme.clock.now() - timedelta(days=8))

    assert (programme.purse(customer)["available"], programme.purse(customer)["deficit"]) == (20, 0)
    in_balance()
