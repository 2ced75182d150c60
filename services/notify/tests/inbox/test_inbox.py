"""The staff inbox: one's own items and nobody else's."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture
def filled(office):
    office.company.employ("zhou", ["service_manager"])
    office.company.employ("li", ["handler"], superior="zhou")
    office.hears(office.complaint("due_soon", handler="li"), office.complaint("breached", handler="li"))
    office.works()
    return office


def test_everybody_reads_their_own_items_and_marks_them_read(filled, api):
    li, zhou = api("li", ["handler"]), api("zhou", ["service_manager"])
    assert li.get("inbox/count").get_json() == {"unread": 2, "call_tasks": 0}
    assert zhou.get("inbox/count").get_json() == {"unread": 1, "call_tasks": 0}

    first = li.get("inbox", unread="true").get_json()["items"][0]
    assert all((first["body"], first["subject"], first["link"]["complaint_id"]))
    assert li.post("inbox/read", {"ids": [first["id"]]}).get_json() == {"read": 1, "unread": 1}
    assert [one["id"] for one in li.get("inbox", unread="false").get_json()["items"]] == [first["id"]]
    assert len(li.get("inbox").get_json()["items"]) == 2


def test_nobody_marks_or_reads_what_is_anothers(filled, api):
    theirs = api("li", ["handler"]).get("inbox").get_json()["items"][0]["id"]

    assert api("zhou", ["service_manager"]).post("inbox/read", {"ids": [theirs]}).get_json()["read"] == 0
    assert api().get("inbox").get_json()["items"] == [], "an administrator reads their own inbox too"
    assert api("li", ["handler"]).get("inbox/count").get_json()["unread"] == 2


@pytest.mark.rule("TR-11")
def test_what_one_is_accused_of_later_disappears_from_the_inbox(filled, api):
    with filled.runtime.sessions.begin() as session:
        session.connection().exec_driver_sql("UPDATE inbox_item SET hidden_alone = '{li}'")

    assert api("li", ["handler"]).get("inbox").get_json()["items"] == []
    assert api("li", ["handler"]).get("inbox/count").get_json()["unread"] == 0


def test_ids_that_nobody_has_are_no_error(filled, api):
    assert api("li", ["handler"]).post("inbox/read", {"ids": [str(uuid.uuid4())]}).get_json()["read"] == 0
