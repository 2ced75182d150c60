"""A refund takes the growth value of the lines that come back, as it takes their points; parts sum to the whole."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.earning.refunds import Refund, Running, reversal

GIFT_CARDS = {"exclusions: {categories: [],": "exclusions: {categories: [gift_card],"}
LINES = [
    {"sku": "GC-1", "category": "gift_card", "quantity": "1", "unit_price": "400.00", "amount": "400.00"},
    {"sku": "COAT", "category": "clothes", "quantity": "1", "unit_price": "600.00", "amount": "600.00"},
]


def back(sku: str, amount: str) -> dict[str, Any]:
    return {"sku": sku, "quantity": "1", "amount": amount}


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [GIFT_CARDS])
def test_what_counted_for_no_tier_takes_nothing_from_it_when_it_comes_back(programme: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1000.00", "P1", lines=LINES)
    assert (programme.purse(customer)["pending"], programme.purse(customer)["growth"]) == (600, 600)

    left = []
    for lines, total in (([back("GC-1", "400.00")], "400.00"), ([back("COAT", "150.00")], "150.00"), ([], "450.00")):
        assert programme.refunds("P1", total, lines=lines) == ["accepted"]
        left.append((programme.purse(customer)["pending"], programme.purse(customer)["growth"]))

    assert left == [(600, 600), (450, 450), (0, 0)]
    in_balance()


@pytest.mark.parametrize("rules", [GIFT_CARDS])
def test_money_that_names_no_line_takes_its_share_of_both(programme: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1000.00", "P1", lines=LINES)

    programme.refunds("P1", "100.00")

    assert (programme.purse(customer)["pending"], programme.purse(customer)["growth"]) == (540, 540)
    in_balance()


LINE = st.tuples(st.sampled_from("ab"), st.integers(1, 500), st.booleans())


@given(bought=st.lists(LINE, min_size=1, max_size=4), cuts=st.lists(st.integers(1, 300), max_size=6), by=st.booleans())
def test_parts_never_take_more_than_the_whole_and_end_at_it(
    bought: list[tuple[str, int, bool]], cuts: list[int], by: bool
) -> None:
    weights = [[sku, f"{cents / 100:.2f}", "1" if counts else "0"] for sku, cents, counts in bought]
    out = [place for place, (_, _, counts) in enumerate(bought) if not counts]
    total = sum((Decimal(amount) for _, amount, _ in weights), Decimal(0))
    growth = int(sum(Decimal(amount) for _, amount, rate in weights if rate == "1"))
    running, rest = Running(), total

    for cut in [*cuts, None]:
        part = rest if cut is None else min(Decimal(cut) / 100, rest)
        if not part:
            continue
        rest -= part
        lines = [back(bought[0][0], str(part))] if by else []
        refund = Refund("R", "P", datetime(2026, 11, 20, tzinfo=UTC), part, lines, None, "")
        before, running = running, reversal(refund, total, growth, growth, weights, running, out)
        assert before.growth <= running.growth <= growth

    assert (running.total, running.points, running.growth) == (total, growth, growth)
