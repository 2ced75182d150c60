"""Processes die, freeze and come back, the broker's server is killed: what was confirmed is there, and comes again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chassis.messaging.broker import BROKER_TROUBLE
from chassis.messaging.embedded import is_embedded, prepare_database
from chassis.testkit.broker import eventually
from chassis.testkit.private_postgres import PrivatePostgres
from chassis.testkit.private_rabbitmq import PrivateRabbitMQ

pytestmark = [pytest.mark.broker, pytest.mark.faults]
PEER = str(Path(__file__).with_name("peer.py"))
Bodies = Callable[..., Sequence[str]]


class Peer:
    """A process to be killed, and what it told."""

    def __init__(self, *words: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, PEER, *map(str, words)], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.told: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        eventually(lambda: "ready" in self.told or self.process.poll() is not None)
        assert self.process.poll() is None

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told.append(line.strip())

    def said(self, word: str) -> list[str]:
        return [line.split()[1] for line in list(self.told) if line.startswith(f"{word} ")]

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    started: list[Peer] = []

    def start(*words: object) -> Peer:
        started.append(Peer(*words))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def test_what_a_killed_consumer_held_is_there_again_soon_and_in_order(
    bench: Any, queue: str, bodies: Bodies, peer: Callable[..., Peer]
) -> None:
    bench.publish("", queue, *bodies(60))
    victim = peer("consume", bench.url, queue, 20, 10, 30)
    eventually(lambda: len(victim.said("held")) == 20)
    assert bench.waiting(queue) == 30

    victim.kill()
    began = time.monotonic()
    eventually(lambda: bench.waiting(queue) == 50, seconds=10)

    assert time.monotonic() - began < 5
    consumer = bench.consumer(queue)
    assert consumer.until(50) == bodies(60)[10:]
    assert [bool(one.headers.get("x-delivery-count")) for one in consumer.taken] == [True] * 20 + [False] * 30


def test_consumers_that_die_at_random_lose_and_swallow_nothing(
    bench: Any, queue: str, bodies: Bodies, peer: Callable[..., Peer]
) -> None:
    bench.publish("", queue, *bodies(300))
    done: list[str] = []
    for turn in range(5):
        victim = peer("consume", bench.url, queue, 40, 25 + turn, 30)
        eventually(lambda victim=victim: victim.said("held"))
        victim.kill()
        done += victim.said("done")
    eventually(lambda: bench.waiting(queue) == 300 - len(done), seconds=15)

    assert len(set(done)) == len(done)
    assert sorted([*done, *bench.bodies(queue)]) == bodies(300)


def test_what_was_confirmed_to_a_killed_producer_is_there(bench: Any, queue: str, peer: Callable[..., Peer]) -> None:
    victim = peer("publish", bench.url, queue)
    eventually(lambda: len(victim.said("confirmed")) >= 5)
    victim.kill()
    confirmed = int(victim.said("confirmed")[-1])

    time.sleep(0.5)
    found = [int(body) for body in bench.bodies(queue)]

    assert found[:confirmed] == list(range(1, confirmed + 1))
    assert found == list(range(1, len(found) + 1))  # and beyond that no gap either


def test_a_frozen_consumer_loses_what_it_held_and_hears_of_it(
    bench: Any, queue: str, bodies: Bodies, peer: Callable[..., Peer]
) -> None:
    bench.publish("", queue, *bodies(30))
    impatient = f"{bench.url}?patience=2" if is_embedded(bench.url) else bench.url
    victim = peer("consume", impatient, queue, 10, 0, 2)
    eventually(lambda: len(victim.said("held")) == 10)

    victim.signal(signal.SIGSTOP)
    eventually(lambda: bench.waiting(queue) == 30, seconds=30)
    consumer = bench.consumer(queue)
    assert consumer.until(30) == bodies(30)
    consumer.ack_all()
    victim.signal(signal.SIGCONT)

    eventually(lambda: victim.said("trouble"), seconds=30)
    assert bench.waiting(queue) == 0


@pytest.fixture(params=["rabbitmq", "embedded"])
def node(request: pytest.FixtureRequest) -> Iterator[tuple[Any, str]]:
    """A server of the test's own, and the broker's URL on it."""
    kind = PrivatePostgres if request.param == "embedded" else PrivateRabbitMQ
    with kind() as started:
        url = started.url
        if request.param == "embedded":
            url = f"kezhi+{url}"
            prepare_database(url)
        yield started, url


def test_a_killed_server_keeps_what_it_confirmed_and_gives_it_again(
    node: tuple[Any, str], bodies: Bodies, bench_at: Callable[[str], Any]
) -> None:
    server, url = node
    bench = bench_at(url)
    queue = bench.queue()
    bench.publish("", queue, "first")
    time.sleep(2)  # RabbitMQ writes its register of quorum queues a moment after the declaration
    bench.publish("", queue, *bodies(500))
    consumer = bench.consumer(queue, prefetch=100)
    consumer.until(100)
    consumer.channel.basic_ack(consumer.taken[49].tag, multiple=True)
    time.sleep(1)  # what is acknowledged in the last moment may come again

    server.kill()

    def go_on() -> None:
        for _ in range(100):
            consumer.nothing_more(0.1)
            consumer.connection.heartbeat_check()

    with pytest.raises(BROKER_TROUBLE):
        go_on()
    server.start()

    again = eventually(lambda: _reconnected(bench, queue), seconds=60)
    assert sorted(again.until(451)) == bodies(500)[49:]
    again.ack_all()
    bench.publish("", queue, "after")
    assert again.until(452)[-1] == "after"


def _reconnected(bench: Any, queue: str) -> Any:
    try:
        return bench.consumer(queue, prefetch=1000)
    except BROKER_TROUBLE:
        return None
