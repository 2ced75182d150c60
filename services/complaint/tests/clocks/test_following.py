"""Clocks as a case meets them: started at the receipt, met by what they are for, paused, promised, explained."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(clock, member="due_at"):
    """An instant of a clock as the company reads it."""
    at = clock[member]
    return at and datetime.fromisoformat(at).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


@pytest.mark.rule("FR-04", "FR-06", "TR-10", "IS-01")
def test_friday_evening_before_the_festival(given_complaint, clock):
    clock.travel_to(datetime(2026, 2, 13, 17, 30, tzinfo=SHANGHAI))

    case = given_complaint(received_at=datetime(2026, 2, 13, 17, 20, tzinfo=SHANGHAI), by="li")

    assert {one["kind"]: local(one) for one in case.clocks} == {
        "first_contact": "2026-02-14 17:20",  # the Saturday is a make-up workday
        "answer": "2026-02-14 17:20",
        "progress": "2026-02-20 17:20",
        "resolution": "2026-02-25 17:20",  # the 14th, and the 24th and 25th after the festival
    }
    assert case.clock("first_contact")["explanation"] == (
        "received Fri 2026-02-13 17:20; working hours 09:00–18:00; 40 min on Friday; 1 working day from there; "
        "14 Feb is a make-up workday (Spring Festival); due Sat 2026-02-14 17:20"
    )
    assert "16–20 Feb, 23 Feb off (Spring Festival)" in case.clock("resolution")["explanation"]
    assert local(case.clock("first_contact"), "warn_at") == "2026-02-14 15:05"  # 6 h 45 min of 9 h
    assert case.next_due_at == case.clock("first_contact")["due_at"]
    assert case.clock("answer")["clause"] == "CG-14"


@pytest.mark.rule("FR-06")
@pytest.mark.parametrize(
    ("level", "progress", "resolution"),
    [
        (1, "2026-11-27 10:00", "2026-11-25 10:00"),
        (2, "2026-11-25 10:00", "2026-11-27 10:00"),
        (3, "2026-11-23 10:00", "2026-12-04 10:00"),
    ],
)
def test_higher_levels_hear_more_often(given_complaint, level, progress, resolution):
    case = given_complaint(level=level)

    assert (local(case.clock("progress")), local(case.clock("resolution"))) == (progress, resolution)


@pytest.mark.rule("FR-04", "IS-01")
def test_reaching_the_complainant_is_the_first_contact_and_the_answer(given_complaint, clock):
    case = given_complaint()
    clock.advance(hours=1)

    case.does("contact", {"kind": "first", "reached": False, "note": "nobody answers"})
    assert case.clock("first_contact")["status"] == "running"
    case.contacted()

    assert case.clock("first_contact")["status"] == "met"
    assert case.clock("first_contact")["used"] == "0.11"  # one of nine hours
    assert case.clock("answer")["status"] == "met"
    assert case.clock("resolution")["status"] == "running"


@pytest.mark.rule("FR-06", "CG-14")
def test_every_contact_on_progress_begins_the_next_period(given_complaint, clock):
    case = given_complaint(level=3).contacted()
    clock.advance(hours=5)

    case.does("progress", {"reached": True, "note": "the laboratory has the sample"})

    periods = [one for one in case.clocks if one["kind"] == "progress"]
    assert [(one["status"], local(one)) for one in periods] == [
        ("met", "2026-11-23 10:00"),
        ("met", "2026-11-23 10:00"),  # begun with the first contact
        ("running", "2026-11-23 15:00"),
    ]
    assert periods[-1]["explanation"].startswith("last contact Fri 2026-11-20 15:00")


@pytest.mark.rule("CG-14")
def test_waiting_for_the_customer_stops_the_clocks_that_the_pack_names(given_complaint, clock):
    case = given_complaint().investigated()
    clock.advance(hours=4)
    case.does("wait", {"for": "the receipt"})

    assert {one["kind"]: one["status"] for one in case.clocks if one["ended_at"] is None} == {
        "first_contact": "running",
        "answer": "paused",
        "progress": "paused",
        "resolution": "paused",
    }
    assert case.next_due_at == case.clock("first_contact")["due_at"]

    clock.travel_to(datetime(2026, 11, 24, 9, 30, tzinfo=SHANGHAI))
    assert case.clock("resolution")["used"] == "0.15"  # four of 27 hours, however long it waits
    case.does("resume")

    assert local(case.clock("answer")) == "2026-11-25 05:30"  # 20 hours were left, by every clock
    assert local(case.clock("resolution")) == "2026-11-26 14:30"  # 23 working hours were left
    assert (
        "waited for the customer from Fri 2026-11-20 14:00 to Tue 2026-11-24 09:30 with 23 h left"
        in (case.clock("resolution")["explanation"])
    )


@pytest.mark.rule("CG-15", "ML-14")
def test_a_promise_is_tracked_and_a_later_one_needs_a_reason_of_its_own(given_complaint, house, clock):
    case = given_complaint().investigated()
    clock.advance(hours=1)

    case.does("promise", {"due_at": "2026-11-23T12:00:00+08:00", "reason": "the spare part comes on Monday"})
    assert case.act("promise", {"due_at": "2026-11-23T12:00:00+08:00", "reason": "the same"}).code == 409
    assert case.act("promise", {"due_at": "2026-11-19T12:00:00+08:00", "reason": "yesterday"}).code == 422
    assert case.act("promise", {"due_at": "2026-11-24T12:00:00+08:00"}).code == 422
    case.does("promise", {"due_at": "2026-11-24T12:00:00+08:00", "reason": "the part is late"})

    promises = [one for one in case.clocks if one["kind"] == "promise"]
    assert [(one["status"], local(one)) for one in promises] == [
        ("stopped", "2026-11-23 12:00"),
        ("running", "2026-11-24 12:00"),
    ]
    assert promises[1]["explanation"] == ("promised Fri 2026-11-20 11:00 (the part is late); due Tue 2026-11-24 12:00")
    case.does("propose", {"measures": "repair"}).does("resolve", {"answer": "repaired"})
    assert case.clock("promise")["status"] == "met"


@pytest.mark.rule("CG-15")
def test_resolving_ends_the_round_and_starts_the_call_back(given_complaint, clock):
    case = given_complaint().contacted().resolved()

    assert {one["kind"]: one["status"] for one in case.clocks} == {
        "first_contact": "met",
        "answer": "met",
        "progress": "stopped",
        "resolution": "met",
        "callback": "running",
    }
    assert local(case.clock("callback")) == "2026-11-24 10:00"


@pytest.mark.rule("FR-06")
def test_a_dissatisfied_answer_opens_a_round_with_clocks_of_its_own(given_complaint, clock):
    case = given_complaint().contacted().resolved()
    clock.advance(hours=2)

    assert case.callback(4).round == 2

    second = {one["kind"]: (one["status"], one["level"], local(one)) for one in case.clocks if one["round"] == 2}
    assert second == {
        "answer": ("running", 2, "2026-11-21 12:00"),
        "progress": ("running", 2, "2026-11-25 12:00"),
        "resolution": ("running", 2, "2026-11-27 12:00"),
    }
    assert case.clock("callback")["status"] == "met"


def test_withdrawing_stops_everything(given_complaint, house):
    case = given_complaint().acknowledged()
    case.does("withdraw", {"reason": "found the bottle"})

    assert {one["status"] for one in case.clocks} == {"stopped"}
    assert (case.next_due_at, case.breached) == (None, False)
    assert house.rows("SELECT * FROM chassis.due WHERE kind = 'complaint-clocks'") == []


def test_a_higher_level_has_its_own_times(given_complaint):
    case = given_complaint().triaged(category="safety.food_poisoning")

    assert case.level == 3
    assert local(case.clock("resolution")) == "2026-12-04 10:00"  # ten working days instead of three
    assert local(case.clock("progress")) == "2026-11-23 10:00"
    assert local(case.clock("first_contact")) == "2026-11-23 10:00"


def test_an_approval_has_its_own_clock(given_complaint, house):
    case = given_complaint().proposed(amount="300.00", currency="CNY")
    assert case.clock("approval")["status"] == "running"

    case.does("approve", {}, by="chen")

    assert case.clock("approval")["status"] == "met"


@pytest.mark.rule("TR-11")
def test_the_clocks_of_a_hidden_case_do_not_exist(given_complaint, house):
    case = given_complaint(against={"kind": "staff", "ref": "wang"})

    assert house.as_("chen").get(f"complaints/{case.id}/clocks").code == 200
    assert house.as_("wang").get(f"complaints/{case.id}/clocks").code == 404
    assert house.as_("ma").get(f"complaints/{case.id}/clocks").code == 404


def test_clocks_are_answered_by_round_and_due_time(given_complaint, house):
    case = given_complaint()

    items = house.as_("li").get(f"complaints/{case.id}/clocks").items

    assert [one["kind"] for one in items] == ["answer", "first_contact", "resolution", "progress"]
    assert datetime.fromisoformat(items[0]["due_at"]) == datetime(2026, 11, 21, 2, tzinfo=UTC)
