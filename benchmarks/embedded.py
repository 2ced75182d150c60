"""``embedded``: events per second through the embedded broker, beside RabbitMQ in the same run.

As the house uses a broker: persistent events of the usual size to a topic exchange, published in windows of 500 that
wait for their confirms, consumed with prefetch 1,000 and acknowledged 500 at a time. Bar: 1,000 events/s published and
consumed at the same time, by two processes. Also what an idle process with four consumers costs.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import amqp
import psutil
import psycopg

from benchmarks.measure import Sample, Table, rate
from benchmarks.relay import purchase_seen
from chassis.messaging import broker
from chassis.messaging.broker import user_of
from chassis.messaging.embedded import is_embedded, prepare_database
from chassis.messaging.incoming import Incoming
from chassis.testkit import backends
from chassis.testkit.databases import Databases

BAR = 1_000  # events/s
ROUNDS, FULL_ROUNDS = 3, 5
EVENTS, FULL_EVENTS = 10_000, 50_000
WINDOW = BATCH = 500
PREFETCH = 1_000
FAN_OUT = 3
IDLE_SECONDS = 10.0
_EXCHANGE = "kezhi.bench"


def main(*, full: bool = False) -> bool:
    """Print the table; False when the bar is missed."""
    count, rounds = (FULL_EVENTS, FULL_ROUNDS) if full else (EVENTS, ROUNDS)
    events = [(event.id, event.subject, event.to_json()) for event in map(purchase_seen, range(count))]
    measures: dict[str, Callable[[str], float]] = {
        "published with confirms, 1 queue": lambda url: _publishing(url, events, 1),
        f"published with confirms, {FAN_OUT} queues": lambda url: _publishing(url, events, FAN_OUT),
        "consumed and acknowledged": lambda url: _consuming(url, events),
        "both at once, 1 queue": lambda url: _both(url, events, 1),
        f"both at once, {FAN_OUT} queues": lambda url: _both(url, events, FAN_OUT),
    }
    with _embedded() as own:
        urls = {"embedded": own, "RabbitMQ": backends.rabbitmq_url()}
        found = {(what, name): [] for what in measures for name in urls}
        for _ in range(rounds):  # in turns, so that a noisy minute hits both
            for what, measure in measures.items():
                for name, url in urls.items():
                    found[what, name].append(rate(count, measure(url)))
        share, connections = _idle(own)
    title = f"embedded: {count:,} events of {statistics.mean(len(body) for _, _, body in events):,.0f} bytes"
    table = Table(
        f"{title}, window {WINDOW}, acknowledged {BATCH} at a time, {rounds} rounds",
        ("events/s", "embedded", "spread", "RabbitMQ", "spread", "ratio", "bar"),
    )
    slowest = float("inf")
    for what in measures:
        mine, peer = (Sample(tuple(found[what, name])) for name in urls)
        barred = what.startswith("both")
        slowest = min(slowest, mine.median) if barred else slowest
        ratio = f"{mine.median / peer.median:.2f}"
        table.row(what, mine, mine.spread, peer, peer.spread, ratio, f">= {BAR:,}" if barred else "")
    table.print()
    print(f"idle process with 4 consumers: {share:.2%} of a core with its {connections} database connections")
    return slowest >= BAR


@contextmanager
def _embedded() -> Iterator[str]:
    databases = Databases(backends.postgres_url())
    name = f"kezhi_bench_{uuid.uuid4().hex[:8]}"
    databases.create(name)
    url = f"kezhi+{databases.url(name)}"
    prepare_database(url)
    try:
        yield url
    finally:
        databases.drop(name)


@contextmanager
def _queues(url: str, count: int) -> Iterator[list[str]]:
    """An exchange with so many queues that each get everything."""
    names = [f"kezhi.bench.{uuid.uuid4().hex[:8]}" for _ in range(count)]
    with broker.connect(url) as connection:
        channel = connection.channel()
        channel.exchange_declare(_EXCHANGE, "topic", durable=True, auto_delete=False)
        for name in names:
            channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
            channel.queue_bind(name, _EXCHANGE, "points.#")
    try:
        yield names
    finally:
        with broker.connect(url) as connection:
            for name in names:
                connection.channel().queue_delete(name)
            connection.channel().exchange_delete(_EXCHANGE)


def _publishing(url: str, events: Sequence[tuple[str, str, bytes]], queues: int) -> float:
    with _queues(url, queues):
        return _publish(url, events)


def _publish(url: str, events: Sequence[tuple[str, str, bytes]]) -> float:
    """Seconds until the broker confirmed every event."""
    waiting: set[int] = set()

    def confirmed(tag: int, multiple: bool) -> None:
        waiting.difference_update([one for one in waiting if one <= tag] if multiple else [tag])

    user = user_of(url)
    with broker.connect(url) as connection:
        channel: Any = connection.channel()
        channel.confirm_select()
        channel.events["basic_ack"].add(confirmed)
        began, sent = time.perf_counter(), 0
        for start in range(0, len(events), WINDOW):
            for event_id, key, body in events[start : start + WINDOW]:
                message = amqp.basic_message.Message(
                    body, content_type="application/cloudevents+json", delivery_mode=2, message_id=event_id,
                    user_id=user, application_headers={"partitionkey": key},
                )  # fmt: skip
                sent += 1
                waiting.add(sent)
                channel.basic_publish(message, _EXCHANGE, "points.earned.v1", mandatory=True)
            while waiting:
                connection.drain_events(timeout=60)
        return time.perf_counter() - began


def _consuming(url: str, events: Sequence[tuple[str, str, bytes]]) -> float:
    with _queues(url, 1) as names:
        _publish(url, events)
        return _consume(url, names, len(events))


def _consume(url: str, queues: Sequence[str], count: int) -> float:
    """Seconds until everything that each queue gets was acknowledged."""
    arrived: list[Incoming] = []
    with broker.connect(url) as connection:
        channel = connection.channel()
        began = time.perf_counter()
        for queue in queues:
            broker.subscribe(channel, queue, arrived.append, PREFETCH)
        left = count * len(queues)
        while left:
            broker.drain(connection, 0.5, lambda: bool(arrived))
            broker.drain(connection, 0.01, lambda: len(arrived) >= BATCH)
            if arrived:
                channel.basic_ack(arrived[-1].tag, multiple=True)
                left -= len(arrived)
                arrived.clear()
        return time.perf_counter() - began


def _both(url: str, events: Sequence[tuple[str, str, bytes]], queues: int) -> float:
    """Seconds from the first publish to the last acknowledgement, in a process each."""
    spawn = multiprocessing.get_context("spawn")
    with _queues(url, queues) as names:
        ready = spawn.Barrier(2)
        consumer = spawn.Process(target=_consume_in_process, args=(url, names, len(events), ready))
        consumer.start()
        ready.wait(60)
        began = time.perf_counter()
        _publish(url, events)
        consumer.join(300)
        if consumer.exitcode != 0:
            raise RuntimeError(f"the consuming process ended with {consumer.exitcode}")
        return time.perf_counter() - began


def _consume_in_process(url: str, queues: Sequence[str], count: int, ready: Any) -> None:
    with broker.connect(url):
        ready.wait(60)
        _consume(url, queues, count)


def _idle(url: str) -> tuple[float, int]:
    """The share of a core that an idle process and its database connections use, and how many those are."""
    spawn = multiprocessing.get_context("spawn")
    with _queues(url, 4) as names:
        ready, done = spawn.Barrier(2), spawn.Event()
        process = spawn.Process(target=_idle_in_process, args=(url, names, ready, done))
        process.start()
        ready.wait(60)
        time.sleep(2)
        family = [psutil.Process(process.pid), *_backends(url)]
        before = _seconds(family)
        time.sleep(IDLE_SECONDS)
        share = (_seconds(family) - before) / IDLE_SECONDS
        done.set()
        process.join(30)
    return share, len(family) - 1


def _idle_in_process(url: str, queues: Sequence[str], ready: Any, done: Any) -> None:
    connections = []
    for queue in queues:
        connections.append(broker.connect(url))
        broker.subscribe(connections[-1].channel(), queue, lambda incoming: None, PREFETCH)
    ready.wait(60)
    while not done.is_set():
        for connection in connections:
            broker.drain(connection, 0.5 / len(connections), lambda: False)
            connection.heartbeat_check()
    for connection in connections:
        connection.release()


def _backends(url: str) -> list[psutil.Process]:
    """The server's processes behind our connections; none when the server is another machine's."""
    assert is_embedded(url)
    with psycopg.connect(url.removeprefix("kezhi+"), autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ).fetchall()
    return [psutil.Process(pid) for (pid,) in rows if psutil.pid_exists(pid)]


def _seconds(family: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in family)


if __name__ == "__main__":
    main()
