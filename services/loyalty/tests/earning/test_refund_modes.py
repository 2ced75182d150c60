"""How far a refund goes when its points are spent: the pack's choice, and nobody's gain beyond it (CG-22)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

ONLY_PENDING = {"mode: unlimited ": "mode: only_pending "}
WITHIN_BALANCE = {"mode: unlimited ": "mode: within_balance "}
BY_CATEGORY = {"by_category: {} ": "by_category: {wine: 3, water: 0.5} "}


def spend(api: Any, customer: str, points: int) -> int:
    """Hold and capture; the status of the hold."""
    held = api.post("holds", {"customer_id": customer, "points": points})
    if held.status_code == 201:
        api.post(f"holds/{held.get_json()['id']}/capture")
    return int(held.status_code)


def long_ago(programme: Any, total: str, purchase_id: str) -> None:
    """A purchase whose points are available by now."""
    programme.buys(total, purchase_id, at=programme.clock.now() - timedelta(days=30))


def told(api: Any, customer: str) -> list[tuple[str, int]]:
    """The steps of the refund's line of the statement."""
    entries = api.get(f"members/{customer}/entries").get_json()["items"]
    (entry,) = [entry for entry in entries if entry["kind"] == "refund"]
    return [(step["rule"], step["points"]) for step in entry["why"]["breakdown"]]


@pytest.mark.rule("CG-22")
def test_unlimited_lets_the_balance_go_negative_and_later_credits_absorb_it(
    programme: Any, api: Any, in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    long_ago(programme, "100.00", "P1")
    spend(api, customer, 70)

    programme.refunds("P1", "100.00")
    assert (programme.purse(customer)["available"], programme.purse(customer)["deficit"]) == (-70, 70)
    long_ago(programme, "90.00", "P2")

    assert (programme.purse(customer)["available"], programme.purse(customer)["deficit"]) == (20, 0)
    in_balance()


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [WITHIN_BALANCE])
def test_within_balance_takes_what_there_is_and_forgives_the_rest(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    long_ago(programme, "100.00", "P1")
    long_ago(programme, "10.00", "P2")
    spend(api, customer, 70)

    programme.refunds("P1", "100.00")

    purse = programme.purse(customer)
    assert (purse["available"], purse["deficit"], purse["growth"]) == (0, 0, 10)
    assert told(api, customer) == [("base", -100), ("refund mode within_balance", 60)]
    in_balance()


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [ONLY_PENDING])
def test_only_pending_takes_nothing_that_could_have_been_spent(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    long_ago(programme, "100.00", "P1")
    programme.buys("40.00", "P2")

    programme.refunds("P1", "100.00")
    programme.refunds("P2", "30.00")

    purse = programme.purse(customer)
    assert (purse["available"], purse["pending"], purse["growth"]) == (100, 10, 10)
    in_balance()


@pytest.mark.parametrize("rules", [ONLY_PENDING])
def test_what_is_due_is_not_pending_however_late_the_schedule_is(programme: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("40.00", "P1")
    programme.clock.advance(days=8)  # nobody ran release-pending

    programme.refunds("P1", "40.00")

    assert (programme.purse(customer)["available"], programme.purse(customer)["pending"]) == (40, 0)
    in_balance()


@pytest.mark.parametrize("rules", [ONLY_PENDING])
def test_points_under_review_could_not_be_spent_either(programme: Any, in_balance: Any) -> None:
    flag = {"code": "frequent", "since": "2026-11-01T00:00:00Z"}
    customer = programme.enrol("card:1", flags=[flag])
    long_ago(programme, "100.00", "P1")

    programme.refunds("P1", "60.00")

    assert programme.purse(customer)["blocked"] == 40
    in_balance()


@pytest.mark.parametrize(
    "rules", [{}, WITHIN_BALANCE, ONLY_PENDING], ids=["unlimited", "within_balance", "only_pending"]
)
def test_a_refund_applied_twice_takes_back_once(programme: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("100.00", "P1")
    refund = programme.refund("P1", "60.00", refund_id="R1")
    again = programme.refund("P1", "60.00", refund_id="R1", at=programme.clock.now())

    assert programme.tell("purchases", refund) == ["accepted"]
    assert programme.tell("purchases", refund, again) == ["duplicate", "accepted"]

    assert programme.purse(customer)["pending"] == 40
    assert programme.refunds("P1", "59.00", refund_id="R1")[0].startswith("rejected:conflict")
    in_balance()


@pytest.mark.rule("CG-22")
def test_earning_spending_and_refunding_over_and_over_gains_nothing(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    spent = 0
    for round_ in range(5):
        long_ago(programme, "100.00", f"P{round_}")
        spent += 100 if spend(api, customer, 100) == 201 else 0
        programme.refunds(f"P{round_}", "100.00")

    assert spent == 100, "the debt of the first round absorbs what the others earn"
    assert programme.purse(customer) == {
        "pending": 0, "available": -100, "held": 0, "blocked": 0, "deficit": 100, "growth": 0,
    }  # fmt: skip
    in_balance()


@pytest.mark.parametrize("rules", [BY_CATEGORY])
def test_refunds_line_by_line_sum_exactly_to_the_whole(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    lines = [
        {"sku": "red", "category": "wine", "quantity": "1", "amount": "33.33"},
        {"sku": "still", "category": "water", "quantity": "3", "amount": "9.99"},
        {"sku": "bread", "category": "food", "quantity": "1", "amount": "4.68"},
    ]
    programme.buys("48.00", "P1", lines=lines)
    assert programme.purse(customer)["pending"] == 109  # floor(3 x 33.33 + 9.99 / 2 + 4.68)

    left = []
    for line in lines[::-1]:
        programme.refunds("P1", line["amount"], lines=[{name: line[name] for name in ("sku", "quantity", "amount")}])
        left.append(programme.purse(customer)["pending"])

    assert left == [105, 100, 0], "each line takes back what it earned, the last what the whole still holds"
    assert programme.purse(customer)["growth"] == 0
    in_balance()


@pytest.mark.parametrize("rules", [ONLY_PENDING, WITHIN_BALANCE])
def test_a_refund_that_was_quicker_than_its_purchase_takes_its_share(programme: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")

    assert programme.refunds("P1", "60.00") == ["accepted"]
    programme.buys("100.00", "P1")

    assert programme.purse(customer)["pending"] == 40
    in_balance()
