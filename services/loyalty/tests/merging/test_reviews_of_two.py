"""A review goes along when its member becomes part of another one: its points are the survivor's, or nobody's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

AMOUNT = {"amount_above: none": "amount_above: 2000 CNY"}


@pytest.mark.rule("ML-05")
@pytest.mark.parametrize("rules", [AMOUNT])
@pytest.mark.parametrize(("decision", "points", "growth"), [("release", 3010, 3010), ("void", 10, 10)])
def test_a_review_of_the_absorbed_is_decided_for_the_survivor(
    programme: Any, registry: Any, api: Any, in_balance: Any, decision: str, points: int, growth: int
) -> None:
    survivor, absorbed = registry.registers("card:1"), registry.registers("card:2")
    before = programme.clock.now() - timedelta(days=10)
    programme.tell("purchases", programme.purchase("10.00", at=before))
    programme.tell("purchases", programme.purchase("3000.00", "P1", by="card:2", at=before))
    registry.merge(survivor, absorbed)
    assert programme.purse(survivor)["blocked"] == 3000
    (review,) = api.get("fraud-reviews").get_json()["items"]

    assert api.post(f"fraud-reviews/{review['id']}/{decision}", {"reason": "looked"}).status_code == 200

    purse = programme.purse(survivor)
    assert (purse["available"], purse["blocked"], purse["growth"]) == (points, 0, growth)
    in_balance()


@pytest.mark.parametrize("rules", [AMOUNT])
def test_clearing_the_survivor_leaves_what_a_limit_kept_back_of_the_absorbed(
    programme: Any, registry: Any, in_balance: Any
) -> None:
    flag = {"code": "frequent", "since": "2026-11-01T00:00:00Z"}
    survivor, absorbed = registry.registers("card:1", flags=[flag]), registry.registers("card:2")
    programme.tell("purchases", programme.purchase("3000.00", by="card:2"), programme.purchase("10.00"))
    registry.merge(survivor, absorbed)

    registry.updates(survivor)

    assert (programme.purse(survivor)["blocked"], programme.purse(survivor)["pending"]) == (3000, 10)
    in_balance()
