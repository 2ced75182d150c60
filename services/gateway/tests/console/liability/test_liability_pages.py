"""What we owe, when it lapses, what moved: each chart with its table, each table as a file."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

OWED = {
    "as_of": "2026-11-20T02:00:00Z", "points_outstanding": 940, "money": "9.4000", "currency": "CNY", "deficit": 60,
    "by_tier": [{"tier": "ordinary", "members": 3, "points": 940, "money": "9.4000"}],
    "by_campaign": [{"campaign": "base", "points": 900, "money": "9.0000"},
                    {"campaign": "=SUM(A1)", "points": 100, "money": "1.0000"}],
    "expiring": [{"month": "2026-12", "points": 300, "money": "3.0000"},
                 {"month": "2027-12", "points": 600, "money": "6.0000"},
                 {"month": None, "points": 100, "money": "1.0000"}],
    "expected_breakage": {"rate": "0.1250", "points": 112, "money": "1.1200", "lots": 40, "expired": 50,
                          "redeemed": 350, "method": "expired ÷ (expired + redeemed) of the lots whose life ended in"
                                                     " the 24 months before"},
    "redemption_rate": {"rate": "0.3000", "redeemed": 300, "issued": 1000, "days": 365},
    "clause": "CG-22", "policyversion": "x@1",
}  # fmt: skip
MONTH = {"opening": 0, "issued": 1000, "reversed": 40, "redeemed": 50, "expired": 5, "adjusted": -5, "closing": 940}
MOVED = {
    **MONTH, "from": "2026-11-01", "to": "2026-11-20", "held_by_members": 940, "agrees": True,
    "months": [{"month": "2026-11", **MONTH}], "clause": "CG-22", "policyversion": "x@1",
}  # fmt: skip


@pytest.fixture
def loyalty(services: Any) -> Any:
    services["loyalty"].answers |= {"loyalty-reports/liability": OWED, "loyalty-reports/movements": MOVED}
    return services["loyalty"]


def charts(page: str) -> list[dict[str, Any]]:
    return [json.loads(unescape(told)) for told in re.findall(r"data-chart='(.*?)'", page)]


@pytest.mark.rule("CG-22")
def test_what_is_owed_and_when_it_lapses(browser: Any, loyalty: Any) -> None:
    seen = browser().get("/console/liability/").text

    for told in ("940", "¥9.40", "12.5%", "¥1.12", "30%", "300 of 1,000 points in 365 days", "Owed by members"):
        assert told in seen
    curve, tiers, campaigns = charts(seen)
    assert curve["categories"] == ["2026-12", "2027-12"]
    assert [series["data"] for series in curve["series"]] == [[300, 600], [640, 40]]
    assert tiers["series"][0]["data"] == [9.4]
    assert campaigns["categories"] == ["Purchases, without a campaign", "=SUM(A1)"]


def test_every_table_is_to_be_had_as_a_file_and_no_cell_is_run_as_a_formula(browser: Any, loyalty: Any) -> None:
    reader = browser()
    for name in re.findall(r'href="(/console/liability/\w+\.csv)"', reader.get("/console/liability/").text):
        answer = reader.get(name)
        assert (answer.status_code, answer.mimetype) == (200, "text/csv")
        assert "attachment" in answer.headers["Content-Disposition"]
    lines = reader.get("/console/liability/months.csv").text.lstrip("\ufeff").splitlines()
    assert lines == ["Month,Points,Money at cost (CNY)", "2026-12,300,3.0000", "2027-12,600,6.0000", "never,100,1.0000"]
    assert "'=SUM(A1),100,1.0000" in reader.get("/console/liability/campaigns.csv").text


def test_a_programme_without_history_claims_no_rate(browser: Any, loyalty: Any) -> None:
    unknown = {**OWED["expected_breakage"], "rate": None, "points": None, "money": None}  # type: ignore[dict-item]
    loyalty.answers["loyalty-reports/liability"] = {**OWED, "expected_breakage": unknown}

    assert "not known yet" in browser().get("/console/liability/").text


def test_nothing_owed_yet_says_what_comes(browser: Any, loyalty: Any) -> None:
    loyalty.answers["loyalty-reports/liability"] = {**OWED, "expiring": [], "by_campaign": []}

    assert "Nothing is owed yet" in browser().get("/console/liability/").text


def test_the_movements_add_up_and_agree(browser: Any, loyalty: Any) -> None:
    reader = browser()
    seen = reader.get("/console/liability/movements?from=2026-11-01&to=2026-11-20").text

    assert "0 opening + 1,000 issued − 50 redeemed − 5 expired − 5 adjusted = 940 closing" in seen
    assert "agrees with the members&#39; accounts" in seen
    assert loyalty.seen[-1][2] == {"from": "2026-11-01", "to": "2026-11-20"}
    (chart,) = charts(seen)
    assert [series["data"] for series in chart["series"]] == [[1000], [-50], [-5], [940]]
    file = reader.get("/console/liability/movements.csv?from=2026-11-01&to=2026-11-20").text.splitlines()
    assert file[1:] == ["2026-11,0,1000,40,50,5,-5,940", "Sum,0,1000,40,50,5,-5,940"]


def test_books_that_do_not_agree_are_shown_so(browser: Any, loyalty: Any) -> None:
    loyalty.answers["loyalty-reports/movements"] = {**MOVED, "agrees": False, "held_by_members": 941}

    seen = browser().get("/console/liability/movements").text

    assert "does not agree: the members&#39; accounts hold 941" in seen


def test_the_last_twelve_months_are_shown_where_nothing_is_asked_for(browser: Any, loyalty: Any) -> None:
    browser().get("/console/liability/movements")

    assert loyalty.seen[-1][2] == {"from": "2025-12-01", "to": "2026-11-20"}


def test_a_service_that_is_away_is_named(browser: Any, loyalty: Any) -> None:
    loyalty.away = True

    seen = browser().get("/console/liability/")

    assert seen.status_code == 200
    assert "The Loyalty service can&#39;t be reached." in seen.text


def test_the_liability_is_told_in_chinese_too(browser: Any, loyalty: Any) -> None:
    reader = browser("zh-CN")

    assert "积分到期曲线" in reader.get("/console/liability/").text
    assert "与会员账户一致" in reader.get("/console/liability/movements").text
