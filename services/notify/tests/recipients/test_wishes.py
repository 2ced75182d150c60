"""What customers want: preferences, consents, addresses to be left alone."""

from __future__ import annotations

import pytest

from notify.recipients.domain import addresses, fingerprint


@pytest.mark.rule("CC-05")
def test_a_withdrawn_consent_stops_the_next_marketing_message(office, api):
    guest = office.customer(
        consents=[{"class": "marketing", "channel": "any", "given": True, "at": "2026-11-01T00:00:00Z"}]
    )
    wish = {"template": "points_expiring", "class": "marketing", "recipient": {"customer_id": guest},
            "data": office.points_expiring(guest)["data"]}  # fmt: skip
    assert api().post("messages", wish).get_json()["status"] == "queued"

    said = api().post(f"consents/{guest}", {"class": "marketing", "given": False, "source": "hotline"})
    assert said.status_code == 201
    refused = api().post("messages", wish).get_json()

    assert (refused["status"], refused["why"]["reason"]) == ("suppressed", "consent to marketing was withdrawn")
    assert [one["given"] for one in api().get(f"consents/{guest}").get_json()["items"]] == [False, True]
    office.works()
    assert office.sms.taken == [], "also the one that was planned before is judged anew"


def test_preferences_are_merged_under_their_version(office, api):
    guest = office.customer()
    path = f"preferences/{guest}"
    first = api().get(path)
    assert (first.headers["ETag"], first.get_json()["channels"]) == ('"0"', [])

    assert api().patch(path, {"channels": ["email"]}).status_code == 428
    changed = api().patch(path, {"channels": ["email"], "quiet_from": "20:00", "quiet_until": "10:00"}, '"0"')
    assert (changed.status_code, changed.get_json()["quiet_from"]) == (200, "20:00")
    assert api().patch(path, {"locale": "en"}, '"0"').status_code == 412
    assert api().patch(path, {"time_zone": "Mars/Olympus"}, '"1"').status_code == 422
    assert api().patch(path, {"off": [{"class": "service", "channel": "any"}]}, '"1"').status_code == 422

    office.hears(office.points_expiring(guest))
    assert office.the_message().channel == "email"


def test_an_address_that_is_left_alone_is_reached_another_way(office, api):
    guest = office.customer()
    row = api().post("suppressions", {"channel": "sms", "address": "138 0000 8801", "reason": "asked us"}).get_json()
    office.hears(office.points_expiring(guest))
    assert office.the_message().channel == "email"

    assert api().client.delete(f"/api/v1/suppressions/{row['id']}").status_code == 204
    assert api().get("suppressions").get_json()["items"] == []


def test_an_older_description_of_a_customer_changes_nothing(office):
    guest = office.customer()
    newer = office._event("customer.updated.v1", {**_state(guest), "phones": []}, guest, sequence=f"{9:020d}")
    older = office._event("customer.updated.v1", _state(guest), guest, sequence=f"{5:020d}")
    assert office.tell("customers", newer) == office.tell("customers", older) == ["accepted"]
    office.hears(office.points_expiring(guest))
    assert (office.the_message().status, office.the_message().why) == ("suppressed", "no address for sms")


def test_landlines_get_no_texts_and_spelling_makes_no_new_address():
    assert addresses(["021-64330000"], ["a@b.cn"]) == {"email": "a@b.cn", "call_task": "021-64330000"}
    assert fingerprint("sms", "+86 138 0000 8801") == fingerprint("sms", "13800008801")
    assert fingerprint("email", "A@b.cn ") == fingerprint("email", "a@B.cn")


def _state(guest: str) -> dict:
    return {
        "customer_id": guest, "code": "C-1", "kind": "individual", "name": "王芳", "status": "active", "unit": None,
        "identities": [], "grade": None, "classes": {}, "phones": [{"number": "13800008801", "label": None}],
        "emails": [], "standing": {"may_trade": True, "reasons": []},
    }  # fmt: skip
