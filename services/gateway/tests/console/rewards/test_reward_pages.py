"""The catalogue, redemptions, vouchers and points by hand: who sees which button, what is sent, what a refusal says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.console.rewards.typed import listed, whole

REWARD = {
    "id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3f001", "code": "coupon_10", "kind": "voucher", "name": "10 元代金券",
    "description": None, "points": 1000, "amount": None, "currency": "CNY", "tiers": ["gold"], "per_member": 2,
    "stock": 50, "left": 38, "usable_for_days": 60, "valid_from": "2026-11-01T00:00:30Z", "valid_until": None,
    "on_offer": True, "created_at": "2026-11-01T00:00:30Z",
}  # fmt: skip
MEMBER = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"
CODE = "7F3K-99Q2-XM4T"
REDEMPTION = {
    "id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3f0aa", "customer_id": MEMBER, "reward": "coupon_10", "name": "10 元代金券",
    "kind": "voucher", "quantity": 1, "points": 1000, "amount": "10.00", "currency": "CNY", "status": "redeemed",
    "vouchers": [{"code": CODE, "status": "issued", "valid_until": "2027-01-20T16:00:00Z", "used_at": None}],
    "hold_id": None, "transaction_id": None, "reference": "POS-7", "created_at": "2026-11-20T02:00:00Z",
    "created_by": "wu.fang", "cancelled_at": None, "cancelled_by": None, "reason": None, "clause": "CG-22",
    "policyversion": "x",
}  # fmt: skip
VOUCHER = {
    "code": CODE, "status": "issued", "reward": "coupon_10", "name": "10 元代金券", "redemption_id": REDEMPTION["id"],
    "issued_at": "2026-11-20T02:00:00Z", "valid_until": "2027-01-20T16:00:00Z", "used_at": None, "store": None,
    "reference": None,
}  # fmt: skip
ADJUSTMENT = {
    "id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3f0bb", "customer_id": MEMBER, "points": 1500, "reason_code": "goodwill",
    "note": "long wait", "status": "proposed", "needs": "second_person",
    "why": "1500 points are above 1000: a second person must agree", "created_by": "li", "decided_by": None,
    "created_at": "2026-11-20T02:00:00Z", "decided_at": None, "decision_note": None, "transaction_id": None,
    "expires_at": "2026-11-27T02:00:00Z", "booked_at": None, "clause": "CG-05", "policyversion": "x",
}  # fmt: skip
AT = f"/console/rewards/{REWARD['id']}"


@pytest.fixture
def loyalty(services: Any) -> Any:
    services["loyalty"].answers |= {
        "rewards": {"items": [REWARD], "next": None},
        f"rewards/{REWARD['id']}": (200, REWARD, {"ETag": '"1"'}),
        "tiers": {"items": [{"tier": "ordinary", "at": 0}, {"tier": "gold", "at": 1000}]},
        "redemptions": {"items": [REDEMPTION], "next": None},
        f"redemptions/{REDEMPTION['id']}": REDEMPTION,
        f"vouchers/{CODE}": VOUCHER,
        "adjustments": {"items": [ADJUSTMENT], "next": None},
    }
    services["customer"].answers["customers"] = {"items": [{"id": MEMBER, "name": "王芳", "code": "C-1"}]}
    return services["loyalty"]


def last(fake: Any) -> tuple[str, str, Any]:
    """Method, path and body of what a service was asked last but for reading."""
    method, path, _, body, _ = next(seen for seen in reversed(fake.seen) if seen[0] != "GET")
    return method, path, body


def test_the_catalogue_tells_price_stock_time_and_for_whom(browser: Any, loyalty: Any) -> None:
    seen = browser().get("/console/rewards/").text

    for told in ("10 元代金券", "1,000", "38", "of 50", "Gold", "2 for each member", "no end", "vouchers hold 60 d"):
        assert told in seen
    assert loyalty.seen[-1][2]["on_offer"] == "true"


def test_who_makes_no_rewards_sees_no_button_to_make_one(as_role: Any, loyalty: Any) -> None:
    reader = as_role("front_desk")

    seen = reader.get("/console/rewards/").text

    assert "10 元代金券" in seen
    assert "/console/rewards/new" not in seen
    assert "/withdraw" not in seen
    assert reader.get("/console/rewards/new").status_code == 403


def test_an_empty_catalogue_says_what_to_do(as_role: Any, loyalty: Any) -> None:
    loyalty.answers["rewards"] = {"items": [], "next": None}

    assert "Offer a reward" in as_role("marketing").get("/console/rewards/").text


def test_a_reward_is_put_on_offer(browser: Any, loyalty: Any) -> None:
    loyalty.answers["POST rewards"] = (201, REWARD)
    reader = browser()
    reader.get("/console/rewards/new")

    form = {
        "kind": "gift",
        "code": "cup",
        "name": "茶杯",
        "points": "1,200",
        "stock": "40",
        "tiers": ["gold"],
        "per_member": "",
    }
    made = reader.post("/console/rewards/new", form)

    assert (made.status_code, made.location) == (303, "/console/rewards/")
    assert last(loyalty) == (
        "POST", "rewards",
        {"code": "cup", "kind": "gift", "name": "茶杯", "points": 1200, "stock": 40, "tiers": ["gold"]},
    )  # fmt: skip


def test_what_is_wrong_with_a_reward_stands_at_its_field_in_the_readers_language(browser: Any, loyalty: Any) -> None:
    loyalty.answers["POST rewards"] = (
        422, {"title": "Invalid content", "errors": {"stock": ["say how many there are: a gift can run out"]}},
    )  # fmt: skip
    reader = browser("zh-CN")
    reader.get("/console/rewards/new")

    said = reader.post("/console/rewards/new", {"kind": "gift", "code": "cup", "name": "茶杯", "points": "5"})

    assert said.status_code == 422
    assert "请填数量：礼品会兑完" in said.text
    assert 'value="茶杯"' in said.text


def test_only_what_was_touched_is_changed_and_only_of_the_version_that_was_read(browser: Any, loyalty: Any) -> None:
    loyalty.answers[f"PATCH rewards/{REWARD['id']}"] = REWARD
    reader = browser()
    reader.http.set_cookie("kezhi_tz", "UTC")
    form = reader.get(f"{AT}/edit").text
    assert "2026-11-01T00:00" in form

    fields = {"etag": '"1"', "name": "10 元代金券", "points": "900", "per_member": "", "stock": "50",
              "usable_for_days": "60", "valid_from": "2026-11-01T00:00", "tiers": ["gold"]}  # fmt: skip
    reader.post(f"{AT}/edit", fields)

    assert last(loyalty) == ("PATCH", f"rewards/{REWARD['id']}", {"points": 900, "per_member": None})
    assert loyalty.seen[-1][4]["If-Match"] == '"1"'


def test_somebody_elses_change_is_not_written_over(browser: Any, loyalty: Any) -> None:
    loyalty.answers[f"PATCH rewards/{REWARD['id']}"] = (412, {"title": "Precondition failed", "status": 412})
    reader = browser()
    reader.get(f"{AT}/edit")

    said = reader.post(f"{AT}/edit", {"etag": '"1"', "name": "新名字", "points": "900"}, **{"HX-Request": "true"})

    assert "Somebody changed this reward meanwhile" in said.text


def test_a_withdrawn_reward_ends_now(browser: Any, loyalty: Any) -> None:
    loyalty.answers[f"PATCH rewards/{REWARD['id']}"] = REWARD
    reader = browser()
    assert "vouchers are taken in until their last day" in reader.get(f"{AT}/withdraw").text

    assert reader.post(f"{AT}/withdraw", {"etag": '"1"'}).status_code == 303

    assert list(last(loyalty)[2]) == ["valid_until"]


def test_a_redemption_is_cancelled_with_a_reason_from_wherever_it_is_seen(browser: Any, loyalty: Any) -> None:
    loyalty.answers[f"POST redemptions/{REDEMPTION['id']}/cancel"] = {**REDEMPTION, "status": "cancelled"}
    reader = browser()
    listing = reader.get("/console/rewards/redemptions").text
    for told in ("王芳", CODE, "1,000", "¥10.00", "POS-7"):
        assert told in listing

    at = f"/console/rewards/redemptions/{REDEMPTION['id']}/cancel"
    assert "go back to the lots" in reader.get(f"{at}?next=/console/members/{MEMBER}").text
    done = reader.post(at, {"reason": "changed their mind", "next": f"/console/members/{MEMBER}"})

    assert (done.status_code, done.location) == (303, f"/console/members/{MEMBER}")
    assert last(loyalty)[2] == {"reason": "changed their mind"}


def test_the_front_desk_cancels_nothing(as_role: Any, loyalty: Any) -> None:
    reader = as_role("front_desk")

    assert "Cancel it" not in reader.get("/console/rewards/redemptions").text
    assert reader.get(f"/console/rewards/redemptions/{REDEMPTION['id']}/cancel").status_code == 403


def test_a_voucher_is_looked_at_and_taken_in(browser: Any, loyalty: Any) -> None:
    reader = browser()
    seen = reader.get(f"/console/rewards/voucher?code={CODE}").text
    assert "10 元代金券" in seen
    assert "Take it in" in seen

    loyalty.answers[f"POST vouchers/{CODE}/use"] = {**VOUCHER, "status": "used"}
    done = reader.post("/console/rewards/voucher", {"code": CODE, "store": "SH001", "reference": "POS-9"})

    assert done.status_code == 303
    assert last(loyalty) == ("POST", f"vouchers/{CODE}/use", {"store": "SH001", "reference": "POS-9"})


def test_a_till_hands_in_at_its_own_store(company: Any, browser: Any, loyalty: Any) -> None:
    assert company.post("units", {"code": "SH001", "name": "上海一店", "parent": "root"}).status_code == 201
    new = {"username": "pan", "name": "潘", "unit": "SH001", "roles": ["front_desk"], "password": "nine-quiet-herons"}
    assert company.post("staff", new).status_code == 201
    till = browser(signed_in=False)
    till.sign_in("pan", "nine-quiet-herons")

    assert '<option value="SH001" selected>' in till.get(f"/console/rewards/voucher?code={CODE}").text


def test_a_used_voucher_says_when_and_is_not_taken_again(browser: Any, loyalty: Any) -> None:
    used = "2026-11-20T03:00:00+00:00"
    loyalty.answers[f"vouchers/{CODE}"] = {**VOUCHER, "status": "used", "used_at": used, "store": "SH001"}
    loyalty.answers[f"POST vouchers/{CODE}/use"] = (
        409, {"title": "Conflict with the current state", "detail": f"the voucher was used on {used} at SH001"},
    )  # fmt: skip
    reader = browser("zh-CN")
    assert "核销</button>" not in reader.get(f"/console/rewards/voucher?code={CODE}").text

    said = reader.post("/console/rewards/voucher", {"code": CODE})

    assert said.status_code == 409
    assert "该券已于" in said.text


def test_a_code_is_no_path(browser: Any, loyalty: Any) -> None:
    seen = browser().get("/console/rewards/voucher?code=../members/x").text

    assert "No voucher" in seen
    assert all("members" not in path.split("/")[0] for _, path, *_ in loyalty.seen)


def test_what_waits_is_decided_on_the_list_itself(browser: Any, loyalty: Any) -> None:
    base = f"services/loyalty/approvals/{ADJUSTMENT['id']}/approve"
    loyalty.answers[f"POST {base}"] = ADJUSTMENT
    reader = browser()
    seen = reader.get("/console/rewards/adjustments").text
    for told in ("王芳", "+1,500", "Goodwill", "long wait", "a second person must agree"):
        assert told in seen

    form = {"note": "seen the receipts", "next": "/console/rewards/adjustments"}
    done = reader.post(f"/console/approvals/loyalty/{ADJUSTMENT['id']}/approve", form)

    assert (done.status_code, done.location) == (303, "/console/rewards/adjustments")
    assert last(loyalty)[1] == base


@pytest.mark.rule("CG-05")
def test_only_who_may_agree_is_asked(as_role: Any, loyalty: Any) -> None:
    readers = {role: as_role(role) for role in ("front_desk", "service_manager", "director")}

    for needs, agree in (("second_person", {"service_manager", "director"}), ("director", {"director"})):
        loyalty.answers["adjustments"] = {"items": [{**ADJUSTMENT, "needs": needs}], "next": None}
        asked = {role for role, one in readers.items() if "Approve" in one.get("/console/rewards/adjustments").text}
        assert asked == agree


def test_ones_own_proposal_can_only_be_withdrawn(as_role: Any, loyalty: Any) -> None:
    loyalty.answers["adjustments"] = {"items": [{**ADJUSTMENT, "created_by": "director"}], "next": None}

    seen = as_role("director").get("/console/rewards/adjustments").text

    assert "Withdraw" in seen
    assert "Approve</button>" not in seen


def test_every_table_is_to_be_had_as_a_file_in_the_readers_words(browser: Any, loyalty: Any) -> None:
    reader = browser("zh-CN")

    for name, told in (
        ("catalogue", "coupon_10,10 元代金券,券,1000,50,38,"),
        ("redemptions", f"{MEMBER},王芳,10 元代金券,券,1,1000,10.00,{CODE},"),
        ("adjustments", f"{MEMBER},王芳,1500,善意补偿,long wait,"),
    ):
        file = reader.get(f"/console/rewards/{name}.csv")
        head, line = file.text.splitlines()
        assert file.mimetype == "text/csv"
        assert not re.search("[A-Za-z]", head), head
        assert told in line


def test_the_silent_service_is_named(browser: Any, loyalty: Any) -> None:
    reader = browser()
    loyalty.away = True

    for path in ("", "redemptions", f"voucher?code={CODE}", "adjustments"):
        assert "Loyalty" in reader.get(f"/console/rewards/{path}").text, path


def test_why_a_second_person_is_asked_is_told_in_chinese(browser: Any, loyalty: Any) -> None:
    reader = browser("zh-CN")

    for why, said in (
        ("1500 points are above 1000: a second person must agree", "1500 分超过 1000 分：须经第二人同意"),
        ("600 points and the 700 that the same person changed within 1 day are above 1000: a second person must agree",
         "600 分，加上同一人 1 天内已调整的 700 分，超过 1000 分：须经第二人同意"),
    ):  # fmt: skip
        loyalty.answers["adjustments"] = {"items": [{**ADJUSTMENT, "why": why}], "next": None}
        assert said in reader.get("/console/rewards/adjustments").text


def test_what_is_typed_is_read_as_people_write_it() -> None:
    assert [whole("1,200"), whole("+300"), whole("-5"), whole("many"), whole(None)] == [1200, 300, -5, "many", ""]
    assert listed("tea, water；tea\ncake") == ["tea", "water", "cake"]
