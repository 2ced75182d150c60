"""Nobody profits twice as often of a campaign by being two: what is counted comes along, and goes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


@pytest.fixture
def campaign(programme: Any, api: Any) -> str:
    """A bonus of 5 points, twice a member, for a week."""
    now = programme.clock.now()
    body = {
        "code": "week", "name": "week", "from": now.isoformat(), "until": (now + timedelta(days=7)).isoformat(),
        "control_group": "0", "bonus": 5, "times": 2,
    }  # fmt: skip
    made = api.post("campaigns", body)
    assert made.status_code == 201, made.get_json()
    asked = api.post(f"campaigns/{made.get_json()['id']}/start")
    assert api.post(f"services/loyalty/approvals/{asked.get_json()['id']}/approve").status_code == 200
    programme.clock.advance(seconds=1)
    return str(made.get_json()["id"])


@pytest.mark.rule("BK-04", partly="churn, cross-selling and growth models are the customer service's")
def test_counts_of_a_campaign_come_along_and_go_back(
    programme: Any, registry: Any, campaign: str, in_balance: Any
) -> None:
    survivor, absorbed = registry.registers("card:1"), registry.registers("card:2")

    def counted() -> dict[str, tuple[int, int]]:
        rows = programme.rows("SELECT member_id::text, times, points FROM campaign_member")
        return {row["member_id"]: (row["times"], row["points"]) for row in rows}

    programme.buys("10.00", by="card:2")
    merge = registry.merge(survivor, absorbed)
    assert counted() == {survivor: (1, 5), absorbed: (0, 0)}
    for _ in range(2):
        programme.buys("10.00", by="card:2")
    assert counted()[survivor] == (2, 10), "the third purchase of one person gets nothing"

    registry.unmerge(merge)

    assert counted() == {survivor: (1, 5), absorbed: (1, 5)}
    programme.buys("10.00", by="card:2")
    programme.buys("10.00", by="card:2")
    assert counted() == {survivor: (1, 5), absorbed: (2, 10)}
    in_balance()
