"""What is delivered is held until it is settled; what is given back keeps its place; nobody else has it meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from amqp.exceptions import AMQPError

from chassis.messaging import broker
from chassis.messaging.broker import BROKER_TROUBLE
from chassis.testkit.broker import eventually

pytestmark = pytest.mark.broker
Bodies = Callable[..., Sequence[str]]


def test_a_consumer_has_at_most_its_prefetch_unacknowledged(bench: Any, queue: str, bodies: Bodies) -> None:
    bench.publish("", queue, *bodies(30))
    consumer = bench.consumer(queue, prefetch=10)

    assert consumer.until(10) == bodies(30)[:10]
    assert consumer.nothing_more() == []
    consumer.channel.basic_ack(consumer.taken[3].tag, multiple=True)

    assert consumer.until(14) == bodies(30)[:14]
    assert consumer.nothing_more() == []
    assert eventually(lambda: bench.waiting(queue) == 16)


def test_prefetch_counts_for_each_consumer_of_a_channel(bench: Any, queue: str, bodies: Bodies) -> None:
    other = bench.queue("other")
    bench.publish("", queue, *bodies(10, "a"))
    bench.publish("", other, *bodies(10, "b"))
    consumer = bench.consumer(queue, prefetch=3)
    broker.subscribe(consumer.channel, other, consumer.taken.append, 4)

    assert sorted(consumer.until(7)) == [*bodies(3, "a"), *bodies(4, "b")]
    assert consumer.nothing_more() == []
    consumer.ack_all()  # of both queues
    assert len(consumer.until(14)) == 14


def test_one_acknowledgement_settles_all_before_it(bench: Any, queue: str, bodies: Bodies) -> None:
    bench.publish("", queue, *bodies(20))
    consumer = bench.consumer(queue)
    consumer.until(20)

    consumer.channel.basic_ack(consumer.taken[11].tag, multiple=True)
    consumer.die()

    eventually(lambda: bench.waiting(queue) == 8)
    assert bench.bodies(queue) == bodies(20)[12:]


def test_what_is_given_back_keeps_its_place_and_is_marked(bench: Any, queue: str, bodies: Bodies) -> None:
    bench.publish("", queue, *bodies(6))
    channel = bench.channel()
    first, second, third = (channel.basic_get(queue) for _ in range(3))

    channel.basic_ack(second.delivery_info["delivery_tag"])
    channel.basic_reject(first.delivery_info["delivery_tag"], requeue=True)
    channel.basic_reject(third.delivery_info["delivery_tag"], requeue=True)
    eventually(lambda: bench.waiting(queue) == 5)

    consumer = bench.consumer(queue)
    assert sorted(consumer.until(5)) == [body for body in bodies(6) if body != "m00001"]
    again = [taken.headers.get("x-delivery-count") for taken in consumer.taken]
    assert sorted(count for count in again if count) == [1, 1]


def test_a_channel_that_closes_gives_back_what_it_held_in_order(bench: Any, queue: str, bodies: Bodies) -> None:
    bench.publish("", queue, *bodies(50))
    consumer = bench.consumer(queue, prefetch=20)
    consumer.until(20)

    consumer.channel.close()

    eventually(lambda: bench.waiting(queue) == 50)
    again = bench.consumer(queue)
    assert again.until(50) == bodies(50)


def test_recover_delivers_again_what_was_not_acknowledged(bench: Any, queue: str, bodies: Bodies) -> None:
    bench.publish("", queue, *bodies(5))
    consumer = bench.consumer(queue)
    consumer.until(5)
    consumer.channel.basic_ack(consumer.taken[1].tag, multiple=True)

    consumer.channel.basic_recover(requeue=True)

    assert sorted(consumer.until(8)[5:]) == bodies(5)[2:]


def test_two_consumers_share_a_queue_without_doubles(bench: Any, queue: str, bodies: Bodies) -> None:
    bench.publish("", queue, *bodies(400))
    two = [bench.consumer(queue, prefetch=25) for _ in range(2)]
    seen: list[str] = []

    def turn() -> bool:
        for consumer in two:
            consumer.taken.clear()
            consumer.nothing_more(0.05)
            if consumer.taken:
                seen.extend(consumer.bodies)
                consumer.ack_all()
        return len(seen) >= 400

    eventually(turn)
    assert sorted(seen) == bodies(400)
    assert all(consumer.nothing_more(0.2) == [] for consumer in two)


def test_order_per_key_with_one_consumer_and_redeliveries(bench: Any, queue: str) -> None:
    for number in range(60):
        bench_key = "abc"[number % 3]
        bench.publish("", queue, f"{bench_key} {number:03}")
    seen: list[str] = []
    for turn in range(6):  # dies each time with what it held, the last acknowledgement somewhere in between
        consumer = bench.consumer(queue, prefetch=20)
        consumer.until(min(20, 60 - len(seen)))
        done = consumer.taken[: 7 + turn]
        seen += [incoming.body.decode() for incoming in done]
        consumer.channel.basic_ack(done[-1].tag, multiple=True)
        consumer.die()
        left = 60 - len(seen)
        eventually(lambda left=left: bench.waiting(queue) == left)

    assert seen == sorted(seen, key=lambda body: body.split()[1])
    assert len(set(seen)) == len(seen) == 57


def test_a_new_message_wakes_a_waiting_consumer(bench: Any, queue: str) -> None:
    consumer = bench.consumer(queue)
    assert consumer.nothing_more(0.3) == []

    waits = []
    for number in range(10):
        began = time.monotonic()
        bench.publish("", queue, f"{number}")
        consumer.until(number + 1)
        waits.append(time.monotonic() - began)

    assert sorted(waits)[5] < 0.5  # told, not found at the next look


def test_a_cancelled_consumer_gets_no_more_and_may_settle_what_it_has(bench: Any, queue: str, bodies: Bodies) -> None:
    bench.publish("", queue, *bodies(4))
    consumer = bench.consumer(queue, prefetch=2)
    consumer.until(2)

    consumer.channel.basic_cancel(consumer.tag)
    consumer.ack_all()

    assert consumer.nothing_more() == []
    eventually(lambda: bench.waiting(queue) == 2)


def test_consuming_what_is_not_there_is_an_error(bench: Any) -> None:
    with pytest.raises(AMQPError, match="NOT_FOUND"):
        bench.consumer(bench.name("nothing"))


def test_an_acknowledgement_of_something_unknown_ends_the_channel(bench: Any, queue: str) -> None:
    bench.publish("", queue, "one")
    consumer = bench.consumer(queue)
    consumer.until(1)

    def acknowledge_wrongly() -> None:
        consumer.channel.basic_ack(77)
        consumer.nothing_more(2)

    with pytest.raises(AMQPError, match="unknown delivery tag"):
        acknowledge_wrongly()

    eventually(lambda: bench.waiting(queue) == 1)


def test_a_consumer_whose_queue_is_deleted_hears_of_it(bench: Any, queue: str) -> None:
    consumer = bench.consumer(queue)
    consumer.nothing_more(0.2)
    bench.channel().queue_delete(queue)

    def wait() -> None:
        for _ in range(100):
            consumer.nothing_more(0.1)
            consumer.connection.heartbeat_check()

    with pytest.raises(BROKER_TROUBLE):
        wait()


def test_a_backlog_of_ten_thousand_waits_and_drains(bench: Any, queue: str, bodies: Bodies) -> None:
    publisher = bench.publisher()
    for body in bodies(10_000):
        publisher.publish(body, "", queue)
        if publisher.sent % 500 == 0:
            publisher.settle()
    assert eventually(lambda: bench.waiting(queue) == 10_000)

    consumer, seen = bench.consumer(queue, prefetch=1000), []
    while len(seen) < 10_000:
        consumer.taken.clear()
        consumer.until(1)
        seen += consumer.bodies
        consumer.ack_all()

    assert seen == bodies(10_000)
    assert bench.waiting(queue) == 0
