"""Members hear of a fall before it comes, once; a review says beforehand who would fall."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.timing.due import DuePoller

MONEY = {
    "measure: growth ": "measure: amount ", "at: 1000 growth": "at: 1000 CNY", "at: 5000 growth": "at: 5000 CNY",
    "at: 20000 growth": "at: 20000 CNY",
}  # fmt: skip


@pytest.fixture
def review(programme: Any, api: Any) -> Any:
    """``review(dry_run=True)`` begins a review, lets its job run, and answers the review."""

    def run(**body: Any) -> dict[str, Any]:
        job = api.post("tier-reviews", body)
        assert job.status_code == 202, job.get_json()
        DuePoller(programme.runtime).drain()
        found: dict[str, Any] = api.get(f"tier-reviews/{job.get_json()['id']}").get_json()
        return found

    return run


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize(
    ("rules", "measure", "currency"), [({}, "growth", None), (MONEY, "amount", "CNY")], ids=["growth", "amount"]
)
def test_a_tier_at_risk_is_told_once_with_what_is_missing(
    programme: Any, recorded: Any, measure: str, currency: str | None
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00", "P1")
    programme.clock.advance(days=200)
    programme.buys("300.00", "P2")
    programme.clock.advance(days=134)
    programme.run("warn-of-falls")
    assert recorded(programme.runtime, "tier.at_risk.v1") == [], "31 days ahead is too early"

    programme.clock.advance(days=1, seconds=1)
    programme.run("warn-of-falls")
    programme.clock.advance(days=1)
    programme.run("warn-of-falls")

    (event,) = recorded(programme.runtime, "tier.at_risk.v1")
    told = {name: event.data[name] for name in ("customer_id", "tier", "next_tier", "growth", "missing", "clause")}
    assert told == {
        "customer_id": customer, "tier": "gold", "next_tier": "ordinary", "growth": 300, "missing": 700,
        "clause": "CG-22",
    }  # fmt: skip
    assert (event.data["measure"], event.data["currency"]) == (measure, currency)


@pytest.mark.rule("CG-22")
def test_what_growth_carries_beyond_the_kept_time_is_not_at_risk(programme: Any, api: Any, recorded: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00", "P1")
    programme.clock.advance(days=200)
    programme.buys("1100.00", "P2")

    programme.clock.advance(days=140)
    programme.run("warn-of-falls")
    assert recorded(programme.runtime, "tier.at_risk.v1") == []
    programme.clock.advance(days=25, seconds=1)
    programme.run("review-tiers")
    assert api.get(f"members/{customer}").get_json()["tier"] == "gold"
    programme.clock.advance(days=171)
    programme.run("warn-of-falls")

    (event,) = recorded(programme.runtime, "tier.at_risk.v1")
    assert event.data["missing"] == 1000
    assert event.data["ends_at"].startswith("2028-06-07"), "365 days after the second purchase"


@pytest.mark.rule("CG-22")
@pytest.mark.rule("CG-23")
def test_a_dry_review_says_who_would_fall_and_changes_nothing(programme: Any, api: Any, review: Any) -> None:
    gold, platinum = programme.enrol("card:1"), programme.enrol("card:2")
    programme.enrol("card:3")
    programme.buys("1200.00", by="card:1")
    programme.clock.advance(days=100)
    programme.buys("6000.00", by="card:2")
    programme.buys("10.00", by="card:3")
    in_a_year = programme.clock.now() + timedelta(days=366)

    dry = review(dry_run=True, as_of=in_a_year.isoformat())

    assert {name: dry[name] for name in ("members", "falls", "rises", "at_risk", "keeps", "moves")} == {
        "members": 2, "falls": 2, "rises": 0, "at_risk": 0, "keeps": 0,
        "moves": {"gold → ordinary": 1, "platinum → ordinary": 1},
    }  # fmt: skip
    lines = api.get(f"tier-reviews/{dry['id']}/changes", change="falls").get_json()["items"]
    assert {(line["customer_id"], line["tier"], line["missing"]) for line in lines} == {
        (gold, "ordinary", 1000),
        (platinum, "ordinary", 5000),
    }
    assert [api.get(f"members/{one}").get_json()["tier"] for one in (gold, platinum)] == ["gold", "platinum"]
    assert programme.rows("SELECT count(*) AS rows FROM tier_change WHERE kind = 'fall'")[0]["rows"] == 0


@pytest.mark.rule("CG-23")
def test_a_review_does_what_its_dry_run_said(programme: Any, api: Any, review: Any, recorded: Any) -> None:
    falls, stays = programme.enrol("card:1"), programme.enrol("card:2")
    programme.buys("1200.00", by="card:1")
    programme.buys("1200.00", by="card:2")
    programme.clock.advance(days=300)
    programme.buys("1200.00", by="card:2")
    programme.clock.advance(days=65, seconds=1)

    dry, done = review(dry_run=True), review()

    assert dry["moves"] == done["moves"] == {"gold → ordinary": 1}
    assert (done["status"], done["keeps"], done["clause"]) == ("done", 1, "CG-22")
    assert [api.get(f"members/{one}").get_json()["tier"] for one in (falls, stays)] == ["ordinary", "gold"]
    assert [event.data["cause"] for event in recorded(programme.runtime, "tier.changed.v1")][-1] == "review"
    assert review()["moves"] == {}, "a second one finds nothing to do"


def test_a_review_is_of_now_unless_it_is_dry(programme: Any, api: Any) -> None:
    later = (programme.clock.now() + timedelta(days=1)).isoformat()
    before = (programme.clock.now() - timedelta(days=1)).isoformat()

    for body in ({"as_of": later}, {"as_of": before, "dry_run": True}):
        refused = api.post("tier-reviews", body)
        assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["as_of"])


@pytest.mark.rule("CG-25")
def test_the_migration_matrix_says_who_rose_fell_and_came(programme: Any, api: Any) -> None:
    start = programme.clock.now() + timedelta(hours=1)
    for card in range(4):
        programme.enrol(f"card:{card}")
    programme.buys("1200.00", by="card:0")
    programme.buys("6000.00", by="card:1")
    programme.clock.advance(days=300)
    programme.buys("1000.00", by="card:2")
    programme.enrol("card:late")
    programme.clock.advance(days=65, minutes=1)
    programme.run("review-tiers")

    found = api.get(
        "loyalty-reports/tier-migration",
        **{"from": start.isoformat(), "to": (programme.clock.now() + timedelta(minutes=1)).isoformat()},
    ).get_json()

    assert [(row["from"], row["to"], row["members"]) for row in found["items"]] == [
        (None, "ordinary", 1),
        ("ordinary", "ordinary", 1),
        ("ordinary", "gold", 1),
        ("gold", "ordinary", 1),
        ("platinum", "ordinary", 1),
    ]
    assert (found["rose"], found["fell"], found["kept"], found["new"]) == (1, 2, 1, 1)
    backwards = {"from": programme.clock.now().isoformat(), "to": start.isoformat()}
    assert api.get("loyalty-reports/tier-migration", **backwards).status_code == 422
