"""Malformed messages by the thousand: consumers live on, each is a dead letter with its reason, nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis.messaging.names import BrokerNames
from chassis.messaging.topology import declare
from chassis.runtime import Runtime
from chassis.testkit.broker import Line, eventually, waiting_in
from tests.faults.malformed import CONTENT_TYPE, Malformed, Reason, malformed, right
from tests.pair import Pair, at_work

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(300)]

COUNT, RIGHT = 2_000, 40

# What a consumer says of each class; several, where one body can be wrong in two ways.
SAYS = {
    Reason.UNREADABLE: ("is not JSON",),
    Reason.NOT_AN_EVENT: (
        "is no CloudEvent",
        "Unknown event version",
        *(f"{name}: " for name in ("id", "source", "subject", "time", "data")),
    ),
    Reason.UNKNOWN_VERSION: ("Unknown event version",),
    Reason.SCHEMA: ("data.", "data:", "number is infinity"),
    Reason.SUM: ("sum of the lines", "the lines add up to"),
    Reason.WINDOW: ("is not taken", "too far ahead"),
    Reason.CONTENT_TYPE: ("The content type is",),
    Reason.TOO_LARGE: ("at most 1,048,576 are taken",),
}


def publish(amqp_url: str, names: BrokerNames, messages: Sequence[Malformed]) -> None:
    """Each one confirmed by the broker."""
    exchange = names.exchange("purchases")
    with Line(amqp_url) as line:
        for message in messages:
            told = {"content_type": message.content_type, "message_id": message.message_id or None}
            line.publish(exchange, message.routing_key, message.body, **told)


def told(event: dict[str, Any]) -> Malformed:
    """A right event as a message."""
    body = json.dumps(event).encode()
    return Malformed(body, Reason.SCHEMA, "right", event["type"], CONTENT_TYPE, event["id"])


def letters(runtime: Runtime) -> dict[bytes, tuple[str, str]]:
    """Body → (reason, status) of every dead letter."""
    with runtime.sessions() as session:
        rows = session.execute(text("SELECT body, reason, status FROM chassis.dead_letter")).all()
    assert len(rows) == len({bytes(row.body) for row in rows}), "a letter stands in the table twice"
    return {bytes(row.body): (row.reason, row.status) for row in rows}


def died_again(runtime: Runtime) -> int:
    """How many letters died more than once."""
    with runtime.sessions() as session:
        return session.scalar(text("SELECT count(*) FROM chassis.dead_letter WHERE times > 1")) or 0


def at_rest(amqp_url: str, runtime: Runtime) -> bool:
    """Nothing in the queue of purchases, on its ladder, or in its dead queue."""
    queue = runtime.names.queue(runtime.service.name, "purchases")
    ladder = [runtime.names.retry(queue, delay) for delay in ("5s", "1m", "15m")]
    return not any(waiting_in(amqp_url, name) for name in (queue, runtime.names.dead(queue), *ladder))


def test_thousands_of_malformed_messages_are_dead_letters_and_the_right_ones_count(pair: Pair, amqp_url: str) -> None:
    pair.clock.travel_to(datetime.now(UTC))
    customers = [pair.register(str(number)) for number in range(RIGHT)]
    services = (pair.customer, pair.loyalty)
    for runtime in services:
        declare(amqp_url, runtime.names, runtime.service)
    wrong = list(malformed(COUNT))
    messages = list(wrong)
    for number, event in enumerate(right(RIGHT)):
        messages.insert(number * COUNT // RIGHT, told(event))

    with at_work(*services) as workers:
        publish(amqp_url, pair.customer.names, messages)
        bodies = {message.body for message in wrong}
        for runtime in services:
            eventually(lambda runtime=runtime: letters(runtime).keys() >= bodies, 120, every=1.0)
            eventually(lambda runtime=runtime: at_rest(amqp_url, runtime), 30, every=0.5)
            found = letters(runtime)
            assert found.keys() == bodies, "a right message is among the dead letters"
            unclear = [
                (message.how, why)
                for message in wrong
                for why, _ in [found[message.body]]
                if "Traceback" in why or not any(say in why for say in SAYS[message.reason])
            ]
            assert not unclear
        assert [pair.purse(customer)["pending"] for customer in customers] == [12] * RIGHT
        sales = pair.get(pair.customer, "purchases", limit=200)["items"]
        assert {sale["status"] for sale in sales} == {"accepted"}
        assert len(sales) == RIGHT

        # Whoever sends them again, or a collector that dies before it acknowledges, adds nothing.
        publish(amqp_url, pair.customer.names, wrong[:100])
        first = len({message.body for message in wrong[:100]})
        for runtime in services:
            eventually(lambda runtime=runtime: died_again(runtime) >= first, 60, every=0.5)
            assert letters(runtime).keys() == bodies

        assert all(part.restarts == 0 for worker in workers for part in worker.parts), "a part of a worker died"
    assert pair.in_balance()


def test_a_dead_letter_counts_after_the_mend_and_once(pair: Pair, amqp_url: str, client: Callable[..., Any]) -> None:
    customer = pair.register("0")
    for runtime in (pair.customer, pair.loyalty):
        declare(amqp_url, runtime.names, runtime.service)
    (event,) = right(1)
    # A till whose clock is two hours fast.
    event["data"]["occurred_at"] = (pair.clock.now() + timedelta(hours=2)).isoformat()

    with at_work(pair.customer, pair.loyalty):
        publish(amqp_url, pair.customer.names, [told(event)])
        for runtime in (pair.customer, pair.loyalty):
            eventually(lambda runtime=runtime: letters(runtime))
            ((reason, status),) = letters(runtime).values()
            assert "too far ahead" in reason
            assert status == "waiting"
        assert pair.purse(customer)["pending"] == 0

        pair.clock.advance(hours=3)
        for runtime in (pair.customer, pair.loyalty):
            under = f"services/{runtime.service.name}/dead-letters"
            (letter,) = pair.get(runtime, under)["items"]
            for _ in range(2):
                assert pair.post(runtime, f"{under}/{letter['id']}/replay")["status"] == "replayed"

        eventually(lambda: pair.purse(customer)["pending"] == 12)
        eventually(lambda: pair.get(pair.customer, "purchases", customer_id=customer)["items"])
        assert [status for _, status in letters(pair.loyalty).values()] == ["replayed"]
        publish(amqp_url, pair.customer.names, [told(event)])
        eventually(lambda: at_rest(amqp_url, pair.loyalty))
    assert pair.purse(customer)["pending"] == 12
    assert pair.in_balance()
