"""One time line per customer, fed by this service's facts and by what loyalty says (CG-02)."""

from __future__ import annotations

import pytest

from chassis.messaging.testing import deliver
from chassis.testkit.people import Company
from kezhi_contracts import schemas


@pytest.mark.rule("CG-02")
def test_points_and_tiers_of_the_loyalty_service_are_filed_with_the_customer(admin, registered, runtime):
    customer = registered()
    events = []
    for kind in ("points.earned.v1", "tier.changed.v1", "member.enrolled.v1"):
        event = schemas.example(kind)
        event["id"] = kind
        event["data"]["customer_id"] = customer["id"]
        events.append(event)

    assert deliver(runtime, "archive", [*events, events[0]]) == ["accepted", "accepted", "accepted", "duplicate"]

    entries = admin.get(f"/api/v1/customers/{customer['id']}/archive").json["items"]
    assert sorted(entry["kind"] for entry in entries) == ["membership", "points", "profile", "tier"]
    [points] = admin.get(f"/api/v1/customers/{customer['id']}/archive?kind=points").json["items"]
    assert (points["fact"], points["source"], points["data"]["points"]) == ("points.earned", "/kezhi/loyalty", 281)


def test_pages_continue_where_the_last_one_ended(admin, registered, told, sale):
    customer = registered(card="8801")
    told(*(sale("8801", f"{n}.00", days_ago=n) for n in range(1, 8)))
    url, seen, cursor = f"/api/v1/customers/{customer['id']}/archive?kind=purchase&limit=3", [], ""
    while cursor is not None:
        page = admin.get(url + (f"&cursor={cursor}" if cursor else "")).json
        seen += [entry["data"]["total"] for entry in page["items"]]
        cursor = page["next"]

    assert [float(total) for total in seen] == [1, 2, 3, 4, 5, 6, 7]


def complaint_event(fact: str, customer_id: str, hidden_from: list[dict[str, object]], **data: object) -> dict:
    event = schemas.example(f"complaint.{fact}.v1")
    event["id"] = fact
    event["data"] |= {"customer_id": customer_id, "hidden_from": hidden_from, **data}
    return event


@pytest.mark.rule("CG-02")
def test_a_complaint_and_its_messages_are_filed_without_the_ways_to_reach_the_complainant(admin, registered, runtime):
    customer = registered()
    said = complaint_event("received", customer["id"], [], complainant={"name": "张三", "phone": "+8613800008801"})
    stranger = complaint_event("resolved", customer["id"], []) | {"id": "of a stranger"}
    stranger["data"] = stranger["data"] | {"customer_id": None}
    sent = schemas.example("notification.delivered.v1")
    sent["data"] |= {"customer_id": customer["id"], "hidden_from": []}
    to_staff = schemas.example("notification.delivered.v1") | {"id": "to staff"}
    to_staff["data"] = sent["data"] | {"recipient_kind": "staff", "staff": "li"}

    assert set(deliver(runtime, "archive", [said, stranger, sent, to_staff])) == {"accepted"}

    entries = admin.get(f"/api/v1/customers/{customer['id']}/archive").json["items"]
    assert {entry["fact"] for entry in entries} == {
        "customer.registered", "complaint.received", "notification.delivered",
    }  # fmt: skip
    (received,) = admin.get(f"/api/v1/customers/{customer['id']}/archive?kind=complaint").json["items"]
    assert received["data"]["number"] == said["data"]["number"]
    assert "complainant" not in received["data"]
    assert "hidden_from" not in received["data"]


@pytest.mark.rule("TR-11")
def test_whoever_a_complaint_is_against_does_not_find_it_in_the_archive(admin, registered, runtime, client):
    customer, people = registered(), Company(runtime)
    people.employ("zhou", ["store_manager"])
    people.employ("li", ["handler"], superior="zhou")
    people.employ("qian", ["handler"])
    before_it_was_known = complaint_event("received", customer["id"], [])
    accused = [{"staff": "zhou", "with_subordinates": True}]
    afterwards = complaint_event("resolved", customer["id"], accused)
    message = schemas.example("notification.delivered.v1")
    message["data"] |= {"customer_id": customer["id"], "hidden_from": accused}

    deliver(runtime, "archive", [before_it_was_known, afterwards, message])

    def found_by(username: str) -> list[str]:
        """What this person sees of it; everything else of the customer they see."""
        seen = client(runtime, ["handler"], username=username).get(f"/api/v1/customers/{customer['id']}/archive")
        facts = sorted(entry["fact"] for entry in seen.json["items"])
        facts.remove("customer.registered")
        return facts

    assert found_by("qian") == ["complaint.received", "complaint.resolved", "notification.delivered"]
    assert found_by("zhou") == []
    assert found_by("li") == []
