"""Reports and KPIs over HTTP on a real database."""

from __future__ import annotations

from typing import Any

import pytest


def keyed(report: Any, name: str) -> dict[str | None, int]:
    return {bucket["key"]: bucket["count"] for bucket in report.breakdowns[name]["buckets"]}


@pytest.fixture
def a_week(house: Any, given_complaint: Any, clock: Any) -> None:
    """Eight cases of one week: closed, reopened, withdrawn, running; two of them against wang, who is at the till."""
    given_complaint().closed(2)
    given_complaint(category="product.damaged", channel="letter").resolved().callback(4)
    given_complaint().does("withdraw", {"reason": "found it"})
    given_complaint(type="praise", category=None, against={"kind": "staff", "ref": "ma"})
    given_complaint(against={"kind": "product", "ref": "W-500"}, unit="SH002")
    given_complaint(level=3)
    for number in (1, 2):
        given_complaint(against={"kind": "staff", "ref": "wang"}, complainant={"name": f"guest {number}"})


@pytest.mark.rule("FR-10")
@pytest.mark.rule("CG-17", partly="corrective actions and the measured recurrence follow")
def test_every_breakdown_of_the_weekly_report_sums_to_the_total(house: Any, a_week: None) -> None:
    report = house.as_("sun").get("complaint-reports/weekly", week="2026-W47")

    assert (report.code, report.total) == (200, 8)
    assert len(report.breakdowns) >= 12
    for name, shown in report.breakdowns.items():
        assert shown["sum"] == sum(bucket["count"] for bucket in shown["buckets"]) == 8, name
    assert keyed(report, "type") == {"complaint": 7, "praise": 1}
    assert keyed(report, "channel") == {"hotline": 7, "letter": 1}
    assert keyed(report, "status") == {
        "received": 5, "closed": 1, "investigating": 1, "withdrawn": 1,
    }  # fmt: skip
    assert keyed(report, "unit") == {"SH001": 7, "SH002": 1}
    assert keyed(report, "group") == {"product": 6, "safety": 1, None: 1}
    assert keyed(report, "product") == {None: 7, "W-500": 1}
    assert keyed(report, "rounds") == {"1": 7, "2": 1}
    assert (report.period["first"], report.period["last"]) == ("2026-11-16", "2026-11-22")
    assert report.policyversion


@pytest.mark.rule("ML-09")
@pytest.mark.rule("TR-20")
@pytest.mark.rule("IS-05")
def test_the_monthly_report_names_the_targets_that_were_missed(house: Any, a_week: None) -> None:
    report = house.as_("sun").get("complaint-reports/monthly", month="2026-11")

    assert report.total == 8
    assert report.kpis["satisfaction"] == {
        "answered": 2, "satisfied": 1, "rate": "0.5000", "target": "0.85", "met": False,
    }  # fmt: skip
    assert {"kpi": "satisfaction", "rate": "0.5000", "target": "0.85"} in report.gaps
    assert report.pareto["category"][0]["key"] == "product.quality"
    assert house.as_("sun").get("complaint-reports/monthly", month="2026-10").total == 0


@pytest.mark.rule("TR-11")
def test_whoever_a_case_is_against_finds_it_in_no_figure(house: Any, given_complaint: Any, a_week: None) -> None:
    house.company.employ("wang", ["service_manager"], unit="SH001", superior="zhou")
    house.company.employ("ma", ["marketing"], unit="SH001", superior="wang")

    whole = house.as_("zhou").get("complaint-reports/weekly", week="2026-W47")
    accused = house.as_("wang").get("complaint-reports/weekly", week="2026-W47")
    subordinate = house.as_("ma").get("complaint-reports/weekly", week="2026-W47")

    assert (whole.total, accused.total, subordinate.total) == (7, 5, 4)  # zhou's store; wang: two less; ma: own as well
    assert "wang" not in str(accused.body)
    assert keyed(accused, "against") == {None: 4, "staff": 1}
    for shown in (*accused.breakdowns.values(), *subordinate.breakdowns.values()):
        assert shown["sum"] in (5, 4)
    days = {"from": "2026-11-16", "to": "2026-11-22"}
    assert house.as_("zhou").get("complaint-kpis", **days).first_contact["due"] == 6
    assert house.as_("wang").get("complaint-kpis", **days).first_contact["due"] == 4


@pytest.mark.rule("TR-11")
def test_few_cases_against_a_person_are_told_without_the_name(house: Any, given_complaint: Any) -> None:
    for number in range(5):
        given_complaint(against={"kind": "staff", "ref": "wang"}, complainant={"name": f"guest {number}"})
        if number < 4:
            given_complaint(against={"kind": "staff", "ref": "ma"}, complainant={"name": f"visitor {number}"})

    report = house.as_("sun").get("complaint-reports/weekly", week="2026-W47")

    assert keyed(report, "person") == {"wang": 5, "fewer": 4}


@pytest.mark.rule("TR-12", partly="channel awareness follows with the surveys")
def test_kpis_name_what_they_are_a_share_of(house: Any, given_complaint: Any, clock: Any) -> None:
    reached = given_complaint().acknowledged().contacted().resolved()  # reached, answered, satisfied
    reached.callback(1)
    given_complaint(subject="b").resolved().callback(5)  # reached, answered, dissatisfied
    unreached = given_complaint(subject="c").resolved()
    unreached.does("attempt", {"note": "no answer"}, by="fei")  # attempted, not reached
    given_complaint(subject="d").resolved()  # not tried, still in time
    given_complaint(subject="e").does("withdraw", {"reason": "mistake"})  # nothing is due
    days = {"from": "2026-11-16", "to": "2026-11-22"}

    first = house.as_("sun").get("complaint-kpis", **days)
    clock.advance(days=5)
    later = house.as_("sun").get("complaint-kpis", **days)

    asked = {name: first.callback[name] for name in ("due", "waiting", "attempted", "reached", "answered", "satisfied")}
    assert asked == {"due": 4, "waiting": 1, "attempted": 3, "reached": 2, "answered": 2, "satisfied": 1}
    assert (first.callback["rate"], first.callback["reached_share"], first.callback["met"]) == (
        "1.0000",
        "0.6667",
        True,
    )
    assert (first.satisfaction["rate"], first.satisfaction["target"]) == ("0.5000", "0.85")
    assert (later.callback["waiting"], later.callback["rate"], later.callback["met"]) == (0, "0.7500", False)


@pytest.mark.rule("TR-12", partly="channel awareness follows with the surveys")
def test_first_contacts_are_judged_once_their_time_is_over(house: Any, given_complaint: Any, clock: Any) -> None:
    given_complaint().acknowledged().contacted()
    late = given_complaint(subject="b")
    days = {"from": "2026-11-20", "to": "2026-11-20"}

    before = house.as_("sun").get("complaint-kpis", **days).first_contact
    clock.advance(days=4)
    house.drain()
    after = house.as_("sun").get("complaint-kpis", **days).first_contact
    late.acknowledged("admin").contacted("admin")
    at_last = house.as_("sun").get("complaint-kpis", **days).first_contact

    assert (before["due"], before["waiting"], before["on_time"], before["rate"]) == (2, 1, 1, "1.0000")
    assert (after["waiting"], after["on_time"], after["late"], after["rate"]) == (0, 1, 1, "0.5000")
    assert (at_last["on_time"], at_last["late"], at_last["met"]) == (1, 1, False)


def test_nothing_due_is_no_merit(house: Any) -> None:
    found = house.as_("sun").get("complaint-kpis", **{"from": "2026-11-01", "to": "2026-11-30"})

    assert (found.callback["due"], found.callback["rate"], found.callback["met"]) == (0, None, None)


def test_of_few_answers_there_is_no_rate(house: Any, given_complaint: Any) -> None:
    days = {"from": "2026-11-16", "to": "2026-11-22"}
    for number in range(4):
        given_complaint(complainant={"name": f"guest {number}"}).closed(2)
    few = house.as_("sun").get("complaint-kpis", **days).by_handler
    given_complaint(complainant={"name": "guest 5"}).closed(3)
    enough = house.as_("sun").get("complaint-kpis", **days).by_handler

    assert [(row["handler"], row["answered"], row["satisfied"], row["rate"]) for row in few] == [("li", 4, 4, None)]
    assert [(row["answered"], row["rate"]) for row in enough] == [(5, "1.0000")]


def test_clocks_and_compensation_of_the_period(house: Any, given_complaint: Any, clock: Any) -> None:
    given_complaint().proposed(amount="40").resolved()
    given_complaint(subject="late")
    clock.advance(days=4)

    report = house.as_("sun").get("complaint-reports/monthly", month="2026-11")

    attained = {row["kind"]: (row["due"], row["waiting"], row["met"], row["missed"]) for row in report.clocks}
    assert attained["first_contact"] == (2, 0, 1, 1)
    assert report.compensation == {"grants": 1, "cases": 1, "points": 0, "value": "40.00", "currency": "CNY"}


def test_the_trend_goes_back_as_far_as_there_were_cases(house: Any, given_complaint: Any, clock: Any) -> None:
    for day in range(9):
        given_complaint(subject=f"week {day}")
        clock.advance(days=7)
    for extra in range(9):
        given_complaint(subject=f"extra {extra}")

    report = house.as_("sun").get("complaint-reports/weekly")

    assert [point["count"] for point in report.trend["periods"]] == [1] * 9 + [9]
    assert (report.trend["signal"], report.trend["mean"]) == ("above", "1.00")


@pytest.mark.parametrize("query", [{"week": "2026-W60"}, {"week": "W47"}, {"month": "2026-11"}])
def test_what_names_no_week_is_refused(house: Any, query: dict[str, str]) -> None:
    assert house.as_("sun").get("complaint-reports/weekly", **query).code == 422


@pytest.mark.parametrize(("who", "code"), [("chen", 200), ("zhou", 200), ("sun", 200), ("li", 403), ("fei", 403)])
def test_reports_are_for_those_who_manage_or_look(house: Any, who: str, code: int) -> None:
    assert house.as_(who).get("complaint-reports/weekly").code == code
    assert house.as_(who).get("complaint-kpis", **{"from": "2026-11-16", "to": "2026-11-22"}).code == code
