"""A dealer's rebate on the member's page: what the running period comes to, and what is missing to more."""

from __future__ import annotations

from typing import Any

import pytest

from .test_member_pages import ENTRY, ID, loyalty  # noqa: F401 - the member whom both are about

RUNNING = {
    "period": "2026-Q4", "from": "2026-09-30T16:00:00Z", "until": "2026-12-31T16:00:00Z",
    "paid_from": "2027-01-15T16:00:00Z", "level": "level_2", "bought": 230000, "unit": "CNY", "points": 345000,
    "next": {"at": 500000, "missing": 270000}, "clause": "LQ-05", "policyversion": "x@1",
    "breakdown": [{"rule": "rebate level_2", "points": 345000, "growth": 0, "clause": "LQ-05",
                   "detail": "1.5 % of 230000 CNY: 3450.00"}],
}  # fmt: skip
SETTLED = {**RUNNING, "period": "2026-Q3", "points": 120000, "bought": 120000, "customer_id": ID}
HEADING = 'id="rebate-head"'


@pytest.fixture
def dealer(loyalty: Any) -> Any:  # noqa: F811
    loyalty.answers |= {
        f"members/{ID}/rebates/current": RUNNING,
        f"members/{ID}/rebates": {"items": [SETTLED], "next": None},
    }
    return loyalty


@pytest.mark.rule("LQ-05")
def test_a_dealers_running_period_and_what_is_missing_to_the_next_bracket(browser: Any, dealer: Any) -> None:
    seen = browser().get(f"/console/members/{ID}").text

    for told in (
        "345,000</strong> points for 2026-Q4 if it ended now",
        "¥270,000.00 more to the bracket from ¥500,000.00",
        '<progress max="100" value="46"',
        "1.5 % of ¥230,000.00: ¥3,450.00 in points",
        "2026-Q3",
        "+120,000",
    ):
        assert told in seen, told


def test_the_highest_bracket_leaves_nothing_missing(browser: Any, dealer: Any) -> None:
    dealer.answers[f"members/{ID}/rebates/current"] = {**RUNNING, "next": None}

    seen = browser("zh-CN").get(f"/console/members/{ID}").text

    assert "已达最高档次。" in seen
    assert "2026年第3季度" in seen


@pytest.mark.parametrize("running", [None, {**RUNNING, "level": None}], ids=["no rebates", "no dealer"])
def test_nothing_is_said_to_whom_the_policy_gives_no_rebates(browser: Any, dealer: Any, running: Any) -> None:
    dealer.answers[f"members/{ID}/rebates"] = {"items": [], "next": None}
    dealer.answers[f"members/{ID}/rebates/current"] = running

    assert HEADING not in browser().get(f"/console/members/{ID}").text


def test_what_was_settled_stays_when_the_policy_gives_no_rebates_any_more(browser: Any, dealer: Any) -> None:
    dealer.answers[f"members/{ID}/rebates/current"] = None

    seen = browser().get(f"/console/members/{ID}").text

    assert HEADING in seen
    assert "if it ended now" not in seen


def test_the_ledger_says_how_a_rebate_came_about(browser: Any, dealer: Any) -> None:
    why = {**ENTRY["why"], "breakdown": RUNNING["breakdown"]}  # type: ignore[dict-item]
    entry = {**ENTRY, "kind": "rebate", "reason": "rebate 2026-Q3", "why": why}
    dealer.answers[f"members/{ID}/entries"] = {"items": [entry], "next": None}
    dealer.answers[f"members/{ID}/rebates/current"] = None

    seen = browser("zh-CN").get(f"/console/members/{ID}").text

    for told in ("<strong>返利</strong>", "2026年第3季度返利", "返利（二级）", "¥230,000.00 的 1.5 %"):
        assert told in seen, told
