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
        "decision": "74 points", "clause": "CG-22", "policyversion": "consumer-goods@1.0", "inputs": {},
        "breakdown": [
            {"rule": "base", "points": 37, "growth": 37, "clause": "CG-22", "detail": "of 37.50 CNY"},
            {"rule": "birthday", "points": 37, "growth": 0, "clause": "CG-24", "detail": "base x 2"},
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
    }
    services["customer"].answers |= {"customers": {"items": [CUSTOMER]}, f"customers/{ID}": CUSTOMER}
    return services["loyalty"]


def test_every_line_of_the_ledger_says_why(browser: Any, loyalty: Any) -> None:
    seen = browser().get(f"/console/members/{ID}").text

    for told in (
        "王芳",
        "1,740",
        "of 37.50 CNY as it was bought",
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

    for told in ("积分明细", "消费 37.50 CNY", "基础积分 × 2", "成长值即可升至", "尚有余额的批次"):
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
