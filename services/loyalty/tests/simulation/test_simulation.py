"""A draft pack is tried on everybody: what would have come of the last twelve months, and nothing changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis.testkit.people import Company

CHEAPER_GOLD = {"gold, at: 1000 growth, bonus: 10%": "gold, at: 500 growth, bonus: 15%"}


@pytest.mark.rule("CG-22")
def test_who_would_rise_and_what_it_would_cost(programme: Any, draft: Any, forecast: Any) -> None:
    wang = programme.enrol("card:1")
    programme.enrol("card:2")
    then = programme.clock.now() - timedelta(days=60)
    programme.buys("600.00", at=then)
    programme.buys("100.00", at=then + timedelta(days=1))
    programme.buys("100.00", by="card:2", at=then)

    result = forecast(draft(CHEAPER_GOLD))

    assert (result["members"], result["purchases"]) == (2, 3)
    assert result["points"] == {"in_force": 800, "tried": 815, "delta": 15}
    assert result["cost"] == {"in_force": "8.00", "tried": "8.15", "delta": "0.15", "currency": "CNY"}
    assert result["liability"] == {"in_force": "8.00", "tried": "8.15", "delta": "0.15", "points": 15}
    assert result["tiers"] == {
        "upgrades": 1, "downgrades": 0, "unchanged": 1,
        "moves": [
            {"from": "ordinary", "to": "gold", "members": 1},
            {"from": "ordinary", "to": "ordinary", "members": 1},
        ],
    }  # fmt: skip
    assert result["most_affected"] == [
        {
            "customer_id": wang, "code": "C-1", "points": {"in_force": 700, "tried": 715, "delta": 15},
            "tier": {"in_force": "ordinary", "tried": "gold"},
        }
    ]  # fmt: skip


def test_who_may_try_a_policy_is_told_of_everybody_but_by_name_of_their_own_units(
    programme: Any, draft: Any, forecast: Any
) -> None:
    company = Company(programme.runtime)
    north = company.unit("NORTH") + "/"
    company.unit("SOUTH")
    mine, other = programme.enrol("card:1", unit="NORTH"), programme.enrol("card:2", unit="SOUTH")
    for card in ("card:1", "card:2"):
        programme.buys("600.00", by=card, at=programme.clock.now() - timedelta(days=60))
        programme.buys("100.00", by=card, at=programme.clock.now() - timedelta(days=59))

    seen = [
        (result["members"], result["points"]["delta"], {row["customer_id"] for row in result["most_affected"]})
        for result in (
            forecast(draft(CHEAPER_GOLD), roles=["marketing"], unit_path=north),
            forecast(draft(CHEAPER_GOLD), roles=["director"]),
        )
    ]

    assert seen == [(2, 30, {mine}), (2, 30, {mine, other})]


def test_page_after_page_adds_up_to_the_same(
    programme: Any, draft: Any, forecast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = programme.clock.now() - timedelta(days=60)
    for card in range(1, 6):
        programme.enrol(f"card:{card}")
        programme.buys("600.00", by=f"card:{card}", at=then)
        programme.buys(f"{card}00.00", by=f"card:{card}", at=then + timedelta(days=1))
    at_once = forecast(draft(CHEAPER_GOLD))

    for module in ("population", "use_cases"):
        monkeypatch.setattr(f"loyalty.simulation.{module}.PAGE", 2)
    in_pages = forecast(draft(CHEAPER_GOLD))

    assert in_pages == at_once
    assert (at_once["members"], at_once["points"]["delta"]) == (5, 225)


def test_nothing_changes(programme: Any, draft: Any, forecast: Any) -> None:
    programme.enrol("card:1")
    programme.buys("1500.00", "P1", at=programme.clock.now() - timedelta(days=60))
    asked = "SELECT (SELECT count(*) FROM {}) AS n".format
    tables = ("transaction", "lot", "tier_change", "business_key", "chassis.outbox")
    before = [programme.rows(asked(table))[0]["n"] for table in tables], programme.rows("SELECT * FROM member")

    forecast(draft(CHEAPER_GOLD))

    after = [programme.rows(asked(table))[0]["n"] for table in tables], programme.rows("SELECT * FROM member")
    assert after == before


def test_the_policy_in_force_tried_on_itself_changes_nobody(programme: Any, draft: Any, forecast: Any) -> None:
    programme.enrol("card:1", birthday="1990-10-05")
    for days in (400, 300, 200, 46, 45, 1):
        programme.buys("700.00", f"P{days}", at=programme.clock.now() - timedelta(days=days))
    programme.refunds("P200", "300.00")

    result = forecast(draft({}))

    (row,) = programme.rows(
        "SELECT -sum(points_issued) AS n FROM transaction WHERE occurred_at >= :since",
        since=datetime.fromisoformat(result["from"]),
    )
    assert (result["points"]["in_force"], result["points"]["delta"]) == (row["n"], 0)
    assert (result["tiers"]["unchanged"], result["most_affected"]) == (1, [])


def test_a_refund_takes_back_what_the_draft_would_have_given(programme: Any, draft: Any, forecast: Any) -> None:
    programme.enrol("card:1")
    then = programme.clock.now() - timedelta(days=60)
    programme.buys("600.00", "P1", at=then)
    programme.buys("100.00", "P2", at=then + timedelta(days=1))
    programme.refunds("P1", "600.00", at=then + timedelta(days=2))
    programme.buys("200.00", "P3", at=then + timedelta(days=3))

    result = forecast(draft(CHEAPER_GOLD))

    assert result["points"] == {"in_force": 300, "tried": 315, "delta": 15}  # the rise was undone before P3
    assert result["tiers"]["moves"] == [{"from": "ordinary", "to": "ordinary", "members": 1}]


def test_what_would_have_lapsed_is_not_owed(programme: Any, draft: Any, forecast: Any) -> None:
    programme.enrol("card:1")
    programme.buys("100.00", at=programme.clock.now() - timedelta(days=200))
    programme.buys("10.00", at=programme.clock.now() - timedelta(days=20))

    result = forecast(draft({"expires: end of next year": "expires: 3 months"}))

    assert (result["points"]["delta"], result["liability"]["points"]) == (0, -100)
    assert (result["liability"]["in_force"], result["liability"]["tried"]) == ("1.10", "0.10")


def test_a_merged_members_purchases_are_the_survivors(programme: Any, draft: Any, forecast: Any) -> None:
    wang, zhang = programme.enrol("card:1"), programme.enrol("card:2")
    then = programme.clock.now() - timedelta(days=60)
    programme.buys("300.00", at=then)
    programme.buys("300.00", by="card:2", at=then + timedelta(days=1))
    programme.tell(
        "customers",
        programme.customer_event(
            "merged", wang, identities=[{"scheme": "card", "value": card} for card in ("1", "2")],
            merge_id="0192d3c4-0000-7000-8000-000000000001", merged_customer_id=zhang,
            merged_at=programme.clock.now().isoformat(),
        ),
    )  # fmt: skip

    result = forecast(draft(CHEAPER_GOLD))

    assert (result["members"], result["purchases"], result["points"]["tried"]) == (1, 2, 600)
    assert result["tiers"]["moves"] == [{"from": "ordinary", "to": "gold", "members": 1}]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"by_category: {}": "by_category: {water: 2}"}, "by category"),
        ({"falls: at period end": "falls: one level at period end"}, "lands softly"),
    ],
)
def test_what_a_forecast_rests_on_is_said(draft: Any, forecast: Any, change: dict[str, str], said: str) -> None:
    assert not any(said in line for line in forecast(draft({}))["assumed"])

    assert any(said in line for line in forecast(draft(change, version="3.0"))["assumed"])
