"""A tier granted by hand comes along in a merge and goes back when the two part; it ends once, for whoever has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

Grant = Callable[..., None]


@pytest.fixture
def grant(programme: Any, api: Any) -> Grant:
    """``grant(customer, "platinum", days=60)``, agreed to by the company's only administrator."""

    def give(customer: str, tier: str, days: int) -> None:
        until = (programme.clock.now() + timedelta(days=days)).isoformat()
        asked = api.post(f"members/{customer}/tiers", {"tier": tier, "until": until, "reason": "from a competitor"})
        agreed = api.post(f"services/loyalty/approvals/{asked.get_json()['id']}/approve")
        assert agreed.status_code == 200, agreed.get_json()

    return give


@pytest.fixture
def tier(api: Any) -> Callable[[str], str]:
    return lambda customer: str(api.get(f"members/{customer}").get_json()["tier"])


@pytest.mark.rule("CG-23")
def test_it_comes_along_with_its_end_and_its_reason_and_goes_back(
    programme: Any, registry: Any, api: Any, grant: Grant, tier: Any, standing: Any
) -> None:
    survivor, absorbed = registry.registers("card:1"), registry.registers("card:2")
    grant(absorbed, "platinum", days=60)
    before = standing(survivor), standing(absorbed)
    merge = registry.merge(survivor, absorbed)

    assert tier(survivor) == "platinum"
    (step,) = api.get(f"members/{survivor}/tiers").get_json()["items"]
    assert (step["kind"], step["reason"], step["granted_by"]) == ("granted", "from a competitor", "admin")
    registry.unmerge(merge)

    assert (standing(survivor), standing(absorbed)) == before
    programme.clock.advance(days=60, seconds=1)
    programme.run("review-tiers")
    assert (tier(survivor), tier(absorbed)) == ("ordinary", "ordinary")


def test_the_survivor_loses_it_when_it_ends(programme: Any, registry: Any, grant: Grant, tier: Any) -> None:
    survivor, absorbed = registry.registers("card:1"), registry.registers("card:2")
    programme.buys("1200.00")
    grant(absorbed, "diamond", days=60)
    registry.merge(survivor, absorbed)
    assert tier(survivor) == "diamond"

    programme.clock.advance(days=60, seconds=1)
    programme.run("review-tiers")

    assert tier(survivor) == "gold", "what growth alone reaches"


def test_a_grant_that_raises_nothing_stays_behind(programme: Any, registry: Any, grant: Grant, api: Any) -> None:
    survivor, absorbed = registry.registers("card:1"), registry.registers("card:2")
    grant(survivor, "diamond", days=30)
    grant(absorbed, "platinum", days=60)

    registry.merge(survivor, absorbed)

    steps = api.get(f"members/{survivor}/tiers").get_json()["items"]
    assert [(step["kind"], step["tier"]) for step in steps] == [("granted", "diamond")]


def test_withdrawn_while_they_were_one_it_does_not_come_back(
    programme: Any, registry: Any, api: Any, grant: Grant, tier: Any
) -> None:
    survivor, absorbed = registry.registers("card:1"), registry.registers("card:2")
    grant(absorbed, "platinum", days=60)
    merge = registry.merge(survivor, absorbed)
    withdrawn = api.post(f"members/{survivor}/tiers/withdraw", {"reason": "a mistake"})
    assert withdrawn.status_code == 200, withdrawn.get_json()
    assert tier(survivor) == "ordinary"

    registry.unmerge(merge)

    assert (tier(survivor), tier(absorbed)) == ("ordinary", "ordinary")
