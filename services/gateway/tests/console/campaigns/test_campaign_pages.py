"""Campaigns: drafted, proposed, stopped; and in words whether they were worth it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.console.campaigns.effect import SIDE, WIDTH

ID = "019aa3c2-7b10-7c4e-9d57-1f0a5be3a001"
AT = f"/console/campaigns/{ID}"
CAMPAIGN = {
    "id": ID, "code": "double_tea", "name": "双倍茶季", "status": "running", "from": "2026-11-01T00:00:00Z",
    "until": "2026-12-01T00:00:00Z", "runs_from": "2026-11-01T00:00:00Z", "runs_until": "2026-12-01T00:00:00Z",
    "multiplier": "2", "bonus": None, "control_group": "0.1", "times": None, "budget": 20000, "granted": 19000,
    "clause": "BK-04", "policyversion": "x", "created_by": "feng", "created_at": "2026-10-20T00:00:00Z",
    "started_by": "zhao", "stopped_by": None, "stopped_because": None,
    "conditions": {
        "segment": {"tiers": ["gold"], "grades": [], "tags": [], "classes": {"frequency": ["high"]}}, "products": [],
        "categories": ["tea"], "stores": [], "channels": [], "least_total": "50", "birthday_month": False,
        "happy_hour": {"from": "18:00", "until": "20:00", "weekdays": ["friday"]},
    },
}  # fmt: skip
UPLIFT = {
    "difference": "12.3000", "low": "4.1000", "high": "20.5000", "confidence": "0.95", "relative": "0.0830",
    "shown": True, "extra_spend": "11070.0000", "method": "…",
}  # fmt: skip
LOSS = {**UPLIFT, "difference": "-2", "low": "-3", "high": "-1", "extra_spend": "-1800"}
COST = {
    "purchases": 410, "points": 19000, "taken_back": 500, "money": "185.0000", "currency": "CNY", "budget": 20000,
    "left": 1000,
}  # fmt: skip
EFFECT = {
    "campaign_id": ID, "code": "double_tea", "status": "running", "runs_from": None, "runs_until": None,
    "as_of": "2026-11-20T00:00:00Z", "uplift": UPLIFT, "cost": COST, "clause": "BK-04", "policyversion": "x",
    "arms": [
        {"arm": "treated", "members": 900, "buyers": 400, "spend": "144000.0000", "mean": "160.5000"},
        {"arm": "control", "members": 100, "buyers": 38, "spend": "14820.0000", "mean": "148.2000"},
    ],
    "by_week": [{"week": "2026-W45", "purchases": 210, "points": 9000}],
}  # fmt: skip
PROPOSAL = {
    "id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3e001", "content": {"campaign": ID, "members": 120}, "content_hash": "abc",
    "proposed_by": {"id": "someone-else", "username": "feng"}, "proposed_at": "2026-11-20T01:00:00Z",
    "expires_at": "2026-11-27T01:00:00Z",
}  # fmt: skip


@pytest.fixture
def loyalty(services: Any) -> Any:
    services["loyalty"].answers |= {
        "campaigns": {"items": [CAMPAIGN], "next": None},
        f"campaigns/{ID}": (200, CAMPAIGN, {"ETag": '"3"'}),
        f"loyalty-reports/campaigns/{ID}": EFFECT,
        "services/loyalty/approvals": {"items": [], "next": None},
        "tiers": {"items": [{"tier": "ordinary", "at": 0}, {"tier": "gold", "at": 1000}]},
    }
    return services["loyalty"]


def drafted(loyalty: Any, waiting: bool = False) -> None:
    loyalty.answers[f"campaigns/{ID}"] = (200, {**CAMPAIGN, "status": "draft", "runs_from": None}, {"ETag": '"3"'})
    loyalty.answers["services/loyalty/approvals"] = {"items": [PROPOSAL] if waiting else [], "next": None}


def test_the_list_tells_how_much_of_each_budget_is_given(browser: Any, loyalty: Any) -> None:
    seen = browser().get("/console/campaigns/").text

    for told in ("双倍茶季", "base points × 2", "19,000 of 20,000", 'value="95"', "1,000 points left", "10%"):
        assert told in seen


def test_the_list_is_to_be_had_as_a_file(browser: Any, loyalty: Any) -> None:
    head, line = browser("zh-CN").get("/console/campaigns/campaigns.csv?state=running").text.splitlines()

    assert not re.search("[A-Za-z]", head), head
    assert line.startswith("double_tea,双倍茶季,进行中,基础积分 × 2,")
    assert loyalty.seen[-1][2]["status"] == "running"


def test_no_campaign_says_what_to_do_next(as_role: Any, loyalty: Any) -> None:
    loyalty.answers["campaigns"] = {"items": [], "next": None}

    assert "Draft a campaign" in as_role("marketing").get("/console/campaigns/").text
    assert "Draft a campaign" not in as_role("front_desk").get("/console/campaigns/").text


@pytest.mark.rule("BK-04")
def test_the_effect_is_told_in_words_figures_and_pictures(browser: Any, loyalty: Any) -> None:
    seen = browser().get(AT).text

    for told in (
        "spent ¥12.30 more each than those held out (8.3%)", "With 95% confidence this is more than chance",
        "¥59.84 for each ¥1.00 of points", "+¥4.10", "+¥20.50", "900", "¥148.20", "2026-W45", "data-chart",
        "Friday", "18:00–20:00", "High", "tea",
    ):  # fmt: skip
        assert told in seen, told


def test_it_is_told_in_chinese_too(browser: Any, loyalty: Any) -> None:
    seen = browser("zh-CN").get(AT).text

    for told in ("活动组会员人均比对照组多消费 ¥12.30", "差异不是偶然", "基础积分 × 2", "周五", "进行中"):
        assert told in seen, told


@pytest.mark.rule("BK-04")
def test_the_words_never_say_more_than_the_figures(browser: Any, loyalty: Any) -> None:
    reader = browser()

    for report, said in (
        ({"uplift": {**UPLIFT, "low": "-3", "shown": False}}, "It may be chance"),
        ({"uplift": LOSS}, "less each than those held out"),
        ({"uplift": {**UPLIFT, "shown": False, "relative": None}}, "those held out nothing"),
        ({"uplift": {**UPLIFT, "shown": False}, "arms": []}, "there is nothing to compare"),
        ({"uplift": None, "arms": []}, "nobody can tell what it changed"),
        ({"uplift": None}, "fewer than two members"),
        ({"status": "draft"}, "nothing to tell yet"),
    ):
        loyalty.answers[f"loyalty-reports/campaigns/{ID}"] = {**EFFECT, **report}
        seen = reader.get(AT).text
        assert said in seen
        assert "for each ¥1.00 of points" not in seen, said


def test_the_picture_keeps_everything_between_its_sides(browser: Any, loyalty: Any) -> None:
    seen = browser().get(AT).text

    assert f'class="zero" x1="{SIDE}.0"' in seen
    low, high = map(float, re.findall(r'class="range" x1="([0-9.]+)" y1="40" x2="([0-9.]+)"', seen)[0])
    point = float(re.findall(r'class="point" cx="([0-9.]+)"', seen)[0])
    assert SIDE < low < point < high == WIDTH - SIDE


def test_who_may_not_read_the_effect_reads_the_rest(as_role: Any, loyalty: Any) -> None:
    loyalty.answers[f"loyalty-reports/campaigns/{ID}"] = (403, {"title": "Forbidden", "status": 403})

    seen = as_role("front_desk").get(AT).text

    assert "told to managers, marketing and finance" in seen
    assert "base points × 2" in seen
    assert f"{AT}/stop" not in seen


def test_a_campaign_is_drafted(browser: Any, loyalty: Any) -> None:
    loyalty.answers["POST campaigns"] = (201, CAMPAIGN)
    reader = browser()
    reader.http.set_cookie("kezhi_tz", "Asia/Shanghai")
    reader.get("/console/campaigns/new")

    form = {"name": "双倍茶季", "code": "double_tea", "from": "2026-12-01T00:00", "until": "2026-12-31T00:00",
            "multiplier": "2", "bonus": "", "tiers": ["gold"], "grades": "gold，platinum",
            "classes": "frequency: high, mid", "categories": "tea", "happy_from": "18:00",
            "happy_until": "20:00", "weekdays": ["friday"],
            "control_group": "12.5%", "budget": "20,000"}  # fmt: skip
    made = reader.post("/console/campaigns/new", form)

    assert (made.status_code, made.location) == (303, AT)
    body = loyalty.seen[-1][3]
    assert (body["from"], body["control_group"], body["budget"]) == ("2026-11-30T16:00:00Z", "0.125", 20000)
    assert body["conditions"]["segment"] == {
        "tiers": ["gold"], "grades": ["gold", "platinum"], "tags": [], "classes": {"frequency": ["high", "mid"]},
    }  # fmt: skip
    assert body["conditions"]["happy_hour"] == {"from": "18:00", "until": "20:00", "weekdays": ["friday"]}
    assert "bonus" not in body


def test_a_fault_deep_in_the_draft_stands_at_its_field(browser: Any, loyalty: Any) -> None:
    faults = {
        "conditions.segment.tiers": ["no tier of the policy pack: silver"],
        "multiplier": ["above 1 and at most 3, says the policy pack (BK-04)"],
    }
    loyalty.answers["POST campaigns"] = (422, {"title": "Invalid content", "errors": faults})
    reader = browser("zh-CN")
    reader.get("/console/campaigns/new")

    said = reader.post("/console/campaigns/new", {"name": "双倍", "multiplier": "9", "tiers": ["silver"]})

    assert said.status_code == 422
    assert 'id="multiplier-error"' in said.text
    assert "须大于 1 且不超过 3（制度包 BK-04）" in said.text
    assert 'value="双倍"' in said.text


def test_a_draft_is_changed_in_the_version_that_was_read(browser: Any, loyalty: Any) -> None:
    drafted(loyalty)
    loyalty.answers[f"PATCH campaigns/{ID}"] = CAMPAIGN
    reader = browser()
    reader.http.set_cookie("kezhi_tz", "UTC")
    form = reader.get(f"{AT}/edit").text
    assert "frequency: high" in form

    reader.post(
        f"{AT}/edit",
        {"etag": '"3"', "name": "双倍茶季", "from": "2026-11-01T00:00", "until": "2026-12-05T00:00", "bonus": "50"},
    )

    method, _, _, body, headers = loyalty.seen[-1]
    assert (method, headers["If-Match"]) == ("PATCH", '"3"')
    assert (body["multiplier"], body["bonus"], body["until"]) == (None, 50, "2026-12-05T00:00:00Z")
    assert "from" not in body


@pytest.mark.rule("BK-05")
def test_a_start_is_proposed_and_decided_on_the_campaigns_own_page(browser: Any, as_role: Any, loyalty: Any) -> None:
    drafted(loyalty)
    loyalty.answers[f"POST campaigns/{ID}/start"] = (202, PROPOSAL)
    marketing = as_role("marketing")
    assert f"{AT}/start" in marketing.get(AT).text
    assert marketing.post(f"{AT}/start").status_code == 303

    drafted(loyalty, waiting=True)
    seen = browser().get(AT).text
    assert "120 members" in seen
    assert f'action="/console/approvals/loyalty/{PROPOSAL["id"]}/approve"' in seen
    assert 'name="content_hash" value="abc"' in seen
    assert f"{AT}/start" not in seen
    assert "Approve</button>" not in marketing.get(AT).text


def test_a_running_campaign_is_stopped_with_a_reason(browser: Any, loyalty: Any) -> None:
    loyalty.answers[f"POST campaigns/{ID}/stop"] = {**CAMPAIGN, "status": "stopped"}
    reader = browser()
    assert "can&#39;t be started again" in reader.get(f"{AT}/stop").text

    assert reader.post(f"{AT}/stop", {"reason": "out of stock"}).status_code == 303

    assert loyalty.seen[-1][3] == {"reason": "out of stock"}


def test_nothing_is_said_of_an_effect_that_did_not_come(browser: Any, loyalty: Any) -> None:
    del loyalty.answers[f"loyalty-reports/campaigns/{ID}"]

    seen = browser().get(AT)

    assert seen.status_code == 200
    assert "What came of it" not in seen.text
