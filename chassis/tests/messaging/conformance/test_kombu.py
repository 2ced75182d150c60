"""Whoever knows kombu can use either broker without knowing which it is."""

from __future__ import annotations

import socket
from typing import Any

import kombu
import pytest

pytestmark = pytest.mark.broker


def test_a_producer_and_a_consumer_of_kombu_understand_each_other(bench: Any) -> None:
    exchange = kombu.Exchange(bench.exchange("events"), "topic", durable=True)
    queue = kombu.Queue(
        bench.name("queue"), exchange, "purchase.#", durable=True, queue_arguments={"x-queue-type": "quorum"}
    )
    bench._queues.append(queue.name)
    seen: list[Any] = []

    def on_message(body: Any, message: Any) -> None:
        seen.append((body, message.headers.get("n"), message.delivery_info["routing_key"]))
        message.ack()

    connection = bench.connect()
    with connection.Consumer([queue], callbacks=[on_message], accept=["json"], prefetch_count=5):
        producer = connection.Producer()
        for number in range(12):
            producer.publish(
                {"number": number}, exchange=exchange, routing_key="purchase.v1", headers={"n": number}, retry=True
            )
        while len(seen) < 12:
            connection.drain_events(timeout=10)

    assert seen == [({"number": number}, number, "purchase.v1") for number in range(12)]
    assert bench.waiting(queue.name) == 0


def test_a_simple_queue_puts_gets_and_requeues(bench: Any) -> None:
    connection = bench.connect()
    name = bench.name("simple")
    bench._queues.append(name)
    bench._exchanges.append(name)
    simple = connection.SimpleQueue(name)

    simple.put({"greeting": "客至"})
    first = simple.get(timeout=10)
    first.requeue()
    again = simple.get(timeout=10)
    again.ack()

    assert (first.payload, again.payload) == ({"greeting": "客至"},) * 2
    with pytest.raises(simple.Empty):
        simple.get(timeout=0.2)
    simple.close()


def test_waiting_for_nothing_times_out_as_a_socket_would(bench: Any, queue: str) -> None:
    consumer = bench.consumer(queue)

    with pytest.raises(socket.timeout):
        consumer.connection.drain_events(timeout=0.1)
    assert consumer.connection.connected
    consumer.connection.heartbeat_check()


def test_a_message_got_by_name_can_be_acknowledged_or_left(bench: Any, queue: str) -> None:
    bench.publish("", queue, "one", "two")
    with bench.connect() as connection:
        bound = kombu.Queue(queue, no_declare=True)(connection.default_channel)
        bound.get().ack()
        assert bound.get().body in ("two", b"two")

    assert bench.bodies(queue) == ["two"]


def test_a_released_connection_is_not_connected_and_an_address_hides_its_password(bench: Any) -> None:
    connection = bench.connect()
    shown = connection.as_uri()
    connection.release()

    assert not connection.connected
    password = bench.url.partition("://")[2].partition("@")[0].partition(":")[2]
    assert not password or f":{password}@" not in shown
