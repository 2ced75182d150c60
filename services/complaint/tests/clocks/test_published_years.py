"""A deadline beyond the last published year is provisional, and exact once the year is there, however it came."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from chassis.timing.published import put_in_force, year_of
from complaint.clocks.calendars import calendar_now
from complaint.clocks.recomputing import recompute_provisional

SHANGHAI = ZoneInfo("Asia/Shanghai")
YEAR_2027 = {
    "year": 2027,
    "holidays": {"2027-01-01": "New Year's Day", "2027-01-04": "New Year's Day"},
    "workdays": {"2027-01-03": "New Year's Day"},
}


@pytest.fixture
def at_new_year(given_complaint, clock):
    """A case of Thursday 31 December, 15:00: its resolution is due in a year that nobody has published."""
    clock.travel_to(datetime(2026, 12, 31, 15, tzinfo=SHANGHAI))
    return given_complaint().contacted()


def local(clock):
    return datetime.fromisoformat(clock["due_at"]).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


@pytest.mark.rule("CG-15")
def test_provisional_until_the_year_is_imported_over_http(at_new_year, house):
    case = at_new_year
    before = case.clock("resolution")
    assert (local(before), before["provisional"]) == ("2027-01-05 15:00", True)  # weekdays alone: 1, 4, 5 January
    assert "provisional: the holidays of 2027 are not published yet" in before["explanation"]
    assert case.clock("progress")["provisional"] is False  # clock time needs no calendar

    said = house.as_("sun").post("calendar/years", YEAR_2027)
    house.drain()

    assert said.code == 202
    job = house.as_("sun").get(f"services/complaint/jobs/{said.job['id']}")
    assert (job.status, job.done, job.total) == ("done", 1, 1)
    after = case.clock("resolution")
    assert (local(after), after["provisional"]) == ("2027-01-06 15:00", False)  # 3 (a make-up Sunday), 5, 6 January
    assert "3 Jan is a make-up workday (New Year's Day)" in after["explanation"]
    assert case.next_due_at == after["due_at"]
    (row,) = house.rows("SELECT due_at FROM chassis.due WHERE kind = 'complaint-clocks'")
    assert row["due_at"] == datetime.fromisoformat(after["warn_at"])


def test_a_year_that_came_another_way_is_noticed_by_the_schedule(at_new_year, house):
    with house.runtime.context() as context:
        put_in_force(context.session, year_of(YEAR_2027), "shell:somebody")
    with house.runtime.context() as context:
        assert recompute_provisional(context) is False

    assert local(at_new_year.clock("resolution")) == "2027-01-06 15:00"


def test_what_was_waited_for_is_kept_when_a_year_is_published(at_new_year, house, clock):
    case = at_new_year.investigated()
    clock.travel_to(datetime(2026, 12, 31, 17, tzinfo=SHANGHAI))
    case.does("wait", {"for": "the receipt"})
    clock.travel_to(datetime(2027, 1, 3, 10, tzinfo=SHANGHAI))  # a Sunday that will turn out to be worked
    case.does("resume")
    assert local(case.clock("resolution")) == "2027-01-06 16:00"  # 25 hours, from Monday 9:00

    house.as_("sun").post("calendar/years", YEAR_2027)
    house.drain()

    # 8 hours on that Sunday, Monday is off: 9 on Tuesday, 8 on Wednesday
    assert local(case.clock("resolution")) == "2027-01-06 17:00"


def test_a_clock_that_is_exact_stays_as_it_was_computed(given_complaint, house):
    case = given_complaint()
    before = case.clock("resolution")

    house.as_("sun").post("calendar/years", {**YEAR_2027, "year": 2026, "holidays": {"2026-11-24": "typhoon"},
                                             "workdays": {}})  # fmt: skip
    house.drain()

    assert case.clock("resolution")["due_at"] == before["due_at"]
    later = given_complaint(complainant={"name": "李娜", "phone": "13900139000"})
    assert local(later.clock("resolution")) == "2026-11-26 10:00"  # new ones count with it


def test_what_is_wrong_with_a_year_is_said(house):
    post = house.as_("sun").post

    assert "2027-01-05" in post("calendar/years", {**YEAR_2027, "workdays": {"2027-01-05": "a Tuesday"}}).detail
    assert post("calendar/years", {**YEAR_2027, "holidays": {"5 January": "no"}}).code == 422
    assert post("calendar/years", {**YEAR_2027, "year": 2028}).code == 422
    assert post("calendar/years", {"year": 2027, "holidays": {}}).code == 422
    assert house.as_("li").post("calendar/years", YEAR_2027).code == 403


def test_years_are_listed_newest_first_with_where_they_came_from(house):
    house.as_("sun").post("calendar/years", YEAR_2027)

    items = house.as_("li").get("calendar/years").items

    assert [(one["year"], one["source"], one["imported_by"]) for one in items[:2]] == [
        (2027, "imported", "sun"),
        (2026, "bundled", None),
    ]
    assert items[1]["workdays"]["2026-02-14"] == "Spring Festival"


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-02-13T17:20:00+08:00", 1, "2026-02-14 17:20"),
        ("2026-02-13T17:20:00+08:00", 7, "2026-03-02 17:20"),
        ("2026-02-13T17:20:00+08:00", 15, "2026-03-12 17:20"),
        ("2026-04-30T10:00:00+08:00", 3, "2026-05-08 10:00"),
        ("2026-09-18T10:00:00+08:00", 5, "2026-09-24 10:00"),
        ("2026-09-30T10:00:00+08:00", 7, "2026-10-15 10:00"),
        ("2024-09-30T10:00:00+08:00", 7, "2024-10-15 10:00"),
        ("2025-01-24T10:00:00+08:00", 5, "2025-02-07 10:00"),
    ],
)
def test_working_time_questions(house, start, days, due):
    said = house.as_("li").get("calendar/working-time", **{"from": start, "working_days": days})

    assert local(said.body) == due
    assert said.provisional is False


def test_working_hours_and_what_can_not_be_asked(house):
    ask = house.as_("li").get
    hours = ask("calendar/working-time", **{"from": "2026-11-20T17:00:00+08:00", "working_hours": 2})

    assert local(hours.body) == "2026-11-23 10:00"
    assert "1 h on Friday" in hours.explanation
    assert ask("calendar/working-time", **{"from": "2026-11-20T17:00:00+08:00"}).code == 422
    both = {"from": "2026-11-20T17:00:00+08:00", "working_hours": 2, "working_days": 1}
    assert ask("calendar/working-time", **both).code == 422
    assert ask("calendar/working-time", **{"from": "9999-12-30T17:00:00+08:00", "working_days": 2000}).code == 422
    assert ask("calendar/working-time", **{"from": "2027-12-30T17:00:00+08:00", "working_days": 2}).provisional is True


def test_a_calendar_is_known_by_what_was_imported_not_by_when(house):
    """Two databases of one process, or two replicas whose clocks differ, may import different years at one instant."""
    company = house.runtime.policies.in_force().company
    versions = set()
    for day in ("2027-01-04", "2027-01-05"):
        with house.runtime.context() as context:
            put_in_force(context.session, year_of({"year": 2027, "holidays": {day: "New Year's Day"}}))
            versions.add(calendar_now(context.session, company).version)
            context.session.rollback()

    assert len(versions) == 2
