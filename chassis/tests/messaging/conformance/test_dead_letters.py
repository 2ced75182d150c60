"""What lay too long, was refused, or killed its consumers too often goes where the queue says, with its history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from chassis.testkit.broker import eventually

pytestmark = pytest.mark.broker
SAFELY = {"x_dead_letter_strategy": "at-least-once", "x_overflow": "reject-publish"}
Bodies = Callable[..., Sequence[str]]


def dying(bench: Any, what: str, dead: str, **arguments: Any) -> str:
    return bench.queue(what, x_dead_letter_exchange="", x_dead_letter_routing_key=dead, **SAFELY, **arguments)


def only_death(incoming: Any) -> dict[str, Any]:
    (death,) = incoming.headers["x-death"]
    return {name: death[name] for name in ("queue", "reason", "exchange", "routing-keys", "count")}


def test_a_refused_message_is_dead_lettered_with_its_reason(bench: Any) -> None:
    dead = bench.queue("dead")
    queue = dying(bench, "queue", dead)
    bench.publish("", queue, "bad", application_headers={"mine": 1})
    channel = bench.channel()

    channel.basic_reject(channel.basic_get(queue).delivery_info["delivery_tag"], requeue=False)

    letters = bench.consumer(dead)
    assert letters.until(1) == ["bad"]
    expected = {"queue": queue, "reason": "rejected", "exchange": "", "routing-keys": [queue], "count": 1}
    assert only_death(letters.taken[0]) == expected
    assert letters.taken[0].headers["mine"] == 1
    assert bench.waiting(queue) == 0


def test_a_refused_message_that_has_nowhere_to_go_is_gone(bench: Any, queue: str) -> None:
    bench.publish("", queue, "bad", "good")
    channel = bench.channel()

    channel.basic_reject(channel.basic_get(queue).delivery_info["delivery_tag"], requeue=False)

    assert bench.bodies(queue) == ["good"]


def test_a_message_that_kills_its_consumers_is_dead_lettered_after_the_limit(bench: Any) -> None:
    dead = bench.queue("dead")
    queue = dying(bench, "queue", dead, x_delivery_limit=2)
    bench.publish("", queue, "poison")

    deliveries = 0
    while bench.waiting(dead) == 0:
        consumer = bench.consumer(queue)
        try:
            consumer.until(1, seconds=2)
        except AssertionError:
            continue
        finally:
            consumer.die()
        deliveries += 1
        eventually(lambda: bench.waiting(queue) + bench.waiting(dead) == 1)

    letters = bench.consumer(dead)
    letters.until(1)
    assert only_death(letters.taken[0])["reason"] == "delivery_limit"
    assert deliveries == 3  # the first one, and two more


def test_the_ladder_brings_a_message_back_to_its_queue_alone(bench: Any, bodies: Bodies) -> None:
    exchange, queue, neighbour = bench.exchange(), bench.queue(), bench.queue("neighbour")
    for each in (queue, neighbour):
        bench.bind(each, exchange, "#")
    retry = dying(bench, "queue.retry", queue, x_message_ttl=700)

    bench.publish("", retry, *bodies(20), application_headers={"x-kezhi-attempts": 1})
    assert bench.waiting(retry) == 20
    assert bench.waiting(queue) == 0

    consumer = bench.consumer(queue)
    assert consumer.until(20) == bodies(20)
    death = only_death(consumer.taken[0])
    assert (death["queue"], death["reason"]) == (retry, "expired")
    assert consumer.taken[0].headers["x-kezhi-attempts"] == 1
    assert (bench.waiting(retry), bench.waiting(neighbour)) == (0, 0)


def test_the_oldest_give_way_in_a_queue_that_is_full(bench: Any, bodies: Bodies) -> None:
    queue = bench.queue(x_max_length=10)

    bench.publish("", queue, *bodies(25))

    eventually(lambda: bench.waiting(queue) == 10, seconds=40)
    assert bench.bodies(queue) == bodies(25)[15:]
