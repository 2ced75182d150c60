"""A purchase becomes points, exactly once, and can say why."""

from __future__ import annotations

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
