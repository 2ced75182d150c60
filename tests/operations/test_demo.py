"""`kezhi demo`: its people and purchases are drawn as the published models say; a whole one is made, and recognised."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from random import Random
from statistics import fmean

import pytest
from tests.quick import of_the_long_run, quick_folder

from chassis.testkit.private_node import free_port
from kezhi.demo.courses import COURSES, deeds, stories
from kezhi.demo.customers import customer, founders
from kezhi.demo.making import PERIODS, opening
from kezhi.demo.model import Frequency, Season, Spending, hypergeometric
from kezhi.demo.plan import Plan
from kezhi.demo.purchases import YEAR, ZONE, Year, told
from kezhi_contracts.validation import validate

LAST = date(2026, 11, 22)
END = datetime(2026, 11, 22, 14, 0, tzinfo=ZONE)
CROWD = 400


@pytest.fixture(scope="module")
def year() -> Year:
    return Year(LAST)


@pytest.fixture(scope="module")
def events(year: Year) -> list[dict]:
    return list(told(range(1, CROWD + 1), year, END - timedelta(days=YEAR), END))


def test_repeats_are_as_many_as_the_paper_expects():
    model, chance = Frequency(), Random(7)

    drawn = fmean(sum(1 for _ in model.repeats(chance, 39)) for _ in range(20_000))

    assert drawn == pytest.approx(model.expected(39), rel=0.06)


def test_the_expectation_is_what_cdnow_had():
    # Their 2,357 customers, watched for 27 to 39 weeks, made 1.04 repeats each.
    paper = Frequency(pace=1.0)

    assert paper.expected(27) < 1.04 < paper.expected(39)
    assert paper.expected(32.7) == pytest.approx(1.04, rel=0.05)
    assert hypergeometric(1, 1, 2, 0.5) == pytest.approx(1.3862943611)  # 2 ln 2


def test_baskets_are_worth_what_the_model_expects():
    model, chance = Spending(), Random(8)

    spent = fmean(model.basket(chance, model.customer(chance)) for _ in range(40_000))

    assert spent == pytest.approx(model.mean, rel=0.06)


def test_the_season_moves_trade_and_keeps_its_sum():
    season = Season(date(2026, 1, 1), date(2026, 12, 31))

    assert season.moment(0) == 0
    assert season.moment(1) == pytest.approx(365)
    assert all(season.share(season.moment(share)) == pytest.approx(share) for share in (0.1, 0.33, 0.5, 0.9))
    singles = (date(2026, 11, 11) - date(2026, 1, 1)).days
    brisk, plain = (season.share(day + 1) - season.share(day) for day in (singles, singles + 14))
    assert brisk > 1.5 * plain


def test_customers_are_functions_of_their_number():
    everybody = [customer(number) for number in range(1, 2_001)]

    assert everybody[41] == customer(42)
    for unique in ("card", "phone"):
        assert len({getattr(one, unique) for one in everybody}) == 2_000
    people = [one for one in everybody if one.kind == "individual"]
    assert len({(one.name, one.birthday) for one in people}) == len(people), "nobody would be refused as registered"
    assert all(len(one.phone) == 11 and one.phone[0] == "1" for one in everybody)
    assert all(one.email == "" or one.email.endswith("@example.com") for one in everybody)
    assert {one.kind for one in everybody} == {"individual", "enterprise", "institution"}


def test_events_are_what_the_contract_asks_for_and_the_same_each_time(year, events):
    assert events == list(told(range(1, CROWD + 1), year, END - timedelta(days=YEAR), END))
    assert not [problems for event in events if (problems := validate(event))]
    assert len({event["id"] for event in events}) == len(events)
    kinds = Counter(event["type"] for event in events)
    assert 0 < kinds["purchase.refunded.v1"] < 0.08 * kinds["purchase.completed.v1"]
    lines = {event["id"]: event["data"]["lines"] for event in events}
    refunds = [event["data"] for event in events if "refund_id" in event["data"]]
    partial = [one for one in refunds if len(one["lines"]) < len(lines.get(one["purchase_id"], one["lines"]))]
    assert 0 < len(partial) < len(refunds)


def test_periods_tell_everything_once(year, events):
    ends = [*(opening(year, round(number * YEAR / PERIODS)) for number in range(PERIODS)), END]

    plan = Plan(CROWD, year, ends, 20261122, lambda done: None)

    assert sorted(number for period in plan.registers for number in period) == list(range(1, CROWD + 1))
    parts = [
        event["id"]
        for period in range(PERIODS)
        for event in told(plan.buys[period], year, ends[period], ends[period + 1])
    ]
    whole = [event["id"] for event in events if datetime.fromisoformat(event["time"]) > ends[0]]
    assert sorted(parts) == sorted(whole)


def test_there_are_sixty_complaints_and_each_ends_before_the_last_day():
    assert len(stories()) == 60
    assert {story["course"] for story in stories()} == set(COURSES)
    for story in stories():
        for deed in deeds(story):
            assert deed.day > 0 or story["course"] == "anonymous", story["subject"]
    assert len({story["subject"] for story in stories()}) == 60
    assert len({story["description"] for story in stories()}) == 60
    stores = {(story["store"], story.get("kind", "individual")) for story in stories() if "store" in story}
    assert all(next(founders(2_000, kind, (store,)), None) for store, kind in stores)


@of_the_long_run
@pytest.mark.timeout(900)
def test_a_whole_demo_is_made_from_nothing_and_recognised_the_second_time():
    with quick_folder() as folder:
        home = folder / "客至 demo"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KEZHI_")}
        command = [sys.executable, "-m", "kezhi", "demo", "--home", str(home), "--exit", "--customers", "200"]

        def run() -> str:
            done = subprocess.run(
                [*command, "--port", str(free_port())],
                env=environment | {"KEZHI_ADMIN_PASSWORD": "客至-demo-of-a-test", "COLUMNS": "200"},
                capture_output=True, text=True, check=False, timeout=800,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        first, second = run(), run()

    table = [line for line in first.splitlines() if line.startswith("│")]
    assert table == [line for line in second.splitlines() if line.startswith("│")]
    said = dict(tuple(cell.strip() for cell in line.strip("│").split("│", 1)) for line in table if line.count("│") == 3)
    assert said["customers"].startswith("201: ")
    assert "not to trade with 1" in said["customers"]
    assert said["complaints"].startswith("60: ")
    states = ("closed", "withdrawn", "received", "acknowledged", "triaged", "investigating", "proposed", "calling_back",
              "unfounded", "waiting_for_customer")  # fmt: skip
    assert not [state for state in states if state not in said["complaints"]]
    assert not [level for level in ("level 1", "level 2", "level 3") if level not in said["by level"]]
    assert "breached" in said["open clocks"]
    assert "running" in said["open clocks"]
    assert "sms" in said["messages"]
    assert said["rewards"].startswith("4 on offer, points spent ")
    assert "1 campaign gave " in said["rewards"]
    assert "gave 0 points" not in said["rewards"]
    assert "1 purchase of an unknown card, 2 dead letters" in said["waiting"]
