"""Messages over HTTP: asked for, listed, cancelled; masked by role, guarded by the person, kept within the unit."""

from __future__ import annotations

import uuid

import pytest

from chassis.people.guard import viewer
from chassis.web import Principal
from notify.messages.queries import hidden_subjects

CODE = {"template": "one_time_code", "data": {"code": "042917", "minutes": 10}}


def test_a_code_is_sent_at_night_and_its_secret_is_stored_nowhere(office, api):
    office.at_night()
    guest = office.customer()
    body = {**CODE, "channel": "sms", "recipient": {"customer_id": guest, "phone": "13900001111"}}

    made = api("gateway", ["portal"]).post("messages", body, key="one-time-code:1")
    again = api("gateway", ["portal"]).post("messages", body, key="one-time-code:1")
    office.works()

    assert (made.status_code, again.get_json()["id"]) == (201, made.get_json()["id"])
    (taken,) = office.sms.taken
    assert taken.address == "+8613900001111"
    assert "042917" in taken.rendered.text
    message = office.the_message()
    assert "042917" not in f"{message.body}{message.subject}{message.data}"


def test_a_key_is_needed_to_send(api, client, office):
    body = {**CODE, "recipient": {"phone": "13900001111"}}
    answer = client(office.runtime, ["portal"]).post("/api/v1/messages", json=body)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"template": "nothing"}, "template"),
        ({"recipient": {}}, "recipient"),
        ({"recipient": {"customer_id": str(uuid.uuid4()), "staff": "li"}}, "recipient"),
        ({"recipient": {"phone": "021-64330000"}}, "recipient.phone"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_field(api, change, field):
    answer = api().post("messages", {**CODE, "recipient": {"phone": "13900001111"}, **change})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field])


def test_staff_are_written_to_in_their_inbox(office, api):
    office.company.employ("li", ["handler"])
    assert api().post("messages", {**CODE, "recipient": {"staff": "li"}}).status_code == 201
    assert api().post("messages", {**CODE, "recipient": {"staff": "nobody"}}).status_code == 404
    office.works()
    assert len(office.inbox("li")) == 1


def test_what_did_not_go_yet_can_be_taken_back_and_nothing_else(office, api):
    office.at_night()
    office.hears(office.points_expiring(office.customer()))
    message = office.the_message()

    taken_back = api().post(f"messages/{message.id}/cancel", {"reason": "wrong list"}).get_json()
    assert (taken_back["status"], taken_back["why"]["reason"]) == ("cancelled", "cancelled by admin: wrong list")
    second = api().post(f"messages/{message.id}/cancel")
    assert (second.status_code, second.get_json()["status_now"]) == (409, "cancelled")
    office.clock.advance(hours=12)
    office.works()
    assert office.sms.taken == []


def test_a_list_says_what_became_of_each_and_why(office, api):
    guest = office.customer(phones=[], emails=[])
    office.hears(office.points_expiring(guest))

    (line,) = api().get("messages", customer_id=guest).get_json()["items"]
    assert (line["status"], line["why"]["reason"], line["why"]["clause"]) == (
        "suppressed",
        "no address for sms",
        "CG-14",
    )
    assert line["why"]["policyversion"].startswith("consumer-goods@")
    assert api().get("messages", status="sent").get_json()["items"] == []
    assert len(api().get("messages", event_id=line["cause"]["id"]).get_json()["items"]) == 1


def test_texts_and_addresses_are_for_those_who_serve(office, api):
    office.hears(office.points_expiring(office.customer()))
    office.works()

    (served,) = api("li", ["handler"]).get("messages").get_json()["items"]
    (audited,) = api("au", ["auditor"]).get("messages").get_json()["items"]
    assert (bool(served["body"]), served["address"]) == (True, "+8613800008801")
    assert (audited["body"], audited["name"], audited["address"]) == (None, None, "•••8801")
    assert api("x", ["finance"]).get("messages").status_code == 403


@pytest.mark.rule("TR-11")
def test_the_accused_find_the_message_nowhere(office, api):
    office.company.employ("zhou", ["service_manager"])
    office.company.employ("li", ["handler"], superior="zhou")
    office.hears(office.link("follow", hidden_from=[{"staff": "zhou", "with_subordinates": True}]))
    office.works()
    hidden = office.the_message().id

    for accused in (api("zhou", ["service_manager"]), api("li", ["handler"])):
        assert accused.get("messages").get_json()["items"] == []
        assert accused.get(f"messages/{hidden}").status_code == 404
        assert accused.post(f"messages/{hidden}/cancel").status_code == 404
    assert api().get(f"messages/{hidden}").status_code == 200
    assert api().post(f"messages/{hidden}/cancel").status_code == 409
    with office.runtime.sessions() as session:
        kept_back = session.scalars(hidden_subjects(viewer(session, Principal("z", "zhou", "staff", "/", frozenset()))))
        assert list(kept_back) == [f"message:{hidden}"]


def test_a_store_sees_the_messages_of_its_own_customers(office, api):
    office.company.unit("SH")
    office.company.unit("BJ")
    here, there = office.customer(unit="SH"), office.customer(unit="BJ")
    office.hears(office.points_expiring(here), office.points_expiring(there))

    store = api("li", ["store_manager"], "/SH/")
    assert [one["customer_id"] for one in store.get("messages").get_json()["items"]] == [here]
    assert store.post("messages", {**CODE, "recipient": {"customer_id": there}}).status_code == 404
    assert store.get(f"consents/{there}").status_code == 404
