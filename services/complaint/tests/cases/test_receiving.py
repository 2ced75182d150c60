"""Intake: whoever comes is heard, and the case is in somebody's hands before the answer goes out."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, event

from chassis.messaging.event import Event

from ..conftest import said


@pytest.mark.rule("CG-13")
def test_a_complaint_is_in_somebodys_hands_before_the_answer_goes_out(given_complaint: Any) -> None:
    case = given_complaint()

    assert case.number == "TS2026-000001"
    assert (case.status, case.level, case.handler, case.round) == ("received", 1, "li", 1)
    assert (case.received_at, case.complainant["name"]) == ("2026-11-20T02:00:00Z", "王芳")
    assert {clock["kind"] for clock in case.clocks} >= {"first_contact", "answer", "resolution"}


@pytest.mark.rule("CG-12")
@pytest.mark.parametrize(
    "channel", ["hotline", "portal", "store_box", "email", "letter", "visit", "message", "regulator"]
)
def test_complaints_come_through_every_channel_of_the_pack(house: Any, channel: str) -> None:
    assert house.as_("fei").post("complaints", said(channel=channel)).code == 201


def test_a_channel_that_the_pack_does_not_accept_is_refused(house: Any) -> None:
    answer = house.as_("fei").post("complaints", said(channel="pigeon"))

    assert (answer.code, list(answer.errors)) == (422, ["channel"])


@pytest.mark.rule("IS-02")
@pytest.mark.parametrize("category", ["product.quality", "service.insufficient", "order.customisation"])
def test_issues_of_product_service_and_order_are_told_apart(given_complaint: Any, category: str) -> None:
    assert given_complaint(category=category).category == category


@pytest.mark.parametrize("type_", ["complaint", "inquiry", "opinion", "suggestion", "report", "praise"])
def test_all_that_customers_say_takes_the_same_way(given_complaint: Any, type_: str) -> None:
    assert given_complaint(type=type_).type == type_


@pytest.mark.rule("FR-04")
def test_the_form_needs_its_facts_and_names_what_is_missing(house: Any) -> None:
    body = said(category="product.colour")
    del body["description"]

    assert set(house.as_("fei").post("complaints", body).errors) == {"description"}
    assert set(house.as_("fei").post("complaints", said(category="product.colour")).errors) == {"category"}


@pytest.mark.rule("FR-04")
@pytest.mark.parametrize("channel", ["hotline", "letter", "store_box"])
def test_the_first_contact_is_due_within_a_working_day_whatever_the_channel(given_complaint: Any, channel: str) -> None:
    case = given_complaint(channel=channel)  # a Friday, 10:00

    assert case.clock("first_contact")["due_at"] == "2026-11-23T02:00:00Z"
    case.contacted()
    assert case.clock("first_contact")["status"] == "met"


def test_a_call_that_reaches_nobody_is_no_first_contact(given_complaint: Any) -> None:
    case = given_complaint().does("contact", {"kind": "first", "reached": False, "note": "nobody answered"})

    assert (case.first_contacted_at, case.clock("first_contact")["status"]) == (None, "running")


def test_the_morning_s_letters_are_typed_in_with_the_time_they_came(given_complaint: Any) -> None:
    case = given_complaint(received_at="2026-11-18T09:00:00+08:00", channel="letter")

    assert (case.received_at, case.created_at) == ("2026-11-18T01:00:00Z", "2026-11-20T02:00:00Z")
    assert case.clock("first_contact")["started_at"] == "2026-11-18T01:00:00Z"


def test_only_the_roles_that_the_pack_names_give_a_time_in_the_past(house: Any) -> None:
    past = said(received_at="2026-11-18T09:00:00+08:00")

    assert house.as_("chen").post("complaints", past).code == 403
    assert house.as_("portal").post("complaints", past).code == 403
    assert house.as_("li").post("complaints", past).code == 201


@pytest.mark.parametrize("at", ["2026-11-21T10:00:00+08:00", "2020-01-01T10:00:00+08:00"])
def test_no_case_comes_from_the_future_or_from_before_memory(house: Any, at: str) -> None:
    assert list(house.as_("fei").post("complaints", said(received_at=at)).errors) == ["received_at"]


def test_a_customer_we_do_not_know_yet_is_heard_and_recognised_later(house: Any, given_complaint: Any) -> None:
    somebody = str(uuid.uuid4())
    case = given_complaint(customer_id=somebody, complainant=None)
    assert (case.customer_id, case.verified) == (somebody, False)

    house.customer(somebody, name="李明", grade="gold")

    assert (case.verified, case.customer_name, case.grade) == (True, "李明", "gold")


def test_a_telephone_number_of_one_customer_names_the_customer(house: Any, given_complaint: Any) -> None:
    known = house.customer(phones=[{"number": "+8613800138000"}])

    assert given_complaint(complainant={"phone": "138 0013 8000"}).customer_id == known
    assert given_complaint(complainant={"phone": "13900139000"}).customer_id is None


def test_a_number_that_two_customers_share_names_neither(house: Any, given_complaint: Any) -> None:
    house.customer(phones=[{"number": "+8613800138000"}])
    house.customer(phones=[{"number": "+8613800138000"}])

    assert given_complaint().customer_id is None


def test_an_open_case_becomes_the_customer_s_once_they_register(house: Any, given_complaint: Any) -> None:
    case = given_complaint()

    registered = house.customer(phones=[{"number": "+8613800138000"}])

    assert (case.customer_id, case.verified) == (registered, True)


def test_cases_follow_a_merge(house: Any, given_complaint: Any) -> None:
    one, other = house.customer(), house.customer()
    case = given_complaint(customer_id=one, complainant=None)

    house.customer(other, type="merged", merge_id=one, merged_customer_id=one, merged_at="2026-11-20T02:00:00Z")

    assert case.customer_id == other


def test_an_erased_customer_leaves_the_facts_and_takes_the_contacts_along(house: Any, given_complaint: Any) -> None:
    somebody = house.customer()
    case = given_complaint(customer_id=somebody)

    house.customer(somebody, type="erased", name="-", status="erased", erased_at="2026-11-20T02:00:00Z")

    assert (case.subject, case.complainant["phone"]) == ("Leaking bottle", None)


def test_nobody_has_to_say_who_they_are_where_the_pack_allows_it(given_complaint: Any) -> None:
    case = given_complaint(complainant=None, anonymous=True)

    assert (case.anonymous, case.complainant, case.handler) == (True, None, "li")


def test_contacts_lie_encrypted_in_the_database(house: Any, given_complaint: Any) -> None:
    given_complaint()

    (row,) = house.rows("SELECT * FROM complaint")
    assert not any("13800138000" in str(value) or "王芳" in str(value) for value in row.values())


def test_a_wish_of_the_customer_is_kept(given_complaint: Any) -> None:
    assert given_complaint(wanted="a new bottle").wanted == "a new bottle"


def test_numbers_have_no_gaps_even_when_many_come_at_once_and_some_are_refused(house: Any) -> None:
    def one(turn: int) -> Any:
        body = said() if turn % 3 else said(channel="pigeon")
        return house.as_("fei").post("complaints", body)

    with ThreadPoolExecutor(6) as many:
        answers = list(many.map(one, range(30)))

    numbers = sorted(answer.number for answer in answers if answer.code == 201)
    assert numbers == [f"TS2026-{number:06d}" for number in range(1, 21)]


def test_the_same_key_opens_one_case(house: Any) -> None:
    first = house.as_("fei").post("complaints", said(), key="k1")
    again = house.as_("fei").post("complaints", said(), key="k1")

    assert (first.id, len(house.rows("SELECT 1 FROM complaint"))) == (again.id, 1)


def test_the_portal_may_record_and_not_read(house: Any) -> None:
    recorded = house.as_("portal").post("complaints", said(channel="portal"))

    assert recorded.code == 201
    assert house.as_("portal").get("complaints").code == 403
    assert house.as_("portal").get(f"complaints/{recorded.id}").code == 403


def test_the_whole_way_to_the_satisfied_answer(given_complaint: Any, recorded: Any, house: Any) -> None:
    case = given_complaint().acknowledged().contacted().triaged().investigated().proposed()

    case.resolved()
    assert case.status == "calling_back"
    answer = case.callback(satisfaction=2)

    assert (answer.code, answer.status, answer.round, answer.outcome) == (200, "closed", 1, "satisfied")
    events: list[Event] = recorded(house.runtime)
    assert [event.type for event in events if event.type.startswith("complaint.")] == [
        "complaint.received.v1", "complaint.assigned.v1", "complaint.contacted.v1", "complaint.resolved.v1",
        "complaint.closed.v1",
    ]  # fmt: skip


MOST = 8  # the key and its twin, the customer, the surroundings, the handler, the number; the case, the audit, the key


def test_an_intake_takes_few_statements_whatever_it_consists_of(house: Any, given_complaint: Any) -> None:
    given_complaint()
    asked: list[str] = []

    def heard(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        known = given_complaint(against={"kind": "product", "ref": "W-1"}, value={"amount": "12.50", "currency": "CNY"})
    finally:
        event.remove(Engine, "before_cursor_execute", heard)
    assert len(asked) <= MOST, asked
    assert len(known.clocks) >= 3


def test_the_answer_tells_the_case_as_it_is_read_again(house: Any, given_complaint: Any) -> None:
    """It is made of what was written, so nothing of it may differ."""
    customer = house.customer(grade="vip")
    first = given_complaint(customer_id=customer, against={"kind": "store", "ref": "SH001"}, insists=True)
    nameless = given_complaint(complainant=None, anonymous=True, channel="store_box", unit=None)
    again = given_complaint(customer_id=customer, against={"kind": "store", "ref": "SH001"})

    assert again.repeat_of == first.id
    for case in (first, nameless, again):
        told = case.last.body
        assert house.as_("fei").get(f"complaints/{case.id}").body == told
