"""Warning, breach and escalation: each once, in their order, at night only for safety; lateness in working seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from chassis.messaging.admission import contents
from chassis.timing.due import DuePoller

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def said(house, recorded):
    """``said(case)`` → the time events of a case, as (type, clock) in the order they were said."""

    def read(case):
        events = [event for event in recorded(house.runtime) if event.subject == case.id]
        return [
            (event.type.split(".")[1], event.data.get("clock", {}).get("kind"))
            for event in events
            if event.type.split(".")[1] in ("due_soon", "breached", "escalated")
        ]

    return read


def at(clock, day, hour, minute=0):
    clock.travel_to(datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI))


@pytest.mark.rule("FR-04", "CG-15")
def test_a_clock_warns_is_breached_and_hands_the_case_up_once_each(given_complaint, house, clock, said, recorded):
    case = given_complaint().contacted()  # Friday 10:00; three working days: Wednesday 10:00
    assert case.handler == "li"

    at(clock, 24, 12, 14)
    assert house.drain() == 0
    at(clock, 24, 12, 15)  # 20 h 15 min of 27 h
    house.drain()
    house.drain()
    assert said(case) == [("due_soon", "resolution")]
    at(clock, 25, 10, 1)
    house.drain()
    house.drain()

    assert said(case)[:3] == [("due_soon", "resolution"), ("breached", "resolution"), ("escalated", None)]
    assert said(case).count(("breached", "resolution")) == 1
    assert case.handler == "chen"
    assert case.breached
    event = recorded(house.runtime, "complaint.breached.v1")[0]
    assert (event.data["late_seconds"], event.data["clock"]["status"], event.data["clause"]) == (
        60,
        "breached",
        "CG-15",
    )
    assert [step["action"] for step in case.history()][-2:] == ["breach", "escalate"]


@pytest.mark.rule("CG-15")
def test_what_is_done_late_stays_late_in_working_seconds(given_complaint, house, clock):
    case = given_complaint()  # first contact until Monday 10:00
    at(clock, 23, 17)
    house.drain()
    assert case.clock("first_contact")["late_seconds"] == 7 * 3600
    at(clock, 24, 10)

    case.contacted()

    late = case.clock("first_contact")
    assert (late["status"], late["late_seconds"]) == ("breached", 9 * 3600)  # the night is nobody's working time
    assert late["met_at"] is not None
    assert not any(one["status"] == "breached" for one in case.clocks if one["ended_at"] is None)
    assert not case.breached


def test_a_contact_in_time_is_never_said_to_be_late(given_complaint, house, clock, said):
    case = given_complaint().contacted()
    case.resolved()
    at(clock, 24, 9, 59)
    house.drain()

    assert ("breached", "resolution") not in said(case)
    assert ("breached", "first_contact") not in said(case)


def test_at_night_the_case_waits_for_the_morning(given_complaint, house, clock, said):
    case = given_complaint().contacted()
    case.does("promise", {"due_at": "2026-11-21T02:00:00+08:00", "reason": "the driver comes tonight"})
    at(clock, 21, 2)  # Saturday
    house.drain()
    assert said(case) == [("due_soon", "promise"), ("breached", "promise")]
    assert (case.handler, case.breached) == ("li", True)
    at(clock, 23, 8, 59)
    house.drain()
    assert ("escalated", None) not in said(case)

    at(clock, 23, 9)
    house.drain()
    house.drain()

    assert said(case).count(("escalated", None)) == 1
    assert case.handler == "chen"


def test_a_matter_of_safety_does_not_wait(given_complaint, house, clock, said):
    at(clock, 20, 2)
    case = given_complaint(level=3)
    at(clock, 21, 2)
    house.drain()

    assert ("escalated", None) in said(case)
    assert case.handler == "sun"


def test_an_answer_before_the_morning_spares_the_escalation(given_complaint, house, clock, said):
    at(clock, 20, 2)
    case = given_complaint()
    at(clock, 21, 3)
    house.drain()
    case.contacted()
    at(clock, 23, 9)
    house.drain()

    assert ("escalated", None) not in said(case)


def test_a_stopped_weekend_loses_nothing_and_keeps_the_order(given_complaint, house, clock, said):
    case = given_complaint()
    at(clock, 30, 11)  # ten days nobody looked

    house.drain()

    done = said(case)
    for kind in ("first_contact", "answer", "resolution", "progress"):
        assert done.count(("due_soon", kind)) == 1
        assert done.count(("breached", kind)) == 1
        assert done.index(("due_soon", kind)) < done.index(("breached", kind))
    assert done.count(("escalated", None)) == 4
    house.drain()
    assert said(case) == done


def test_a_breach_that_no_poller_saw_is_told_when_the_clock_is_met(given_complaint, house, clock, said):
    case = given_complaint()
    at(clock, 23, 10, 30)

    case.contacted()

    assert ("breached", "first_contact") in said(case)
    late = case.clock("first_contact")
    assert (late["status"], late["late_seconds"]) == ("breached", 1800)


def test_a_paused_clock_neither_warns_nor_breaches(given_complaint, house, clock, said):
    case = given_complaint().contacted().investigated()
    case.does("wait", {"for": "the receipt"})
    at(clock, 30, 11)
    house.drain()

    assert said(case) == []


def test_a_case_that_somebody_holds_is_looked_at_a_moment_later(given_complaint, house, clock, said):
    case = given_complaint()
    at(clock, 21, 10)
    with house.runtime.sessions.begin() as session:
        session.connection().exec_driver_sql("SELECT 1 FROM complaint FOR UPDATE")
        assert DuePoller(house.runtime).tick() == 1  # it gives way at once
        assert said(case) == []
    clock.at += timedelta(seconds=1)

    house.drain()

    assert ("breached", "answer") in said(case)


def test_what_is_said_of_time_follows_its_schema(given_complaint, house, clock, recorded):
    given_complaint(against={"kind": "staff", "ref": "wang"})
    at(clock, 30, 11)
    house.drain()

    kinds = ("due_soon", "breached", "escalated")
    said = [event for event in recorded(house.runtime) if event.type.split(".")[1] in kinds]
    assert {event.type for event in said} == {
        "complaint.due_soon.v1", "complaint.breached.v1", "complaint.escalated.v1",
    }  # fmt: skip
    assert {finding for event in said if (finding := contents(event.type, orjson.loads(event.to_json())))} == set()
    assert all(event.data["hidden_from"] == [{"staff": "wang", "with_subordinates": True}] for event in said)
