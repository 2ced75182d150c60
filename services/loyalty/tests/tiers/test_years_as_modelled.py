"""Under a calendar year, every bonus is what a plain sum over the two years says, whatever comes late."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

CALENDAR = {"window: 365 days": "window: calendar year", "kept_for: 365 days": "kept_for: the next period"}
LEVELS = ((20000, 40), (5000, 20), (1000, 10), (0, 0))
SHANGHAI = timedelta(hours=8)


def bonus(known: list[tuple[datetime, int]], at: datetime) -> int:
    """Per cent: by what the company's year brought before ``at``, or by the whole year before it."""
    year = (at + SHANGHAI).year
    sums = {year: 0, year - 1: 0}
    for when, amount in known:
        there = (when + SHANGHAI).year
        if there in sums and when < at:
            sums[there] += amount
    return max(next(share for least, share in LEVELS if growth >= least) for growth in sums.values())


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [CALENDAR], ids=["calendar"])
@pytest.mark.parametrize("seed", range(3))
def test_every_bonus_is_recomputed_from_two_years_of_purchases(
    programme: Any, api: Any, in_balance: Any, seed: int
) -> None:
    draw = random.Random(seed)
    customer = programme.enrol("card:1")
    known: list[tuple[datetime, int]] = []
    expected: dict[str, int] = {}
    start = datetime(2024, 12, 1, tzinfo=UTC)
    for number in range(40):
        at = start + timedelta(minutes=draw.randrange(0, 718 * 24 * 60))
        amount = draw.choice((90, 400, 700, 1800, 4000))
        expected[f"purchase:P{number}"] = amount + amount * bonus(known, at) // 100
        programme.buys(f"{amount}.00", f"P{number}", at=at)
        known.append((at, amount))
        if number % 10 == 9:
            programme.run("review-tiers")

    lines = api.get(f"members/{customer}/entries", limit=200).get_json()["items"]

    assert {line["key"]: line["points"] for line in lines if line["kind"] == "purchase"} == expected
    assert len(set(expected.values())) > 5, "the purchases were valued by several tiers"
    in_balance()
