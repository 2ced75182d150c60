"""What a member has, how it came about, and who may ask."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


@pytest.mark.rule("CG-22")
def test_a_member_knows_what_expires_when_by_the_companys_calendar(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    last_of_2025 = datetime(2025, 12, 31, 15, 59, tzinfo=UTC)  # a minute before midnight in Shanghai
    programme.tell(
        "purchases",
        programme.purchase("30.00", at=last_of_2025),
        programme.purchase("4.00", at=last_of_2025 + timedelta(minutes=2)),
        programme.purchase("6.00"),
    )

    member = api.get(f"members/{customer}").get_json()

    assert member["points"] == {"available": 34, "pending": 6, "held": 0, "blocked": 0, "deficit": 0}
    assert (member["tier"], member["growth"], member["under_review"]) == ("ordinary", 40, False)
    assert member["expiring"] == [{"points": 30, "on": "2026-12-31"}, {"points": 10, "on": "2027-12-31"}]


def test_members_are_listed_by_tier_page_after_page(programme: Any, api: Any) -> None:
    customers = [programme.enrol(f"card:{card}") for card in range(5)]
    programme.buys("1500.00", by="card:3")

    first = api.get("members", limit=3).get_json()
    second = api.get("members", limit=3, cursor=first["next"]).get_json()

    assert [row["customer_id"] for row in first["items"] + second["items"]] == sorted(customers)
    assert second["next"] is None
    gold = api.get("members", tier="gold").get_json()["items"]
    assert [(row["customer_id"], row["points"]["pending"]) for row in gold] == [(customers[3], 1500)]


def test_entries_tell_the_whole_story_newest_first_and_sum_to_the_balance(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("100.00", "P1")
    programme.clock.advance(days=8)
    programme.run("release-pending")
    programme.clock.advance(minutes=1)
    hold = api.post("holds", {"customer_id": customer, "points": 40, "reference": "sale 7"}).get_json()["id"]
    programme.clock.advance(minutes=1)
    api.post(f"holds/{hold}/capture", {"points": 30})
    programme.clock.advance(minutes=1)
    programme.refunds("P1", "100.00")

    lines = api.get(f"members/{customer}/entries").get_json()["items"]

    assert [(line["kind"], line["points"]) for line in lines] == [
        ("refund", -100),
        ("hold_release", 0),
        ("capture", -30),
        ("hold", 0),
        ("release", 0),
        ("purchase", 100),
    ]
    assert sum(line["points"] for line in lines) == -30
    assert lines[2]["why"]["inputs"] == {"hold": hold}
    assert lines[3]["reference"] == "sale 7"
    assert all(line["why"]["clause"] and line["why"]["policyversion"] for line in lines)
    assert all(sum(leg["amount"] for leg in line["legs"] if leg["currency"] == "points") == 0 for line in lines)


@pytest.mark.rule("CG-22")
def test_a_tier_history_names_the_purchase_that_reached_it(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1500.00", "P1")

    (rise,) = api.get(f"members/{customer}/tiers").get_json()["items"]
    (line,) = api.get(f"members/{customer}/entries").get_json()["items"]

    assert (rise["kind"], rise["tier"], rise["previous"], rise["growth"]) == ("rise", "gold", "ordinary", 1500)
    assert rise["transaction_id"] == line["id"]
    tiers = api.get("tiers").get_json()["items"]
    assert [(tier["tier"], tier["at"]) for tier in tiers] == [
        ("ordinary", 0),
        ("gold", 1000),
        ("platinum", 5000),
        ("diamond", 20000),
    ]


@pytest.mark.rule("CG-22")
def test_a_member_knows_what_is_missing_to_the_next_tier(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("400.00", "P0", at=programme.clock.now() - timedelta(days=400))
    programme.buys("1500.00", "P1")

    programme.clock.advance(minutes=1)
    way = api.get(f"members/{customer}/progress").get_json()

    assert (way["tier"], way["growth"]) == ("gold", 1500), "what left the window counts no more"
    assert way["next"] == {"tier": "platinum", "at": 5000, "missing": 3500}
    programme.buys("30000.00", "P2")
    programme.clock.advance(minutes=1)
    assert api.get(f"members/{customer}/progress").get_json()["next"] is None


@pytest.mark.parametrize("path", ["", "/entries", "/lots", "/tiers", "/progress", "/benefits"])
def test_a_customer_who_takes_no_part_is_not_found(api: Any, path: str) -> None:
    assert api.get(f"members/{uuid.uuid4()}{path}").status_code == 404


def test_who_may_read_may_not_spend(programme: Any, client: Any) -> None:
    customer = programme.enrol("card:1")
    auditor = client(programme.runtime, roles=["auditor"])
    headers = {"Idempotency-Key": "k"}

    assert auditor.get(f"/api/v1/members/{customer}").status_code == 200
    body = {"customer_id": customer, "points": 1}
    assert auditor.post("/api/v1/holds", json=body, headers=headers).status_code == 403
    front_desk = client(programme.runtime, roles=["front_desk"])
    assert front_desk.get("/api/v1/loyalty-reports/liability").status_code == 403
    assert client(programme.runtime, roles=None).get(f"/api/v1/members/{customer}").status_code == 401
