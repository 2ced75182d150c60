"""Who brings a new customer is rewarded with them, after a first purchase that stands; nobody refers themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chassis.timing.due import DuePoller


@pytest.fixture
def old(programme: Any) -> str:
    """A member who brings others."""
    customer: str = programme.enrol("card:old", phones=[{"number": "+8613800000001"}])
    return customer


@pytest.fixture
def new(programme: Any) -> str:
    """A member who has never bought."""
    customer: str = programme.enrol("card:new", phones=[{"number": "+8613800000002"}])
    return customer


@pytest.fixture
def refer(api: Any) -> Callable[[str, str], Any]:
    return lambda referrer, referred: api.post("referrals", {"referrer": referrer, "referred": referred})


@pytest.fixture
def settle(programme: Any) -> Callable[[], int]:
    """Let the due rows do what is due now."""
    return lambda: DuePoller(programme.runtime).drain()


def pending(programme: Any, *members: str) -> list[int]:
    return [programme.purse(member)["pending"] for member in members]


@pytest.mark.rule("CG-22")
def test_both_are_rewarded_once_after_the_first_purchase_worth_enough(
    programme: Any, api: Any, refer: Any, settle: Any, old: str, new: str, recorded: Any, in_balance: Any
) -> None:
    made = refer(old, new)
    assert (made.status_code, made.get_json()["status"]) == (201, "waiting")

    programme.buys("49.99", "P1", by="card:new")
    settle()
    assert pending(programme, old, new) == [0, 49]
    programme.buys("50.00", "P2", by="card:new")
    programme.buys("500.00", "P3", by="card:new")
    settle()

    assert pending(programme, old, new) == [200, 49 + 50 + 500 + 200]
    shown = api.get(f"referrals/{made.get_json()['id']}").get_json()
    assert (shown["status"], shown["purchase_id"], shown["clause"]) == ("rewarded", "P2", "CG-25")
    told = [event.data for event in recorded(programme.runtime, "points.earned.v1") if event.data["kind"] == "referral"]
    assert sorted((data["customer_id"], data["points"]) for data in told) == sorted([(old, 200), (new, 200)])
    in_balance()


def test_the_rewards_become_available_when_the_purchase_can_no_longer_be_returned(
    programme: Any, refer: Any, settle: Any, old: str, new: str, in_balance: Any
) -> None:
    refer(old, new)
    programme.buys("80.00", "P1", by="card:new", at=programme.clock.now() - timedelta(hours=1))
    settle()

    programme.clock.advance(days=7, hours=-2)
    programme.run("release-pending")
    assert pending(programme, old, new) == [200, 280]
    programme.clock.advance(hours=1)
    settle()
    programme.run("release-pending")

    assert [programme.purse(member)["available"] for member in (old, new)] == [200, 280]
    in_balance()


def test_a_purchase_that_is_returned_takes_the_rewards_back(
    programme: Any, api: Any, refer: Any, settle: Any, old: str, new: str, recorded: Any, in_balance: Any
) -> None:
    made = refer(old, new).get_json()["id"]
    programme.buys("60.00", "P1", by="card:new")
    settle()
    programme.refunds("P1", "10.01")
    programme.clock.advance(days=7)

    settle()

    assert pending(programme, old, new) == [0, 50]
    shown = api.get(f"referrals/{made}").get_json()
    assert (shown["status"], shown["reason"]) == ("void", "the purchase behind it was refunded")
    backs = [
        event.data for event in recorded(programme.runtime, "points.reversed.v1") if "purchase_id" not in event.data
    ]
    assert [data["points"] for data in backs] == [-200, -200]
    settle()
    in_balance()


def test_a_purchase_returned_before_it_was_paid_for_lets_another_earn_it(
    programme: Any, refer: Any, settle: Any, old: str, new: str
) -> None:
    refer(old, new)
    programme.tell("purchases", programme.purchase("60.00", "P1", by="card:new"), programme.refund("P1", "60.00", "R1"))
    settle()
    assert pending(programme, old) == [0]

    programme.buys("70.00", "P2", by="card:new")
    settle()

    assert pending(programme, old, new) == [200, 270]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"phones": [{"number": "+8613900000000"}]}, {"phones": [{"number": "+8613900000000"}]}),
        ({"emails": [{"address": "Wang@example.com"}]}, {"emails": [{"address": "wang@example.com "}]}),
        ({"phones": [{"number": "+8613900000000"}]}, {"identities": [{"scheme": "phone", "value": "+86 13900000000"}]}),
    ],
)
def test_who_shares_a_contact_refers_themselves(
    programme: Any, refer: Any, ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    one, other = programme.enrol("card:1"), programme.enrol("card:2")
    programme.tell("customers", programme.customer_event("updated", one, **ours))
    programme.tell("customers", programme.customer_event("updated", other, **theirs))

    refused = refer(one, other)

    assert (refused.status_code, refused.get_json()["objection"]) == (409, "shared_contact")
    programme.tell("customers", programme.customer_event("updated", other, phones=[{"number": "+8613700000000"}]))
    assert refer(one, other).status_code == 201


def test_what_else_stands_against_a_referral(programme: Any, refer: Any, old: str, new: str) -> None:
    third, bought = programme.enrol("card:3"), programme.enrol("card:4")
    programme.buys("1.00", "P1", by="card:4")

    assert refer(old, old).status_code == 422
    assert refer(old, bought).get_json()["objection"] == "bought_before"
    assert refer(old, new).status_code == 201
    assert refer(third, new).get_json()["objection"] == "referred_already"
    assert refer(new, third).status_code == 201
    assert refer(third, old).get_json()["objection"] == "circular"
    assert refer(new, old).get_json()["objection"] == "circular"
    assert refer(old, "0192d3c4-0000-7000-8000-000000000009").status_code == 404


def test_a_purchase_of_an_earlier_day_that_is_told_late_earns_nothing(
    programme: Any, refer: Any, settle: Any, old: str, new: str
) -> None:
    refer(old, new)

    programme.buys("60.00", "P1", by="card:new", at=programme.clock.now() - timedelta(days=1))
    settle()

    assert pending(programme, old) == [0]


def test_of_many_who_say_they_brought_somebody_one_is_believed(
    programme: Any, refer: Any, settle: Any, new: str, in_balance: Any
) -> None:
    members = [programme.enrol(f"card:{n}") for n in range(8)]
    answers: list[int] = []
    threads = [threading.Thread(target=lambda one=one: answers.append(refer(one, new).status_code)) for one in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] + [409] * 7

    programme.buys("60.00", by="card:new")
    settle()

    assert sum(pending(programme, *members)) == 200
    in_balance()


def test_a_circle_is_not_closed_by_coming_at_the_same_time(programme: Any, refer: Any) -> None:
    ring = [programme.enrol(f"card:{n}") for n in range(4)]
    refer(ring[0], ring[1])
    answers: list[int] = []
    pairs = [(ring[1], ring[2]), (ring[2], ring[3]), (ring[3], ring[0])]
    threads = [threading.Thread(target=lambda pair=pair: answers.append(refer(*pair).status_code)) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [201, 201, 409]


def test_who_is_under_review_is_rewarded_when_cleared(programme: Any, refer: Any, settle: Any, new: str) -> None:
    flagged = programme.enrol("card:f", flags=[{"code": "frequent", "since": "2026-11-01T00:00:00Z"}])
    refer(flagged, new)
    programme.buys("60.00", by="card:new")
    settle()

    assert (programme.purse(flagged)["blocked"], programme.purse(new)["pending"]) == (200, 260)


def test_a_busy_account_is_tried_again(programme: Any, refer: Any, settle: Any, old: str, new: str) -> None:
    refer(old, new)
    programme.buys("60.00", by="card:new")
    with programme.runtime.sessions.begin() as session:
        session.connection().exec_driver_sql("SELECT FROM member WHERE customer_id = %s FOR UPDATE", (old,))
        settle()
        assert pending(programme, old, new) == [0, 60]
    programme.clock.advance(seconds=2)

    settle()

    assert pending(programme, old, new) == [200, 260]
