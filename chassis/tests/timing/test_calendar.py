"""The working calendar: the oracle of the specification, the semantics of "n working days", and what always holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.timing.calendar import OFFICE_HOURS, NeverOpen, PublishedYear, WorkingCalendar, bundled_years

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkingCalendar.from_published()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        ("2024-09-30", 7, "2024-10-15"),
        ("2025-01-24", 5, "2025-02-07"),
        ("2026-02-13", 7, "2026-03-02"),
        ("2026-02-13", 15, "2026-03-12"),
        ("2026-04-30", 3, "2026-05-08"),
        ("2026-09-18", 5, "2026-09-24"),
        ("2026-09-30", 7, "2026-10-15"),
    ],
)
def test_the_oracle_dates_start_excluded(start, n, due):
    assert CALENDAR.nth_working_day(date.fromisoformat(start), n) == date.fromisoformat(due)
    deadline = CALENDAR.add_working_days(at(f"{start}T10:20"), n)
    assert deadline.at == at(f"{due}T10:20")
    assert deadline.at.tzinfo is UTC
    assert not deadline.provisional


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-11-20T10:00", "2026-11-23T10:00"),  # Friday to Monday
        ("2026-11-20T08:59", "2026-11-23T09:00"),  # before the opening: counts from it
        ("2026-11-20T09:00", "2026-11-23T09:00"),
        ("2026-11-20T18:00", "2026-11-24T09:00"),  # closed at 18:00: counts from Monday's opening
        ("2026-11-21T12:00", "2026-11-24T09:00"),  # Saturday
        ("2026-10-10T12:00", "2026-10-12T12:00"),  # a make-up Saturday is a working day
        ("2026-10-03T12:00", "2026-10-09T09:00"),  # in the holidays: from the 8th, 09:00
    ],
)
def test_one_working_day_is_the_same_time_on_the_next_working_day(start, due):
    assert CALENDAR.add_working_days(at(start), 1).at == at(due)


def test_the_sum_is_shown():
    shown = CALENDAR.add_working_days(at("2026-09-30T19:00"), 3).explanation

    assert shown == (
        "3 working days after 2026-09-30 19:00; outside working hours, so counted from 2026-10-08 09:00; "
        "5 weekdays off (National Day); make-up workdays 10-10 → 2026-10-12 09:00 Asia/Shanghai"
    )


def test_a_year_not_published_yet_is_provisional_and_follows_weekdays_alone():
    deadline = CALENDAR.add_working_days(at("2026-12-31T10:00"), 2)

    assert deadline.provisional
    assert deadline.at == at("2027-01-04T10:00")  # 1 January counts as an ordinary Friday until it is published
    assert "2027 are not published yet" in deadline.explanation
    assert CALENDAR.is_working(date(2031, 5, 1))  # a Thursday


def test_a_published_year_makes_it_exact_and_may_reach_into_the_december_before():
    notice = PublishedYear(2027, {date(2027, 1, 1): "New Year"}, {date(2026, 12, 26): "New Year"})
    exact = WorkingCalendar.from_published({2027: notice})

    deadline = exact.add_working_days(at("2026-12-31T10:00"), 2)

    assert not deadline.provisional
    assert deadline.at == at("2027-01-05T10:00")
    assert exact.is_working(date(2026, 12, 26))
    assert exact.version != CALENDAR.version
    assert exact.version == WorkingCalendar.from_published({2027: notice}).version


def test_lunch_breaks_own_holidays_and_a_company_without_public_holidays():
    spans = ((time(9), time(12)), (time(13), time(18)))
    shop = WorkingCalendar(hours=dict.fromkeys(range(7), spans), closed=frozenset({date(2026, 10, 3)}))

    assert shop.working_seconds_between(at("2026-10-01T11:00"), at("2026-10-01T14:00")) == 2 * 3600
    assert shop.add_working_time(at("2026-10-01T11:30"), timedelta(hours=1)).at == at("2026-10-01T13:30")
    assert shop.add_working_days(at("2026-10-02T12:30"), 1).at == at("2026-10-04T13:00")
    assert not shop.add_working_days(at("2030-10-02T12:30"), 1).provisional


def test_a_time_of_day_that_a_short_day_lacks_is_its_end():
    short_friday = {**OFFICE_HOURS, 4: ((time(9), time(15)),)}
    calendar = WorkingCalendar(hours=short_friday)

    assert calendar.add_working_days(at("2026-11-19T17:00"), 1).at == at("2026-11-20T15:00")


def test_a_calendar_that_never_opens_is_refused_instead_of_searched_for_ever():
    with pytest.raises(NeverOpen):
        WorkingCalendar(hours={})
    always_off = {date(2026, 1, 1) + timedelta(days=n): "strike" for n in range(800)}
    closed = WorkingCalendar(years={2026: PublishedYear(2026, always_off, {})})
    with pytest.raises(NeverOpen):
        closed.add_working_days(at("2026-02-01T10:00"), 1)
    with pytest.raises(NeverOpen):
        closed.add_working_time(at("2026-02-01T10:00"), timedelta(days=30_000))


def test_make_up_days_are_published_for_every_recent_year():
    years = bundled_years()
    assert all(years[year].holidays and years[year].workdays for year in range(2020, 2027))


instants = st.datetimes(datetime(2023, 1, 1), datetime(2026, 10, 1), timezones=st.just(SHANGHAI))  # noqa: DTZ001
amounts = st.timedeltas(timedelta(0), timedelta(hours=400))


@given(instants, amounts)
def test_working_time_added_is_working_time_between(start, amount):
    due = CALENDAR.add_working_time(start, amount).at
    assert CALENDAR.working_seconds_between(start, due) == pytest.approx(amount.total_seconds(), abs=1e-5)


@given(instants, instants, instants)
def test_working_time_between_adds_up_and_turns_its_sign(one, two, three):
    between = CALENDAR.working_seconds_between
    assert between(one, two) + between(two, three) == pytest.approx(between(one, three), abs=1e-5)
    assert between(one, two) == -between(two, one)


@given(instants, st.integers(1, 60))
def test_a_deadline_is_within_working_hours_and_n_days_are_n_steps_of_one(start, n):
    deadline = CALENDAR.add_working_days(start, n).at
    stepped = start
    for _ in range(n):
        stepped = CALENDAR.add_working_days(stepped, 1).at
    assert deadline == stepped > start
    assert CALENDAR.is_working(deadline.astimezone(SHANGHAI).date())
    assert CALENDAR.next_opening(deadline) == deadline


@given(instants, instants, st.integers(0, 40))
def test_who_starts_later_is_not_due_earlier(one, other, n):
    early, late = sorted([one, other])
    assert CALENDAR.add_working_days(early, n).at <= CALENDAR.add_working_days(late, n).at


@given(st.datetimes(datetime(2015, 1, 1), datetime(2026, 10, 1)), st.integers(1, 30))  # noqa: DTZ001
def test_clock_changes_of_other_zones_lose_no_working_day(naive, n):
    berlin = WorkingCalendar(zone=ZoneInfo("Europe/Berlin"))
    start = naive.replace(tzinfo=UTC)
    deadline = berlin.add_working_days(start, n).at.astimezone(berlin.zone)
    begin = berlin.next_opening(start)
    assert deadline.time() == begin.time()
    assert berlin.nth_working_day(begin.date(), n) == deadline.date()
