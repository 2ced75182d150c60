"""Members and their ledger: every line says why, and what does not come is named."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.console.members.views import how

ID = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"
CUSTOMER = {"id": ID, "name": "王芳", "code": "C-1", "kind": "individual", "phones": [{"number": "+86138****8000"}]}
PURSE = {"available": 1740, "pending": 26, "held": 0, "blocked": 0, "deficit": 0}
LINE = {"customer_id": ID, "code": "C-1", "status": "active", "tier": "gold", "points": PURSE, "growth": 1500}
MEMBER = {
    **LINE, "enrolled_at": "2026-01-01T00:00:00Z", "under_review": False, "tier_since": "2026-02-01T00:00:00Z",
    "tier_kept_until": None, "expiring": [{"points": 740, "on": "2027-12-31"}],
}  # fmt: skip
ENTRY = {
    "id": "e1", "kind": "purchase", "key": "purchase:P1", "occurred_at": "2026-11-05T01:00:00Z",
    "recorded_at": "2026-11-05T01:00:01Z", "points": 74, "growth": 37, "reference": "P1", "reason": None,
    "legs": [{"currency": "points", "account": "pending", "amount": 74}],
    "why": {
        "decision": "74 points", "clause": "CG-22", "policyversion": "consumer-goods@1.0",
        "inputs": {"total": "37.50", "currency": "CNY"},
        "breakdown": [
            {"rule": "base", "points": 37, "growth": 37, "clause": "CG-22", "detail": "of 37.50 CNY"},
            {"rule": "birthday", "points": 37, "growth": 0, "clause": "CG-24", "detail": "base x 2"},
            {"rule": "campaign tea_week", "points": 37, "growth": 0, "clause": "BK-04", "detail": "base 37 x 2"},
        ],
    },
}  # fmt: skip
LOT = {
    "id": "l1", "transaction_id": "e1", "state": "pending", "points": 74, "remaining": 74, "reserved": 0,
    "campaign": None, "earned_at": "2026-11-05T01:00:00Z", "available_at": "2026-11-12T01:00:00Z",
    "expires_at": "2027-12-31T16:00:00Z",
}  # fmt: skip
PROGRESS = {
    "tier": "gold", "growth": 1500, "window_from": "2025-11-20T00:00:00Z", "clause": "CG-22", "policyversion": "x",
    "next": {"tier": "platinum", "at": 5000, "missing": 3500},
}  # fmt: skip


@pytest.fixture
def loyalty(services: Any) -> Any:
    services["loyalty"].answers |= {
        "tiers": {"items": [{"tier": "ordinary", "at": 0}, {"tier": "gold", "at": 1000}]},
        "members": {"items": [LINE], "next": "more"},
        f"members/{ID}": MEMBER,
        f"members/{ID}/progress": PROGRESS,
        f"members/{ID}/entries": {"items": [ENTRY], "next": "older"},
        f"members/{ID}/lots": {"items": [LOT], "next": None},
        f"members/{ID}/tiers": {"items": [], "next": None},
        "holds": {"items": [], "next": None},
    }
    services["customer"].answers |= {"customers": {"items": [CUSTOMER]}, f"customers/{ID}": CUSTOMER}
    return services["loyalty"]


def test_every_line_of_the_ledger_says_why(browser: Any, loyalty: Any) -> None:
    seen = browser().get(f"/console/members/{ID}").text

    for told in (
        "王芳",
        "1,740",
        "of ¥37.50 as it was bought",
        "base times 2",
        "CG-24",
        "+74",
        "consumer-goods@1.0",
    ):
        assert told in seen
    assert "3,500</strong> growth value to Platinum" in seen
    assert "31 Dec 2027" in seen
    assert "cursor=older" in seen


def test_the_page_is_told_in_chinese_too(browser: Any, loyalty: Any) -> None:
    seen = browser("zh-CN").get(f"/console/members/{ID}").text

    for told in (
        "积分明细",
        "¥37.50 · P1",
        "消费 ¥37.50",
        "基础积分 × 2",
        "活动 tea_week",
        "基础积分 37 × 2",
        "成长值即可升至",
        "尚有余额的批次",
    ):
        assert told in seen


def test_older_movements_come_as_further_rows(browser: Any, loyalty: Any) -> None:
    part = browser().part(f"/console/members/{ID}?cursor=older")

    assert part.text.lstrip().startswith("<tr>")
    assert loyalty.seen[-1][2]["cursor"] == "older"


def test_members_are_listed_by_tier_with_their_names(browser: Any, loyalty: Any, services: Any) -> None:
    seen = browser().get("/console/members/?tier=gold").text

    assert "王芳" in seen
    assert "cursor=more" in seen
    asked = next(query for _, path, query, _, _ in services["customer"].seen if path == "customers")
    assert asked["ids"] == ID


def test_a_name_finds_the_members_among_the_customers(browser: Any, loyalty: Any, services: Any) -> None:
    other = {**CUSTOMER, "id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3c002", "name": "无会员"}
    services["customer"].answers["customers"] = {"items": [CUSTOMER, other]}

    part = browser().part("/console/members/?q=wang")

    assert "王芳" in part.text
    assert "无会员" not in part.text


def test_who_is_no_member_is_not_found(browser: Any, services: Any) -> None:
    assert browser().get(f"/console/members/{ID}").status_code == 404


def test_a_silent_service_is_named_and_the_rest_is_shown(browser: Any, loyalty: Any, services: Any) -> None:
    services["customer"].away = True

    listed, one = browser().get("/console/members/"), browser().get(f"/console/members/{ID}")

    assert (listed.status_code, one.status_code) == (200, 200)
    assert "C-1" in listed.text
    assert "1,740" in one.text


def test_a_sum_that_is_new_to_us_is_shown_as_it_came() -> None:
    assert [how("of 1 CNY and more"), how(None)] == ["of 1 CNY and more", "–"]


HOLD = {
    "id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3c0aa", "customer_id": ID, "status": "open", "points": 500, "captured": 0,
    "reference": "POS-7", "created_at": "2026-11-20T02:00:00Z", "expires_at": "2026-11-20T02:15:00Z",
    "resolved_at": None, "worth": {"amount": "5.00", "currency": "CNY"},
}  # fmt: skip


def test_points_are_redeemed_in_two_steps_on_the_members_own_page(browser: Any, loyalty: Any) -> None:
    desk = browser()
    assert "Set aside" in desk.get(f"/console/members/{ID}").text

    loyalty.answers["POST holds"] = (201, HOLD)
    said = desk.post(f"/console/members/{ID}/holds", {"points": "5,00", "reference": "POS-7", "key": "k1"})
    assert (said.status_code, said.location) == (303, f"/console/members/{ID}")
    method, path, _, body, headers = loyalty.seen[-1]
    assert (method, path) == ("POST", "holds")
    assert body == {"customer_id": ID, "points": 500, "reference": "POS-7"}
    assert headers["Idempotency-Key"] == "k1"

    loyalty.answers["holds"] = {"items": [HOLD], "next": None}
    seen = desk.get(f"/console/members/{ID}").text
    assert "500</strong> points set aside · ¥5.00" in seen

    loyalty.answers[f"POST holds/{HOLD['id']}/capture"] = {**HOLD, "status": "captured", "captured": 200}
    taken = desk.post(f"/console/members/{ID}/holds/{HOLD['id']}/capture", {"points": "200"})
    assert taken.status_code == 303
    assert loyalty.seen[-1][3] == {"points": 200}


def test_a_refusal_stays_on_the_desk_with_what_was_typed(browser: Any, loyalty: Any) -> None:
    desk = browser()
    desk.get(f"/console/members/{ID}")
    loyalty.answers["POST holds"] = (
        409, {"title": "Conflict", "status": 409, "detail": "9000 points were asked for, 1740 are available"},
    )  # fmt: skip

    said = desk.post(f"/console/members/{ID}/holds", {"points": "9000"}, **{"HX-Request": "true"})

    assert said.status_code == 409
    assert "1740 are available" in said.text
    assert 'value="9000"' in said.text


def test_who_may_not_redeem_is_shown_no_desk(browser: Any, company: Any, loyalty: Any) -> None:
    new = {"username": "feng", "name": "冯雪", "unit": "root", "roles": ["marketing"], "password": "nine-quiet-herons"}
    assert company.post("staff", new).status_code == 201
    reader = browser(signed_in=False)
    reader.sign_in("feng", "nine-quiet-herons")

    seen = reader.get(f"/console/members/{ID}").text

    assert "1,740" in seen
    assert 'id="desk"' not in seen
