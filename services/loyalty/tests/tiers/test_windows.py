"""What the account row remembers of the growth window is what a plain sum over all growth says."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty.ledger.books import Books
from loyalty.tiers.windows import windows

YEAR = timedelta(days=365)


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("seed", range(4))
def test_the_window_is_right_whatever_comes_late(programme: Any, in_balance: Any, seed: int) -> None:
    draw = random.Random(seed)
    customer = programme.enrol("card:1")
    start = datetime(2024, 12, 1, tzinfo=UTC)
    grown: list[tuple[datetime, int]] = []
    for _ in range(12):
        batch = []
        for _ in range(draw.randrange(1, 5)):
            at, amount = start + timedelta(hours=draw.randrange(0, 700 * 24)), draw.randrange(1, 900)
            batch.append(programme.purchase(f"{amount}.00", at=at))
            grown.append((at, amount))
        programme.tell("purchases", *batch)

        end = start + timedelta(hours=draw.randrange(0, 700 * 24))
        with programme.runtime.sessions() as session:
            books = Books(session)
            books.lock([customer])
            window = windows(session, {customer: (end - YEAR, end - YEAR, end)}, books.accounts)[customer]
            assert window.before(end - YEAR, end) == sum(amount for at, amount in grown if end - YEAR <= at < end)
    in_balance()


@pytest.mark.rule("CG-22")
def test_a_tier_falls_when_its_period_is_over_and_the_growth_is_gone(programme: Any, api: Any, recorded: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00")

    programme.clock.advance(days=365, seconds=1)
    programme.run("review-tiers")

    assert api.get(f"members/{customer}").get_json()["tier"] == "ordinary"
    history = api.get(f"members/{customer}/tiers").get_json()["items"]
    assert [(step["kind"], step["tier"]) for step in history] == [("fall", "ordinary"), ("rise", "gold")]
    rose, fell = recorded(programme.runtime, "tier.changed.v1")
    assert (rose.data["tier"], fell.data["tier"]) == ("gold", "ordinary")
    assert rose.sequence < fell.sequence
