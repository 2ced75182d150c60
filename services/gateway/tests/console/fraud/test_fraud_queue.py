"""Purchases under review: what was found, and the decision in place."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from gateway.people.tables import Staff

ID, REVIEW = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001", "019aa3c2-7b10-7c4e-9d57-1f0a5be3e001"


def a_review(**more: Any) -> dict[str, Any]:
    return {
        "id": REVIEW, "customer_id": ID, "purchase_id": "SH001-9", "transaction_id": ID, "status": "open",
        "cause": "outlier", "detail": "9000.00 is more than 10 times the usual 120.50", "points": 9000,
        "opened_at": "2026-11-19T02:00:00Z", "decided_at": None, "decided_by": None, "reason": None,
        "approval_id": None, "clause": "ML-05", "policyversion": "x@1", **more,
    }  # fmt: skip


@pytest.fixture
def loyalty(services: Any) -> Any:
    services["loyalty"].answers["fraud-reviews"] = {"items": [a_review()], "next": None}
    services["customer"].answers["customers"] = {"items": [{"id": ID, "name": "王芳", "code": "C-1"}]}
    return services["loyalty"]


@pytest.mark.rule("ML-05")
def test_the_queue_says_whose_points_wait_and_why(browser: Any, loyalty: Any) -> None:
    seen = browser().get("/console/fraud/").text

    for told in (
        "王芳",
        "Far above the usual",
        "an amount of 9,000, more than 10 times the member&#39;s usual 120.5",
        "SH001-9",
    ):
        assert told in seen
    assert loyalty.seen[-1][2]["status"] == "open"


def test_the_rail_says_how_many_wait_and_that_there_are_more(browser: Any, loyalty: Any) -> None:
    reader, counted = browser(), []
    for waiting, next_ in ((0, None), (3, None), (20, "more")):
        loyalty.answers["fraud-reviews"] = {"items": [a_review()] * waiting, "next": next_}
        rail = reader.part("/console/rail?at=/console/").text
        entry = next(line for line in rail.splitlines() if 'href="/console/fraud/"' in line)
        counted.append(
            re.findall(r'<b class="n">([^<]*)</b>', rail[rail.index(entry) : rail.index("/console/liability/")])
        )

    assert counted == [[], ["3"], ["20+"]]
    assert loyalty.seen[-1][2]["status"] == "open"


def test_what_was_found_is_said_in_chinese(browser: Any, loyalty: Any) -> None:
    found = {
        "purchase 6 of the day, at most 5": "当日第 6 笔消费；制度规定超过 5 笔须核查",
        "6000 points on one day, at most 5000": "单日所得 6,000 积分；制度规定超过 5,000 须核查",
        "20000.00 is above 10000.00": "金额 20,000；制度规定超过 10,000 须核查",
        "blacklisted or flagged: what is earned waits until that is cleared": "会员在黑名单中或被标记",
        "a finding of tomorrow": "a finding of tomorrow",
    }
    loyalty.answers["fraud-reviews"] = {"items": [a_review(detail=detail) for detail in found], "next": None}

    seen = browser("zh-CN").get("/console/fraud/").text

    assert [said for said in found.values() if said not in seen] == []


@pytest.mark.rule("ML-05")
@pytest.mark.parametrize(
    ("word", "status", "said"), [("release", "released", "Released"), ("void", "voided", "Voided")]
)
def test_a_review_is_decided_in_place_with_its_reason(
    browser: Any, loyalty: Any, word: str, status: str, said: str
) -> None:
    decided = a_review(status=status, decided_by="admin", decided_at="2026-11-20T02:00:00Z", reason="a wedding")
    loyalty.answers[f"POST fraud-reviews/{REVIEW}/{word}"] = decided

    part = browser().post(
        f"/console/fraud/{REVIEW}/{word}", {"reason": "a wedding", "key": "k-1"}, **{"HX-Request": "true"}
    )

    row = part.text.strip()
    assert row.startswith("<tr")
    assert "autofocus" in row, "the keyboard stays where the decision was taken"
    assert said in row
    assert "a wedding" in row
    assert "9,000 points" in part.headers["HX-Trigger"]
    method, path, _, body, headers = next(seen for seen in loyalty.seen if seen[0] == "POST")
    assert (method, path, body) == ("POST", f"fraud-reviews/{REVIEW}/{word}", {"reason": "a wedding"})
    assert headers["Idempotency-Key"] == "k-1"


@pytest.mark.rule("ML-05")
def test_what_takes_two_to_void_waits_for_the_second(browser: Any, loyalty: Any) -> None:
    loyalty.answers[f"POST fraud-reviews/{REVIEW}/void"] = (202, a_review(approval_id=ID))

    part = browser().post(f"/console/fraud/{REVIEW}/void", {"reason": "a till's test"}, **{"HX-Request": "true"})

    assert "a second person was asked to void it" in part.text
    assert "not voided alone" in part.headers["HX-Trigger"]


def test_what_somebody_else_decided_meanwhile_is_said(browser: Any, loyalty: Any) -> None:
    problem = {"title": "Conflict with the current state", "status": 409, "detail": "it was voided already: found out"}
    loyalty.answers[f"POST fraud-reviews/{REVIEW}/release"] = (409, problem)

    part = browser().post(f"/console/fraud/{REVIEW}/release", {"reason": "x"}, **{"HX-Request": "true"})

    assert part.status_code == 409
    assert part.headers["HX-Retarget"] == "#problems"
    assert "it was voided already" in part.text


def test_it_is_said_in_chinese_too(browser: Any, loyalty: Any) -> None:
    problem = {"title": "Conflict with the current state", "status": 409, "detail": "it was voided already: 收银测试"}
    loyalty.answers[f"POST fraud-reviews/{REVIEW}/release"] = (409, problem)

    part = browser("zh-CN").post(f"/console/fraud/{REVIEW}/release", {"reason": "x"}, **{"HX-Request": "true"})

    assert "此前已作废：收银测试" in part.text


def test_decided_ones_are_listed_with_who_and_why(browser: Any, loyalty: Any) -> None:
    decided = a_review(status="voided", decided_at="2026-11-20T02:00:00Z", decided_by="admin", reason="a till's test")
    loyalty.answers["fraud-reviews"] = {"items": [decided], "next": None}

    seen = browser().get("/console/fraud/?status=voided").text

    assert "a till&#39;s test" in seen
    assert 'name="reason"' not in seen
    assert loyalty.seen[-1][2]["status"] == "voided"


def test_who_only_reads_the_queue_finds_no_buttons(browser: Any, loyalty: Any, company: Any) -> None:
    reader = browser()
    with company.runtime.context() as context:
        context.session.scalars(select(Staff)).one().roles = ["service_manager"]

    seen = reader.get("/console/fraud/").text

    assert "SH001-9" in seen
    assert 'name="reason"' not in seen


def test_an_empty_queue_says_what_would_come_here(browser: Any, loyalty: Any) -> None:
    loyalty.answers["fraud-reviews"] = {"items": [], "next": None}

    assert "Nothing waits for a look" in browser().get("/console/fraud/").text


def test_all_of_a_state_are_in_its_file(browser: Any, loyalty: Any) -> None:
    pages = {"": {"items": [a_review()], "next": "more"}, "more": {"items": [a_review(points=7)], "next": None}}
    loyalty.answers["fraud-reviews"] = lambda query: pages[query.get("cursor", "")]

    lines = browser().get("/console/fraud/queue.csv?status=open").text.splitlines()

    assert [line.split(",")[:3] for line in lines[1:]] == [["王芳", ID, "SH001-9"]] * 2
