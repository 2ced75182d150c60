"""At the counter: a reward for points, a right of the tier, points changed by hand - on the member's own page."""

from __future__ import annotations

from typing import Any

import pytest

ID = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"
AT = f"/console/members/{ID}"
MEMBER = {
    "customer_id": ID, "code": "C-1", "status": "active", "tier": "gold", "growth": 1500, "under_review": False,
    "points": {"available": 1740, "pending": 0, "held": 0, "blocked": 0, "deficit": 0}, "expiring": [],
    "enrolled_at": "2026-01-01T00:00:00Z", "tier_since": None, "tier_kept_until": None,
}  # fmt: skip
CODE = "7F3K-99Q2-XM4T"
REDEMPTION = {
    "id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3f0aa", "customer_id": ID, "reward": "coupon", "name": "10 元代金券",
    "kind": "voucher", "quantity": 1, "points": 1000, "amount": "10.00", "currency": "CNY", "status": "redeemed",
    "vouchers": [{"code": CODE, "status": "issued", "valid_until": "2027-01-20T16:00:00Z", "used_at": None}],
    "reference": None, "created_at": "2026-11-20T02:00:00Z", "reason": None,
}  # fmt: skip
UPGRADE = {
    "right": "room_upgrade", "times": 2, "per": "year", "when": None, "used": 1, "left": 1, "clause": "HT-03",
    "renewed_at": "2027-01-01T00:00:00Z",
}  # fmt: skip
CHOICES = {"reasons": ["goodwill", "misuse"], "alone": 1000, "director_above": 10000, "clause": "CG-05"}


def reward(code: str, points: int, **more: Any) -> dict[str, Any]:
    return {
        "id": code, "code": code, "kind": "voucher", "name": code, "points": points, "tiers": [], "left": None,
        "amount": None, "currency": "CNY", **more,
    }  # fmt: skip


@pytest.fixture
def loyalty(services: Any) -> Any:
    services["loyalty"].answers |= {
        f"members/{ID}": MEMBER,
        "rewards": {"items": [reward("dear", 5000), reward("coupon", 1000), reward("lounge", 10, tiers=["diamond"])]},
        "redemptions": {"items": [REDEMPTION], "next": None},
        f"redemptions/{REDEMPTION['id']}": REDEMPTION,
        f"members/{ID}/benefits": {"tier": "gold", "items": [UPGRADE], "policyversion": "x"},
        "adjustments/choices": CHOICES,
    }
    return services["loyalty"]


def test_a_reward_is_chosen_and_confirmed_without_leaving_the_page(browser: Any, loyalty: Any) -> None:
    loyalty.answers["POST redemptions"] = (201, REDEMPTION)
    till = browser()
    till.get(AT)

    done = till.post(f"{AT}/redemptions", {"reward": "coupon", "quantity": "1", "key": "k1"})

    assert (done.status_code, done.location) == (303, f"{AT}?redeemed={REDEMPTION['id']}")
    method, path, _, body, headers = loyalty.seen[-1]
    assert (method, path, headers["Idempotency-Key"]) == ("POST", "redemptions", "k1")
    assert body == {"customer_id": ID, "reward": "coupon", "quantity": 1}
    receipt = till.get(done.location).text.partition('class="detail"')[0]
    assert CODE in receipt


def test_only_what_the_tier_may_have_is_offered_and_only_what_the_points_reach_can_be_chosen(
    browser: Any, loyalty: Any
) -> None:
    seen = browser().get(AT).text

    assert 'value="lounge"' not in seen
    assert 'value="coupon" required>' in seen
    assert 'value="dear" required disabled>' in seen
    assert "3,260 points short" in seen
    assert seen.index('value="coupon"') < seen.index('value="dear"')


def test_a_refused_redemption_stays_where_it_was_chosen(browser: Any, loyalty: Any) -> None:
    loyalty.answers["POST redemptions"] = (
        409, {"title": "Conflict with the current state", "detail": "1 of coupon were asked for, 0 are left"},
    )  # fmt: skip
    till = browser("zh-CN")
    till.get(AT)

    said = till.post(f"{AT}/redemptions", {"reward": "coupon", "quantity": "1"}, **{"HX-Request": "true"})

    assert said.status_code == 409
    assert "要兑 1 份 coupon，只剩 0 份" in said.text
    assert 'value="coupon" required checked' in said.text


def test_what_was_redeemed_stands_with_its_vouchers(browser: Any, loyalty: Any) -> None:
    seen = browser().get(AT).text

    for told in ("10 元代金券", CODE, "Cancel it"):
        assert told in seen


def test_a_right_of_the_tier_is_used_once_by_one_click(browser: Any, loyalty: Any) -> None:
    loyalty.answers[f"POST members/{ID}/benefits"] = (201, {"benefit": {**UPGRADE, "left": 0}})
    till = browser()
    assert "1 of 2 left" in till.get(AT).text

    assert till.post(f"{AT}/benefits", {"right": "room_upgrade"}).status_code == 303

    assert loyalty.seen[-1][3] == {"right": "room_upgrade"}


def test_points_are_taken_away_with_a_reason_of_the_pack(browser: Any, loyalty: Any) -> None:
    loyalty.answers["POST adjustments"] = (201, {"status": "booked", "points": -300})
    manager = browser()
    form = manager.get(f"{AT}/adjust").text
    for told in ("Goodwill", "Misuse", "Up to 1,000 points are booked at once", "above 10,000 a director"):
        assert told in form

    fields = {"direction": "take", "change": "300", "reason_code": "misuse", "note": "paid for others"}
    assert manager.post(f"{AT}/adjust", fields).status_code == 303

    sent = {"customer_id": ID, "points": -300, "reason_code": "misuse", "note": "paid for others"}
    assert loyalty.seen[-1][3] == sent


def test_each_sees_the_buttons_of_their_role(as_role: Any, loyalty: Any) -> None:
    for role, redeems, adjusts in (
        ("front_desk", True, False), ("finance", False, True), ("director", True, True), ("auditor", False, False),
    ):  # fmt: skip
        reader = as_role(role)
        seen = reader.get(AT).text
        assert ('id="redeem"' in seen, f'{AT}/adjust"' in seen) == (redeems, adjusts), role
        assert (reader.get(f"{AT}/adjust").status_code == 200) is adjusts, role
