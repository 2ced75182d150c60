"""Every message gets exactly one fate, and every event at most one effect."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from sqlalchemy import text

from chassis.errors import Conflict
from chassis.messaging.delivery import Reject
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime


def test_an_event_has_its_effect_once_however_often_it_is_delivered(runtime: Runtime, shop: Any) -> None:
    event = shop.purchase("e1")

    assert deliver(runtime, "till", [event]) == ["accepted"]
    assert deliver(runtime, "till", [event]) == ["duplicate"]
    assert shop.effects(runtime) == ["e1"]


def test_the_same_event_twice_in_one_batch_is_applied_once(runtime: Runtime, shop: Any) -> None:
    event = shop.purchase("e1")

    assert deliver(runtime, "till", [event, shop.purchase("e2"), event]) == [
        "accepted",
        "accepted",
        "duplicate",
    ]
    assert shop.effects(runtime) == ["e1", "e2"]


def test_a_failing_member_of_a_batch_fails_alone_and_the_others_keep_their_order(runtime: Runtime, shop: Any) -> None:
    events = [shop.purchase(f"e{n}") for n in range(20)]
    shop.fail_on["e7"] = ZeroDivisionError("seven")

    with pytest.raises(ZeroDivisionError):
        deliver(runtime, "till", events)

    assert shop.effects(runtime) == [event.id for event in events if event.id != "e7"]
    shop.fail_on.clear()
    assert deliver(runtime, "till", events).count("accepted") == 1


def test_a_rejected_member_claims_nothing_so_that_a_replay_can_work(runtime: Runtime, shop: Any) -> None:
    events = [shop.purchase("e1"), shop.purchase("e2")]
    shop.reject["e2"] = "The total is not the sum of the lines."

    assert deliver(runtime, "till", events) == ["accepted", "rejected:The total is not the sum of the lines."]
    shop.reject.clear()
    assert deliver(runtime, "till", events) == ["duplicate", "accepted"]


@pytest.mark.parametrize("error", [Reject("No such purchase."), Conflict("No such purchase.")])
def test_a_handler_that_refuses_leaves_no_half_effect(runtime: Runtime, shop: Any, error: Exception) -> None:
    shop.fail_on["e1"] = error

    assert deliver(runtime, "clerk", [shop.purchase("e1"), shop.purchase("e2")]) == [
        "rejected:No such purchase.",
        "accepted",
    ]
    assert shop.effects(runtime) == ["e2"]


def test_the_inbox_keeps_the_raw_body(runtime: Runtime, shop: Any) -> None:
    body = shop.purchase("e1").to_json()

    deliver(runtime, "till", [body])

    with runtime.sessions() as session:
        assert bytes(session.execute(text("SELECT body FROM chassis.inbox")).scalar_one()) == body


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "purchase.completed.v9"}, "Unknown event version 'purchase.completed.v9'"),
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "attribute id"),
        ({"data": {"purchase_id": "P1"}}, "data: "),
        ({"data": []}, "data must be a JSON object"),
        ({"time": "yesterday"}, "time is no RFC 3339 instant"),
    ],
)
def test_an_invalid_event_is_rejected_with_a_sentence(
    runtime: Runtime, shop: Any, change: dict[str, Any], reason: str
) -> None:
    document = orjson.loads(shop.purchase("e1").to_json()) | change

    (word,) = deliver(runtime, "till", [document])

    assert word.startswith("rejected:")
    assert reason in word
    assert word.endswith(".")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"{}", b"[" * 200_000, b" " * (1 << 21)]
)
def test_a_body_that_is_no_event_is_rejected(runtime: Runtime, body: bytes) -> None:
    assert deliver(runtime, "till", [body])[0].startswith("rejected:The body ")


@pytest.mark.parametrize(
    ("occurred_at", "reason"),
    [
        ("2024-01-01T00:00:00+08:00", "is not taken"),
        ("2026-11-20T11:00:00+08:00", "too far ahead"),
    ],
)
def test_facts_outside_the_window_are_rejected(runtime: Runtime, shop: Any, occurred_at: str, reason: str) -> None:
    assert reason in deliver(runtime, "till", [shop.purchase("e1", occurred_at=occurred_at)])[0]
