"""Campaigns are replayed too: a draft that changes the base or what campaigns may promise changes what they give."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


def runs(programme: Any, api: Any, code: str, **promise: Any) -> None:
    """A campaign of a week begins now, for everybody."""
    now = programme.clock.now()
    body = {
        "code": code, "name": code, "from": now.isoformat(), "until": (now + timedelta(days=7)).isoformat(),
        "control_group": "0", **promise,
    }  # fmt: skip
    made = api.post("campaigns", body)
    assert made.status_code == 201, made.get_json()
    asked = api.post(f"campaigns/{made.get_json()['id']}/start")
    assert api.post(f"services/loyalty/approvals/{asked.get_json()['id']}/approve").status_code == 200


@pytest.mark.rule("BK-04", partly="churn, cross-selling and growth models are the customer service's")
def test_what_campaigns_gave_follows_the_drafts_base_and_bounds(
    programme: Any, api: Any, draft: Any, forecast: Any
) -> None:
    programme.enrol("card:1")
    programme.enrol("card:2")
    runs(programme, api, "treble", multiplier="3")
    runs(programme, api, "welcome", bonus=50, budget=60)
    programme.clock.advance(seconds=1)
    programme.buys("100.00")  # 100 + 200 + 50
    programme.buys("10.00", by="card:2")  # 10 + 20 + the 10 that are left of the budget
    programme.clock.advance(days=10)

    doubled = forecast(draft({"    points: 1\n": "    points: 2\n"}))
    bounded = forecast(
        draft({"multiplier_up_to: x 3": "multiplier_up_to: x 2", "bonus_up_to: 1000": "bonus_up_to: 49"})
    )

    assert doubled["points"] == {"in_force": 390, "tried": 390 + 330, "delta": 330}
    assert bounded["points"] == {"in_force": 390, "tried": 110, "delta": -280}
    assert any("campaigns give to the purchases that they gave to" in line for line in doubled["assumed"])


def test_a_tier_reached_sooner_leaves_the_segment(programme: Any, api: Any, draft: Any, forecast: Any) -> None:
    programme.enrol("card:1")
    programme.buys("600.00")
    programme.clock.advance(seconds=1)
    runs(programme, api, "double", multiplier="2", conditions={"segment": {"tiers": ["ordinary"]}})
    programme.clock.advance(seconds=1)
    programme.buys("100.00")

    told = forecast(draft({"gold, at: 1000 growth, bonus: 10%": "gold, at: 500 growth, bonus: 10%"}))

    assert told["points"] == {"in_force": 800, "tried": 710, "delta": -90}
