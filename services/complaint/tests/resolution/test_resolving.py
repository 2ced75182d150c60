"""Investigating, proposing, approving, granting and answering, over HTTP on a real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from chassis.messaging.event import Event
from chassis.testkit.tokens import bearer


@pytest.fixture
def compensated(house: Any, recorded: Callable[..., list[Event]]) -> Callable[[], list[Event]]:
    """The compensations that were told to the others."""
    return lambda: recorded(house.runtime, "complaint.compensated.v1")


@pytest.mark.rule("TR-19")
def test_the_cause_and_who_is_responsible_stand_on_the_form_of_the_round(given_complaint: Any) -> None:
    case = given_complaint().triaged()

    case.does("investigate", {"cause": "storage.cold_chain", "note": "the van was warm", "responsible": ["ma"]})

    (form,) = case.rounds
    assert (form["form"], form["cause"], form["responsible"]) == (f"{case.number}-1", "storage.cold_chain", ["ma"])
    assert (form["investigated_by"], form["cause_note"]) == ("li", "the van was warm")
    assert case.cause == "storage.cold_chain"


def test_within_ones_authority_a_proposal_goes_straight_to_the_answer(given_complaint: Any) -> None:
    case = given_complaint().proposed(amount="200.00", currency="CNY")

    assert (case.status, case.approval_needed) == ("proposed", False)
    assert "resolve" in case.now("li").allowed
    assert case.act("resolve", {"answer": "paid"}).status == "calling_back"


@pytest.mark.rule("ML-02")
def test_above_ones_limit_it_is_refused_and_routed_to_the_role_that_may(house: Any, given_complaint: Any) -> None:
    case = given_complaint().proposed(amount="200.01", currency="CNY")

    refused = case.act("resolve", {"answer": "paid"})

    assert (case.status, case.approval_needed, refused.code) == ("proposed", True, 409)
    (proposal,) = house.as_("li").get(f"complaints/{case.id}/resolution").proposals
    assert proposal["may"] == ["service_manager", "store_manager", "director"]
    assert (proposal["status"], proposal["approver"], proposal["clause"]) == ("needs_approval", "chen", "CG-15")


@pytest.mark.rule("ML-02")
@pytest.mark.parametrize(
    ("amount", "by", "code"),
    [
        ("2000", "chen", 200), ("2000.01", "chen", 403), ("2000.01", "zhou", 200), ("10000", "zhou", 200),
        ("10000.01", "zhou", 403), ("10000.01", "sun", 200), ("250000", "sun", 200), ("300", "admin", 200),
    ],
)  # fmt: skip
def test_each_role_approves_up_to_its_own_limit(given_complaint: Any, amount: str, by: str, code: int) -> None:
    case = given_complaint().proposed(amount=amount, currency="CNY")

    answer = case.act("approve", {}, by=by)

    assert answer.code == code, answer
    if code == 403:
        assert "director" in answer.may
        assert answer.clause == "CG-15"
        assert case.status == "proposed"
    else:
        assert case.status == "approved"


@pytest.mark.rule("ML-02")
def test_nobody_approves_their_own_proposal_however_high_they_stand(house: Any, given_complaint: Any) -> None:
    house.company.employ("kim", ["service_manager"], unit="SH001", superior="zhou")
    case = given_complaint(level=2)
    case.investigated()
    handler = case.handler
    case.does("propose", {"measures": "all of it", "compensation": {"amount": "5000"}})

    own = case.act("approve", {}, by=handler)

    assert own.code == 403, own
    assert case.act("approve", {}, by="zhou").status == "approved"


def test_the_only_administrator_approves_alone_and_it_is_marked(house: Any, given_complaint: Any) -> None:
    case = given_complaint().investigated()
    case.does("propose", {"measures": "exchange", "compensation": {"amount": "10"}}, by="admin")

    assert case.approval_needed
    assert case.act("compensate", {"amount": "10", "reason": "at once"}, by="admin").code == 403
    case.does("approve", {}, by="admin")

    (proposal,) = house.as_("admin").get(f"complaints/{case.id}/resolution").proposals
    assert (proposal["approved_by"], proposal["alone"]) == ("admin", True)
    assert case.history()[-1]["data"]["single_administrator"] is True


def test_an_administrator_who_is_not_alone_does_not_approve_what_they_proposed(
    house: Any, given_complaint: Any
) -> None:
    house.company.employ("root", ["administrator"])
    case = given_complaint().investigated()
    case.does("propose", {"measures": "exchange", "compensation": {"amount": "10"}}, by="root")

    assert "approve" not in case.now("root").allowed
    assert case.act("approve", {}, by="root").code == 403
    assert case.act("approve", {}, by="admin").code == 200


def test_an_api_key_approves_nothing(house: Any, given_complaint: Any) -> None:
    case = given_complaint().proposed(amount="300")
    machine = bearer(["service_manager"], "/", "robot", kind="api_key")

    answer = house.client.post(f"/api/v1/complaints/{case.id}/approve", json={}, headers={"Authorization": machine})

    assert answer.status_code == 403


@pytest.mark.rule("ML-02")
@pytest.mark.rule("CG-15")
def test_splitting_a_compensation_does_not_slip_under_the_limit(
    house: Any, given_complaint: Any, compensated: Any
) -> None:
    case = given_complaint(customer_id=house.customer(), complainant=None).investigated()

    first = case.act("compensate", {"amount": "150", "reason": "taxi"})
    second = case.act("compensate", {"amount": "50.01", "reason": "taxi again"})
    proposed = case.act("propose", {"measures": "and more", "compensation": {"points": 5001}})

    assert (first.code, second.code, proposed.code) == (200, 403, 200)
    assert second.may == ["service_manager", "store_manager", "director"]
    assert "150.00 before and 50.01 now" in second.detail
    assert case.approval_needed
    assert [event.data["amount"] for event in compensated()] == ["150.00"]
    assert case.compensated == "150.00"


def test_what_was_granted_since_the_proposal_makes_it_void(given_complaint: Any, compensated: Any) -> None:
    case = given_complaint().proposed(amount="150")
    case.does("compensate", {"amount": "50", "reason": "taxi"}, by="chen")

    refused = case.act("resolve", {"answer": "paid"})

    assert (refused.code, refused.granted) == (409, "50.00")
    case.does("propose", {"measures": "exchange", "compensation": {"amount": "150"}})
    assert case.act("resolve", {"answer": "paid"}).code == 200
    assert [event.data["amount"] for event in compensated()] == ["50.00", "150.00"]


@pytest.mark.rule("CG-15")
def test_points_are_told_to_loyalty_once_with_who_approved(house: Any, given_complaint: Any, compensated: Any) -> None:
    customer = house.customer()
    case = given_complaint(customer_id=customer, complainant=None).proposed(points=30_000)
    assert compensated() == []

    case.does("approve", {}, by="chen").does("resolve", {"answer": "We gave you points."})
    again = case.act("resolve", {"answer": "We gave you points."})

    (event,) = compensated()
    assert again.code == 409
    assert (event.data["customer_id"], event.data["points"], event.data["amount"]) == (customer, 30_000, None)
    assert (event.data["approved_by"], event.data["clause"]) == ("chen", "CG-15")
    (granted,) = house.as_("li").get(f"complaints/{case.id}/resolution").compensations
    assert (granted["id"], granted["value"]) == (event.data["compensation_id"], "300.00")


@pytest.mark.rule("CG-15")
def test_what_can_be_solved_on_the_spot_is_solved_on_the_spot(given_complaint: Any) -> None:
    simple, grave = given_complaint().triaged(), given_complaint(level=3).triaged()

    assert simple.act("resolve", {"answer": "Here is a new bottle."}).status == "calling_back"
    assert grave.act("resolve", {"answer": "Here is a new bottle."}).code == 409


@pytest.mark.rule("LQ-14")
def test_the_solution_that_the_customer_wants_is_before_whoever_proposes(given_complaint: Any) -> None:
    case = given_complaint(wanted="a new bottle and an apology").investigated()

    assert case.now("li").wanted == "a new bottle and an apology"


def test_whoever_it_was_routed_to_sees_the_case_also_from_another_unit(house: Any, given_complaint: Any) -> None:
    house.company.employ("qian", ["service_manager"], unit="SH002", superior="sun")
    house.company.employ("chen", ["service_manager"], unit="SH001", superior="zhou", enabled=False)
    case = given_complaint().proposed(amount="500")

    (proposal,) = house.as_("li").get(f"complaints/{case.id}/resolution").proposals
    assert proposal["approver"] == "qian"
    assert [each["number"] for each in house.as_("qian").get("complaints").items] == [case.number]
    assert case.act("approve", {}, by="qian").status == "approved"
    assert house.as_("qian").get(f"complaints/{case.id}").code == 404  # decided: it is theirs no more


def test_proposals_that_wait_can_be_listed_by_those_who_may_decide(house: Any, given_complaint: Any) -> None:
    waiting = given_complaint().proposed(amount="500")
    given_complaint(subject="another").proposed(amount="5")

    listed = house.as_("chen").get("complaints", approval_needed=True).items

    assert [each["number"] for each in listed] == [waiting.number]


def test_two_who_resolve_at_once_pay_once(house: Any, given_complaint: Any, compensated: Any) -> None:
    case = given_complaint().proposed(amount="100")
    codes: list[int] = []

    def resolve() -> None:
        codes.append(house.as_("li").post(f"complaints/{case.id}/resolve", {"answer": "paid"}).code)

    threads = [threading.Thread(target=resolve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == [200, 409, 409, 409]
    assert len(compensated()) == 1


def test_a_compensation_needs_a_key_and_a_repeated_one_pays_once(
    house: Any, given_complaint: Any, compensated: Any
) -> None:
    case = given_complaint().investigated()
    body = {"amount": "20", "reason": "taxi"}
    url = f"/api/v1/complaints/{case.id}/compensate"
    headers = {"Authorization": house.company.bearer("li")}

    without = house.client.post(url, json=body, headers=headers)
    twice = [house.as_("li").post(f"complaints/{case.id}/compensate", body, key="one").code for _ in range(2)]

    assert (without.status_code, twice) == (400, [200, 200])
    assert len(compensated()) == 1


def test_points_need_a_registered_customer(given_complaint: Any) -> None:
    case = given_complaint().investigated()

    answer = case.act("propose", {"measures": "points", "compensation": {"points": 100}})

    assert (answer.code, list(answer.errors)) == (422, ["compensation.points"])


def test_limits_are_of_the_companys_currency(given_complaint: Any) -> None:
    case = given_complaint().investigated()

    answer = case.act("propose", {"measures": "money", "compensation": {"amount": "10", "currency": "USD"}})

    assert (answer.code, list(answer.errors)) == (422, ["compensation.currency"])


def test_a_new_investigation_takes_the_proposal_off_the_table(
    house: Any, given_complaint: Any, compensated: Any
) -> None:
    case = given_complaint().proposed(amount="100")
    case.does("investigate", {"cause": "none", "note": "it was another maker's bottle"})
    case.does("unfounded", {"reason": "not our bottle"}).does("resolve", {"answer": "It is not one of ours."})

    (proposal,) = house.as_("li").get(f"complaints/{case.id}/resolution").proposals
    assert (proposal["status"], compensated()) == ("superseded", [])


def test_whoever_the_case_is_against_finds_no_proposal(house: Any, given_complaint: Any) -> None:
    case = given_complaint(against={"kind": "staff", "ref": "chen"}).investigated()

    assert house.as_("chen").get(f"complaints/{case.id}/resolution").code == 404
    assert house.as_("sun").get(f"complaints/{case.id}/resolution").code == 200
