"""A complaint's compensation reaches the purse exactly once, whatever the broker does."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from kezhi_contracts import schemas
from loyalty.compensation.use_cases import NotYetAMember


def compensated(customer_id: str | None, points: int, compensation_id: str, event_id: str = "c1", **data: Any) -> Any:
    event = schemas.example("complaint.compensated.v1")
    event["id"] = event_id
    event["data"] |= {"customer_id": customer_id, "points": points, "compensation_id": compensation_id, **data}
    return event


@pytest.fixture
def granted() -> str:
    """The id of one compensation."""
    return str(uuid.uuid4())


@pytest.mark.rule("CG-15")
def test_points_of_a_compensation_arrive_once_and_say_why(programme, api, in_balance, granted, recorded):
    member = programme.enrol("card:1")

    said = programme.tell(
        "compensations",
        compensated(member, 300, granted),
        compensated(member, 300, granted),  # delivered twice
        compensated(member, 300, granted, event_id="c2"),  # told again under another id
    )

    assert said == ["accepted", "duplicate", "accepted"]
    assert programme.purse(member)["available"] == 300
    (entry,) = api.get(f"members/{member}/entries").get_json()["items"]
    number = schemas.example("complaint.compensated.v1")["data"]["number"]
    assert (entry["kind"], entry["reason"]) == ("compensation", f"compensation for complaint {number}")
    (event,) = recorded(programme.runtime, "points.adjusted.v1")
    assert (event.data["points"], event.data["reason_code"]) == (300, "compensation")
    in_balance()


def test_the_points_lapse_as_earned_ones_do(programme, api, granted):
    member = programme.enrol("card:1")
    programme.tell("compensations", compensated(member, 300, granted))

    (expiring,) = api.get(f"members/{member}").get_json()["expiring"]

    assert expiring == {"points": 300, "on": "2027-12-31"}


def test_a_deficit_absorbs_them_first(programme, api, in_balance, granted):
    member = programme.enrol("card:1")
    programme.buys("100.00", "P1")
    programme.clock.advance(days=8)
    programme.run("release-pending")
    hold = api.post("holds", {"customer_id": member, "points": 100}).get_json()["id"]
    api.post(f"holds/{hold}/capture")
    programme.refunds("P1", "100.00")
    assert programme.purse(member)["deficit"] == 100

    programme.tell("compensations", compensated(member, 40, granted))

    purse = programme.purse(member)
    assert (purse["available"], purse["deficit"]) == (-60, 60)
    in_balance()


def test_another_content_under_a_known_compensation_is_dead_lettered(programme, granted):
    member = programme.enrol("card:1")
    programme.tell("compensations", compensated(member, 300, granted))

    (said,) = programme.tell("compensations", compensated(member, 3000, granted, event_id="c2"))

    assert said.startswith("rejected:")
    assert "another member or number of points" in said
    assert programme.purse(member)["available"] == 300


def test_it_waits_for_a_member_who_is_not_enrolled_yet_and_refuses_a_stranger(programme, granted):
    later = str(uuid.uuid4())

    with pytest.raises(NotYetAMember):
        programme.tell("compensations", compensated(later, 300, granted))
    (said,) = programme.tell("compensations", compensated(None, 300, granted, event_id="c2"))
    (nothing,) = programme.tell("compensations", compensated(None, 0, granted, event_id="c3"))

    assert said.startswith("rejected:")
    assert nothing == "accepted"
    programme.enrol("card:1", customer_id=later)
    programme.tell("compensations", compensated(later, 300, granted))
    assert programme.purse(later)["available"] == 300


def test_who_is_under_review_gets_them_when_cleared(programme, in_balance, granted):
    flags = [{"code": "frequent", "since": "2026-11-01T00:00:00Z"}]
    member = programme.enrol("card:1", flags=flags)
    programme.tell("compensations", compensated(member, 300, granted))
    assert (programme.purse(member)["available"], programme.purse(member)["blocked"]) == (0, 300)

    programme.tell("customers", programme.customer_event("updated", member))

    assert (programme.purse(member)["available"], programme.purse(member)["blocked"]) == (300, 0)
    in_balance()
