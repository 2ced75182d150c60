"""``kezhi resync`` finds a queue that is read, however the receiver's subscription is split over partitions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import click
import pytest

from chassis.messaging.broker import connect
from chassis.messaging.names import BrokerNames
from chassis.service import Subscription
from chassis.testkit import backends
from kezhi.queues import standing
from kezhi.resync import _one_queue

PURCHASES = Subscription("purchases", "purchases", ("purchase.#",), handle=lambda *_: None, ordered=True)


@pytest.fixture
def names() -> BrokerNames:
    return BrokerNames(f"resync{uuid.uuid4().hex[:8]}")


@pytest.fixture
def broker(names: BrokerNames) -> Iterator[Any]:
    """``broker.make(*queues, read=…)``; they go with the test."""
    with connect(backends.broker_url()) as connection:
        channel = connection.channel()
        made: list[str] = []

        def make(*queues: str, read: tuple[str, ...] = ()) -> None:
            for queue in queues:
                channel.queue_declare(queue, durable=True, auto_delete=False)
                made.append(queue)
            for queue in read:
                channel.basic_consume(queue, callback=lambda _: None)

        connection.make = make
        with ExitStack() as stack:
            stack.callback(lambda: [channel.queue_delete(queue) for queue in made])
            yield connection


def test_of_a_split_subscription_any_queue_that_is_read(broker: Any, names: BrokerNames) -> None:
    whole = names.queue("loyalty", "purchases")
    broker.make(whole, f"{whole}.0", f"{whole}.1", read=(f"{whole}.1",))

    assert _one_queue(broker, names, "loyalty", PURCHASES) == f"{whole}.1", "the others are left over, or being drained"


def test_while_nobody_reads_the_queue_waits_for_whoever_comes(broker: Any, names: BrokerNames) -> None:
    whole = names.queue("loyalty", "purchases")
    broker.make(whole)

    assert _one_queue(broker, names, "loyalty", PURCHASES) == whole


def test_what_waits_in_split_queues_is_counted(broker: Any, names: BrokerNames) -> None:
    whole = names.queue("loyalty", "purchases")
    broker.make(whole, f"{whole}.0", f"{whole}.1")
    with broker.channel() as channel:
        channel.confirm_select()
        broker.Producer(channel).publish({}, routing_key=f"{whole}.1", mandatory=True)
        channel.connection.drain_events(timeout=10)

    found = {queue.queue: queue.message_count for queue in standing(broker, names, "loyalty", PURCHASES)}

    assert found == {whole: 0, f"{whole}.0": 0, f"{whole}.1": 1}


def test_without_any_queue_it_says_what_to_do(broker: Any, names: BrokerNames) -> None:
    with pytest.raises(click.ClickException, match=r"no queue .*loyalty\.purchases; start loyalty once"):
        _one_queue(broker, names, "loyalty", PURCHASES)
