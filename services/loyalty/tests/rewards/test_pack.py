"""What the pack says of all rewards, and what it refuses to read."""

from __future__ import annotations

from typing import Any

import pytest


def test_the_default_pack_says_how_long(programme: Any) -> None:
    policy = programme.runtime.policies.in_force()

    catalogue = policy.rules.catalogue

    assert (str(catalogue.vouchers_valid_for), str(catalogue.cancel_within)) == ("90 days", "30 days")
    assert catalogue.clause == "CG-22"


@pytest.mark.parametrize("rules", [{"cancel_within: 30 days ": "cancel_within: any time "}])
def test_a_pack_may_set_no_limit_to_cancelling(api: Any, programme: Any, offer: Any) -> None:
    member = programme.enrol("card:1")
    offer("WELCOME", "benefit", points=0)
    redemption = api.post("redemptions", {"customer_id": member, "reward": "WELCOME"}).get_json()
    programme.clock.advance(days=400)

    cancelled = api.post(f"redemptions/{redemption['id']}/cancel", {"reason": "never came"})

    assert cancelled.status_code == 200
