"""Calendar and anniversary years, grace, soft landing, rising at period end: the same member under other packs."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.policies.pack import load
from chassis.policies.problems import PolicyRefused
from loyalty.policy import SECTION

CALENDAR = {"window: 365 days": "window: calendar year", "kept_for: 365 days": "kept_for: the next period"}
ANNIVERSARY = {"window: 365 days": "window: anniversary year", "kept_for: 365 days": "kept_for: the next period"}
AT_PERIOD_END = CALENDAR | {"rises: at once": "rises: at period end"}
GRACE = {"grace: none": "grace: 30 days"}
SOFT = {"falls: at period end": "falls: one level at period end"}
NEVER = {"falls: at period end": "falls: never"}
AMOUNT = {"measure: growth": "measure: amount"} | {
    f"at: {at} growth": f"at: {at} CNY" for at in (1000, 5000, 20000)
}  # fmt: skip
COUNT = {"measure: growth": "measure: count"} | {
    f"at: {at} growth": f"at: {times} purchases" for at, times in ((1000, 3), (5000, 6), (20000, 12))
}  # fmt: skip

NEW_YEAR_2027 = datetime(2026, 12, 31, 16, tzinfo=UTC)  # midnight in Shanghai
NEW_YEAR_2028 = datetime(2027, 12, 31, 16, tzinfo=UTC)


def tier(api: Any, customer: str) -> str:
    found: str = api.get(f"members/{customer}").get_json()["tier"]
    return found


def bonus(programme: Any, api: Any, customer: str) -> int:
    """What a purchase of 100 earns beyond its base now."""
    purchase = str(uuid.uuid4())
    programme.buys("100.00", purchase)
    lines = api.get(f"members/{customer}/entries").get_json()["items"]
    return int(next(line["points"] for line in lines if line["key"] == f"purchase:{purchase}")) - 100


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [CALENDAR], ids=["calendar"])
def test_a_tier_of_the_calendar_year_is_kept_to_the_end_of_the_next(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00")

    (rise,) = api.get(f"members/{customer}/tiers").get_json()["items"]
    assert (rise["tier"], rise["kept_until"]) == ("gold", "2027-12-31T16:00:00Z")
    programme.clock.travel_to(NEW_YEAR_2028 - timedelta(hours=1))
    assert bonus(programme, api, customer) == 10
    programme.clock.travel_to(NEW_YEAR_2028 + timedelta(minutes=5))

    assert bonus(programme, api, customer) == 0, "no review has run yet: the tier is a function of time"
    programme.run("review-tiers")
    assert tier(api, customer) == "ordinary"
    assert programme.rows("SELECT kind FROM tier_change ORDER BY id DESC LIMIT 1")[0]["kind"] == "fall"


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [CALENDAR], ids=["calendar"])
def test_whoever_reaches_less_in_the_next_year_lands_on_what_that_year_reached(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("6000.00")
    programme.clock.travel_to(NEW_YEAR_2027 + timedelta(days=100))
    programme.buys("1000.00")
    assert tier(api, customer) == "platinum"

    programme.clock.travel_to(NEW_YEAR_2028 + timedelta(minutes=5))
    assert bonus(programme, api, customer) == 10
    programme.run("review-tiers")

    assert tier(api, customer) == "gold"
    programme.clock.travel_to(NEW_YEAR_2028 + timedelta(days=366, minutes=20))
    programme.run("review-tiers")
    assert tier(api, customer) == "ordinary"


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [CALENDAR | GRACE], ids=["calendar with grace"])
def test_grace_lets_a_tier_stand_a_little_longer(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00")

    programme.clock.travel_to(NEW_YEAR_2028 + timedelta(days=30, seconds=-1))
    programme.run("review-tiers")
    assert tier(api, customer) == "gold"
    programme.clock.advance(seconds=1)
    programme.run("review-tiers")

    assert tier(api, customer) == "ordinary"


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [ANNIVERSARY], ids=["anniversary"])
def test_a_members_own_year_begins_on_the_day_of_enrolment(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")  # 20 November 2026
    programme.clock.travel_to(datetime(2027, 11, 19, 4, tzinfo=UTC))
    programme.buys("600.00")
    programme.clock.advance(days=1)
    programme.buys("600.00")
    assert tier(api, customer) == "ordinary", "600 in each of two years"

    programme.buys("400.00")

    (rise,) = api.get(f"members/{customer}/tiers").get_json()["items"]
    assert (rise["tier"], rise["growth"]) == ("gold", 1000)
    assert rise["kept_until"] == "2029-11-19T16:00:00Z"
    assert api.get(f"members/{customer}/progress").get_json()["window_from"] == "2027-11-19T16:00:00Z"


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [AT_PERIOD_END], ids=["at period end"])
def test_where_tiers_rise_at_period_end_a_year_is_looked_at_when_it_is_over(
    programme: Any, api: Any, recorded: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00")
    assert (tier(api, customer), bonus(programme, api, customer)) == ("ordinary", 0)
    assert api.get(f"members/{customer}/progress").get_json()["growth"] == 1300

    programme.clock.travel_to(NEW_YEAR_2027 + timedelta(minutes=20))
    programme.run("review-tiers")

    assert (tier(api, customer), bonus(programme, api, customer)) == ("gold", 10)
    (event,) = recorded(programme.runtime, "tier.changed.v1")
    assert (event.data["cause"], event.data["kept_until"]) == ("review", "2027-12-31T16:00:00+00:00")
    programme.clock.travel_to(NEW_YEAR_2028 + timedelta(minutes=20))
    programme.run("review-tiers")
    assert tier(api, customer) == "ordinary"


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("rules", [SOFT], ids=["soft landing"])
def test_a_soft_landing_is_one_level_and_a_period_of_its_own(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("6000.00")
    seen = []
    for _ in range(3):
        programme.clock.advance(days=365, seconds=1)
        before = tier(api, customer)  # what a purchase of this moment would be valued by
        programme.run("review-tiers")
        programme.run("review-tiers")
        assert tier(api, customer) == before
        seen.append(tier(api, customer))

    assert seen == ["gold", "ordinary", "ordinary"]
    steps = api.get(f"members/{customer}/tiers").get_json()["items"]
    assert [(step["kind"], step["tier"]) for step in steps] == [
        ("fall", "ordinary"),
        ("fall", "gold"),
        ("rise", "platinum"),
    ]


@pytest.mark.parametrize("rules", [NEVER], ids=["never"])
def test_where_tiers_never_fall_the_bonus_stays_too(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00")
    programme.clock.advance(days=500)
    programme.run("review-tiers")

    assert (tier(api, customer), bonus(programme, api, customer)) == ("gold", 10)


@pytest.mark.parametrize("rules", [AMOUNT], ids=["amount"])
def test_the_measure_may_be_money(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("999.00", "P1")
    assert tier(api, customer) == "ordinary"
    programme.buys("1.00", "P2")
    assert tier(api, customer) == "gold"

    programme.refunds("P2", "1.00")

    assert tier(api, customer) == "ordinary"
    in_balance()


@pytest.mark.parametrize("rules", [COUNT], ids=["count"])
def test_the_measure_may_be_the_number_of_purchases(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("0.50", "P1")
    programme.buys("8000.00", "P2")
    assert tier(api, customer) == "ordinary", "a large purchase is one purchase"
    programme.buys("10.00", "P3")
    assert tier(api, customer) == "gold"
    assert programme.purse(customer)["growth"] == 3

    programme.refunds("P3", "10.00")

    assert (tier(api, customer), programme.purse(customer)["growth"]) == ("ordinary", 2)
    in_balance()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"window: 365 days": "window: calendar year"}, "tiers of a calendar year are kept until a period ends"),
        ({"kept_for: 365 days": "kept_for: the next period"}, "a rolling window has no periods"),
        ({"rises: at once": "rises: at period end"}, "a rolling window never ends"),
        (AT_PERIOD_END | {"kept_for: 365 days": "kept_for: the period"}, "held in the next"),
        ({"measure: growth": "measure: amount"}, "an amount in CNY belongs here"),
        (AMOUNT | {"    growth: 1\n": "    growth: 2\n"}, "counts what was bought, not 2 times of it"),
        ({"bonus: 10%}": "bonus: 10%, rights: [{right: cake, times: 2}]}"}, "`times` and `per` go together"),
        ({"bonus: 10%}": "bonus: 10%, rights: [cake, cake]}"}, "the right `cake` is there twice"),
        ({"bonus: 10%}": "bonus: 10%, rights: [{right: cake, when: bought before}]}"}, "which nobody tells"),
    ],
)
def test_tiers_that_cannot_be_meant_are_refused_with_what_to_write(
    pack_saying: Any, words: dict[str, str], said: str
) -> None:
    with pytest.raises(PolicyRefused) as refused:
        SECTION.read(load(pack_saying(words)))

    problem = refused.value.problems[0]
    assert said in problem.message
    assert problem.mend
    assert problem.line > 0
