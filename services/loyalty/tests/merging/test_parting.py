"""Two members were not the same after all: the exact inverse where nothing was spent across, else staff decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


@pytest.fixture
def two(programme: Any, registry: Any) -> tuple[str, str]:
    """Wang, gold with 1100 points; Zhang with 600 of which 20 are set aside, and 7 to come."""
    wang, zhang = registry.registers("card:1"), registry.registers("card:2")
    long_ago = programme.clock.now() - timedelta(days=100)
    programme.tell(
        "purchases",
        programme.purchase("1100.00", "W1", at=long_ago),
        programme.purchase("600.00", "Z1", by="card:2", at=long_ago - timedelta(days=1)),
        programme.purchase("7.00", "Z2", by="card:2"),
    )
    return wang, zhang


def holds(api: Any, customer: str, points: int) -> str:
    return str(api.post("holds", {"customer_id": customer, "points": points}).get_json()["id"])


@pytest.mark.rule("CG-23")
@pytest.mark.rule("CG-22")
def test_parting_is_the_exact_inverse_of_merging(
    programme: Any, registry: Any, two: Any, api: Any, standing: Any, in_balance: Any
) -> None:
    wang, zhang = two
    hold = holds(api, zhang, 20)
    before = standing(wang), standing(zhang)

    registry.unmerge(registry.merge(wang, zhang))

    assert (standing(wang)[0], standing(wang)[1][0], standing(wang)[2]) == (before[0][0], "gold", before[0][2])
    assert (standing(zhang)[0], standing(zhang)[1][0], standing(zhang)[2]) == (
        before[1][0], "ordinary", before[1][2],
    )  # fmt: skip
    assert api.get(f"holds/{hold}").get_json()["customer_id"] == zhang
    in_balance()


def test_merging_and_parting_again_and_again_loses_nothing(
    programme: Any, registry: Any, two: Any, standing: Any, in_balance: Any
) -> None:
    wang, zhang = two
    before = standing(wang)[0], standing(zhang)[0]

    for _ in range(3):
        registry.unmerge(registry.merge(wang, zhang))
    registry.unmerge(registry.merge(zhang, wang))

    assert (standing(wang)[0], standing(zhang)[0]) == before
    in_balance()


@pytest.mark.rule("CG-23")
def test_a_tier_reached_together_is_not_kept_alone(programme: Any, registry: Any, two: Any) -> None:
    wang, zhang = two
    merge = registry.merge(zhang, wang)
    (member,) = programme.rows("SELECT tier FROM member WHERE customer_id = :id", id=zhang)
    assert member["tier"] == "gold"

    registry.unmerge(merge)

    tiers = programme.rows("SELECT customer_id::text AS id, tier FROM member")
    assert {row["id"]: row["tier"] for row in tiers} == {wang: "gold", zhang: "ordinary"}


def test_what_the_survivor_earns_and_gives_back_of_its_own_entangles_nothing(
    programme: Any, registry: Any, two: Any, in_balance: Any
) -> None:
    wang, zhang = two
    merge = registry.merge(wang, zhang)
    programme.buys("50.00", "W2", at=programme.clock.now() - timedelta(days=30))  # a gold member's: 10 % more
    programme.refunds("W1", "1100.00")

    registry.unmerge(merge)

    assert (programme.purse(wang)["available"], programme.purse(zhang)["available"]) == (55, 600)
    in_balance()


def test_a_refund_of_the_absorbed_members_own_purchase_goes_along(
    programme: Any, registry: Any, two: Any, in_balance: Any
) -> None:
    wang, zhang = two
    merge = registry.merge(wang, zhang)
    programme.refunds("Z1", "100.00")

    registry.unmerge(merge)
    programme.refunds("Z1", "500.00")

    assert (programme.purse(wang)["available"], programme.purse(wang)["growth"]) == (1100, 1100)
    assert (programme.purse(zhang)["available"], programme.purse(zhang)["growth"]) == (0, 7)
    in_balance()


def test_a_hold_of_the_absorbed_that_was_captured_meanwhile_is_its_own_spending(
    programme: Any, registry: Any, two: Any, api: Any, in_balance: Any
) -> None:
    wang, zhang = two
    hold = holds(api, zhang, 20)
    merge = registry.merge(wang, zhang)
    api.post(f"holds/{hold}/capture", {"points": 15})

    registry.unmerge(merge)

    assert (programme.purse(wang)["available"], programme.purse(zhang)["available"]) == (1100, 585)
    assert api.get(f"members/{zhang}/merges").get_json()["items"][0]["status"] == "unmerged"
    in_balance()


def test_purchases_after_parting_are_each_ones_own(programme: Any, registry: Any, two: Any) -> None:
    wang, zhang = two
    registry.unmerge(registry.merge(wang, zhang))

    programme.buys("3.00", by="card:2")
    programme.buys("4.00", by=zhang)
    programme.buys("5.00", by="card:1")

    assert (programme.purse(zhang)["pending"], programme.purse(wang)["pending"]) == (14, 5)


def test_an_unmerge_that_overtakes_its_merge_leaves_two(programme: Any, registry: Any, two: Any) -> None:
    wang, zhang = two
    merge, event = registry.merged(wang, zhang)
    registry.unmerge(merge)

    programme.tell("customers", event)
    programme.buys("3.00", by="card:2")

    assert (programme.purse(wang)["available"], programme.purse(zhang)["available"]) == (1100, 600)
    assert programme.purse(zhang)["pending"] == 10


@pytest.fixture
def entangled(programme: Any, registry: Any, two: Any, api: Any) -> tuple[str, str]:
    """Wang spent 700 points, 600 of them Zhang's, before the registry saw its mistake."""
    wang, zhang = two
    merge = registry.merge(wang, zhang)
    api.post(f"holds/{holds(api, wang, 700)}/capture")
    registry.unmerge(merge)
    return wang, zhang


@pytest.mark.rule("CG-23")
def test_what_was_spent_across_is_proposed_to_staff(
    programme: Any, registry: Any, entangled: Any, api: Any, in_balance: Any
) -> None:
    wang, zhang = entangled

    (merge,) = api.get(f"members/{zhang}/merges").get_json()["items"]

    assert (merge["status"], merge["survivor_id"], merge["points"]) == ("proposed", wang, 607)
    assert merge["why"] == "600 of the points that came along were spent"
    proposal = api.get(f"services/loyalty/approvals/{merge['approval_id']}").get_json()
    assert (proposal["status"], proposal["content"]["made_good"]) == ("proposed", 600)
    assert (programme.purse(wang)["available"], programme.purse(zhang)["available"]) == (1000, 0)
    programme.buys("9.00", by="card:2")  # two again all the same
    assert programme.purse(zhang)["pending"] == 9
    in_balance()


@pytest.mark.rule("CG-23")
def test_approved_the_survivor_makes_good_what_it_spent(
    programme: Any, entangled: Any, api: Any, in_balance: Any
) -> None:
    wang, zhang = entangled
    (merge,) = api.get(f"members/{zhang}/merges").get_json()["items"]

    done = api.post(f"services/loyalty/approvals/{merge['approval_id']}/approve")

    assert (done.status_code, done.get_json()["result"]["made_good"]) == (200, 600)
    assert (programme.purse(wang)["available"], programme.purse(zhang)["available"]) == (400, 600)
    assert (programme.purse(zhang)["pending"], programme.purse(zhang)["growth"]) == (7, 607)
    (lot,) = programme.rows("SELECT remaining FROM lot WHERE member_id = :id AND points = 600", id=zhang)
    assert lot["remaining"] == 600
    assert api.get(f"members/{zhang}/merges").get_json()["items"][0]["status"] == "unmerged"
    in_balance()


def test_what_the_survivor_cannot_pay_it_owes(
    programme: Any, registry: Any, two: Any, api: Any, in_balance: Any
) -> None:
    wang, zhang = two
    merge = registry.merge(wang, zhang)
    api.post(f"holds/{holds(api, wang, 1600)}/capture")
    registry.unmerge(merge)
    (proposed,) = api.get(f"members/{zhang}/merges").get_json()["items"]

    api.post(f"services/loyalty/approvals/{proposed['approval_id']}/approve")

    assert (programme.purse(wang)["available"], programme.purse(wang)["deficit"]) == (-500, 500)
    assert programme.purse(zhang)["available"] == 600
    in_balance()


def test_while_an_open_hold_sets_them_aside_nothing_is_parted(
    programme: Any, registry: Any, two: Any, api: Any
) -> None:
    wang, zhang = two
    merge = registry.merge(wang, zhang)
    hold = holds(api, wang, 700)
    registry.unmerge(merge)
    (proposed,) = api.get(f"members/{zhang}/merges").get_json()["items"]
    approve = f"services/loyalty/approvals/{proposed['approval_id']}/approve"

    refused = api.post(approve)
    api.post(f"holds/{hold}/release")

    assert refused.status_code == 409
    assert "capture or release it first" in refused.get_json()["detail"]
    assert api.post(approve).status_code == 200
    assert (programme.purse(wang)["available"], programme.purse(zhang)["available"]) == (1100, 600)
