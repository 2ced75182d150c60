"""``relay``: rows of the outbox confirmed by the broker per second, against bare publishing of the same bodies.

Floor: pika's SelectConnection publishing the bodies from memory to the same exchange and queue, with the same window
of confirms, in the same run. Bar 0.5 of it, aim 0.8. The relay also reads the rows, in order, and marks them.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import kombu
import pika
from sqlalchemy import text
from sqlalchemy.orm import sessionmaker

from benchmarks.measure import Sample, Table, rate
from chassis.clock import SystemClock
from chassis.messaging import outbox, topology
from chassis.messaging.event import CONTENT_TYPE, Event
from chassis.messaging.names import BrokerNames
from chassis.messaging.relay import Relay
from chassis.runtime import Runtime
from chassis.service import Service, Subscription
from chassis.settings import Settings
from chassis.storage.engine import make_engine
from chassis.storage.migrations import CHASSIS_LINE
from chassis.testkit import backends
from chassis.testkit.databases import Databases
from kezhi_contracts import schemas

BAR, AIM = 0.5, 0.8
ROUNDS = 5
ROWS, FULL_ROWS = 10_000, 50_000


def main(*, full: bool = False) -> bool:
    """Print the table; False when the bar is missed."""
    rows = FULL_ROWS if full else ROWS
    with a_service() as runtime:
        events = [purchase_seen(number) for number in range(rows)]
        bodies = [event.to_json() for event in events]
        measured: dict[str, list[float]] = {"bare": [], "relay": []}
        for _ in range(ROUNDS):  # in turns, so that a noisy minute hits both
            measured["bare"].append(rate(rows, bare_publishing(runtime, bodies)))
            empty(runtime)
            measured["relay"].append(rate(rows, relaying(runtime, events)))
            empty(runtime)
    bare, relay = Sample(tuple(measured["bare"])), Sample(tuple(measured["relay"]))
    ratio = relay.median / bare.median
    size = sum(map(len, bodies)) // rows
    table = Table(
        f"relay: {rows:,} rows of {size} bytes, quorum queue, window {runtime.settings.relay_window}, {ROUNDS} rounds",
        ("what", "events/s", "spread", "ratio", "bar", "aim"),
    )
    table.row("bare pika SelectConnection (floor)", bare, bare.spread, "1.00", "", "")
    table.row("relay: read, publish, mark", relay, relay.spread, f"{ratio:.2f}", f">= {BAR}", f">= {AIM}")
    table.print()
    return ratio >= BAR


def purchase_seen(number: int) -> Event:
    """An event of the usual size; 1,000 aggregates."""
    data = schemas.example("purchase.completed.v1")["data"]
    return Event(
        id=str(uuid.uuid4()),
        source="/kezhi/bench",
        type="points.earned.v1",
        subject=f"member:{number % 1000}",
        time=datetime.now(UTC),
        data=data,
        partitionkey=f"member:{number % 1000}",
        sequence=f"{number:020d}",
        policyversion="0" * 16,
    )


def relaying(runtime: Runtime, events: list[Event]) -> float:
    """Seconds until the relay has had every row confirmed and marked."""
    with runtime.sessions.begin() as session:
        outbox.record(session, events)
    with runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE chassis.outbox"))
    began = time.perf_counter()
    Relay(runtime).drain(300)
    return time.perf_counter() - began


def bare_publishing(runtime: Runtime, bodies: list[bytes]) -> float:
    """Seconds until the broker confirmed every body; what anybody would write with pika, connect included as above."""
    began = time.perf_counter()
    window, exchange = runtime.settings.relay_window, runtime.names.exchange("events")
    waiting: set[int] = set()
    state: dict[str, Any] = {"sent": 0, "channel": None}

    def pump() -> None:
        while state["sent"] < len(bodies) and len(waiting) < window:
            properties = pika.BasicProperties(
                content_type=CONTENT_TYPE, delivery_mode=2, message_id=str(state["sent"]),
                headers={"partitionkey": "member:1"},
            )  # fmt: skip
            state["channel"].basic_publish(
                exchange, "points.earned.v1", bodies[state["sent"]], properties, mandatory=True
            )
            state["sent"] += 1
            waiting.add(state["sent"])
        if not waiting:
            connection.close()

    def confirmed(frame: Any) -> None:
        tag = frame.method.delivery_tag
        if frame.method.multiple:
            for open_tag in [one for one in waiting if one <= tag]:
                waiting.discard(open_tag)
        else:
            waiting.discard(tag)
        pump()

    def opened(channel: Any) -> None:
        state["channel"] = channel
        channel.confirm_delivery(confirmed, callback=lambda _: pump())

    parameters = pika.URLParameters(runtime.settings.amqp_url)
    parameters.virtual_host = kombu.Connection(runtime.settings.amqp_url).virtual_host
    connection: Any = pika.SelectConnection(
        parameters,
        on_open_callback=lambda opening: opening.channel(on_open_callback=opened),
        on_close_callback=lambda *_: connection.ioloop.stop(),
    )
    connection.ioloop.start()
    return time.perf_counter() - began


def empty(runtime: Runtime) -> None:
    """The next round starts with an empty queue and outbox."""
    with kombu.Connection(runtime.settings.amqp_url) as connection:
        connection.channel().queue_purge(runtime.names.queue("bench", "all"))
    with runtime.sessions.begin() as session:
        session.execute(text("TRUNCATE chassis.outbox"))


@contextmanager
def a_service() -> Iterator[Runtime]:
    """A service with one subscription that nobody consumes, in a database and an instance of its own."""
    databases = Databases(backends.postgres_url())
    url = databases.fresh(_service())
    names = BrokerNames(f"bench{uuid.uuid4().hex[:8]}")
    settings = replace(Settings("bench", url, backends.broker_url()), instance=names.instance)
    engine = make_engine(settings)
    clock = SystemClock()
    sessions = sessionmaker(engine, expire_on_commit=False, info={"service": "bench", "clock": clock})
    runtime = Runtime(_service(), settings, clock, engine, sessions, None, names)  # type: ignore[arg-type]
    topology.declare(settings.amqp_url, names, runtime.service)
    try:
        yield runtime
    finally:
        topology.forget(settings.amqp_url, names, runtime.service)
        engine.dispose()
        databases.drop(url)
        databases.close()


def _service() -> Service:
    everything = Subscription("all", "events", ("#",), handle=lambda context, delivery: None)
    return Service("bench", "Bench", "0", CHASSIS_LINE, subscriptions=(everything,))


if __name__ == "__main__":
    main()
