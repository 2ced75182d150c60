"""What dealers were given back: who, for which period, how much and why; as a file too."""

from __future__ import annotations

import re
from typing import Any

import pytest

ID = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"
REPORT = "loyalty-reports/rebates"


def a_rebate(**more: Any) -> dict[str, Any]:
    step = {"rule": "rebate level_1", "points": 2400000, "growth": 0, "clause": "LQ-05",
            "detail": "3 % of 800000 CNY: 24000.00"}  # fmt: skip
    return {
        "customer_id": ID, "period": "2026-Q3", "from": "2026-06-30T16:00:00Z", "until": "2026-09-30T16:00:00Z",
        "level": "level_1", "bought": 800000, "unit": "CNY", "points": 2400000, "breakdown": [step],
        "transaction_id": ID, "settled_at": "2026-10-16T00:40:00Z", "clause": "LQ-05", "policyversion": "x@1", **more,
    }  # fmt: skip


@pytest.fixture
def loyalty(services: Any) -> Any:
    services["loyalty"].answers[REPORT] = {"items": [a_rebate()], "next": None}
    services["customer"].answers["customers"] = {"items": [{"id": ID, "name": "徐记酒行", "code": "D-1"}]}
    return services["loyalty"]


def asked(loyalty: Any) -> list[dict[str, str]]:
    return [query for _, path, query, _, _ in loyalty.seen if path == REPORT]


@pytest.mark.rule("LQ-05")
def test_who_was_given_what_and_why(browser: Any, loyalty: Any) -> None:
    seen = browser().get("/console/liability/rebates").text

    for told in ("徐记酒行", "2026-Q3", "Level 1", "¥800,000.00", "+2,400,000", "LQ-05",
                 "3 % of ¥800,000.00: ¥24,000.00 in points"):  # fmt: skip
        assert told in seen, told


@pytest.mark.rule("LQ-05")
def test_rebates_are_told_in_chinese(browser: Any, loyalty: Any) -> None:
    steps = {
        "3 % of 800000 CNY: 24000.00": "¥800,000.00 的 3 %：¥24,000.00，折成积分",
        "20 purchases reached": "达到 20 笔消费",
        "300 growth, from 500 on there is a rebate": "进货 300 成长值；满 500 成长值 起返利",
        "a sum of tomorrow": "a sum of tomorrow",
    }
    periods = {"2026-Q3": "2026年第3季度", "2026-09": "2026年9月", "2026": "2026年", "of tomorrow": "of tomorrow"}
    step = a_rebate()["breakdown"][0]
    rows = [
        a_rebate(breakdown=[{**step, "detail": detail}], period=period)
        for detail, period in zip(steps, periods, strict=True)
    ]
    loyalty.answers[REPORT] = {"items": rows, "next": None}

    seen = browser("zh-CN").get("/console/liability/rebates").text

    assert [said for said in (*steps.values(), *periods.values(), "一级") if said not in seen] == []


@pytest.mark.parametrize(
    ("newest", "oldest"), [("2026-Q3", "2024-Q4"), ("2026-03", "2025-08"), ("2026", "2019")], ids=str
)
def test_one_chooses_among_the_periods_up_to_the_newest(browser: Any, loyalty: Any, newest: str, oldest: str) -> None:
    loyalty.answers[REPORT] = {"items": [a_rebate(period=newest), a_rebate(level="level_2")], "next": None}

    seen = browser().get("/console/liability/rebates").text
    offered = re.findall(r'<option value="([^"]*)"', seen)

    assert (offered[:2], offered[8:]) == (["", newest], [oldest, "", "level_1", "level_2"])


def test_one_period_of_one_level_is_asked_for_and_stays_chosen(browser: Any, loyalty: Any) -> None:
    seen = browser().get("/console/liability/rebates?period=2020-Q1&level=level_9").text

    assert {"period": "2020-Q1", "level": "level_9", "limit": "50"} in asked(loyalty)
    assert '<option value="2020-Q1" selected>' in seen
    assert '<option value="level_9" selected>' in seen


def test_the_file_holds_all_of_what_is_shown(browser: Any, loyalty: Any) -> None:
    def answer(query: dict[str, str]) -> dict[str, Any]:
        first = not query.get("cursor")
        return {"items": [a_rebate(period="2026-Q3" if first else "2026-Q2")], "next": "more" if first else None}

    loyalty.answers[REPORT] = answer
    file = browser().get("/console/liability/rebates.csv?period=&level=level_1")

    assert file.headers["Content-Disposition"] == 'attachment; filename="rebates-level_1.csv"'
    assert file.text.lstrip("\ufeff").splitlines() == [
        "Customer id,Dealer,Period,Level,Bought in it,Unit,Points,Why,Clause,Settled",
        *(
            f"{ID},徐记酒行,{period},Level 1,800000,CNY,2400000,"
            f'"3 % of ¥800,000.00: ¥24,000.00 in points",LQ-05,2026-10-16 08:40:00 Asia/Shanghai'
            for period in ("2026-Q3", "2026-Q2")
        ),
    ]
    assert {query["level"] for query in asked(loyalty)} == {"level_1"}


def test_a_company_without_rebates_is_told_how_to_give_them(browser: Any, loyalty: Any) -> None:
    loyalty.answers[REPORT] = {"items": [], "next": None}
    reader = browser()

    assert "under rebates in loyalty.yaml" in reader.get("/console/liability/rebates").text
    assert "None of this period and level." in reader.get("/console/liability/rebates?period=2026-Q3").text


def test_rebates_that_did_not_come_are_said_to_be_missing(browser: Any, loyalty: Any) -> None:
    loyalty.away = True

    assert "The Loyalty service can&#39;t be reached." in browser().get("/console/liability/rebates").text
