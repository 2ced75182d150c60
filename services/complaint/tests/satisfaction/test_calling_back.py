"""Call-backs and rounds, over HTTP on a real database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from chassis.messaging.event import Event
from kezhi_contracts.validation import against_schema


@pytest.mark.rule("FR-08")
@pytest.mark.rule("CG-16")
def test_a_satisfied_answer_closes_the_case(
    house: Any, given_complaint: Any, recorded: Callable[..., list[Event]]
) -> None:
    case = given_complaint().resolved()

    answer = case.callback(2, comment="fine")

    assert (answer.status, answer.round, answer.level) == ("closed", 1, 1)
    assert (case.outcome, case.satisfaction, case.closed_at is not None) == ("satisfied", 2, True)
    (closed,) = recorded(house.runtime, "complaint.closed.v1")
    assert (closed.data["satisfaction"], closed.data["outcome"]) == (2, "satisfied")
    (form,) = case.rounds
    assert (form["satisfaction"], form["comment"], form["answered_by"], form["answered_via"]) == (
        2,
        "fine",
        "fei",
        "call",
    )


@pytest.mark.rule("FR-08")
@pytest.mark.rule("CG-16")
def test_a_dissatisfied_customer_reopens_the_case_one_level_up_with_a_new_form(
    house: Any, given_complaint: Any, recorded: Callable[..., list[Event]]
) -> None:
    case = given_complaint().resolved()
    before = {clock["id"] for clock in case.clocks}

    answer = case.callback(4)

    assert (answer.status, answer.round, answer.level) == ("investigating", 2, 2)
    assert case.handler == "chen"
    assert [form["form"] for form in case.rounds] == [f"{case.number}-1", f"{case.number}-2"]
    assert [form["level"] for form in case.rounds] == [1, 2]
    running = [clock for clock in case.clocks if clock["status"] == "running"]
    assert {"answer", "resolution"} <= {clock["kind"] for clock in running}
    assert before.isdisjoint(clock["id"] for clock in running)
    assert {clock["round"] for clock in running} == {2}
    (reopened,) = recorded(house.runtime, "complaint.reopened.v1")
    assert (reopened.data["satisfaction"], reopened.data["previous_round"], reopened.data["level"]) == (4, 1, 2)


@pytest.mark.rule("CG-16")
def test_it_is_reopened_again_and_again_until_the_answer_is_good(given_complaint: Any) -> None:
    case = given_complaint()
    seen = []
    for satisfaction in (4, 5, 4, 5, 3):
        answer = case.resolved().callback(satisfaction)
        seen.append((answer.status, answer.round, answer.level))

    assert seen == [
        ("investigating", 2, 2), ("investigating", 3, 3), ("investigating", 4, 3), ("investigating", 5, 3),
        ("closed", 5, 3),
    ]  # fmt: skip
    assert [form["satisfaction"] for form in case.rounds] == [4, 5, 4, 5, 3]


@pytest.mark.rule("FR-08")
def test_a_dissatisfied_answer_at_the_top_level_comes_before_the_general_manager(
    house: Any, given_complaint: Any
) -> None:
    case = given_complaint(level=3)
    assert case.handler == "zhou"

    answer = case.resolved().callback(5)

    assert (answer.level, case.executive, case.handler, case.handler_role) == (3, True, "sun", "director")
    listed = house.as_("sun").get("complaints", executive=True).items
    assert [each["number"] for each in listed] == [case.number]


@pytest.mark.rule("TR-19")
def test_the_handler_of_the_round_does_not_call_back_even_after_handing_the_case_on(
    house: Any, given_complaint: Any
) -> None:
    case = given_complaint().resolved()
    assert case.callback(1, by="li").code == 403

    house.company.employ("lu", ["handler"], unit="SH001", superior="chen")
    handed = house.as_("chen").post("complaints/hand-over", {"from": "li", "to": "lu", "reason": "moves to SH002"})

    assert handed.code == 200, handed
    assert case.callback(1, by="li").code == 403
    assert case.act("attempt", {"note": "nobody there"}, by="li").code == 403
    assert case.status == "calling_back"
    assert case.callback(1).status == "closed"
    assert case.rounds[0]["handler"] == "li"


def test_attempts_and_reached_are_counted_apart_and_the_last_attempt_closes(
    house: Any, given_complaint: Any, recorded: Callable[..., list[Event]]
) -> None:
    case = given_complaint().resolved()

    statuses = [case.act("attempt", {"note": "no answer"}, by="fei").status for _ in range(3)]

    assert statuses == ["calling_back", "calling_back", "closed"]
    (form,) = case.rounds
    assert (form["attempts"], form["reached"], form["satisfaction"], case.outcome) == (3, False, None, "not_reached")
    (closed,) = recorded(house.runtime, "complaint.closed.v1")
    assert (closed.data["satisfaction"], closed.data["outcome"]) == (None, "not_reached")
    assert case.act("attempt", {"note": "no answer"}, by="fei").code == 409
    assert [each["number"] for each in house.as_("sun").get("complaints", outcome="not_reached").items] == [case.number]


def test_the_call_that_reaches_them_is_an_attempt_as_well(given_complaint: Any) -> None:
    case = given_complaint().resolved().does("attempt", {"note": "engaged"}, by="fei")
    case.callback(3)

    assert (case.rounds[0]["attempts"], case.rounds[0]["reached"]) == (2, True)


def test_the_score_stays_with_the_handler_of_its_round(given_complaint: Any) -> None:
    case = given_complaint().resolved()
    case.callback(5)
    case.resolved().callback(1)

    assert [(form["handler"], form["satisfaction"]) for form in case.rounds] == [("li", 5), ("chen", 1)]


def test_unfounded_complaints_are_answered_politely_and_called_back_as_well(given_complaint: Any) -> None:
    case = given_complaint().acknowledged().does("triage", {"founded": False, "note": "not ours"})

    assert case.resolved().status == "calling_back"


def test_whoever_the_case_is_against_does_not_call_back(house: Any, given_complaint: Any) -> None:
    case = given_complaint(against={"kind": "staff", "ref": "fei"}, by="li").resolved()

    assert case.callback(1, by="fei").code == 404


def test_the_answer_stands_in_the_history_of_the_round_it_ended(given_complaint: Any) -> None:
    case = given_complaint().resolved()
    case.callback(4)
    case.does("investigate", {"cause": "training", "note": "the cap was not checked"})

    assert [(step["action"], step["round"]) for step in case.history() if step["by"] in ("fei", "chen")][-2:] == [
        ("callback", 1), ("investigate", 2),
    ]  # fmt: skip


def test_every_event_of_a_case_keeps_to_the_contract(
    house: Any, given_complaint: Any, recorded: Callable[..., list[Event]]
) -> None:
    case = given_complaint(against={"kind": "product", "ref": "W-500"}).acknowledged().contacted()
    case.proposed(amount="150").resolved().callback(4)
    case.resolved().callback(1)

    told = recorded(house.runtime)

    assert {"complaint.compensated.v1", "complaint.resolved.v1", "complaint.reopened.v1", "complaint.closed.v1"} <= {
        event.type for event in told
    }
    for event in told:
        assert against_schema(orjson.loads(event.to_json())) == {}, event.type
