"""Points are set aside once, taken once, given back once."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis.timing.due import DuePoller
from loyalty.redemption.use_cases import capture, release, set_aside


@pytest.mark.rule("CG-22")
def test_a_hold_sets_points_aside_soonest_expiry_first(api: Any, programme: Any, member: str, in_balance: Any) -> None:
    held = api.post("holds", {"customer_id": member, "points": 120})

    assert held.status_code == 201
    assert held.get_json()["status"] == "open"
    assert programme.purse(member)["held"] == 120
    assert programme.purse(member)["available"] == 30
    lots = {lot["points"]: lot["reserved"] for lot in api.get(f"members/{member}/lots").get_json()["items"]}
    assert lots == {100: 100, 50: 20}
    in_balance()


def test_a_partial_capture_gives_the_rest_back(
    api: Any, programme: Any, member: str, in_balance: Any, recorded: Any
) -> None:
    hold = api.post("holds", {"customer_id": member, "points": 120}).get_json()["id"]

    captured = api.post(f"holds/{hold}/capture", {"points": 70}).get_json()

    assert (captured["status"], captured["captured"]) == ("captured", 70)
    assert programme.purse(member) == {
        "pending": 0, "available": 80, "held": 0, "blocked": 0, "deficit": 0, "growth": 150,
    }  # fmt: skip
    (event,) = recorded(programme.runtime, "points.redeemed.v1")
    assert (event.data["points"], event.data["amount"], event.data["currency"]) == (70, "0.70", "CNY")
    in_balance()


def test_a_hold_resolves_once(api: Any, member: str) -> None:
    hold = api.post("holds", {"customer_id": member, "points": 10}).get_json()["id"]
    assert api.post(f"holds/{hold}/release").status_code == 200

    for action in ("capture", "release"):
        assert api.post(f"holds/{hold}/{action}").status_code == 409


def test_a_hold_times_out_by_itself(api: Any, programme: Any, member: str, in_balance: Any) -> None:
    hold = api.post("holds", {"customer_id": member, "points": 10, "expires_in": 60}).get_json()["id"]
    programme.clock.advance(seconds=61)
    assert api.post(f"holds/{hold}/capture").status_code == 409

    DuePoller(programme.runtime).tick()

    assert api.get(f"holds/{hold}").get_json()["status"] == "timed_out"
    assert programme.purse(member)["available"] == 150
    in_balance()


def test_more_than_is_available_is_refused_and_an_unknown_customer_not_found(api: Any, member: str) -> None:
    refused = api.post("holds", {"customer_id": member, "points": 151})
    unknown = api.post("holds", {"customer_id": str(uuid.uuid4()), "points": 1})

    assert (refused.status_code, unknown.status_code) == (409, 404)


@pytest.mark.rule("CG-22")
def test_an_expiring_lot_waits_for_its_hold_and_expires_once(
    api: Any, programme: Any, member: str, in_balance: Any
) -> None:
    programme.clock.travel_to(datetime(2027, 12, 31, 15, 0, tzinfo=UTC))
    programme.run("expire-lots")
    hold = api.post("holds", {"customer_id": member, "points": 10, "expires_in": 7200}).get_json()["id"]
    programme.clock.advance(hours=1)

    programme.run("expire-lots")
    assert programme.purse(member)["held"] == 10
    refused = api.post("holds", {"customer_id": member, "points": 1})
    assert (refused.status_code, refused.get_json()["available"]) == (409, 0)
    api.post(f"holds/{hold}/capture", {"points": 4})

    assert (programme.purse(member)["available"], programme.purse(member)["held"]) == (0, 0)
    expiries = programme.rows("SELECT points_expired FROM transaction WHERE kind = 'expiry'")
    assert sorted(row["points_expired"] for row in expiries) == [46, 100]
    programme.run("expire-lots")
    in_balance()


def test_nobody_spends_what_has_expired_or_waits_for_what_is_due(api: Any, programme: Any, in_balance: Any) -> None:
    """The schedules may be late: a hold sees what they would have done."""
    customer = programme.enrol("card:1")
    programme.buys("10.00", at=datetime(2025, 12, 5, tzinfo=UTC))
    programme.buys("20.00")
    programme.clock.advance(days=8)

    assert api.post("holds", {"customer_id": customer, "points": 30}).status_code == 201
    in_balance()

    programme.buys("5.00", at=programme.clock.now() - timedelta(days=8))
    programme.clock.travel_to(datetime(2028, 6, 1, tzinfo=UTC))
    assert api.post("holds", {"customer_id": customer, "points": 1}).get_json()["available"] == 0
    in_balance()


def test_a_blacklisted_member_redeems_nothing(api: Any, programme: Any, member: str) -> None:
    standing = {"may_trade": False, "reasons": [{"code": "blacklisted", "scope": "company"}]}
    programme.tell("customers", programme.customer_event("updated", member, standing=standing))

    refused = api.post("holds", {"customer_id": member, "points": 1})

    assert refused.status_code == 409
    assert "blacklisted" in refused.get_json()["detail"]
    assert api.get(f"members/{member}").get_json()["under_review"] is True


@pytest.mark.rule("CG-23")
def test_the_same_key_holds_once_and_another_body_under_it_is_refused(api: Any, programme: Any, member: str) -> None:
    first = api.post("holds", {"customer_id": member, "points": 10}, key="till-1")
    again = api.post("holds", {"customer_id": member, "points": 10}, key="till-1")
    other = api.post("holds", {"customer_id": member, "points": 11}, key="till-1")

    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert other.status_code == 422
    assert programme.purse(member)["held"] == 10


def test_a_hold_without_a_key_is_refused(programme: Any, client: Any, member: str) -> None:
    body = {"customer_id": member, "points": 10}

    assert client(programme.runtime).post("/api/v1/holds", json=body).status_code == 400


def test_a_busy_account_times_out_a_moment_later(api: Any, programme: Any, member: str) -> None:
    hold = api.post("holds", {"customer_id": member, "points": 10}).get_json()["id"]
    programme.clock.advance(minutes=16)

    with programme.runtime.sessions.begin() as busy:
        busy.execute(text("SELECT FROM member FOR UPDATE"))
        DuePoller(programme.runtime).tick()
        assert api.get(f"holds/{hold}").get_json()["status"] == "open"
    programme.clock.advance(seconds=1)
    DuePoller(programme.runtime).tick()

    assert api.get(f"holds/{hold}").get_json()["status"] == "timed_out"


def test_the_deficit_absorbs_what_a_hold_gives_back(api: Any, programme: Any, member: str, in_balance: Any) -> None:
    hold = api.post("holds", {"customer_id": member, "points": 120}).get_json()["id"]
    programme.refunds("P1", "100.00")
    assert (programme.purse(member)["available"], programme.purse(member)["deficit"]) == (-70, 70)
    in_balance()

    api.post(f"holds/{hold}/release")

    assert (programme.purse(member)["available"], programme.purse(member)["deficit"]) == (50, 0)
    in_balance()


@pytest.mark.rule("CG-23")
def test_of_twenty_parallel_captures_and_releases_exactly_one_wins(
    programme: Any, api: Any, member: str, in_balance: Any, twenty_at_once: Any
) -> None:
    hold = uuid.UUID(api.post("holds", {"customer_id": member, "points": 100}).get_json()["id"])

    def try_it(number: int) -> None:
        with programme.runtime.context() as context:
            capture(context, hold, 60) if number % 2 else release(context, hold)

    assert twenty_at_once(try_it) == ["refused"] * 19 + ["won"]
    assert programme.purse(member)["available"] in (90, 150)
    in_balance()


@pytest.mark.rule("CG-23")
def test_of_twenty_parallel_holds_of_the_whole_balance_exactly_one_wins(
    programme: Any, member: str, in_balance: Any, twenty_at_once: Any
) -> None:
    def try_it(number: int) -> None:
        with programme.runtime.context() as context:
            set_aside(context, uuid.UUID(member), 150)

    assert twenty_at_once(try_it) == ["refused"] * 19 + ["won"]
    assert programme.purse(member)["available"] == 0
    in_balance()
