"""The table of a case's life, asked directly, and what the API makes of it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from complaint.cases.actions import ACTIONS
from complaint.cases.lifecycle import BY_ITSELF, FINAL, LIFECYCLE, STATES, Facts, allowed

WORK = ["acknowledge", "triage", "investigate", "propose", "resolve", "callback"]
ALL = Facts(handles=True, outranks=True, manages=True, on_ladder=True, authorised=True, calls_back=True)


def ways() -> list[Facts]:
    """Everything that a row's condition may ask of a case."""
    return [
        Facts(level=level, round=round_, type=type_, approval_needed=needs)
        for level, round_, type_, needs in product((1, 2, 3), (1, 2), ("complaint", "inquiry"), (True, False))
    ]


def reached_from(status: str, facts: Facts) -> set[str]:
    rows = [row for row in LIFECYCLE if status in row.sources and row.when(facts)]
    found = {to for row in rows for to in row.to}
    return {BY_ITSELF.get(to, to) for to in found}


def test_every_action_of_the_table_has_its_effect_and_every_effect_a_row() -> None:
    assert set(LIFECYCLE.actions) == set(ACTIONS)


@pytest.mark.parametrize("facts", ways())
def test_every_state_can_be_left_towards_an_end(facts: Facts) -> None:
    ends = set(FINAL)
    grew = True
    while grew:
        before = len(ends)
        ends |= {status for status in STATES if reached_from(status, facts) & ends}
        grew = len(ends) > before

    assert ends >= set(STATES) - set(BY_ITSELF)


def test_every_state_but_one_is_reached_and_nobody_stays_in_resolved() -> None:
    reached = {to for facts in ways() for status in STATES for to in reached_from(status, facts)}

    assert reached == set(STATES) - {"received", "resolved"}


@pytest.mark.parametrize("status", sorted(set(STATES) - {"resolved"}))
@pytest.mark.parametrize("facts", ways())
def test_in_every_state_an_administrator_alone_can_act(status: str, facts: Facts) -> None:
    """A company whose every handler has left still gets on with its cases."""
    alone = Facts(
        facts.level, facts.round, facts.type, facts.approval_needed, outranks=True, calls_back=True, proposed=False
    )

    assert allowed(status, alone)


def test_the_handler_never_calls_back_and_the_proposer_never_approves() -> None:
    handler = Facts(handles=True, on_ladder=True, authorised=True, calls_back=True, proposed=True, approval_needed=True)

    assert "callback" not in allowed("calling_back", handler)
    assert "attempt" not in allowed("calling_back", handler)
    assert "approve" not in allowed("proposed", handler)


def test_the_customer_s_own_answer_comes_through_the_portal() -> None:
    assert "callback" in allowed("calling_back", Facts(system=True))


@pytest.mark.rule("CG-15")
@pytest.mark.parametrize(
    ("facts", "may"),
    [
        (Facts(handles=True), True),
        (Facts(handles=True, level=2), False),
        (Facts(handles=True, round=2), False),
        (Facts(handles=True, level=2, type="inquiry"), True),
    ],
)
def test_what_can_be_solved_on_the_spot_is_solved_on_the_spot(facts: Facts, may: bool) -> None:
    assert ("resolve" in allowed("triaged", facts)) is may


@pytest.mark.rule("LQ-08")
def test_the_course_is_recorded_judged_sorted_assigned_found_approved_answered_followed_up_and_filed(
    given_complaint: Any,
) -> None:
    case = given_complaint().acknowledged().triaged().investigated().proposed(amount="300.00", currency="CNY")
    case.does("approve", {"note": "agreed"}, by="chen").resolved()
    case.callback(satisfaction=1)

    steps = [(step["action"], step["to_status"]) for step in case.history()]
    assert [pair for pair in steps if pair[0] in ("receive", "assign", "approve", *WORK)] == [
        ("receive", "received"), ("assign", "received"), ("acknowledge", "acknowledged"), ("triage", "triaged"),
        ("investigate", "investigating"), ("investigate", "investigating"), ("propose", "proposed"),
        ("approve", "approved"), ("resolve", "resolved"), ("callback", "closed"),
    ]  # fmt: skip


@pytest.mark.rule("IS-03")
def test_each_step_names_its_person_its_time_and_its_article(house: Any, given_complaint: Any) -> None:
    case = given_complaint().acknowledged()
    house.clock.advance(minutes=5)
    case.triaged(note="a loose cap, says the customer")

    *_, acknowledged, triaged = case.history()
    assert (acknowledged["by"], acknowledged["by_role"], acknowledged["at"]) == (
        "li",
        "handler",
        "2026-11-20T02:00:00Z",
    )
    assert (triaged["by"], triaged["at"], triaged["clause"]) == ("li", "2026-11-20T02:05:00Z", "LQ-08")
    assert (triaged["from_status"], triaged["to_status"]) == ("acknowledged", "triaged")
    assert triaged["note"] == "a loose cap, says the customer"


@pytest.mark.rule("CG-14")
def test_the_customer_is_told_how_it_goes(given_complaint: Any, recorded: Any, house: Any) -> None:
    case = given_complaint().contacted().does("progress", {"note": "the maker was asked"})

    (event,) = recorded(house.runtime, "complaint.progressed.v1")
    assert (event.data["complaint_id"], event.data["note"]) == (case.id, "the maker was asked")


@pytest.mark.rule("LQ-08")
def test_an_unfounded_one_is_answered_and_its_customer_asked_all_the_same(given_complaint: Any) -> None:
    case = given_complaint().acknowledged().does("triage", {"founded": False, "note": "it was another brand"})
    assert (case.status, case.founded, case.now("fei").allowed) == ("unfounded", False, [])

    case.resolved()

    assert case.status == "calling_back"


@pytest.mark.parametrize("action", ["triage", "propose", "resolve", "callback", "resume", "reopen"])
def test_an_illegal_step_is_409_and_says_what_is_allowed(given_complaint: Any, action: str) -> None:
    bodies = {
        "triage": {"founded": True}, "propose": {"measures": "x"}, "resolve": {"answer": "x"},
        "callback": {"satisfaction": 1}, "reopen": {"reason": "x"},
    }  # fmt: skip
    case = given_complaint()

    answer = case.act(action, bodies.get(action), by="admin")

    assert (answer.code, answer.current) == (409, "received")
    assert answer.allowed[0] == "acknowledge"
    assert case.status == "received"


def test_who_may_not_act_is_refused_and_nothing_changes(given_complaint: Any) -> None:
    case = given_complaint()

    assert case.act("acknowledge", by="fei").code == 403
    assert case.act("acknowledge", by="ma").code == 403
    assert (case.status, len(case.history())) == ("received", 2)


def test_those_above_may_do_what_the_handler_may(given_complaint: Any) -> None:
    assert given_complaint().acknowledged(by="chen").triaged(by="zhou").investigated(by="sun").status == "investigating"


@pytest.mark.rule("CG-14")
def test_waiting_for_the_customer_pauses_and_resuming_goes_on_where_it_stood(house: Any, given_complaint: Any) -> None:
    case = given_complaint().contacted().triaged()
    due = case.clock("resolution")["due_at"]
    case.does("wait", {"for": "a photo of the cap"})
    assert (case.status, case.clock("resolution")["status"]) == ("waiting_for_customer", "paused")

    house.clock.advance(days=4)
    case.does("resume")

    assert (case.status, case.clock("resolution")["status"]) == ("triaged", "running")
    assert case.clock("resolution")["due_at"] > due


def test_a_withdrawn_case_is_closed_with_its_reason(given_complaint: Any, recorded: Any, house: Any) -> None:
    case = given_complaint().does("withdraw", {"reason": "found the receipt"})

    assert (case.status, case.outcome, case.breached, case.next_due_at) == ("withdrawn", "withdrawn", False, None)
    (event,) = recorded(house.runtime, "complaint.closed.v1")
    assert event.data["outcome"] == "withdrawn"


def test_a_superior_takes_a_closed_case_up_again_as_a_round_of_its_own(house: Any, given_complaint: Any) -> None:
    case = given_complaint().closed()
    assert case.act("reopen", {"reason": "it leaks again"}, by="li").code == 403

    case.does("reopen", {"reason": "it leaks again"}, by="chen")

    assert (case.status, case.round, case.closed_at) == ("investigating", 2, None)
    assert [form["round"] for form in case.rounds] == [1, 2]


def test_thanks_reopen_nothing(given_complaint: Any) -> None:
    case = given_complaint().closed()

    assert case.act("contact", {"kind": "progress", "reached": True, "note": "said thanks"}, by="chen").code == 409
    assert case.status == "closed"


def test_what_was_written_down_wrongly_is_set_right_by_version(house: Any, given_complaint: Any) -> None:
    case = given_complaint()
    read = case.now()
    tag = read.headers["ETag"]

    changed = house.as_("li").patch(f"complaints/{case.id}", {"subject": "Leaking cap", "insists": True}, tag)

    assert (changed.code, changed.subject, changed.level, changed.handler) == (200, "Leaking cap", 2, "chen")
    assert house.as_("chen").patch(f"complaints/{case.id}", {"subject": "x"}, tag).code == 412
    assert case.history()[-2]["data"] == {"changed": ["insists", "subject"]}


def test_history_cannot_be_rewritten(house: Any, given_complaint: Any) -> None:
    given_complaint()

    with pytest.raises(Exception, match="append-only"):
        house.rows("UPDATE complaint_step SET note = 'x'")
