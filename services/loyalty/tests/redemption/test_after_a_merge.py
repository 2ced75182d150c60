"""Who became part of another member: what they had counts there, and what is given back goes there."""

from __future__ import annotations

import uuid
from typing import Any

import pytest


@pytest.fixture
def merge(programme: Any) -> Any:
    """``merge(absorbed)``: the registry finds out that the member is another customer too; answers whom."""

    def into(absorbed: str) -> str:
        survivor: str = programme.enrol("card:2")
        cards = [{"scheme": "card", "value": value} for value in ("2", "1")]
        event = programme.customer_event(
            "merged", survivor, identities=cards, merge_id=str(uuid.uuid4()), merged_customer_id=absorbed,
            absorbed={"customer_id": absorbed, "code": "C-2", "identities": cards[1:]},
            merged_at=programme.clock.now().isoformat(),
        )  # fmt: skip
        assert programme.tell("customers", event) == ["accepted"]
        return survivor

    return into


def test_points_of_a_redemption_before_it_go_back_to_whom_the_member_became(
    api: Any, programme: Any, member: str, offer: Any, merge: Any, in_balance: Any
) -> None:
    """Of the first lot nothing was left to come along, of the second some was: both get back what was theirs."""
    offer("TEA", points=120)
    redemption = api.post("redemptions", {"customer_id": member, "reward": "TEA"}).get_json()
    survivor = merge(member)

    cancelled = api.post(f"redemptions/{redemption['id']}/cancel", {"reason": "by mistake"})

    assert cancelled.status_code == 200
    assert (programme.purse(survivor)["available"], programme.purse(member)["available"]) == (150, 0)
    lots = api.get(f"members/{survivor}/lots").get_json()["items"]
    assert {lot["remaining"]: lot["expires_at"][:10] for lot in lots} == {100: "2026-12-31", 50: "2027-12-31"}
    in_balance()


def test_what_they_had_counts_and_is_listed_there(api: Any, member: str, offer: Any, merge: Any) -> None:
    offer("WELCOME", "benefit", points=0, per_member=1)
    made = api.post("redemptions", {"customer_id": member, "reward": "WELCOME"}).get_json()
    survivor = merge(member)

    again = api.post("redemptions", {"customer_id": survivor, "reward": "WELCOME"})
    listed = api.get("redemptions", customer_id=survivor).get_json()["items"]

    assert (again.status_code, again.get_json()["had"]) == (409, 1)
    assert [one["id"] for one in listed] == [made["id"]]


def test_who_is_part_of_another_is_told_of_whom(api: Any, member: str, offer: Any, merge: Any) -> None:
    offer("TEA")
    survivor = merge(member)

    refused = api.post("redemptions", {"customer_id": member, "reward": "TEA"})

    assert refused.status_code == 404
    assert survivor in refused.get_json()["detail"]


def test_a_hold_that_was_over_before_is_over_still(api: Any, member: str, merge: Any) -> None:
    hold = api.post("holds", {"customer_id": member, "points": 10}).get_json()["id"]
    api.post(f"holds/{hold}/release")
    merge(member)

    assert api.post(f"holds/{hold}/capture").status_code == 409
