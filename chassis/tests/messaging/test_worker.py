"""``work`` keeps every part running until it is told to stop, and then leaves nothing half done."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from chassis.messaging import outbox, topology
from chassis.runtime import Runtime
from chassis.testkit.broker import eventually
from chassis.testkit.private_node import free_port
from chassis.worker import Worker

pytestmark = pytest.mark.broker


@pytest.fixture
def working(runtime: Runtime, amqp_url: str) -> Iterator[Callable[..., Worker]]:
    """Start workers in threads, as their processes would run them; stopped when the test ends."""
    threads: list[tuple[Worker, threading.Thread]] = []

    def start(*roles: str) -> Worker:
        worker = Worker(runtime, roles)
        thread = threading.Thread(target=worker.run)
        threads.append((worker, thread))
        thread.start()
        return worker

    yield start
    for worker, thread in threads:
        worker.stop.set()
        thread.join(20)
        assert not thread.is_alive()
    topology.forget(amqp_url, runtime.names, runtime.service)


def test_an_announced_event_comes_back_through_relay_and_consumer(
    runtime: Runtime, shop: Any, working: Callable[..., Worker]
) -> None:
    worker = working()

    with runtime.context() as context:
        outbox.record(context.session, [shop.purchase("e1")])
        outbox.forward(context.session, [shop.purchase("e2").to_json()])

    eventually(lambda: sorted(shop.effects(runtime)) == ["e1", "e2"])
    assert eventually(lambda: worker.health()["status"] == "ready")


def test_a_part_that_dies_is_started_again(runtime: Runtime, amqp_url: str) -> None:
    worker = Worker(runtime, ["consume:till"])
    deaths = iter([RuntimeError("once"), RuntimeError("twice")])

    def dying(stop: threading.Event) -> None:
        for death in deaths:
            raise death
        stop.wait()

    worker.parts[-1].run = dying
    thread = threading.Thread(target=worker.run)
    thread.start()
    eventually(lambda: worker.parts[-1].restarts == 2 and worker.health()["status"] == "ready")
    worker.stop.set()
    thread.join(10)
    topology.forget(amqp_url, runtime.names, runtime.service)


def test_unknown_roles_are_named(runtime: Runtime) -> None:
    with pytest.raises(ValueError, match="unknown role 'consume:nothing'"):
        Worker(runtime, ["consume:nothing"])


def test_a_service_adds_threads_of_its_own(make_runtime: Callable[..., Runtime], shop: Any, amqp_url: str) -> None:
    seen: list[Runtime] = []

    def watch_the_door(runtime: Runtime, stop: threading.Event) -> None:
        seen.append(runtime)
        stop.wait()

    runtime = make_runtime(replace(shop.service(), parts={"door": watch_the_door}))
    assert "door" in {part.name for part in Worker(runtime).parts}
    assert "door" not in {part.name for part in Worker(runtime, ["due"]).parts}
    worker = Worker(runtime, ["door"])
    thread = threading.Thread(target=worker.run)
    thread.start()

    assert eventually(lambda: worker.health()["parts"]["door"]["running"] and seen == [runtime])
    worker.stop.set()
    thread.join(10)
    assert not thread.is_alive()
    topology.forget(amqp_url, runtime.names, runtime.service)


def test_metrics_and_health_are_served(make_runtime: Callable[..., Runtime], shop: Any, amqp_url: str) -> None:
    port = free_port()
    runtime = make_runtime(shop.service(), work_port=port)
    worker = Worker(runtime, ["relay"])
    thread = threading.Thread(target=worker.run)
    thread.start()

    def asked(path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.read()

    eventually(lambda: worker.health()["status"] == "ready")
    assert orjson.loads(eventually(lambda: asked("/health")))["parts"]["relay"]["running"] is True
    assert b"kezhi_outbox_pending" in asked("/metrics")
    worker.stop.set()
    thread.join(10)
    topology.forget(amqp_url, runtime.names, runtime.service)


def test_where_queues_cannot_be_split_the_whole_ones_are_consumed(
    make_runtime: Callable[..., Runtime], shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = shop.service()
    ordered = replace(service, subscriptions=tuple(replace(one, ordered=True) for one in service.subscriptions))
    runtime = make_runtime(ordered, partitions=3)
    monkeypatch.setattr(topology, "has_consistent_hash", lambda url: False)
    worker = Worker(runtime, ["consume"])

    worker._check_topology()

    queues = {runtime.names.queue("shop", one.name) for one in ordered.subscriptions}
    assert {part.name for part in worker.parts} == {"policies", *(f"consume:{queue}" for queue in queues)}
    topology.forget(runtime.settings.amqp_url, runtime.names, ordered)
