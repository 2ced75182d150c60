"""Intake: whoever comes is heard, and the case is in somebody's hands before the answer goes out."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.messaging.event import Event


@pytest.mark.rule("CG-13")
def test_a_complaint_has_number_level_handler_and_clocks_before_the_answer_goes_out(
    house: Any, given_complaint: Any
) -> None:
    case = given_complaint()

    assert case.number == "TS2026-000001"
    assert (case.status, case.level, case.handler, case.round) == ("received", 1, "li", 1)
    assert {clock["kind"] for clock in case.clocks} >= {"first_contact", "answer", "resolution"}


def test_the_whole_way_to_the_satisfied_answer(given_complaint: Any, recorded: Any, house: Any) -> None:
    case = given_complaint().acknowledged().contacted().triaged().investigated().proposed()

    case.resolved()
    assert case.status == "calling_back"
    answer = case.callback(satisfaction=2)

    assert (answer.code, answer.status, answer.round, answer.outcome) == (200, "closed", 1, "satisfied")
    said: list[Event] = recorded(house.runtime)
    assert [event.type for event in said if event.type.startswith("complaint.")] == [
        "complaint.received.v1", "complaint.assigned.v1", "complaint.contacted.v1", "complaint.resolved.v1",
        "complaint.closed.v1",
    ]  # fmt: skip
