"""A purchase becomes points, exactly once, and can say why."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


@pytest.mark.rule("CG-22")
def test_a_purchase_earns_one_point_and_one_growth_value_per_whole_unit(programme: Any) -> None:
    customer = programme.enrol("card:1")

    assert programme.buys("256.90") == ["accepted"]

    assert programme.purse(customer) == {
        "pending": 256, "available": 0, "held": 0, "blocked": 0, "deficit": 0, "growth": 256,
    }  # fmt: skip


@pytest.mark.rule("CG-23")
def test_the_same_purchase_under_a_new_event_id_has_no_effect(programme: Any) -> None:
    customer = programme.enrol("card:1")
    first, again = programme.purchase("10.00", "P1"), programme.purchase("10.00", "P1")

    programme.tell("purchases", first, again, first)
    programme.tell("purchases", programme.purchase("10.00", "P1"))

    assert programme.purse(customer)["pending"] == 10


def test_another_content_under_a_known_purchase_is_a_conflict(programme: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("10.00", "P1")

    (word,) = programme.buys("11.00", "P1")

    assert word.startswith("rejected:conflict")
    assert programme.purse(customer)["pending"] == 10


@pytest.mark.rule("CG-22")
def test_a_tier_rises_after_the_purchase_that_reaches_it_and_gives_its_bonus_from_then_on(programme: Any) -> None:
    customer = programme.enrol("card:1")
    start = datetime(2026, 11, 1, tzinfo=UTC)

    programme.tell("purchases", *(programme.purchase("999.00", at=start + timedelta(days=day)) for day in range(3)))

    # 999 + 999 (reaches gold after the second) + 999 + floor(99.9)
    purse = programme.purse(customer)
    assert purse["pending"] + purse["available"] == 999 * 3 + 99
    assert purse["growth"] == 999 * 3


def test_a_purchase_of_an_unknown_identity_waits_and_is_applied_once(programme: Any) -> None:
    assert (
        programme.tell("purchases", programme.purchase("40.00", "P1"), programme.purchase("2.00", "P2"))
        == ["accepted"] * 2
    )

    customer = programme.enrol("card:1")

    assert programme.purse(customer)["pending"] == 42
    programme.buys("40.00", "P1")


def test_partial_refunds_sum_exactly_to_the_whole(programme: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("100.99", "P1")

    for part in ("33.33", "33.33", "34.33"):
        assert programme.refunds("P1", part) == ["accepted"]

    assert programme.purse(customer)["pending"] == 0
    assert programme.purse(customer)["growth"] == 0
    assert programme.refunds("P1", "0.01")[0].startswith("rejected:refund")


def test_a_refund_before_its_purchase_waits_for_it(programme: Any) -> None:
    customer = programme.enrol("card:1")

    assert programme.refunds("P1", "60.00") == ["accepted"]
    programme.buys("100.00", "P1")

    assert programme.purse(customer)["pending"] == 40


def test_a_refund_too_small_for_a_point_is_counted_all_the_same(programme: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1.00", "P1")

    assert programme.refunds("P1", "0.10") == ["accepted"]
    assert programme.purse(customer)["pending"] == 1
    assert programme.refunds("P1", "0.90") == ["accepted"]

    assert programme.purse(customer)["pending"] == 0


def test_a_waiting_refund_that_exceeds_its_purchase_becomes_a_dead_letter(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.refunds("P1", "60.00", refund_id="R1")

    assert programme.buys("50.00", "P1") == ["accepted"]

    assert programme.purse(customer)["pending"] == 50
    (letter,) = api.get("services/loyalty/dead-letters").get_json()["items"]
    assert "exceeds purchase P1" in letter["reason"]
    assert programme.rows("SELECT * FROM waiting_refund") == []


def test_an_anonymous_sale_and_its_refund_move_nothing(programme: Any) -> None:
    sale = programme.purchase("10.00", "P1", customer=None)

    assert programme.tell("purchases", sale, programme.refund("P1", "10.00")) == ["accepted", "accepted"]

    assert programme.rows("SELECT * FROM transaction") == []


def test_a_total_that_is_not_its_lines_is_rejected_with_the_reason(programme: Any) -> None:
    line = {"sku": "W-500", "quantity": "1", "amount": "5.00"}

    (word,) = programme.buys("10.00", lines=[line])

    assert word == "rejected:the lines add up to 5.00, the total says 10.00"


@pytest.mark.rule("CG-22")
def test_a_refund_undoes_the_rise_that_was_built_on_it(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00", "P1")
    assert api.get(f"members/{customer}").get_json()["tier"] == "gold"

    programme.refunds("P1", "1200.00")

    assert api.get(f"members/{customer}").get_json()["tier"] == "ordinary"
    programme.buys("100.00", "P2")
    assert programme.purse(customer)["pending"] == 100
    in_balance()


def test_two_workers_and_the_registry_at_once_count_everything_once(programme: Any, in_balance: Any) -> None:
    """The same purchases told to two workers while their customers register in a third."""
    start = programme.clock.now() - timedelta(days=3)
    told = [
        programme.purchase(
            f"{10 + number % 7}.00", f"P{number}", by=f"card:{number % 20}", at=start + timedelta(minutes=number)
        )
        for number in range(400)
    ]
    registrations = [
        programme.customer_event(
            "registered", str(uuid.UUID(int=number + 1)), identities=[{"scheme": "card", "value": str(number)}]
        )
        for number in range(20)
    ]

    def work(events: list[Any], subscription: str, step: int) -> None:
        for at in range(0, len(events), step):
            programme.tell(subscription, *events[at : at + step])

    workers = [
        threading.Thread(target=work, args=(told, "purchases", 40)),
        threading.Thread(target=work, args=(told[::-1], "purchases", 40)),
        threading.Thread(target=work, args=(registrations, "customers", 3)),
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    (total,) = programme.rows("SELECT sum(pending + available) AS points FROM member")
    assert total["points"] == sum(10 + number % 7 for number in range(400))
    assert programme.rows("SELECT * FROM waiting_purchase") == []
    in_balance()
