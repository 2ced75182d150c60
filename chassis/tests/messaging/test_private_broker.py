"""A broker of the test's own is killed and restarted, or splits a queue: nothing is lost, doubled or reordered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import kombu
import pytest

from chassis.messaging import outbox, topology
from chassis.messaging.consumer import Consumer
from chassis.messaging.embedded import prepare_database
from chassis.messaging.relay import Relay
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.testkit.broker import eventually, waiting_in
from chassis.testkit.private_postgres import PrivatePostgres
from chassis.testkit.private_rabbitmq import PrivateRabbitMQ

pytestmark = [pytest.mark.broker, pytest.mark.faults]


@pytest.fixture(scope="module")
def node() -> Iterator[PrivateRabbitMQ]:
    with PrivateRabbitMQ() as started:
        yield started


@pytest.fixture(params=["rabbitmq", "embedded"])
def killable(request: pytest.FixtureRequest) -> Iterator[tuple[Any, str]]:
    """The server that holds a broker, and the broker's URL."""
    if request.param == "rabbitmq":
        started = request.getfixturevalue("node")
        yield started, started.url
        return
    with PrivatePostgres() as server:
        url = f"kezhi+{server.url}"
        prepare_database(url)
        yield server, url


@pytest.fixture
def running() -> Iterator[Callable[..., None]]:
    """Run parts in threads until the test ends."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start(*parts: Any) -> None:
        for part in parts:
            threads.append(threading.Thread(target=part.run, args=(stop,)))
            threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_a_killed_and_a_restarted_broker_lose_and_double_nothing(
    killable: tuple[Any, str], make_runtime: Callable[..., Runtime], shop: Any, running: Callable[..., None]
) -> None:
    node, url = killable
    runtime = make_runtime(shop.service(), amqp_url=url)
    topology.declare(url, runtime.names, runtime.service)
    time.sleep(2)  # the node writes its register of quorum queues a moment after the declaration
    running(Relay(runtime), Consumer(runtime, runtime.service.subscriptions[0]))

    for turn in range(6):
        with runtime.context() as context:
            bodies = [shop.purchase(f"e{turn}-{n}").to_json() for n in range(400)]
            outbox.forward(context.session, bodies)
        if turn == 2:
            node.kill()
            node.start()
        if turn == 4:
            node.restart()

    eventually(lambda: len(shop.effects(runtime)) >= 2400, seconds=90)
    assert sorted(shop.effects(runtime)) == sorted(f"e{turn}-{n}" for turn in range(6) for n in range(400))


def test_an_ordered_subscription_is_split_and_each_aggregate_keeps_its_order(
    node: PrivateRabbitMQ, make_runtime: Callable[..., Runtime], shop: Any, running: Callable[..., None]
) -> None:
    service: Service = shop.service()
    ordered = replace(service, subscriptions=(replace(service.subscriptions[0], ordered=True),))
    runtime = make_runtime(ordered, amqp_url=node.url, partitions=3)
    assert topology.declare(node.url, runtime.names, ordered, partitions=3).consistent_hash
    queues = topology.queues_of(runtime.names, "shop", ordered.subscriptions[0], 3)
    with runtime.context() as context:
        bodies = [shop.purchase(f"{n % 50:02}-{n:04}", subject=f"card:{n % 50}").to_json() for n in range(1000)]
        outbox.forward(context.session, bodies)

    Relay(runtime).drain()
    waiting = [waiting_in(node.url, queue) for queue in queues]
    running(*(Consumer(runtime, ordered.subscriptions[0], queue) for queue in queues))
    eventually(lambda: len(shop.effects(runtime)) == 1000)

    assert sum(waiting) == 1000
    assert min(waiting) > 0
    by_card: dict[str, list[str]] = {}
    for event_id in shop.effects(runtime):
        by_card.setdefault(event_id[:2], []).append(event_id)
    assert all(ids == sorted(ids) for ids in by_card.values())
    topology.forget(node.url, runtime.names, ordered)
    with kombu.Connection(node.url) as connection, pytest.raises(Exception, match="NOT_FOUND"):
        connection.channel().queue_declare(queues[0], passive=True)
