"""Purchases that look wrong earn into lots under review, until somebody has looked (ML-05)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chassis.testkit.people import Company
from loyalty.fraud.use_cases import release_points, void_points

A_DAY = {"purchases_a_day: none": "purchases_a_day: 3"}
POINTS = {"points_a_day: none": "points_a_day: 500 points"}
AMOUNT = {"amount_above: none": "amount_above: 2000 CNY"}
OUTLIER = {"outlier: none": "outlier: {times: 20, after: 3 purchases}"}
FLAG = {"code": "frequent", "since": "2026-11-01T00:00:00Z", "reason": "26 of 30 days", "clause": "ML-05"}
BLACKLISTED = {"may_trade": False, "reasons": [{"code": "blacklisted", "scope": "company"}]}


def queue(api: Any, **query: Any) -> list[tuple[str, str, int]]:
    """What is in the queue: purchase, cause, points."""
    items = api.get("fraud-reviews", status="open", **query).get_json()["items"]
    return [(item["purchase_id"], item["cause"], item["points"]) for item in items]


def only_review(api: Any) -> str:
    """The id of the one review there is."""
    (item,) = api.get("fraud-reviews").get_json()["items"]
    return str(item["id"])


@pytest.mark.rule("ML-05")
@pytest.mark.parametrize("rules", [A_DAY])
def test_the_fourth_purchase_of_a_day_waits_and_the_next_day_begins_anew(
    programme: Any, api: Any, in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.tell("purchases", *(programme.purchase("10.00", f"P{n}") for n in range(2)))

    programme.tell("purchases", *(programme.purchase("10.00", f"P{n}") for n in range(2, 5)))
    programme.clock.advance(days=1)
    programme.buys("10.00", "P5")

    assert queue(api) == [("P3", "purchases_a_day", 10), ("P4", "purchases_a_day", 10)]
    purse = programme.purse(customer)
    assert (purse["blocked"], purse["pending"], purse["growth"]) == (20, 40, 60)
    in_balance()


@pytest.mark.rule("ML-05")
@pytest.mark.parametrize("rules", [POINTS])
def test_points_beyond_the_days_limit_wait(programme: Any, api: Any) -> None:
    programme.enrol("card:1")

    for number, total in enumerate(("400.00", "100.00", "1.00")):
        programme.buys(total, f"P{number}")

    assert queue(api) == [("P2", "points_a_day", 1)]
    (item,) = api.get("fraud-reviews").get_json()["items"]
    assert (item["detail"], item["clause"]) == ("501 points on one day, at most 500", "ML-05")


@pytest.mark.rule("ML-05")
@pytest.mark.parametrize("rules", [AMOUNT])
def test_an_amount_above_the_limit_waits(programme: Any, api: Any) -> None:
    programme.enrol("card:1")

    programme.tell("purchases", programme.purchase("2000.00", "P1"), programme.purchase("2000.01", "P2"))

    assert queue(api) == [("P2", "amount_above", 2200)]


@pytest.mark.rule("ML-05")
@pytest.mark.parametrize("rules", [OUTLIER])
def test_what_is_far_from_the_members_own_usual_waits(programme: Any, api: Any) -> None:
    programme.enrol("card:1")
    programme.enrol("card:2")
    programme.buys("900.00", "first")  # nothing is usual yet

    for number, total in enumerate(("10.00", "12.00", "11.00", "300.00")):
        programme.buys(total, f"P{number}")
    programme.buys("300.00", "other", by="card:2")

    assert queue(api) == [("P3", "outlier", 300)]


def test_without_limits_nothing_waits(programme: Any, api: Any) -> None:
    programme.enrol("card:1")
    programme.tell("purchases", *(programme.purchase("9000.00") for _ in range(5)))

    assert queue(api) == []


@pytest.mark.rule("ML-05")
@pytest.mark.rule("AD-06", partly="standing follows the registry; who is blacklisted is its decision")
def test_a_flagged_member_earns_under_review_until_cleared(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    identities = [{"scheme": "card", "value": "1"}]
    flagged = programme.customer_event("flagged", customer, flags=[FLAG], identities=identities)
    programme.tell("customers", {**flagged, "data": {**flagged["data"], "flagged": True, "finding": FLAG}})
    programme.buys("30.00", "P1", at=programme.clock.now() - timedelta(days=10))
    assert queue(api, customer_id=customer) == [("P1", "member", 30)]

    programme.tell("customers", programme.customer_event("updated", customer, identities=identities))

    (item,) = api.get("fraud-reviews").get_json()["items"]
    assert (item["status"], item["reason"], item["decided_by"]) == ("released", "the member was cleared", None)
    assert programme.purse(customer)["available"] == 30
    in_balance()


@pytest.mark.parametrize("rules", [AMOUNT])
def test_clearing_the_member_does_not_clear_what_a_limit_keeps_back(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1", flags=[FLAG])
    programme.tell("purchases", programme.purchase("100.00", "P1"), programme.purchase("3000.00", "P2"))

    cleared = programme.customer_event("updated", customer, identities=[{"scheme": "card", "value": "1"}])
    programme.tell("customers", cleared)

    assert queue(api) == [("P2", "amount_above", 3000)]
    assert (programme.purse(customer)["pending"], programme.purse(customer)["blocked"]) == (100, 3000)
    in_balance()


@pytest.mark.parametrize("rules", [AMOUNT])
def test_released_points_are_the_members_own(programme: Any, api: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("3000.00", "P1", at=programme.clock.now() - timedelta(days=10))

    released = api.post(f"fraud-reviews/{only_review(api)}/release", {"reason": "a wedding"}).get_json()

    assert (released["status"], released["decided_by"], released["reason"]) == ("released", "admin", "a wedding")
    assert programme.purse(customer)["available"] == 3000
    entries = api.get(f"members/{customer}/entries").get_json()["items"]
    assert [entry["reason"] for entry in entries if entry["kind"] == "unblock"] == ["a wedding"]
    in_balance()


@pytest.mark.rule("ML-05")
@pytest.mark.parametrize("rules", [AMOUNT])
def test_a_void_takes_points_growth_and_the_rise_built_on_them_and_no_refund_takes_them_again(
    programme: Any, api: Any, in_balance: Any, recorded: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("40.00", "P0", at=programme.clock.now() - timedelta(days=10))
    programme.buys("3000.00", "P1")
    programme.refunds("P1", "1000.00")
    assert api.get(f"members/{customer}").get_json()["tier"] == "gold"

    assert api.post(f"fraud-reviews/{only_review(api)}/void", {"reason": "made up"}).status_code == 200

    after = {"pending": 0, "available": 40, "held": 0, "blocked": 0, "deficit": 0, "growth": 40}
    assert programme.purse(customer) == after
    assert api.get(f"members/{customer}").get_json()["tier"] == "ordinary"
    (event,) = [event for event in recorded(programme.runtime, "points.reversed.v1") if event.data["kind"] == "voided"]
    assert (event.data["points"], event.data["growth"], event.data["purchase_id"]) == (-2000, -2000, "P1")
    assert programme.refunds("P1", "2000.00") == ["accepted"]
    assert programme.purse(customer) == after
    in_balance()


@pytest.mark.parametrize("rules", [AMOUNT])
def test_a_refund_takes_back_what_waits_and_the_review_then_finds_the_rest(
    programme: Any, api: Any, in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("3000.00", "P1")

    programme.refunds("P1", "2999.00")
    assert programme.purse(customer)["blocked"] == 1
    api.post(f"fraud-reviews/{only_review(api)}/release", {"reason": "fine"})

    assert programme.purse(customer)["pending"] == 1
    in_balance()


@pytest.mark.rule("AD-06", partly="standing follows the registry; who is blacklisted is its decision")
def test_a_blacklisted_members_points_stay_blocked_whoever_looks(programme: Any, api: Any) -> None:
    programme.enrol("card:1", standing=BLACKLISTED)
    programme.buys("30.00", "P1")

    refused = api.post(f"fraud-reviews/{only_review(api)}/release", {"reason": "looks fine"})

    assert refused.status_code == 409
    assert "reinstated" in refused.get_json()["detail"]


class Desk:
    """Two managers and the review of the one purchase there is."""

    def __init__(self, programme: Any, api: Any, client: Callable[..., Any]) -> None:
        company = Company(programme.runtime)
        for username in ("li", "wang"):
            company.employ(username, ["store_manager"])
        self._signed_in = lambda who: client(programme.runtime, roles=["store_manager"], username=who)
        self.review = f"/api/v1/fraud-reviews/{only_review(api)}"

    def says(self, who: str, path: str, body: Any = None) -> Any:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return self._signed_in(who).post(path, json=body or {"reason": "made up"}, headers=key)

    def approves(self, who: str, approval_id: str) -> Any:
        return self.says(who, f"/api/v1/services/loyalty/approvals/{approval_id}/approve", {"note": "seen the till"})


@pytest.mark.rule("ML-05")
@pytest.mark.parametrize("rules", [{**AMOUNT, "second_person_above: 10000 points": "second_person_above: 3000 points"}])
def test_a_void_above_the_limit_takes_a_second_person(
    programme: Any, api: Any, client: Callable[..., Any], in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("3001.00", "P1")
    desk = Desk(programme, api, client)

    asked = desk.says("li", f"{desk.review}/void")

    assert (asked.status_code, asked.json["status"]) == (202, "open")
    assert programme.purse(customer)["blocked"] == 3001
    again = desk.says("wang", f"{desk.review}/void")
    assert (again.status_code, again.json["approval_id"]) == (409, asked.json["approval_id"])
    assert desk.approves("li", asked.json["approval_id"]).status_code == 403, "nobody agrees with themselves"

    assert desk.approves("wang", asked.json["approval_id"]).status_code == 200

    purse = programme.purse(customer)
    assert (purse["blocked"], purse["growth"]) == (0, 0)
    (item,) = api.get("fraud-reviews").get_json()["items"]
    assert (item["status"], item["decided_by"], item["reason"]) == ("voided", "li", "made up")
    entry = api.get(f"members/{customer}/entries").get_json()["items"][0]
    assert (entry["kind"], entry["why"]["inputs"]["by"], entry["why"]["inputs"]["approved_by"]) == (
        "void",
        "li",
        "wang",
    )
    in_balance()


@pytest.mark.parametrize("rules", [{**AMOUNT, "second_person_above: 10000 points": "second_person_above: 3000 points"}])
def test_what_was_released_meanwhile_is_not_voided_and_a_rejected_void_may_be_asked_again(
    programme: Any, api: Any, client: Callable[..., Any], in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("3001.00", "P1")
    desk = Desk(programme, api, client)
    first = desk.says("li", f"{desk.review}/void").json["approval_id"]
    approvals = "/api/v1/services/loyalty/approvals"
    assert desk.says("wang", f"{approvals}/{first}/reject", {"note": "a wedding"}).status_code == 200
    second = desk.says("li", f"{desk.review}/void").json["approval_id"]
    assert second != first
    assert desk.says("wang", f"{desk.review}/release", {"reason": "a wedding"}).status_code == 200

    refused = desk.approves("wang", second)

    assert (refused.status_code, refused.json["status_of_review"]) == (409, "released")
    assert programme.purse(customer)["pending"] == 3001
    in_balance()


@pytest.mark.parametrize("rules", [AMOUNT])
def test_of_twenty_decisions_at_once_exactly_one_stands(
    programme: Any, api: Any, in_balance: Any, twenty_at_once: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("3000.00", "P1")
    review = uuid.UUID(only_review(api))

    def decide(number: int) -> None:
        with programme.runtime.context() as context:
            (release_points if number % 2 else void_points)(context, review, "looked", f"staff{number}")

    assert twenty_at_once(decide) == ["refused"] * 19 + ["won"]
    assert programme.purse(customer)["pending"] in (0, 3000)
    in_balance()


def test_staff_decide_about_the_members_of_their_own_units(
    programme: Any, api: Any, client: Callable[..., Any]
) -> None:
    company = Company(programme.runtime)
    paths = {code: company.unit(code) + "/" for code in ("SH001", "SH002")}
    programme.enrol("card:1", unit="SH001", flags=[FLAG])
    programme.buys("30.00", "P1")
    review = f"/api/v1/fraud-reviews/{only_review(api)}"

    def of(unit: str) -> Any:
        return client(programme.runtime, roles=["store_manager"], unit_path=paths[unit], username=unit)

    assert [len(of(unit).get("/api/v1/fraud-reviews").json["items"]) for unit in paths] == [1, 0]
    decided = [
        of(unit).post(f"{review}/release", json={"reason": "ours"}, headers={"Idempotency-Key": unit}).status_code
        for unit in ("SH002", "SH001")
    ]
    assert decided == [404, 200]
