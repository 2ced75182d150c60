"""The arithmetic of rebates: brackets, levels, periods of the company's calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chassis.policies.units import Duration
from loyalty.campaigns.domain import NOBODY, Profile
from loyalty.policy.rebates import Bracket, RebateLevel, Rebates
from loyalty.policy.rules import Redemption
from loyalty.rebates.domain import level_of, next_bracket, period_of, periods_due, rebate

BRACKETS = (Bracket(1000, Decimal("0.01"), 0), Bracket(5000, Decimal("0.02"), 0), Bracket(9000, Decimal("0.035"), 0))
FIRST = RebateLevel("level_1", frozenset({"first"}), frozenset(), {}, BRACKETS, "LQ-05")
SECOND = RebateLevel("level_2", frozenset(), frozenset({"b"}), {"size": frozenset({"large"})}, BRACKETS[:1], "7.2")
WORTH = Redemption(100, Decimal("1.00"), Duration(15, "minute"), "CG-22")


def rules(of: str = "the whole", every: str = "quarter") -> Rebates:
    return Rebates(every, Duration(15, "day"), of, (FIRST, SECOND), "LQ-05", "amount", "CNY")


@pytest.mark.rule("LQ-05")
@pytest.mark.parametrize(
    ("bought", "of", "steps"),
    [
        (999, "the whole", [0]),
        (1000, "the whole", [1000]),  # 1 % are 10 yuan: 1,000 points
        (4999, "the whole", [4999]),
        (9000, "the whole", [31_500]),
        (999, "each bracket", [0]),
        (1000, "each bracket", [0]),
        (4999, "each bracket", [3999]),
        (9001, "each bracket", [4000, 8000, 3]),  # 3.5 of the last yuan, floored apart
    ],
)
def test_brackets_count_for_the_whole_or_each_for_its_own_part(bought: int, of: str, steps: list[int]) -> None:
    worth = rebate(bought, FIRST, rules(of), WORTH)

    assert [step["points"] for step in worth.breakdown] == steps
    assert worth.points == sum(steps)
    assert {step["clause"] for step in worth.breakdown} == {"LQ-05"}


def test_a_bracket_may_give_points_once() -> None:
    level = RebateLevel("regular", frozenset({"x"}), frozenset(), {}, (Bracket(20, Decimal(0), 500),), "9")
    counted = Rebates("year", Duration(1, "month"), "the whole", (level,), "9", "count", "purchases")

    assert [rebate(bought, level, counted, WORTH).points for bought in (19, 20, 400)] == [0, 500, 500]


def test_what_is_missing_to_more() -> None:
    assert [found and found.at for found in (next_bracket(n, FIRST) for n in (0, 1000, 8999, 9000))] == [
        1000, 5000, 9000, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "level"),
    [
        (NOBODY, None),
        (Profile(tags=frozenset({"first", "other"})), "level_1"),
        (Profile(grade="b", classes={"size": "large"}), "level_2"),
        (Profile(grade="b", classes={"size": "small"}), None),
        (Profile(grade="b", classes={"size": "large"}, tags=frozenset({"first"})), "level_1"),  # the first that fits
    ],
)
def test_whose_level_is_which(profile: Profile, level: str | None) -> None:
    found = level_of(profile, rules())

    assert (found and found.name) == level


@pytest.mark.parametrize(
    ("every", "name", "since", "until"),
    [
        ("month", "2026-12", "2026-11-30T16:00Z", "2026-12-31T16:00Z"),
        ("quarter", "2026-Q4", "2026-09-30T16:00Z", "2026-12-31T16:00Z"),
        ("year", "2026", "2025-12-31T16:00Z", "2026-12-31T16:00Z"),
    ],
)
def test_periods_are_the_companys(programme: Any, every: str, name: str, since: str, until: str) -> None:
    company = programme.runtime.policies.in_force().company

    period = period_of(datetime(2026, 12, 31, 15, 59, tzinfo=UTC), every, company)

    assert (period.name, period.since, period.until) == (
        name, datetime.fromisoformat(since), datetime.fromisoformat(until),
    )  # fmt: skip
    assert period_of(period.until, every, company).since == period.until


@pytest.mark.parametrize(
    ("settled_until", "given", "names"),
    [
        (None, lambda at: True, ["2027-Q1"]),  # the first run looks back no further
        ("2026-12-31T16:00Z", lambda at: True, ["2027-Q1"]),
        ("2026-06-30T16:00Z", lambda at: True, ["2026-Q3", "2026-Q4", "2027-Q1"]),
        ("2027-03-31T16:00Z", lambda at: True, []),
        (None, lambda at: at.year < 2027, []),
        ("2026-06-30T16:00Z", lambda at: at.year < 2027, ["2026-Q3", "2026-Q4"]),  # abolished, and owed all the same
        ("2026-06-30T16:00Z", lambda at: at.year == 2027, ["2027-Q1"]),  # begun with the year
    ],
)
def test_whoever_was_away_for_long_finds_every_period_that_waits(
    programme: Any, settled_until: str | None, given: Callable[[datetime], bool], names: list[str]
) -> None:
    company = programme.runtime.policies.in_force().company
    now = datetime(2027, 7, 14, tzinfo=UTC)  # the second quarter's goods may come back until tomorrow
    since = settled_until and datetime.fromisoformat(settled_until)

    found = periods_due(now, since or None, "quarter", company, lambda at: rules() if given(at) else None)

    assert [period.name for period in found] == names
