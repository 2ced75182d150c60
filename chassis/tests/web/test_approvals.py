"""Four eyes: nobody decides alone what needs a second person, but for the exception that is marked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chassis.clock import FakeClock
from chassis.messaging.delivery import Delivery
from chassis.messaging.event import Event
from chassis.people.copy import apply
from chassis.runtime import Runtime
from chassis.testkit import tokens

APPROVALS = "/api/v1/services/shelf/approvals"


@pytest.fixture
def proposal(keeper: Any, a_book: Any) -> dict[str, Any]:
    """The keeper proposed to remove a book."""
    book = keeper.post("/api/v1/books", json=a_book()).json
    answer = keeper.delete(f"/api/v1/books/{book['id']}")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"{APPROVALS}/{answer.json['id']}"
    return answer.json


def _knows(runtime: Runtime, username: str, roles: list[str], sequence: int = 1, enabled: bool = True) -> None:
    id = tokens.staff_id(username)
    data = {"staff_id": id, "username": username, "enabled": enabled, "unit_path": "/", "roles": roles}
    event = Event(
        f"{username}-{sequence}", "/kezhi/gateway", "staff.changed.v1", username, runtime.clock.now(), data,
        sequence=f"{sequence:012d}",
    )  # fmt: skip
    with runtime.context() as context:
        apply(context, Delivery(event, event.to_json()))


def test_a_second_person_carries_the_proposal_out(shelf: Runtime, proposal: Any, client: Callable[..., Any]) -> None:
    head = client(shelf, roles=["head", "reader"], username="head")
    assert [item["description"] for item in head.get(APPROVALS).json["items"]] == ["Remove the book Water Margin"]

    answer = head.post(f"{APPROVALS}/{proposal['id']}/approve", json={"content_hash": proposal["content_hash"]})

    assert (answer.status_code, answer.json["status"], answer.json["alone"]) == (200, "approved", False)
    assert answer.json["result"] == {"removed": proposal["content"]["book"]}
    assert head.get(f"/api/v1/books/{proposal['content']['book']}").status_code == 404
    again = head.post(f"{APPROVALS}/{proposal['id']}/approve", json={})
    assert (again.status_code, again.json["state"]) == (409, "approved")


def test_who_may_not_decide_is_refused_and_strangers_see_nothing(
    shelf: Runtime, proposal: Any, keeper: Any, reader: Any, client: Callable[..., Any]
) -> None:
    approve = f"{APPROVALS}/{proposal['id']}/approve"

    assert keeper.post(approve, json={}).status_code == 403, "the proposer, without the permission"
    assert reader.post(approve, json={}).status_code == 404
    assert reader.get(f"{APPROVALS}/{proposal['id']}").status_code == 404
    key = client(shelf, roles=None)
    header = {"Authorization": tokens.bearer(["head"], username="pos", kind="api_key")}
    assert key.post(approve, json={}, headers=header).status_code == 403, "API keys never approve"


def test_the_content_that_is_approved_is_the_one_that_was_read(
    shelf: Runtime, proposal: Any, client: Callable[..., Any]
) -> None:
    head = client(shelf, roles=["head"], username="head")

    answer = head.post(f"{APPROVALS}/{proposal['id']}/approve", json={"content_hash": "0" * 64})

    assert answer.status_code == 409
    assert head.get(f"{APPROVALS}/{proposal['id']}").json["status"] == "proposed"


def test_the_only_administrator_may_approve_alone_and_it_is_marked(
    shelf: Runtime, administrator: Any, a_book: Any, client: Callable[..., Any]
) -> None:
    _knows(shelf, "admin", ["administrator"])
    book = administrator.post("/api/v1/books", json=a_book()).json
    first = administrator.delete(f"/api/v1/books/{book['id']}").json

    answer = administrator.post(f"{APPROVALS}/{first['id']}/approve", json={})

    assert (answer.status_code, answer.json["alone"]) == (200, True)
    row = next(
        item
        for item in administrator.get("/api/v1/services/shelf/audit?action=approvals.approve").json["items"]
        if item["subject"] == first["id"]
    )
    assert row["details"]["alone"] is True


def test_two_administrators_end_the_exception_until_one_is_disabled(
    shelf: Runtime, administrator: Any, a_book: Any
) -> None:
    _knows(shelf, "admin", ["administrator"])
    _knows(shelf, "second", ["administrator"])
    book = administrator.post("/api/v1/books", json=a_book()).json
    approve = f"{APPROVALS}/{administrator.delete('/api/v1/books/' + book['id']).json['id']}/approve"

    assert administrator.post(approve, json={}).status_code == 403
    _knows(shelf, "second", ["administrator"], sequence=3, enabled=False)
    _knows(shelf, "second", ["administrator"], sequence=2, enabled=True)  # older news, arriving late
    assert administrator.post(approve, json={}).status_code == 200


def test_a_proposal_past_its_time_is_expired_before_any_schedule_says_so(
    shelf: Runtime, proposal: Any, clock: FakeClock, client: Callable[..., Any]
) -> None:
    head = client(shelf, roles=["head"], username="head")
    clock.at += timedelta(days=7)

    answer = head.post(f"{APPROVALS}/{proposal['id']}/approve", json={})

    assert (answer.status_code, answer.json["state"]) == (409, "expired")
    assert [item["id"] for item in head.get(f"{APPROVALS}?status=expired").json["items"]] == [proposal["id"]]
    assert head.get(f"{APPROVALS}?status=proposed").json["items"] == []


def test_the_proposer_may_withdraw(keeper: Any, proposal: Any) -> None:
    answer = keeper.post(f"{APPROVALS}/{proposal['id']}/reject", json={"note": "found it"})

    assert (answer.status_code, answer.json["status"], answer.json["note"]) == (200, "rejected", "found it")


def test_what_cannot_be_carried_out_leaves_the_proposal_open(
    shelf: Runtime, proposal: Any, keeper: Any, client: Callable[..., Any]
) -> None:
    head = client(shelf, roles=["head"], username="head")
    second = keeper.delete(f"/api/v1/books/{proposal['content']['book']}").json
    assert head.post(f"{APPROVALS}/{proposal['id']}/approve", json={}).status_code == 200

    answer = head.post(f"{APPROVALS}/{second['id']}/approve", json={})

    assert answer.status_code == 409
    assert head.get(f"{APPROVALS}/{second['id']}").json["status"] == "proposed"
