"""Pending points become available, old ones expire, a deficit is absorbed by what comes in."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from loyalty.expiry import use_cases


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
def test_a_late_expiry_takes_what_is_left_of_its_lot_and_nothing_that_was_earned_since(
    programme: Any, api: Any, in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("100.00", "P1", at=datetime(2025, 3, 1, tzinfo=UTC))  # lapses with 2026
    programme.clock.travel_to(datetime(2027, 1, 20, tzinfo=UTC))
    programme.buys("70.00", "P2", at=datetime(2026, 12, 1, tzinfo=UTC))  # earned before the lapse, lives on
    programme.buys("30.00", "P3", at=datetime(2027, 1, 5, tzinfo=UTC))  # earned after it, before the schedule came
    hold = api.post("holds", {"customer_id": customer, "points": 60})
    assert hold.get_json()["points"] == 60, "a hold looks at the time itself"

    programme.run("expire-lots")
    api.post(f"holds/{hold.get_json()['id']}/release")

    lots = {lot["points"]: lot["remaining"] for lot in api.get(f"members/{customer}/lots").get_json()["items"]}
    assert lots == {100: 0, 70: 70, 30: 30}
    assert programme.purse(customer)["available"] == 100
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


def test_many_lots_are_released_in_steps_once_past_accounts_that_are_busy(
    programme: Any, in_balance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_cases, "STEP", 3)
    members = [programme.enrol(f"card:{card}") for card in range(5)]
    programme.tell("purchases", *(programme.purchase("10.00", by=f"card:{card % 5}") for card in range(15)))
    programme.clock.advance(days=7)

    with programme.runtime.sessions.begin() as busy:
        busy.execute(text("SELECT FROM member WHERE customer_id = :id FOR UPDATE"), {"id": members[0]})
        programme.run("release-pending")
    released = {member: programme.purse(member)["available"] for member in members}
    assert sum(released.values()) <= 120
    assert released[members[0]] == 0
    programme.run("release-pending")

    assert [programme.purse(member)["available"] for member in members] == [30] * 5
    in_balance()


def test_two_workers_release_everything_once(programme: Any, in_balance: Any) -> None:
    members = [programme.enrol(f"card:{card}") for card in range(20)]
    programme.tell("purchases", *(programme.purchase("10.00", by=f"card:{card}") for card in range(20)))
    programme.clock.advance(days=7)
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        programme.run("release-pending")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [programme.purse(member)["available"] for member in members] == [10] * 20
    in_balance()
