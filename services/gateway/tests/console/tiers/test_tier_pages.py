"""Tiers: who stands where, a review that is tried before it is carried out, and the flow between two days."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from gateway.console.tiers.flow import flow, ways
from gateway.people.tables import Staff

ID, REVIEW = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001", "019aa3c2-7b10-7c4e-9d57-1f0a5be3d001"
ORDER = ("ordinary", "gold", "platinum")
OFFER = {
    "items": [
        {"tier": tier, "at": at, "bonus": bonus, "rights": [], "benefits": [], "clause": "CG-22"}
        for tier, at, bonus in (("ordinary", 0, "0"), ("gold", 1000, "0.10"), ("platinum", 5000, "0.20"))
    ],
    "measure": "growth", "period": "rolling", "rises": "at once", "falls": "at period end", "policyversion": "x@1",
}  # fmt: skip
MOVES = [
    {"from": "ordinary", "to": "ordinary", "members": 90},
    {"from": "ordinary", "to": "gold", "members": 7},
    {"from": "gold", "to": "ordinary", "members": 2},
    {"from": None, "to": "ordinary", "members": 5},
]
MOVED = {"items": MOVES, "rose": 7, "fell": 2, "kept": 90, "new": 5}
LINE = {
    "customer_id": ID, "change": "falls", "previous": "gold", "tier": "ordinary", "growth": 300, "missing": 700,
    "falls_at": None,
}  # fmt: skip


def a_review(**more: Any) -> dict[str, Any]:
    return {
        "id": REVIEW, "status": "done", "as_of": "2026-11-20T02:00:00Z", "dry_run": True, "started_by": "admin",
        "created_at": "2026-11-20T02:00:00Z", "members": 12, "falls": 1, "rises": 0, "at_risk": 2, "keeps": 9,
        "moves": {"gold → ordinary": 1}, "clause": "CG-22", "policyversion": "x@1", **more,
    }  # fmt: skip


@pytest.fixture
def loyalty(services: Any) -> Any:
    services["loyalty"].answers |= {
        "tiers": OFFER,
        "loyalty-reports/tier-migration": MOVED,
        "tier-reviews": {"items": [a_review()], "next": "more"},
        f"tier-reviews/{REVIEW}": a_review(),
        f"tier-reviews/{REVIEW}/changes": {"items": [LINE], "next": None},
    }
    services["customer"].answers["customers"] = {"items": [{"id": ID, "name": "王芳", "code": "C-1"}]}
    return services["loyalty"]


def figures(page: str) -> dict[str, str]:
    """What the page's figures say: title → value."""
    found = re.findall(r'class="figure"><span class="sub">(.*?)</span><strong class="big ?\w*">(.*?)</strong>', page)
    return {unescape(title): value for title, value in found}


@pytest.mark.rule("CG-22")
def test_each_level_says_how_many_stand_on_it(browser: Any, loyalty: Any) -> None:
    reader = browser()
    seen = reader.get("/console/tiers/").text

    rows = [row for row in seen.split("<tr>") if "?tier=" in row]
    told = [re.findall(r'<td class="num">(?:<strong>)?([^<]+)', row) for row in rows]
    assert told == [
        ["5,000", "20%", "0", "0%", "–"],
        ["1,000", "10%", "7", "6.7%", "+5"],
        ["0", "–", "97", "93.3%", "–"],
    ]
    assert "Measured by" in seen
    file = reader.get("/console/tiers/levels.csv")
    assert file.text.lstrip("\ufeff").splitlines()[2] == "Gold,1000,0.10,7,2"


def test_a_review_is_tried_first_and_then_carried_out_from_what_was_found(browser: Any, loyalty: Any) -> None:
    loyalty.answers["POST tier-reviews"] = (202, {"id": REVIEW})
    desk = browser()

    tried = desk.post("/console/tiers/reviews/", {"as_of": "2026-12-31", "key": "k-1"})
    assert tried.headers["Location"] == f"/console/tiers/reviews/{REVIEW}"
    _, _, _, body, headers = loyalty.seen[-1]
    assert body == {"dry_run": True, "as_of": "2026-12-31T23:59:00+08:00"}
    assert headers["Idempotency-Key"] == "k-1"

    assert 'name="carry_out" value="true"' in desk.get(f"/console/tiers/reviews/{REVIEW}").text
    desk.post("/console/tiers/reviews/", {"carry_out": "true"})
    assert loyalty.seen[-1][3] == {"dry_run": False}


def test_what_would_be_on_a_day_to_come_is_not_carried_out_now(browser: Any, loyalty: Any) -> None:
    loyalty.answers[f"tier-reviews/{REVIEW}"] = a_review(as_of="2027-06-30T15:59:00Z")

    seen = browser().get(f"/console/tiers/reviews/{REVIEW}").text

    assert "That day is yet to come" in seen
    assert "carry_out" not in seen


@pytest.mark.rule("CG-23")
def test_a_review_names_who_rises_falls_and_is_at_risk(browser: Any, loyalty: Any) -> None:
    seen = browser().get(f"/console/tiers/reviews/{REVIEW}?change=falls").text

    assert figures(seen) == {"Members looked at": "12", "Rises": "0", "Falls": "1", "At risk": "2", "Keeps": "9"}
    assert "王芳" in seen
    assert "Gold → <strong>Ordinary</strong>" in seen
    assert "700" in seen
    asked = next(query for _, path, query, _, _ in loyalty.seen if path.endswith("/changes"))
    assert asked["change"] == "falls"


def test_a_review_that_goes_on_says_how_far_it_is(browser: Any, loyalty: Any) -> None:
    path, desk = f"/console/tiers/reviews/{REVIEW}", browser()
    loyalty.answers[f"tier-reviews/{REVIEW}"] = a_review(status="running", members=500)

    assert f'hx-get="{path}"' in desk.get(path).text
    assert "500 members" in desk.part(path).text

    loyalty.answers[f"tier-reviews/{REVIEW}"] = a_review()
    assert desk.part(path).headers["HX-Refresh"] == "true"


def test_everybody_named_is_in_the_file(browser: Any, loyalty: Any) -> None:
    pages = {"": {"items": [LINE], "next": "more"}, "more": {"items": [{**LINE, "change": "at_risk"}], "next": None}}
    loyalty.answers[f"tier-reviews/{REVIEW}/changes"] = lambda query: pages[query.get("cursor", "")]

    lines = browser().get(f"/console/tiers/reviews/{REVIEW}.csv").text.splitlines()

    assert [line.split(",")[:3] for line in lines[1:]] == [["王芳", ID, "Falls"], ["王芳", ID, "At risk"]]


def test_who_may_not_start_a_review_finds_no_button(browser: Any, loyalty: Any, company: Any) -> None:
    reader = browser()
    assert "Try a review" in reader.get("/console/tiers/reviews/").text

    with company.runtime.context() as context:
        context.session.scalars(select(Staff)).one().roles = ["finance"]

    seen = reader.get("/console/tiers/reviews/").text
    assert "As of" in seen
    assert "Try a review" not in seen
    assert "carry_out" not in reader.get(f"/console/tiers/reviews/{REVIEW}").text


def test_a_day_gone_by_is_refused_at_its_field(browser: Any, loyalty: Any) -> None:
    problem = {"title": "Invalid content", "status": 422, "detail": "the past was reviewed then",
               "errors": {"as_of": ["name an instant to come, or leave it out"]}}  # fmt: skip
    loyalty.answers["POST tier-reviews"] = (422, problem)

    seen = browser().post("/console/tiers/reviews/", {"as_of": "2020-01-01"})

    assert seen.status_code == 422
    assert 'id="as_of-error"' in seen.text
    assert 'value="2020-01-01"' in seen.text


@pytest.mark.rule("CG-25")
def test_the_flow_between_two_days_stands_beside_its_table(browser: Any, loyalty: Any) -> None:
    reader = browser()
    seen = reader.get("/console/tiers/migration?from=2026-08-01&to=2026-11-19").text

    told = json.loads(unescape(re.search(r"data-flow='(.*?)'", seen)[1]))  # type: ignore[index]
    assert {(link["source"], link["target"], link["value"]) for link in told["links"]} == {
        ("0:ordinary", "1:ordinary", 90), ("0:ordinary", "1:gold", 7), ("0:gold", "1:ordinary", 2),
        ("0:", "1:ordinary", 5),
    }  # fmt: skip
    assert figures(seen) == {"Rises": "7", "Falls": "2", "Keeps": "90", "New members": "5"}
    span = next(query for _, path, query, _, _ in loyalty.seen if path == "loyalty-reports/tier-migration")
    assert span == {"from": "2026-08-01T00:00:00+08:00", "to": "2026-11-20T00:00:00+08:00"}
    file = reader.get("/console/tiers/migration.csv?from=2026-08-01&to=2026-11-19").text.splitlines()
    assert "Ordinary,Gold,7,Rises" in file


def test_the_highest_tier_stands_on_top_and_falls_before_those_who_stay() -> None:
    assert [node["name"] for node in flow(MOVES, ORDER)["nodes"]] == [
        "0:gold", "0:ordinary", "0:", "1:gold", "1:ordinary"]  # fmt: skip
    assert [move["way"] for move in ways(MOVES, ORDER)] == ["rises", "falls", "new", "keeps"]


def test_a_role_without_reports_is_told_so(browser: Any, loyalty: Any) -> None:
    refused = (403, {"title": "Forbidden", "status": 403, "detail": "this needs the permission loyalty-reports:read"})
    loyalty.answers["loyalty-reports/tier-migration"] = refused

    reader = browser()
    assert "Not for your role" in reader.get("/console/tiers/migration").text
    levels = reader.get("/console/tiers/").text
    assert "1,000" in levels
    assert "permission" not in levels


def test_the_tiers_are_told_in_chinese_too(browser: Any, loyalty: Any) -> None:
    reader = browser("zh-CN")

    assert "各等级会员数" in reader.get("/console/tiers/").text
    assert "等级流向" in reader.get("/console/tiers/migration").text
    assert "仅试算，未作任何改变" in reader.get(f"/console/tiers/reviews/{REVIEW}").text
