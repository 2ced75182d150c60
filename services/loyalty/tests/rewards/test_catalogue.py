"""What is offered, to whom and until when; marketing changes it, and what was redeemed stays as it was."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

LONG_AGO = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def member(programme: Any) -> str:
    """A member of the tier gold with 1,500 points."""
    customer: str = programme.enrol("card:1")
    programme.buys("1500.00", "P1", at=LONG_AGO)
    return customer


@pytest.fixture
def claim(api: Any, member: str) -> Any:
    def ask(reward: str, **more: Any) -> Any:
        return api.post("redemptions", {"customer_id": member, "reward": reward, **more})

    return ask


@pytest.fixture
def marketing(programme: Any, client: Callable[..., Any]) -> Any:
    return client(programme.runtime, roles=["marketing"], username="mei")


def patch(who: Any, reward: dict[str, Any], changes: dict[str, Any], version: int = 1) -> Any:
    return who.patch(f"/api/v1/rewards/{reward['id']}", json=changes, headers={"If-Match": f'"{version}"'})


@pytest.mark.rule("CG-22")
def test_marketing_offers_and_everybody_reads(marketing: Any, api: Any) -> None:
    body = {"code": "WATER-CASE", "kind": "voucher", "name": "一箱水", "points": 800, "tiers": ["gold", "platinum"]}

    made = marketing.post("/api/v1/rewards", json=body)

    assert made.status_code == 201
    assert made.headers["ETag"] == '"1"'
    read = api.get(f"rewards/{made.get_json()['id']}").get_json()
    assert read == made.get_json()
    assert (read["code"], read["points"], read["tiers"], read["on_offer"]) == (
        "WATER-CASE", 800, ["gold", "platinum"], True,
    )  # fmt: skip


@pytest.mark.parametrize("role", ["front_desk", "store_manager", "finance", "integration"])
def test_others_do_not_offer(programme: Any, client: Callable[..., Any], role: str) -> None:
    body = {"code": "MINE", "kind": "benefit", "name": "小礼", "points": 0}

    refused = client(programme.runtime, roles=[role]).post("/api/v1/rewards", json=body)

    assert refused.status_code == 403


def test_a_code_names_one_reward(api: Any, offer: Any) -> None:
    offer("TEA")

    assert api.post("rewards", {"code": "TEA", "kind": "voucher", "name": "茶", "points": 5}).status_code == 409


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"kind": "gift"}, "stock"),
        ({"kind": "discount", "points": 0}, "points"),
        ({"kind": "discount", "stock": 5}, "stock"),
        ({"kind": "benefit", "usable_for_days": 5}, "usable_for_days"),
        ({"valid_from": "2026-12-01T00:00:00Z", "valid_until": "2026-12-01T00:00:00Z"}, "valid_until"),
        ({"tiers": ["golden"]}, "tiers"),
    ],
)
def test_terms_that_do_not_go_together_are_refused_by_name(api: Any, terms: dict[str, Any], field: str) -> None:
    refused = api.post("rewards", {"code": "X", "kind": "voucher", "name": "X", "points": 5, **terms})

    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, [field])
    assert api.get("rewards").get_json()["items"] == []


@pytest.mark.rule("CG-24", partly="offers of one's tier; wishes and greetings are sent by the message service")
def test_a_reward_of_higher_tiers_is_exclusive(claim: Any, offer: Any, api: Any) -> None:
    offer("LOUNGE", "benefit", tiers=["platinum", "diamond"])
    offer("TEA", tiers=["gold"])

    refused = claim("LOUNGE")

    assert (refused.status_code, refused.get_json()["tier"]) == (409, "gold")
    assert claim("TEA").status_code == 201
    assert [one["code"] for one in api.get("rewards", tier="gold").get_json()["items"]] == ["TEA"]


def test_a_tier_whose_time_is_over_opens_nothing_more(programme: Any, claim: Any, offer: Any) -> None:
    """The review has not run yet; the tier counts as it would leave it."""
    offer("TEA", tiers=["gold"])
    programme.clock.travel_to(datetime(2027, 11, 1, tzinfo=UTC))

    assert claim("TEA").status_code == 409


def test_an_offer_has_its_time(programme: Any, claim: Any, offer: Any, api: Any) -> None:
    tomorrow = programme.clock.now() + timedelta(days=1)
    offer("SOON", valid_from=tomorrow.isoformat(), valid_until=(tomorrow + timedelta(days=1)).isoformat())
    too_early = claim("SOON")
    programme.clock.travel_to(tomorrow)
    in_time = claim("SOON")
    programme.clock.advance(days=1)
    too_late = claim("SOON")

    assert [too_early.status_code, in_time.status_code, too_late.status_code] == [409, 201, 409]
    assert "yet" in too_early.get_json()["detail"]
    assert "any more" in too_late.get_json()["detail"]
    assert api.get("rewards", on_offer="true").get_json()["items"] == []
    assert len(api.get("rewards", on_offer="false").get_json()["items"]) == 1


def test_one_member_may_have_so_many(claim: Any, offer: Any) -> None:
    offer("TEA", per_member=2)
    claim("TEA")

    refused = claim("TEA", quantity=2)

    assert (refused.status_code, refused.get_json()["had"], refused.get_json()["per_member"]) == (409, 1, 2)
    assert claim("TEA").status_code == 201


@pytest.mark.rule("CG-22")
def test_a_new_price_is_for_who_comes_later(marketing: Any, api: Any, claim: Any, offer: Any) -> None:
    reward = offer("TEA", points=50)
    before = claim("TEA").get_json()

    changed = patch(marketing, reward, {"points": 70, "name": "茶礼"})

    assert (changed.status_code, changed.headers["ETag"], changed.get_json()["points"]) == (200, '"2"', 70)
    assert claim("TEA").get_json()["points"] == 70
    kept = api.get(f"redemptions/{before['id']}").get_json()
    assert (kept["points"], kept["name"]) == (50, "TEA 礼遇")


def test_a_change_names_the_version_it_was_read_in(marketing: Any, offer: Any) -> None:
    reward = offer("TEA")
    patch(marketing, reward, {"points": 70})

    stale = patch(marketing, reward, {"points": 80}, version=1)
    blind = marketing.patch(f"/api/v1/rewards/{reward['id']}", json={"points": 80})
    nobody = patch(marketing, {"id": uuid.uuid4()}, {"points": 80})

    assert (stale.status_code, blind.status_code, nobody.status_code) == (412, 428, 404)


def test_stock_is_what_was_provided_so_claims_meanwhile_are_never_lost(marketing: Any, claim: Any, offer: Any) -> None:
    reward = offer("CUP", "gift", points=10, stock=3)
    claim("CUP", quantity=2)

    more = patch(marketing, reward, {"stock": 5}).get_json()
    too_few = patch(marketing, reward, {"stock": 1}, version=2)

    assert (more["stock"], more["left"]) == (5, 3)
    assert (too_few.status_code, too_few.get_json()["taken"]) == (409, 2)


def test_what_was_never_counted_is_not_counted_later(marketing: Any, offer: Any) -> None:
    assert patch(marketing, offer("TEA"), {"stock": 5}).status_code == 409


def test_a_change_that_does_not_fit_leaves_the_reward_as_it_was(marketing: Any, api: Any, offer: Any) -> None:
    reward = offer("TEA")

    refused = patch(marketing, reward, {"points": 7, "valid_until": "2020-01-01T00:00:00Z"})

    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["valid_until"])
    assert api.get(f"rewards/{reward['id']}").get_json() == reward
