"""`earning` through the broker: the purchases lie in the queue, then one or two processes take them."""

from __future__ import annotations

import multiprocessing
import threading
import time
import uuid
from collections.abc import Callable
from multiprocessing.synchronize import Barrier, Event
from typing import Any

import orjson
import psycopg

from benchmarks.measure import rate
from chassis.clock import FakeClock
from chassis.messaging import topology
from chassis.messaging.consumer import Consumer
from chassis.messaging.names import BrokerNames
from chassis.runtime import Runtime, start_runtime
from chassis.testkit import backends
from chassis.testkit.databases import Databases
from kezhi_contracts.publishing import Publisher
from loyalty.bootstrap import build_service


def through_broker(
    server: Databases, bodies: list[bytes], customers: list[str], times: int, fresh: Callable[..., Any]
) -> dict[str, list[float]]:
    """Events per second with one process and with two, in turns."""
    figures: dict[str, list[float]] = {"broker 1": [], "broker 2": []}
    for _ in range(times):
        for processes in (1, 2):
            instance = f"bench{uuid.uuid4().hex[:8]}"
            with fresh(server, customers, amqp_url=backends.broker_url(), instance=instance) as runtime:
                figures[f"broker {processes}"].append(rate(len(bodies), _measure(runtime, bodies, processes)))
    return figures


def _measure(runtime: Runtime, bodies: list[bytes], processes: int) -> float:
    url, names, service = runtime.settings.amqp_url, runtime.names, runtime.service
    topology.declare(url, names, service)
    try:
        _publish(url, names, bodies)
        return _consume(runtime, len(set(bodies)), processes)
    finally:
        topology.forget(url, names, service)


def _publish(url: str, names: BrokerNames, bodies: list[bytes]) -> None:
    with Publisher(url, exchange=names.exchange("purchases")) as publisher:
        for body in bodies:
            publisher.publish(orjson.loads(body))
        publisher.flush()


def _consume(runtime: Runtime, expected: int, processes: int) -> float:
    spawn = multiprocessing.get_context("spawn")
    ready, stop = spawn.Barrier(processes + 1), spawn.Event()
    workers = [
        spawn.Process(target=_work, args=(runtime.settings, runtime.clock.now(), ready, stop)) for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        ready.wait(60)
        began = time.perf_counter()
        while True:
            done = connection.execute("SELECT count(*) FROM chassis.inbox").fetchone()
            if done is not None and done[0] >= expected:
                break
            time.sleep(0.02)
        took = time.perf_counter() - began
    stop.set()
    for worker in workers:
        worker.join(30)
    return took


def _work(settings: Any, now: Any, ready: Barrier, stop: Event) -> None:
    """One worker process: everything imported and connected before the clock starts."""
    runtime = start_runtime(build_service(), settings, FakeClock(now))
    runtime.policies.refresh()
    with runtime.engine.connect():
        pass
    subscription = next(found for found in runtime.service.subscriptions if found.name == "purchases")
    consumer = Consumer(runtime, subscription)
    ready.wait(60)
    over = threading.Event()
    threading.Thread(target=_follow, args=(stop, over), daemon=True).start()
    consumer.run(over)


def _follow(stop: Event, over: threading.Event) -> None:
    stop.wait()
    over.set()
