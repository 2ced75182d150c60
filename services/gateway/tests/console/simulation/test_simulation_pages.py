"""A draft is tried from the console: typed, uploaded or staged before; its progress and what it found are shown."""

from __future__ import annotations

import base64
import io
import json
import re
from html import unescape
from typing import Any

import pytest

ID, JOB = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001", "019aa3c2-7b10-7c4e-9d57-1f0a5be3f001"
OLD, NEW = "a" * 64, "b" * 64
VERSION = {
    "hash": OLD, "pack": "ours", "version": "1.0", "cited": "ours@1.0:aaaaaaaaaaaa", "author": "system:loyalty",
    "staged_at": "2026-01-01T00:00:00Z", "in_force": True, "readable": True, "activations": [],
}  # fmt: skip
FILES = {"ours/pack.yaml": "pack: ours\n", "ours/loyalty.yaml": "tiers:\n  window: 365 days\n"}
FOUND = {
    "in_force": "ours@1.0:aaaaaaaaaaaa", "tried": "ours@1.1:bbbbbbbbbbbb", "from": "2025-11-20T02:00:00+00:00",
    "to": "2026-11-20T02:00:00+00:00", "members": 100, "purchases": 900,
    "points": {"in_force": 800, "tried": 815, "delta": 15},
    "cost": {"in_force": "8", "tried": "8.15", "delta": "0.15", "currency": "CNY"},
    "liability": {"in_force": "5", "tried": "4.5", "delta": "-0.5", "points": -50},
    "tiers": {"upgrades": 3, "downgrades": 1, "unchanged": 96, "moves": [
        {"from": "ordinary", "to": "gold", "members": 3}, {"from": "gold", "to": "ordinary", "members": 1},
        {"from": "ordinary", "to": "ordinary", "members": 96}]},
    "most_affected": [{"customer_id": ID, "code": "C-1", "points": {"in_force": 700, "tried": 715, "delta": 15},
                       "tier": {"in_force": "ordinary", "tried": "gold"}}],
    "assumed": ["members buy and give back what they bought and gave back"],
}  # fmt: skip


def a_job(**more: Any) -> dict[str, Any]:
    return {
        "id": JOB, "kind": "policy-simulation", "status": "done", "done": 100, "total": 100, "error": None,
        "errors_url": None, "result_url": None, "created_at": "2026-11-20T01:00:00Z", "finished_at": None, **more,
    }  # fmt: skip


@pytest.fixture
def loyalty(services: Any) -> Any:
    base = "services/loyalty"
    staged = {**VERSION, "hash": NEW, "cited": "ours@1.1:bbbbbbbbbbbb", "in_force": False}
    services["loyalty"].answers |= {
        f"{base}/policies": {"items": [staged, VERSION], "next": None},
        f"{base}/policies/{OLD}": {**VERSION, "files": FILES},
        f"POST {base}/policies": (201, staged),
        f"POST {base}/policies/simulate": (202, a_job(status="queued", done=0, total=None)),
        f"{base}/jobs": {"items": [a_job(), a_job(kind="tier-review")], "next": None},
        f"{base}/jobs/{JOB}": a_job(),
        f"{base}/jobs/{JOB}/result": {"id": JOB, "result": FOUND},
        "tiers": {"items": [{"tier": "ordinary"}, {"tier": "gold"}]},
    }
    services["customer"].answers["customers"] = {"items": [{"id": ID, "name": "王芳", "code": "C-1"}]}
    return services["loyalty"]


def posted(loyalty: Any) -> list[tuple[str, Any]]:
    return [
        (path.removeprefix("services/loyalty/"), body) for method, path, _, body, _ in loyalty.seen if method == "POST"
    ]


@pytest.mark.rule("CG-22")
def test_what_was_typed_is_staged_over_the_version_in_force_and_tried(browser: Any, loyalty: Any) -> None:
    desk = browser()
    start = desk.get("/console/simulation/").text
    assert "window: 365 days" in start
    assert start.count(f"/console/simulation/{JOB}") == 1, "of the jobs those that tried a policy"
    assert "+¥0.15" in start

    begun = desk.post("/console/simulation/draft", {"base": OLD, "text": "tiers:\r\n  window: 180 days\r\n"})

    assert begun.headers["Location"] == f"/console/simulation/{JOB}"
    typed = {**FILES, "ours/loyalty.yaml": "tiers:\n  window: 180 days\n"}
    assert posted(loyalty) == [("policies", {"files": typed}), ("policies/simulate", {"hash": NEW})]


def test_uploaded_files_take_the_place_of_those_of_the_same_name(browser: Any, loyalty: Any) -> None:
    files = [(io.BytesIO(b"tiers: {}\n"), "ours/loyalty.yaml")]

    browser().post("/console/simulation/draft", {"base": OLD, "text": "typed", "files": files})

    assert posted(loyalty)[0] == ("policies", {"files": {**FILES, "ours/loyalty.yaml": "tiers: {}\n"}})


def test_a_zip_is_a_pack_of_its_own(browser: Any, loyalty: Any) -> None:
    browser().post("/console/simulation/draft", {"base": OLD, "files": [(io.BytesIO(b"PK.."), "ours.zip")]})

    assert posted(loyalty)[0] == ("policies", {"archive": base64.b64encode(b"PK..").decode()})


def test_what_no_pack_can_be_made_of_is_refused_here(browser: Any, loyalty: Any) -> None:
    desk = browser()
    for content, name in ((b"MZ", "pack.exe"), (b"\xff\xfe", "loyalty.yaml")):
        form = {"base": OLD, "text": "typed", "files": [(io.BytesIO(content), name)]}

        seen = desk.post("/console/simulation/draft", form)

        assert seen.status_code == 422
        assert 'class="problem"' in seen.text
    assert posted(loyalty) == []


def test_the_faults_of_a_draft_stand_by_their_lines_and_nothing_typed_is_lost(browser: Any, loyalty: Any) -> None:
    problem = {"title": "Policy pack refused", "status": 422, "detail": "1 problem in the pack",
               "errors": {"ours/loyalty.yaml:2:3": ["unknown key - use one of: window"]}}  # fmt: skip
    loyalty.answers["POST services/loyalty/policies"] = (422, problem)

    seen = browser().post("/console/simulation/draft", {"base": OLD, "text": "tiers:\n  widow: 1\n"})

    assert seen.status_code == 422
    assert "ours/loyalty.yaml:2:3" in seen.text
    assert "widow: 1" in seen.text


def test_a_version_that_is_staged_is_tried_by_its_button(browser: Any, loyalty: Any) -> None:
    desk = browser()
    buttons = re.findall(r'name="hash" value="(\w+)"', desk.get("/console/simulation/").text)
    assert buttons == [NEW], "the one in force has nothing to be tried against"

    assert desk.post("/console/simulation/", {"hash": NEW}).headers["Location"] == f"/console/simulation/{JOB}"


def test_the_progress_is_shown_until_there_is_a_result(browser: Any, loyalty: Any) -> None:
    path, desk = f"/console/simulation/{JOB}", browser()
    loyalty.answers[f"services/loyalty/jobs/{JOB}"] = a_job(status="running", done=500, total=2000)

    assert f'hx-get="{path}"' in desk.get(path).text
    assert "500 of 2,000 members" in desk.part(path).text

    loyalty.answers[f"services/loyalty/jobs/{JOB}"] = a_job()
    assert desk.part(path).headers["HX-Refresh"] == "true"


def test_a_trial_that_failed_says_why(browser: Any, loyalty: Any) -> None:
    loyalty.answers[f"services/loyalty/jobs/{JOB}"] = a_job(status="failed", error="given up after 5 attempts")

    seen = browser().get(f"/console/simulation/{JOB}").text

    assert "given up after 5 attempts" in seen
    assert 'hx-get="/console/simulation/' not in seen


@pytest.mark.rule("CG-22")
def test_the_result_says_who_would_stand_where_and_what_it_would_cost(browser: Any, loyalty: Any) -> None:
    reader = browser()
    seen = reader.get(f"/console/simulation/{JOB}").text

    for told in ("ours@1.1:bbbbbbbbbbbb instead of ours@1.0:aaaaaaaaaaaa", "+15", "+¥0.15", "-¥0.50", "王芳",
                 "Ordinary → <strong>Gold</strong>", "members buy and give back"):  # fmt: skip
        assert told in seen, told
    tiers, money, changes = (json.loads(unescape(one)) for one in re.findall(r"data-chart='(.*?)'", seen))
    assert [series["data"] for series in tiers["series"]] == [[99, 1], [97, 3]]
    assert [series["data"] for series in money["series"]] == [[8.0, 5.0], [8.15, 4.5]]
    assert (changes["categories"], changes["series"][0]["data"]) == (["王芳"], [15])
    assert len(json.loads(unescape(re.search(r"data-flow='(.*?)'", seen)[1]))["links"]) == 3  # type: ignore[index]
    file = reader.get(f"/console/simulation/{JOB}.csv").text.splitlines()
    assert file[1] == "C-1,700,715,15,Ordinary,Gold"


@pytest.mark.parametrize("role", ["auditor", "director", "marketing", "finance"])
def test_who_drafts_nothing_tries_what_is_staged(as_role: Any, loyalty: Any, role: str) -> None:
    seen = as_role(role).get("/console/simulation/").text

    assert 'name="hash"' in seen
    assert "<textarea" not in seen
    assert '<a href="/console/simulation/" aria-current="page">' in seen, "and finds it in the rail"


def test_who_may_list_no_work_is_told_to_keep_the_address(as_role: Any, loyalty: Any) -> None:
    loyalty.answers["services/loyalty/jobs"] = (403, {"title": "Forbidden", "status": 403})

    assert "among your bookmarks" in as_role("finance").get("/console/simulation/").text


def test_a_trial_that_names_nobody_claims_not_that_nobody_is_affected(browser: Any, loyalty: Any) -> None:
    alike = {"in_force": 8, "tried": 8, "delta": 0}
    nothing: dict[str, Any] = {
        "points": alike, "liability": {**FOUND["liability"], "points": 0}, "most_affected": [],  # type: ignore[dict-item]
        "tiers": {"upgrades": 0, "downgrades": 0, "unchanged": 100, "moves": []},
    }  # fmt: skip
    reader, job = browser(), f"services/loyalty/jobs/{JOB}/result"

    for found, said in (({"most_affected": []}, "Nobody to name"), (nothing, "Nobody is affected")):
        loyalty.answers[job] = {"id": JOB, "result": {**FOUND, **found}}
        assert said in reader.get(f"/console/simulation/{JOB}").text


def test_the_result_is_told_in_chinese_too(browser: Any, loyalty: Any) -> None:
    seen = browser("zh-CN").get(f"/console/simulation/{JOB}").text

    for told in ("以 ours@1.1:bbbbbbbbbbbb 代替", "会员的消费与退货与实际相同", "普通 → <strong>黄金</strong>"):
        assert told in seen
