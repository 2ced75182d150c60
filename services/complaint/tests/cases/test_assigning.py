"""Who gets a case: nearest, least loaded, there, and never the one it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


def away(house: Any, days: int = 3) -> tuple[Any, Any]:
    now = house.clock.now()
    return now - timedelta(hours=1), now + timedelta(days=days)


def test_cases_are_spread_over_those_who_have_least(house: Any, given_complaint: Any) -> None:
    house.company.employ("lu", ["handler"], unit="SH001", superior="chen")

    assert [given_complaint().handler for _ in range(4)] == ["li", "lu", "li", "lu"]


def test_a_closed_case_is_no_load(house: Any, given_complaint: Any) -> None:
    house.company.employ("lu", ["handler"], unit="SH001", superior="chen")
    given_complaint().closed()

    assert given_complaint().handler == "li"


@pytest.mark.rule("CG-13")
def test_the_unit_comes_first_then_the_tree_above_then_anywhere(house: Any, given_complaint: Any) -> None:
    house.company.employ("high", ["handler"], unit="SH")
    house.company.employ("afar", ["handler"], unit="SH002")

    assert given_complaint(unit="SH001").handler == "li"
    house.company.employ("li", ["handler"], unit="SH001", superior="chen", away=away(house))
    assert given_complaint(unit="SH001").handler == "high"
    house.company.employ("high", ["handler"], unit="SH", enabled=False)
    assert given_complaint(unit="SH001").handler == "afar"


@pytest.mark.rule("FR-05", partly="levels 1 and 2 are not yet reviewed one level higher before filing")
@pytest.mark.rule("FR-03")
def test_a_level_two_goes_to_its_handler_at_once_and_a_level_three_to_the_manager(given_complaint: Any) -> None:
    assert given_complaint(level=2).handler == "chen"
    assert given_complaint(level=3).handler == "zhou"


def test_where_the_role_is_not_held_the_next_one_has_it(house: Any, given_complaint: Any) -> None:
    house.company.employ("li", ["handler"], unit="SH001", enabled=False)

    case = given_complaint()

    assert (case.level, case.handler, case.handler_role) == (1, "chen", "service_manager")


def test_nobody_at_all_leaves_the_case_to_whoever_acknowledges_it(house: Any, given_complaint: Any) -> None:
    for name in ("li", "chen", "zhou", "sun"):
        house.company.employ(name, ["marketing"])
    case = given_complaint()
    assert (case.handler, case.allowed[:2]) == (None, ["acknowledge", "contact"])

    house.company.employ("sun", ["director"])
    assert case.acknowledged(by="sun").handler == "sun"


def test_an_away_person_s_deputy_stands_in_where_eligible(house: Any, given_complaint: Any) -> None:
    company = house.company
    company.employ("li", ["handler"], unit="SH001", away=away(house), deputy="lu")
    company.employ("lu", ["handler"], unit="SH002")
    assert given_complaint().handler == "lu"

    company.employ("lu", ["front_desk"], unit="SH002")
    assert given_complaint().handler == "chen"


def test_a_deputy_acts_for_a_handler_who_is_away(house: Any, given_complaint: Any) -> None:
    house.company.employ("lu", ["handler"], unit="SH001")
    case = given_complaint()
    assert case.act("acknowledge", by="lu").code == 403

    house.company.employ("li", ["handler"], unit="SH001", away=away(house), deputy="lu")

    assert case.act("acknowledge", by="lu").code == 200


@pytest.mark.rule("TR-11")
def test_neither_the_accused_nor_anybody_under_them_gets_it(house: Any, given_complaint: Any) -> None:
    assert given_complaint(against={"kind": "staff", "ref": "li"}).handler == "chen"
    assert given_complaint(against={"kind": "staff", "ref": "chen"}).handler == "zhou"
    assert given_complaint(against={"kind": "staff", "ref": "zhou"}).handler == "sun"
    assert given_complaint(against={"kind": "store", "ref": "SH001"}, category="safety.accident").handler == "sun"


@pytest.mark.rule("TR-11")
def test_escalation_skips_the_accused(house: Any, given_complaint: Any) -> None:
    case = given_complaint(unit="SH001", against={"kind": "store", "ref": "SH001"}).acknowledged()
    case.does("escalate", {"reason": "beyond me"})
    assert case.handler == "chen"

    case.does("escalate", {"reason": "beyond me too"})

    assert (case.handler, case.handler_role) == ("sun", "director")


@pytest.mark.rule("FR-12")
def test_passing_it_to_a_department_never_changes_whose_it_is(given_complaint: Any) -> None:
    case = given_complaint().triaged(department="logistics")

    assert (case.department, case.handler) == ("logistics", "li")
    assert case.investigated().handler == "li"


def test_a_superior_assigns_to_somebody_whose_role_reaches_it(house: Any, given_complaint: Any) -> None:
    house.company.employ("lu", ["handler"], unit="SH001")
    case = given_complaint(level=2)
    assert case.act("assign", {"handler": "lu"}, by="chen").code == 422
    assert case.act("assign", {"handler": "nobody"}, by="chen").code == 422
    assert case.act("assign", {"handler": "zhou"}, by="fei").code == 403

    assert case.does("assign", {"handler": "zhou"}, by="chen").handler == "zhou"


@pytest.mark.rule("TR-11")
def test_nobody_can_be_given_a_case_about_themselves(house: Any, given_complaint: Any) -> None:
    house.company.employ("lu", ["handler"], unit="SH001")
    case = given_complaint(against={"kind": "staff", "ref": "lu"})

    assert case.act("assign", {"handler": "lu"}, by="chen").code == 422


def test_nothing_is_assigned_to_somebody_away(house: Any, given_complaint: Any) -> None:
    house.company.employ("lu", ["handler"], unit="SH001", away=away(house))

    assert given_complaint().act("assign", {"handler": "lu"}, by="chen").code == 409


def test_all_open_work_of_somebody_is_handed_over_in_one_action(house: Any, given_complaint: Any) -> None:
    cases = [given_complaint() for _ in range(3)]
    done = given_complaint().closed()
    house.company.employ("lu", ["handler"], unit="SH001")
    house.company.employ("lo", ["handler"], unit="SH001")
    house.company.employ("li", ["handler"], unit="SH001", away=away(house))

    answer = house.as_("chen").post("complaints/hand-over", {"from": "li", "reason": "parental leave"})

    assert (sorted(answer.moved), answer.left) == (sorted(case.number for case in cases), [])
    assert sorted(case.handler for case in cases) == ["lo", "lo", "lu"]
    assert done.handler == "li"
    assert cases[0].history()[-1]["note"] == "parental leave"


def test_a_hand_over_to_one_person_leaves_what_they_may_not_have(house: Any, given_complaint: Any) -> None:
    house.company.employ("lu", ["handler"], unit="SH001")
    house.company.employ("lo", ["handler"], unit="SH002")
    given_complaint()  # li
    lu_has = given_complaint()
    about_li = given_complaint(against={"kind": "staff", "ref": "li"})
    assert (lu_has.handler, about_li.handler) == ("lu", "lu")

    answer = house.as_("chen").post("complaints/hand-over", {"from": "lu", "to": "li", "reason": "left us"})

    assert (answer.moved, answer.left) == ([lu_has.number], [about_li.number])


def test_handing_over_is_for_managers(house: Any) -> None:
    assert house.as_("li").post("complaints/hand-over", {"from": "li", "reason": "tired"}).code == 403
