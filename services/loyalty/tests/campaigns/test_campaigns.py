"""A campaign gives what it promises, to whom it promises it, and says so in the breakdown (BK-04, BK-05)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

PACK = Path(__file__).parents[4] / "policies" / "consumer-goods" / "loyalty.yaml"
SECTION = next(part for part in PACK.read_text().split("\n\n") if part.startswith("campaigns:"))
WINE = {"sku": "red", "category": "wine", "quantity": "1", "amount": "60.00"}
WATER = {"sku": "still", "category": "water", "quantity": "2", "amount": "40.00"}


@pytest.mark.rule("BK-05")
def test_a_second_person_starts_it_and_it_gives_its_multiple_of_the_base(
    programme: Any, marketing: Any, why: Any, in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    campaign = marketing.run("double", multiplier="2.5")

    programme.buys("37.00", "P1")

    assert why(customer) == {"base": 37, "campaign double": 55}
    assert programme.purse(customer)["pending"] == 92
    assert programme.purse(customer)["growth"] == 37, "a campaign adds points, no growth value"
    assert (marketing.show(campaign)["status"], marketing.show(campaign)["started_by"]) == ("running", "director")
    in_balance()


def test_nobody_starts_ones_own_campaign_and_a_draft_gives_nothing(programme: Any, marketing: Any) -> None:
    customer = programme.enrol("card:1")
    campaign = marketing.draft().get_json()["id"]

    assert marketing.start(campaign, by=marketing.drafter).status_code == 403
    programme.buys("10.00")

    assert programme.purse(customer)["pending"] == 10
    assert marketing.show(campaign)["status"] == "draft"


def test_what_was_agreed_to_is_what_was_read(programme: Any, marketing: Any) -> None:
    drafted = marketing.draft(multiplier="2")
    campaign, path = drafted.get_json()["id"], f"/api/v1/campaigns/{drafted.get_json()['id']}"
    proposed = marketing.drafter.post(f"{path}/start", json={}).get_json()

    etag = {"If-Match": drafted.headers["ETag"]}
    assert marketing.drafter.patch(path, json={"multiplier": "3"}, headers=etag).status_code == 200
    agreed = marketing.director.post(f"/api/v1/services/loyalty/approvals/{proposed['id']}/approve", json={})

    assert agreed.status_code == 409
    assert marketing.start(campaign).status_code == 200
    etag = {"If-Match": marketing.drafter.get(path).headers["ETag"]}
    refused = marketing.drafter.patch(path, json={"multiplier": "2"}, headers=etag)
    assert refused.status_code == 409, "what is promised stays promised"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"multiplier": "3.5"}, "multiplier"),
        ({"multiplier": "1"}, "multiplier"),
        ({"multiplier": "2", "bonus": 5}, "multiplier"),
        ({"bonus": 1001}, "bonus"),
        ({"control_group": "0.6"}, "control_group"),
        ({"until": "2026-01-01T00:00:00Z"}, "until"),
        ({"conditions": {"segment": {"tiers": ["emerald"]}}}, "conditions.segment.tiers"),
    ],
)
def test_what_goes_beyond_the_packs_bounds_is_refused(marketing: Any, facts: Any, field: str) -> None:
    refused = marketing.draft(**facts)

    assert refused.status_code == 422
    assert field in refused.get_json()["errors"]


@pytest.mark.parametrize("rules", [{SECTION: ""}])
def test_a_pack_without_the_section_has_no_campaigns(programme: Any, marketing: Any) -> None:
    customer = programme.enrol("card:1")

    refused = marketing.draft()
    programme.buys("10.00")

    assert refused.status_code == 409
    assert "add the section `campaigns`" in refused.get_json()["detail"]
    assert programme.purse(customer)["pending"] == 10


def test_a_code_is_taken_once(marketing: Any) -> None:
    assert [marketing.draft("tea").status_code for _ in range(2)] == [201, 409]


def test_a_list_tells_by_state_and_what_begins_later_is_scheduled(programme: Any, marketing: Any) -> None:
    customer, now = programme.enrol("card:1"), programme.clock.now()
    marketing.draft("draft")
    later = marketing.run("later", **{"from": (now + timedelta(days=2)).isoformat()})
    marketing.stop(marketing.run("stopped"))
    marketing.run("running")

    def listed(state: str) -> list[str]:
        items = marketing.drafter.get(f"/api/v1/campaigns?status={state}").get_json()["items"]
        return [item["code"] for item in items]

    states = ("draft", "scheduled", "running", "ended", "stopped")
    assert [listed(state) for state in states] == [["draft"], ["later"], ["running"], [], ["stopped"]]
    programme.buys("10.00")
    assert programme.purse(customer)["pending"] == 20, "one of them runs"
    assert marketing.stop(later).get_json()["runs_until"] == marketing.show(later)["runs_from"], "it never ran"
    programme.clock.advance(days=8)
    assert listed("ended") == ["running"]


def test_a_bonus_is_given_only_so_often_to_one_member(programme: Any, marketing: Any, in_balance: Any) -> None:
    customer, other = programme.enrol("card:1"), programme.enrol("card:2")
    marketing.run("welcome", bonus=100, times=2)

    for _ in range(2):
        programme.tell("purchases", programme.purchase("1.00"), programme.purchase("1.00"))
    programme.buys("1.00", by="card:2")

    assert programme.purse(customer)["pending"] == 204
    assert programme.purse(other)["pending"] == 101
    in_balance()


def test_it_counts_when_it_was_bought_not_when_it_was_told(programme: Any, marketing: Any) -> None:
    customer = programme.enrol("card:1")
    before = programme.clock.now() - timedelta(minutes=1)
    campaign = marketing.run()
    programme.clock.advance(hours=2)
    during = programme.clock.now() - timedelta(hours=1)
    marketing.stop(campaign)

    programme.tell("purchases", programme.purchase("10.00", at=before))  # nobody had agreed to it yet
    assert programme.purse(customer)["pending"] == 10
    programme.tell("purchases", programme.purchase("10.00", at=during))  # it ran then
    assert programme.purse(customer)["pending"] == 30
    programme.buys("10.00")
    assert programme.purse(customer)["pending"] == 40
    assert marketing.show(campaign)["status"] == "stopped"
    assert marketing.stop(campaign).status_code == 409


def test_a_segment_asks_for_tier_grade_class_and_tag_as_the_registry_last_said(programme: Any, marketing: Any) -> None:
    likes = {"classes": {"frequency": {"value": "high"}}, "grade": "a", "tags": ["tea"]}
    fits = programme.enrol("card:1", **likes)
    others = [
        programme.enrol("card:2", **{**likes, "grade": "b"}),
        programme.enrol("card:3", **{**likes, "tags": []}),
        programme.enrol("card:4", **{**likes, "classes": {"frequency": {"value": "low"}}}),
    ]
    segment = {"tiers": ["ordinary"], "grades": ["a"], "tags": ["tea", "wine"], "classes": {"frequency": ["high"]}}
    campaign = marketing.run("tea", conditions={"segment": segment})
    proposal = marketing.draft("tea_again", conditions={"segment": segment}).get_json()["id"]
    asked = marketing.drafter.post(f"/api/v1/campaigns/{proposal}/start", json={}).get_json()

    for number in range(1, 5):
        programme.buys("10.00", by=f"card:{number}")

    assert programme.purse(fits)["pending"] == 20
    assert [programme.purse(other)["pending"] for other in others] == [10, 10, 10]
    assert asked["content"]["members"] == 1, "the second person sees how many it is for"
    graded = programme.customer_event("graded", others[0], identities=[{"scheme": "card", "value": "2"}], **likes)
    programme.tell("customers", {**graded, "data": {**graded["data"], "previous": "b"}})
    programme.buys("10.00", by="card:2")
    assert programme.purse(others[0])["pending"] == 30
    assert marketing.show(campaign)["conditions"]["segment"] == segment


def test_goods_earn_more_line_by_line_and_a_refund_of_the_others_leaves_the_gift(
    programme: Any, marketing: Any, why: Any, in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    marketing.run("wine_week", multiplier="3", conditions={"categories": ["wine"]})

    programme.buys("100.00", "P1", lines=[WINE, WATER])
    assert why(customer) == {"base": 100, "campaign wine_week": 120}

    programme.refunds("P1", "40.00", lines=[{name: WATER[name] for name in ("sku", "quantity", "amount")}])
    assert programme.purse(customer)["pending"] == 180, "wine keeps its 60 and the 120 on top"
    programme.refunds("P1", "60.00", lines=[{name: WINE[name] for name in ("sku", "quantity", "amount")}])
    assert programme.purse(customer)["pending"] == 0
    in_balance()


@pytest.mark.parametrize(
    ("conditions", "facts"),
    [
        ({"stores": ["SH001"]}, {"store": "SH002"}),
        ({"channels": ["app"]}, {}),
        ({"least_total": "50.01"}, {}),
        ({"products": ["green"]}, {"lines": [{**WATER, "amount": "50.00"}]}),
        ({"birthday_month": True}, {}),
        ({"happy_hour": {"from": "18:00", "until": "20:00"}}, {}),
        ({"happy_hour": {"from": "09:00", "until": "12:00", "weekdays": ["monday"]}}, {}),
    ],
)
def test_what_it_is_not_about_earns_its_base_alone(
    programme: Any, marketing: Any, why: Any, conditions: Any, facts: Any
) -> None:
    customer = programme.enrol("card:1", birthday="1990-05-05")
    marketing.run("narrow", conditions=conditions)

    programme.buys("50.00", **facts)

    assert why(customer) == {"base": 50}


@pytest.mark.parametrize(
    "conditions",
    [
        {"stores": ["SH001", "SH002"], "channels": ["store"]},
        {"least_total": "50.00"},
        {"products": ["still"]},
        {"birthday_month": True},
        {"happy_hour": {"from": "09:00", "until": "12:00", "weekdays": ["friday"]}},
    ],
)
@pytest.mark.rule("CG-24")
def test_what_it_is_about_earns_twice(programme: Any, marketing: Any, conditions: Any) -> None:
    customer = programme.enrol("card:1", birthday="1990-11-30")
    programme.buys("1.00", "birthday")  # the pack's own birthday rule gives its extra to this one
    marketing.run("narrow", conditions=conditions)

    programme.buys("50.00", lines=[{**WATER, "amount": "50.00"}])

    assert programme.purse(customer)["pending"] == 2 + 100


@pytest.mark.rule("CG-24")
def test_happy_hour_is_company_time_and_may_pass_midnight(programme: Any, marketing: Any) -> None:
    customer = programme.enrol("card:1", birthday="1990-12-05")
    hour = {"from": "22:00", "until": "02:00", "weekdays": ["friday"]}
    marketing.run("night", conditions={"happy_hour": hour})
    friday = datetime(2026, 11, 20, tzinfo=UTC)  # midnight in Shanghai is 16:00 of the day before in UTC
    told = [(13, 59), (14, 0), (17, 59), (18, 0)]

    programme.clock.travel_to(friday + timedelta(days=1))
    programme.tell("purchases", *(programme.purchase("1.00", at=friday.replace(hour=h, minute=m)) for h, m in told))

    assert programme.purse(customer)["pending"] == 1 + 2 + 2 + 1


def test_campaigns_add_up_each_on_the_base_and_each_in_a_lot_of_its_own(
    programme: Any, marketing: Any, api: Any, why: Any, in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    marketing.run("double", multiplier="2")
    marketing.run("thanks", bonus=7)

    programme.buys("10.00", "P1")

    assert why(customer) == {"base": 10, "campaign double": 10, "campaign thanks": 7}
    lots = api.get(f"members/{customer}/lots").get_json()["items"]
    assert {lot["campaign"]: lot["points"] for lot in lots} == {None: 10, "double": 10, "thanks": 7}
    owed = api.get("loyalty-reports/liability").get_json()["by_campaign"]
    assert {row["campaign"]: row["points"] for row in owed} == {"base": 10, "double": 10, "thanks": 7}

    programme.refunds("P1", "5.00")
    lots = api.get(f"members/{customer}/lots").get_json()["items"]
    assert {lot["campaign"]: lot["remaining"] for lot in lots} == {None: 4, "double": 6, "thanks": 4}, (
        "13 of 27, each its share"
    )
    in_balance()


def test_a_quote_promises_what_the_purchase_then_earns(programme: Any, marketing: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    campaign = marketing.run("double", budget=15)

    quoted = api.post("quotes", {"customer_id": customer, "total": "20.00"}).get_json()
    assert marketing.show(campaign)["granted"] == 0
    programme.buys("20.00")

    assert quoted["points"] == programme.purse(customer)["pending"] == 35
    assert quoted["breakdown"][1]["detail"] == "base 20 x 2, of 20 as far as its budget goes"
    assert quoted["breakdown"][1]["clause"] == "BK-04"


@pytest.mark.parametrize("rules", [{"caps: {purchase: none,": "caps: {purchase: 130 points,"}])
def test_a_cap_of_the_pack_falls_on_the_gift_first(programme: Any, marketing: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    campaign = marketing.run("double", budget=1000)

    programme.buys("100.00")

    assert programme.purse(customer)["pending"] == 130
    lots = api.get(f"members/{customer}/lots").get_json()["items"]
    assert {lot["campaign"]: lot["points"] for lot in lots} == {None: 100, "double": 30}
    assert marketing.show(campaign)["granted"] == 30, "the budget pays what was given"
    in_balance()


def test_gifts_wait_with_a_purchase_under_review_and_are_void_with_it(
    programme: Any, api: Any, marketing: Any, in_balance: Any
) -> None:
    flag = {"code": "frequent", "since": "2026-11-01T00:00:00Z"}
    customer = programme.enrol("card:1", flags=[flag])
    marketing.run("double")
    programme.buys("30.00", "P1")
    assert programme.purse(customer)["blocked"] == 60
    (review,) = api.get("fraud-reviews").get_json()["items"]

    api.post(f"fraud-reviews/{review['id']}/void", {"reason": "made up"})

    assert programme.purse(customer)["blocked"] == 0
    in_balance()
