"""Declaring twice is nothing, declaring otherwise is an error, and what is removed is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from amqp.exceptions import AMQPError, NotFound, PreconditionFailed

from chassis.testkit.broker import eventually

pytestmark = pytest.mark.broker
QUORUM = {"x-queue-type": "quorum"}


def test_declaring_twice_is_nothing(bench: Any, queue: str) -> None:
    bench.publish("", queue, "kept")

    assert bench.queue() == queue
    assert bench.exchange() == bench.exchange()
    assert bench.bodies(queue) == ["kept"]


@pytest.mark.parametrize("arguments", [{}, {"x-delivery-limit": 3}, QUORUM | {"x-message-ttl": 1000}])
def test_declaring_a_queue_otherwise_is_an_error(bench: Any, queue: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(PreconditionFailed, match=queue):
        bench.channel().queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)

    assert bench.waiting(queue) == 0


def test_declaring_an_exchange_otherwise_is_an_error(bench: Any) -> None:
    exchange = bench.exchange()

    with pytest.raises(PreconditionFailed, match=exchange):
        bench.channel().exchange_declare(exchange, "fanout", durable=True, auto_delete=False)
    with pytest.raises(PreconditionFailed, match="alternate-exchange"):
        bench.channel().exchange_declare(
            exchange, "topic", durable=True, auto_delete=False, arguments={"alternate-exchange": "x"}
        )


def test_an_unknown_kind_of_exchange_is_an_error(bench: Any) -> None:
    with pytest.raises(AMQPError, match="COMMAND_INVALID"):
        bench.channel().exchange_declare(bench.name("odd"), "x-nobody-knows", durable=True, auto_delete=False)


def test_asking_passively_counts_and_says_what_is_not_there(
    bench: Any, queue: str, bodies: Callable[..., Sequence[str]]
) -> None:
    bench.publish("", queue, *bodies(7))
    consumer = bench.consumer(queue, prefetch=3)
    consumer.until(3)

    found = bench.channel().queue_declare(queue, passive=True)

    assert (found.queue, found.message_count, found.consumer_count) == (queue, 4, 1)
    with pytest.raises(NotFound, match="NOT_FOUND"):
        bench.channel().queue_declare(bench.name("missing"), passive=True)
    with pytest.raises(NotFound, match="NOT_FOUND"):
        bench.channel().exchange_declare(bench.name("missing"), "topic", passive=True)


def test_after_an_error_a_channel_starts_over_and_its_neighbour_goes_on(bench: Any, queue: str) -> None:
    bench.publish("", queue, "one", "two")
    connection = bench.connect()
    channel, neighbour = connection.channel(), connection.channel()
    held, kept = channel.basic_get(queue), neighbour.basic_get(queue)
    assert (bytes(held.body), bytes(kept.body)) == (b"one", b"two")

    with pytest.raises(NotFound):
        channel.queue_declare(bench.name("missing"), passive=True)

    eventually(lambda: bench.waiting(queue) == 1)  # what it held
    assert channel.queue_declare(queue, passive=True).queue == queue
    neighbour.basic_ack(kept.delivery_info["delivery_tag"])
    assert bench.bodies(queue) == ["one"]


def test_binding_what_is_not_there_is_an_error(bench: Any, queue: str) -> None:
    exchange = bench.exchange()

    with pytest.raises(NotFound):
        bench.channel().queue_bind(queue, bench.name("missing"), "#")
    with pytest.raises(NotFound):
        bench.channel().queue_bind(bench.name("missing"), exchange, "#")
    with pytest.raises(NotFound):
        bench.channel().exchange_bind(bench.name("missing"), exchange, "#")


def test_purging_leaves_what_is_held(bench: Any, queue: str, bodies: Callable[..., Sequence[str]]) -> None:
    bench.publish("", queue, *bodies(10))
    consumer = bench.consumer(queue, prefetch=4)
    consumer.until(4)

    assert bench.channel().queue_purge(queue) == 6
    consumer.die()

    again = bench.consumer(queue)
    assert again.until(4) == bodies(4)


def test_a_deleted_queue_is_gone_with_its_messages_and_bindings(bench: Any, queue: str) -> None:
    exchange = bench.exchange()
    bench.bind(queue, exchange, "#")
    bench.publish(exchange, "key", "lost", "too")

    assert bench.channel().queue_delete(queue) == 2
    assert bench.channel().queue_delete(queue) == 0
    bench.queue()  # of the same name, a new one

    bench.publish(exchange, "key", "nobody")
    assert bench.bodies(queue) == []


def test_a_deleted_exchange_is_gone_with_its_bindings(bench: Any, queue: str) -> None:
    exchange = bench.exchange()
    bench.bind(queue, exchange, "#")

    bench.channel().exchange_delete(exchange)
    bench.channel().exchange_delete(exchange)
    bench.exchange()

    bench.publish(exchange, "key", "nobody")
    assert bench.bodies(queue) == []
