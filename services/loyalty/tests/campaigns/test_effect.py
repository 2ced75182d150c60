"""The effect of a campaign is told against a control group, with an interval and its cost (BK-04)."""

from __future__ import annotations

import uuid
from decimal import Decimal
from random import Random
from statistics import mean, variance
from typing import Any

import pytest

from loyalty.campaigns.domain import arm
from loyalty.campaigns.uplift import Arm, student, uplift

HALF = Decimal("0.5")


def enrolled(programme: Any, number: int) -> list[str]:
    """Members with card:0, card:1, …; always the same ids, the control group is a matter of the campaign's."""
    return [programme.enrol(f"card:{n}", customer_id=str(uuid.UUID(int=n + 1))) for n in range(number)]


@pytest.mark.rule("BK-04")
def test_the_control_group_gets_nothing_and_is_remembered(programme: Any, marketing: Any, api: Any, why: Any) -> None:
    members = enrolled(programme, 12)
    campaign = marketing.run("half", control_group="0.5")
    later = programme.enrol("card:99")  # joined after the list was made: in an arm too, but not in the report

    programme.tell("purchases", *(programme.purchase("10.00", by=f"card:{n}") for n in [*range(12), 99]))

    held_out = {member for member in [*members, later] if arm(campaign, member, HALF) == "control"}
    assert 0 < len(held_out - {later}) < 12
    for member in [*members, later]:
        assert why(member) == {"base": 10, "campaign half": 0 if member in held_out else 10}
    listed = programme.rows("SELECT member_id::text, arm, listed FROM campaign_member")
    assert {row["member_id"] for row in listed if row["arm"] == "control"} == held_out, "SQL and Python draw the same"
    assert [row["member_id"] for row in listed if not row["listed"]] == [later]
    assert sum(each["members"] for each in marketing.report(campaign)["arms"]) == 12
    path = f"campaigns/{campaign}/members"
    kept = api.get(path, arm="control").get_json()["items"]
    assert {row["customer_id"] for row in kept} == held_out
    assert {row["points"] for row in kept} == {0}
    assert {row["points"] for row in api.get(path, arm="treated").get_json()["items"]} == {10}


@pytest.mark.rule("BK-04")
@pytest.mark.rule("BK-05")
def test_the_report_is_what_a_page_of_arithmetic_says(programme: Any, marketing: Any) -> None:
    members = enrolled(programme, 40)
    campaign = marketing.run("half", control_group="0.5", budget=100_000)
    chance, spend = Random(7), dict.fromkeys(members, Decimal(0))
    for number, member in enumerate(members):
        if number % 8 == 0:
            continue  # who buys nothing counts as well
        more = 40 if arm(campaign, member, HALF) == "treated" else 0
        total = Decimal(100 + more + chance.randrange(40))
        programme.buys(f"{total}.00", f"P{number}", by=f"card:{number}")
        spend[member] = total
    programme.refunds("P1", "30.00")
    spend[members[1]] -= 30
    programme.clock.advance(days=8)
    programme.buys("999.00", by="card:3")  # after its end

    report = marketing.report(campaign)

    arms = {
        name: [float(spend[m]) for m in members if arm(campaign, m, HALF) == name] for name in ("treated", "control")
    }
    told = {each["arm"]: each for each in report["arms"]}
    for name, spent in arms.items():
        assert (told[name]["members"], Decimal(told[name]["spend"])) == (len(spent), Decimal(sum(spent)))
        assert told[name]["buyers"] == sum(1 for amount in spent if amount)
    apart = mean(arms["treated"]) - mean(arms["control"])
    error = sum(variance(spent) / len(spent) for spent in arms.values()) ** 0.5
    found = report["uplift"]
    assert float(found["difference"]) == pytest.approx(apart, abs=0.001)
    half = (float(found["high"]) - float(found["low"])) / 2
    assert 1.96 < half / error < 2.1, "wider than the normal interval, as 40 members ask for"
    assert float(found["extra_spend"]) == pytest.approx(apart * len(arms["treated"]), abs=0.01)
    lots = programme.rows("SELECT sum(points) AS points, sum(remaining) AS remaining FROM lot WHERE campaign = 'half'")[
        0
    ]
    cost = report["cost"]
    assert (cost["points"], cost["points"] - cost["taken_back"]) == (lots["points"], lots["remaining"])
    assert Decimal(cost["money"]) == lots["remaining"] / 100
    assert cost["left"] == 100_000 - lots["points"]
    assert [(week["week"], week["points"]) for week in report["by_week"]] == [("2026-W47", lots["points"])]


def test_without_a_control_group_nobody_knows(programme: Any, marketing: Any) -> None:
    programme.enrol("card:1")
    campaign = marketing.run("all")
    programme.buys("10.00")

    report = marketing.report(campaign)

    assert (report["uplift"], report["arms"]) == (None, [])
    assert (report["cost"]["purchases"], report["cost"]["points"], report["cost"]["money"]) == (1, 10, "0.10")


def test_the_interval_is_welchs() -> None:
    """By hand: s² / n is 0.4 and 0.25, so 20.05 degrees of freedom, for which tables say t = 2.086."""
    found = uplift(Arm(10, 12.0, 4.0), Arm(20, 10.0, 5.0))

    assert found is not None
    assert (found.difference, found.relative, found.shown) == (2.0, 0.2, True)
    assert (found.low, found.high) == pytest.approx((2 - 2.086 * 0.65**0.5, 2 + 2.086 * 0.65**0.5), abs=0.01)
    assert uplift(Arm(1, 12.0, 0.0), Arm(20, 10.0, 5.0)) is None


@pytest.mark.parametrize(("freedom", "quantile"), [(4, 2.7764), (10, 2.2281), (30, 2.0423), (1000, 1.9623)])
def test_quantiles_are_those_of_the_tables(freedom: float, quantile: float) -> None:
    assert student(0.975, freedom) == pytest.approx(quantile, abs=0.01)


def test_the_share_held_out_is_the_share_asked_for() -> None:
    campaign = str(uuid.UUID(int=1))
    drawn = [arm(campaign, str(uuid.UUID(int=n)), Decimal("0.1")) for n in range(20_000)]

    assert drawn.count("control") / 20_000 == pytest.approx(0.1, abs=0.007)
    assert [arm(campaign, str(uuid.UUID(int=n)), Decimal("0.1")) for n in range(20_000)] == drawn
    assert {arm(campaign, str(uuid.UUID(int=n)), Decimal(0)) for n in range(100)} == {"treated"}
