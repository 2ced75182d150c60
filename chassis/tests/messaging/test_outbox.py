"""An event stands in the outbox exactly when its cause was committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from chassis.ids import derived_id
from chassis.messaging import outbox
from chassis.messaging.event import Event
from chassis.runtime import Runtime


def test_an_announced_event_carries_source_time_and_derived_id(
    runtime: Runtime, recorded: Callable[..., list[Event]]
) -> None:
    with runtime.context() as context:
        event = outbox.announce(
            context.session,
            "points.earned.v1",
            subject="m1",
            data={"points": 5},
            key="P1",
            partitionkey="c1",
            sequence=7,
        )

    assert recorded(runtime) == [event]
    assert (event.source, event.id) == (
        "/kezhi/shop",
        str(derived_id("/kezhi/shop", "P1", "points.earned.v1")),
    )
    assert (event.time, event.sequence) == (runtime.clock.now(), "00000000000000000007")


def test_nothing_is_announced_by_a_transaction_that_fails(
    runtime: Runtime, recorded: Callable[..., list[Event]]
) -> None:
    def failing() -> None:
        with runtime.context() as context:
            outbox.announce(context.session, "points.earned.v1", subject="m1", data={}, key="P1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()

    assert recorded(runtime) == []


def test_many_events_are_recorded_at_once_in_their_order(
    runtime: Runtime, recorded: Callable[..., list[Event]], shop: Any
) -> None:
    events = [shop.purchase(f"e{n}") for n in range(100)]

    with runtime.context() as context:
        outbox.record(context.session, events)

    assert recorded(runtime) == events


def test_a_forwarded_body_is_published_unchanged(runtime: Runtime, shop: Any) -> None:
    body = shop.purchase("e1").to_json() + b"  "

    with runtime.context() as context:
        outbox.forward(context.session, [body])

    with runtime.sessions() as session:
        row = session.execute(text("SELECT family, routing_key, body FROM chassis.outbox")).one()
    assert (row.family, row.routing_key, bytes(row.body)) == ("purchases", "purchase.completed.v1", body)
