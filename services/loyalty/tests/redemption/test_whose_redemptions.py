"""Points are spent in every shop; what was redeemed is seen at home and where it was done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.testkit.people import Company


@pytest.fixture
def of(programme: Any, client: Callable[..., Any]) -> Callable[[str, str], Any]:
    """``of("SH001", "li")``: li, store manager of that shop."""
    company = Company(programme.runtime)
    paths = {code: company.unit(code, parent) for code, parent in (("SH", None), ("SH001", "SH"), ("BJ", None))}

    def sign_in(unit: str, username: str) -> Any:
        return client(programme.runtime, roles=["store_manager"], unit_path=paths[unit] + "/", username=username)

    return sign_in


def test_a_redemption_is_seen_at_home_and_by_whoever_made_it(programme: Any, of: Any, offer: Any) -> None:
    member = programme.enrol("card:1", unit="SH001")
    programme.buys("100.00", at=datetime(2026, 10, 1, tzinfo=UTC))
    offer("TEA", points=10)
    body = {"customer_id": member, "reward": "TEA"}
    made = of("BJ", "zhao").post("/api/v1/redemptions", json=body, headers={"Idempotency-Key": "1"}).get_json()

    path = f"/api/v1/redemptions/{made['id']}"
    who = [("SH", "li"), ("SH001", "wang"), ("BJ", "zhao"), ("BJ", "qian")]

    assert [of(*one).get(path).status_code for one in who] == [200, 200, 200, 404]
    listed = [of(*one).get("/api/v1/redemptions").get_json()["items"] for one in who]
    assert [len(items) for items in listed] == [1, 1, 0, 0], "the list is of one's own members"
    cancelling = {"json": {"reason": "by mistake"}, "headers": {"Idempotency-Key": "2"}}
    assert of("BJ", "qian").post(f"{path}/cancel", **cancelling).status_code == 404
    assert of("BJ", "zhao").post(f"{path}/cancel", **cancelling).status_code == 200


def test_the_list_is_filtered_by_member_reward_and_state(api: Any, programme: Any, offer: Any) -> None:
    members = [programme.enrol(f"card:{number}") for number in (1, 2)]
    made = {}
    for code in ("TEA", "CUP"):
        offer(code, points=0)
        for member in members:
            made[code, member] = api.post("redemptions", {"customer_id": member, "reward": code}).get_json()["id"]
    api.post(f"redemptions/{made['TEA', members[0]]}/cancel", {"reason": "by mistake"})

    def found(**query: Any) -> set[str]:
        return {one["id"] for one in api.get("redemptions", **query).get_json()["items"]}

    assert found() == set(made.values())
    assert found(customer_id=members[0]) == {made["TEA", members[0]], made["CUP", members[0]]}
    assert found(reward="TEA") == {made["TEA", member] for member in members}
    assert found(reward="TEA", status="cancelled") == {made["TEA", members[0]]}
    assert found(reward="COFFEE") == set()
