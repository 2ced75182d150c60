"""``POST purchases`` publishes what a system tells, unchanged, and says what it would not take (decision 4)."""

from __future__ import annotations

import orjson
from sqlalchemy import text


def _outbox(runtime):
    with runtime.sessions() as session:
        return [
            (row.family, orjson.loads(bytes(row.body)))
            for row in session.execute(text("SELECT family, body FROM chassis.outbox ORDER BY id"))
        ]


def test_valid_events_go_to_the_purchases_exchange_as_they_came(admin, runtime, sale):
    one, two = sale("1"), sale("2")

    answer = admin.post("/api/v1/purchases", json=[one, {**two, "data": {}}, two])

    assert (answer.status_code, answer.json["accepted"]) == (202, 2)
    [rejected] = answer.json["rejected"]
    assert rejected["index"] == 1
    assert rejected["errors"]
    assert _outbox(runtime) == [("purchases", one), ("purchases", two)]


def test_one_event_may_come_without_a_list(admin, runtime, sale):
    assert admin.post("/api/v1/purchases", json=sale("1")).json == {"accepted": 1, "rejected": []}


def test_an_api_key_speaks_for_its_own_sources_only(runtime, sale):
    from chassis.testkit import tokens
    from chassis.web.app import create_app

    key = tokens.bearer(
        roles=["integration"], unit_path="/", username="pos", kind="api_key", sources=["/pos/shanghai-001"]
    )
    pos = create_app(runtime).test_client()
    pos.environ_base["HTTP_AUTHORIZATION"] = key

    answer = pos.post("/api/v1/purchases", json=[sale("1"), {**sale("2"), "source": "/pos/other"}])

    assert answer.json["accepted"] == 1
    assert "does not belong to this API key" in answer.json["rejected"][0]["errors"][0]


def test_what_is_no_list_of_events_is_refused_by_path(admin, sale):
    assert admin.post("/api/v1/purchases", json=[]).status_code == 422
    assert admin.post("/api/v1/purchases", json=[sale("1")] * 1001).status_code == 422
    assert admin.post("/api/v1/purchases", json="text").status_code == 422
    assert admin.post("/api/v1/purchases", data=b"{", content_type="application/json").status_code == 400
