"""An adopted suggestion and an answered survey earn their points once, by the pack of the day they were done."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from kezhi_contracts import schemas
from loyalty.compensation.use_cases import NotYetAMember

SUGGESTION, SURVEY = str(uuid.UUID(int=11)), str(uuid.UUID(int=12))


def adopted(customer_id: str | None, event_id: str = "s1", **data: Any) -> dict[str, Any]:
    event = schemas.example("suggestion.adopted.v1")
    event["id"] = event_id
    event["data"] |= {"customer_id": customer_id, "suggestion_id": SUGGESTION, **data}
    return event


def answered(customer_id: str, event_id: str = "a1", **data: Any) -> dict[str, Any]:
    event = schemas.example("survey.answered.v1")
    event["id"] = event_id
    event["data"] |= {"customer_id": customer_id, "survey_id": SURVEY, **data}
    return event


@pytest.fixture
def member(programme: Any) -> str:
    programme.clock.travel_to(datetime(2026, 11, 22, tzinfo=UTC))
    customer: str = programme.enrol("card:1")
    return customer


@pytest.mark.rule("LQ-10", partly="whether it is the first suggestion of its kind is for whoever adopts it")
def test_an_adopted_suggestion_earns_the_packs_points_once_and_says_why(
    programme: Any, api: Any, member: str, recorded: Any, in_balance: Any
) -> None:
    said = programme.tell(
        "rewards",
        adopted(member),
        adopted(member),  # delivered twice
        adopted(member, event_id="s2"),  # told again under another id
    )

    assert said == ["accepted", "duplicate", "accepted"]
    assert programme.purse(member)["available"] == 500
    (entry,) = api.get(f"members/{member}/entries").get_json()["items"]
    number = schemas.example("suggestion.adopted.v1")["data"]["number"]
    assert (entry["kind"], entry["reason"]) == ("suggestion", f"suggestion {number} was adopted")
    assert (entry["why"]["clause"], entry["why"]["breakdown"][0]["points"]) == ("CG-25", 500)
    (event,) = recorded(programme.runtime, "points.earned.v1")
    assert (event.data["kind"], event.data["points"], event.data["state"]) == ("suggestion", 500, "available")
    in_balance()


def test_points_proposed_with_it_count_instead_and_another_number_later_is_refused(programme: Any, member: str) -> None:
    programme.tell("rewards", adopted(member, points=800))

    (said,) = programme.tell("rewards", adopted(member, event_id="s2", points=8000))

    assert said.startswith("rejected:")
    assert "another number of points" in said
    assert programme.purse(member)["available"] == 800


def test_an_answered_survey_is_rewarded_once_however_often_it_is_answered(
    programme: Any, member: str, in_balance: Any
) -> None:
    again = {"invitation_id": str(uuid.uuid4()), "response_id": str(uuid.uuid4())}
    programme.tell("rewards", answered(member), answered(member, event_id="a2", **again))
    assert programme.purse(member)["available"] == 20

    programme.tell("rewards", answered(member, event_id="a3", survey_id=str(uuid.uuid4())))

    assert programme.purse(member)["available"] == 40
    in_balance()


def test_the_reward_is_that_of_the_day_and_lapses_by_it(programme: Any, api: Any, member: str) -> None:
    programme.tell("rewards", answered(member, answered_at="2025-12-31T23:59:59+08:00"))

    (expiring,) = api.get(f"members/{member}").get_json()["expiring"]

    assert expiring == {"points": 20, "on": "2026-12-31"}


def test_nobody_known_earns_nothing_and_who_is_not_enrolled_yet_is_waited_for(programme: Any) -> None:
    later = str(uuid.uuid4())

    assert programme.tell("rewards", adopted(None)) == ["accepted"]
    with pytest.raises(NotYetAMember):
        programme.tell("rewards", adopted(later, event_id="s2"))

    programme.enrol("card:9", customer_id=later)
    programme.tell("rewards", adopted(later, event_id="s2"))
    assert programme.purse(later)["available"] == 500


def test_under_review_the_reward_is_blocked(programme: Any, in_balance: Any) -> None:
    flags = [{"code": "frequent", "since": "2026-11-01T00:00:00Z"}]
    member = programme.enrol("card:2", flags=flags)

    programme.tell("rewards", adopted(member))

    assert (programme.purse(member)["available"], programme.purse(member)["blocked"]) == (0, 500)
    in_balance()
