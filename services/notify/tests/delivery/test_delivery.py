"""Messages leave: once, again when it failed, another way when it must, later when it has to be."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import orjson
import pytest
from sqlalchemy.exc import OperationalError

from notify.channels import Outcome
from notify.channels.signing import signed
from notify.delivery.taking import begin, held_by, take

LATER = Outcome("temporary", reason="421 busy", our_fault=False)
NEVER = Outcome("permanent", reason="number unknown")


def test_what_fails_for_a_while_is_tried_again_after_growing_pauses_and_then_given_up(office):
    guest = office.customer(emails=[], unit=None)
    office.sms.answers = [LATER] * 6
    office.hears(office.points_expiring(guest))
    pauses = []
    while (office.works(), office.the_message())[1].next_attempt_at is not None:
        message = office.the_message()
        assert message.status == "temporary_failure"
        pauses.append((message.next_attempt_at - office.clock.now()).total_seconds())
        office.clock.travel_to(message.next_attempt_at)

    assert [round(pause / 60) for pause in pauses] == pytest.approx([1, 2, 4, 8, 16], rel=0.25, abs=1)
    message = office.the_message()
    assert (message.status, message.attempts) == ("permanent_failure", 6)
    assert message.why == "given up after 6 attempts: 421 busy"
    assert len(office.sms.taken) == 6
    assert len({one.idempotency_key for one in office.sms.taken}) == 1


def test_a_dead_number_goes_on_by_mail(office, recorded):
    office.sms.answers = [NEVER]
    office.hears(office.points_expiring(office.customer()))
    office.works()

    by_channel = {one.channel: one for one in office.messages()}
    assert {name: one.status for name, one in by_channel.items()} == {"sms": "permanent_failure", "email": "sent"}
    assert by_channel["email"].why is None
    assert [event.type for event in recorded(office.runtime)] == ["notification.failed.v1", "notification.delivered.v1"]


@pytest.mark.rule("CG-24", partly="care plans are read, not run yet")
def test_a_night_message_waits_for_the_morning_and_is_not_dropped(office):
    office.at_night()
    office.hears(office.points_expiring(office.customer()))
    office.works()
    waiting = office.the_message()
    assert (waiting.status, waiting.why) == ("queued", "quiet hours")
    assert waiting.next_attempt_at == datetime.fromisoformat("2026-11-21T08:00:00+08:00")

    office.clock.travel_to(waiting.next_attempt_at)
    office.works()

    assert office.the_message().status == "sent"


@pytest.mark.rule("CG-24", partly="care plans are read, not run yet")
def test_care_waits_until_the_complaint_is_closed(office, api):
    guest = office.customer()
    case = {"customer_id": guest, "complaint_id": str(uuid.uuid4())}
    office.hears(office.complaint("received", **case))
    wish = {"template": "points_expiring", "class": "care", "recipient": {"customer_id": guest},
            "data": office.points_expiring(guest)["data"]}  # fmt: skip
    held = api().post("messages", wish).get_json()
    office.works()
    assert (held["status"], held["why"]["reason"]) == ("held", "the customer has an open complaint")

    office.clock.advance(hours=30)
    office.hears(office.complaint("closed", **case))
    office.works()

    assert office.the_message(route="asked").status == "sent"


def test_news_of_a_case_that_come_late_do_not_open_it_again(office):
    guest = office.customer()
    case = {"customer_id": guest, "complaint_id": str(uuid.uuid4())}
    early = office.complaint("received", **case)
    office.clock.advance(hours=1)
    office.hears(office.complaint("closed", **case))
    office.hears(early)

    assert office.rows("SELECT open FROM open_complaint") == [{"open": False}]


@pytest.mark.rule("CC-05")
def test_the_fifth_care_message_in_thirty_days_is_not_sent(office, api):
    guest = office.customer()
    wish = {"template": "points_expiring", "class": "care", "recipient": {"customer_id": guest},
            "data": office.points_expiring(guest)["data"]}  # fmt: skip
    for _ in range(5):
        api().post("messages", wish)
    office.works()
    assert sorted(one.status for one in office.messages()) == ["sent"] * 4 + ["suppressed"]

    office.clock.advance(days=31)
    api().post("messages", wish)
    office.works()

    assert [one.status for one in office.messages()].count("sent") == 5


def test_a_number_that_changed_in_the_night_gets_the_message_in_the_morning(office):
    office.at_night()
    guest = office.customer()
    office.hears(office.points_expiring(guest))
    office.customer(guest, phones=[{"number": "13700002222", "label": None}])
    office.clock.advance(hours=10)
    office.works()

    assert [one.address for one in office.sms.taken] == ["+8613700002222"]


def test_an_erased_customer_gets_nothing_and_leaves_nothing_readable(office):
    guest = office.customer()
    office.hears(office.points_expiring(guest))
    office.works()
    office.at_night()
    office.hears(office.points_expiring(guest, notice_days=7))
    office.customer(guest, status="erased", name="已删除", phones=[], emails=[])
    office.clock.advance(hours=10)
    office.works()

    assert [one.status for one in office.messages()] == ["sent", "suppressed"]
    assert {(one.address, one.body, one.data, one.name) for one in office.messages()} == {(None, None, None, None)}
    assert len(office.sms.taken) == 1


def test_whoever_dies_between_call_and_commit_leaves_at_most_one_duplicate_and_it_is_counted(office):
    office.hears(office.points_expiring(office.customer()))
    dies_after_the_call(office)
    assert office.the_message().status == "sending"
    office.works()
    assert len(office.sms.taken) == 1, "the lease still holds"

    office.clock.advance(minutes=2)
    office.works()

    message = office.the_message()
    assert (message.status, message.attempts, message.possible_duplicates) == ("sent", 2, 1)
    assert len(office.sms.taken) == 2


def test_a_second_death_at_the_same_message_sends_no_third(office):
    office.hears(office.points_expiring(office.customer(emails=[])))
    for _ in range(2):
        dies_after_the_call(office)
        office.clock.advance(minutes=2)
    office.works()

    message = office.the_message()
    assert (message.status, message.possible_duplicates, len(office.sms.taken)) == ("permanent_failure", 1, 2)
    assert message.why == "twice it is unknown whether the provider took it: not sent a third time"


def test_a_channel_that_knows_the_key_is_asked_again_without_a_duplicate(office):
    office.hears(office.points_expiring(office.customer(phones=[])))
    dies_after_the_call(office)
    office.clock.advance(minutes=2)
    office.works()

    assert (office.the_message().status, office.the_message().possible_duplicates) == ("sent", 0)
    assert len({one.idempotency_key for one in office.email.taken}) == 1


def test_whoever_dies_before_the_first_attempt_leaves_no_doubt(office):
    office.hears(office.points_expiring(office.customer()))
    with office.runtime.context() as context:
        assert len(take(context, office.another_sender().hand, 10)) == 1
    office.clock.advance(minutes=2)
    office.works()

    assert (office.the_message().status, office.the_message().possible_duplicates) == ("sent", 0)


def test_an_answer_that_comes_after_its_lease_changes_nothing(office):
    slow = office.another_sender()
    office.hears(office.points_expiring(office.customer()))
    with office.runtime.context() as context:
        (held,) = take(context, slow.hand, 10)
    with office.runtime.context() as context:
        begin(context, slow.hand, held, held_by(context, slow.hand, [held.id])[held.id])
    office.clock.advance(minutes=2)
    office.works()

    with office.runtime.context() as context:
        assert held_by(context, slow.hand, [held.id]) == {}
    assert office.the_message().status == "sent"


def test_a_channel_out_of_order_costs_no_message_an_attempt(office):
    office.sms.answers = [Outcome("temporary", reason="login refused", our_fault=True)] * 5
    office.hears(*(office.points_expiring(office.customer()) for _ in range(8)))
    office.works()

    assert sum(one.attempts for one in office.messages()) == 5
    waiting = [one for one in office.messages() if one.attempts == 0]
    assert {one.next_attempt_at for one in waiting} == {office.clock.now() + timedelta(seconds=30)}


def test_a_receipt_confirms_or_fails_what_was_sent_and_a_bounce_closes_the_address(office, client, monkeypatch):
    monkeypatch.setenv("KEZHI_WEBHOOK_SECRET", "s" * 32)
    guest = office.customer()
    office.hears(office.points_expiring(guest), office.points_expiring(guest, notice_days=7))
    office.works()
    stranger = client(office.runtime, roles=None)

    def tell(**body):
        raw = orjson.dumps(body)
        return stranger.post(
            "/api/v1/receipts/sms", data=raw, content_type="application/json",
            headers=signed("s" * 32, office.clock.now(), raw),
        )  # fmt: skip

    assert tell(reference="sms-1", status="delivered").get_json() == {"status": "delivered"}
    assert (
        tell(reference="sms-2", status="bounced", reason="no such number").get_json()["status"] == "permanent_failure"
    )
    assert tell(reference="sms-3", status="delivered").status_code == 404
    assert stranger.post("/api/v1/receipts/sms", json={"reference": "sms-1", "status": "failed"}).status_code == 401

    office.hears(office.points_expiring(guest, notice_days=1))
    office.works()
    assert office.the_message(channel="email").status == "sent"


def dies_after_the_call(office) -> None:
    """A sender takes a message, calls the provider and is gone before it can say so."""
    sender = office.another_sender()
    with office.runtime.context() as context:
        (held,) = take(context, sender.hand, 10)
    with office.runtime.context() as context:
        begun = begin(context, sender.hand, held, held_by(context, sender.hand, [held.id])[held.id])
    assert begun is not None
    begun[0].send(begun[1])


def test_a_database_that_is_away_while_texts_are_looked_up_costs_no_message(office, monkeypatch):
    office.hears(office.points_expiring(office.customer()))

    def gone(*asked):
        raise OperationalError("SELECT", {}, ConnectionError("the server went away"))

    with monkeypatch.context() as patched:
        patched.setattr("notify.templates.use_cases.text_for", gone)
        with pytest.raises(OperationalError):
            office.works()

    assert office.the_message().status == "queued"
    office.works()
    assert office.the_message().status == "sent"
