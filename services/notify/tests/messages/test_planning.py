"""From events to messages: who hears of what, once, and who never does."""

from __future__ import annotations

import pytest


@pytest.mark.rule("FR-07", "CG-14")
def test_the_complainant_hears_of_receipt_progress_and_solution(office):
    guest = office.customer()
    case = {"customer_id": guest, "complaint_id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3c002", "number": "TS2026-000001"}

    office.hears(office.complaint("received", **case), office.complaint("progressed", **case, reached=True, note="x"))
    office.hears(office.complaint("resolved", **case, answer="换一箱"))
    office.works()

    said = sorted(one.route for one in office.messages(customer_id=guest))
    assert said == ["complaint_progressed", "complaint_received", "complaint_resolved"]
    assert {one.status for one in office.messages()} == {"sent"}
    assert [one.address for one in office.sms.taken] == ["+8613800008801"] * 3
    assert all("TS2026-000001" in one.rendered.text for one in office.sms.taken)


def test_a_stranger_who_left_a_number_is_written_to(office):
    office.hears(office.link("follow"))
    office.works()

    message = office.the_message()
    assert (message.recipient_kind, message.status, message.channel) == ("complainant", "sent", "sms")
    assert office.sms.taken[0].address == "+8613900001111"
    assert "t" * 32 in office.sms.taken[0].rendered.text


def test_nothing_of_a_link_stays_readable_once_it_was_sent(office):
    office.hears(office.link("follow"))
    office.works()

    message = office.the_message()
    assert message.data is None
    assert "t" * 32 not in str(message.body)
    assert office.rows("SELECT body FROM chassis.inbox")[0]["body"] is None


def test_what_is_delivered_twice_is_said_once(office):
    guest = office.customer()
    event = office.points_expiring(guest)

    assert office.tell("events", event, event) == ["accepted", "duplicate"]
    assert office.tell("events", event) == ["duplicate"]
    office.works()

    assert len(office.sms.taken) == 1


def test_even_without_the_inbox_a_second_plan_of_the_same_event_writes_nothing(office):
    event = office.points_expiring(office.customer())
    office.hears(event)
    with office.runtime.sessions.begin() as session:
        session.connection().exec_driver_sql("DELETE FROM chassis.inbox")
    office.hears(event)

    assert len(office.messages()) == 1


def test_handler_and_superior_hear_of_a_breach_in_their_inbox(office):
    office.company.employ("zhou", ["service_manager"])
    office.company.employ("li", ["handler"], superior="zhou")

    office.hears(office.complaint("breached", handler="li"))
    office.works()

    assert [len(office.inbox(name)) for name in ("li", "zhou")] == [1, 1]
    assert office.inbox("li")[0].link["number"] == "TS2026-000001"


@pytest.mark.rule("TR-11")
def test_the_accused_and_their_people_never_get_a_word(office):
    office.company.employ("chen", ["director"])
    office.company.employ("zhou", ["service_manager"], superior="chen")
    office.company.employ("li", ["handler"], superior="zhou")
    hidden = [{"staff": "zhou", "with_subordinates": True}]

    office.hears(
        office.complaint(
            "received", handler="li", hidden_from=hidden, complainant={"name": "a", "phone": "13900001111"}
        ),
        office.complaint("breached", handler="li", hidden_from=hidden),
        office.complaint("escalated", handler="zhou", previous_handler="li", hidden_from=hidden, previous_level=1),
    )
    office.works()

    assert office.inbox("zhou") == []
    assert office.inbox("li") == []
    assert len(office.inbox("chen")) == 1, "the superior is the next one above who may see it"
    assert {one.recipient for one in office.messages() if one.recipient_kind == "staff"} == {"chen"}


@pytest.mark.rule("TR-11")
def test_who_comes_under_the_accused_before_it_is_placed_gets_nothing(office):
    office.company.employ("zhou", ["service_manager"])
    office.company.employ("li", ["handler"])
    office.hears(office.complaint("breached", handler="li", hidden_from=[{"staff": "zhou", "with_subordinates": True}]))

    office.company.employ("li", ["handler"], superior="zhou")
    office.works()

    assert office.inbox("li") == []
    assert office.the_message().status == "suppressed"


def test_a_deputy_reads_along_while_somebody_is_away(office):
    office.company.employ("wu", ["handler"])
    now = office.clock.now()
    office.company.employ("li", ["handler"], away=(now, now.replace(year=2027)), deputy="wu")

    office.hears(office.complaint("due_soon", handler="li"))
    office.works()

    assert (len(office.inbox("li")), len(office.inbox("wu"))) == (1, 1)


def test_a_customer_whose_registration_is_late_is_written_to_when_it_comes(office):
    guest = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"
    office.hears(office.points_expiring(guest))
    office.works()
    assert office.the_message().status == "held"

    office.customer(guest)
    office.works()

    assert office.the_message().status == "sent"
    assert len(office.sms.taken) == 1


def test_who_has_no_mobile_number_gets_mail_and_who_has_neither_is_called(office):
    office.company.employ("li", ["handler"])
    mail_only = office.customer(phones=[])
    landline = office.customer(phones=[{"number": "021-64330000", "label": None}], emails=[])
    nothing = office.customer(phones=[], emails=[])

    for guest in (mail_only, landline, nothing):
        office.hears(office.complaint("progressed", customer_id=guest, handler="li", reached=True, note=None))
    office.works()

    assert [office.the_message(customer_id=one).channel for one in (mail_only, landline)] == ["email", "call_task"]
    assert office.inbox("li")[0].kind == "call_task"
    assert "021-64330000" in office.inbox("li")[0].body
    silent = office.the_message(customer_id=nothing)
    assert (silent.status, silent.why) == ("suppressed", "no address for sms")
