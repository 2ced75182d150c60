"""What arrives over the broker has its effect once, and what can't is found in the dead queue with its reason."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import kombu
import pytest

from chassis.messaging import broker, consumer, topology
from chassis.messaging.consumer import Consumer
from chassis.messaging.incoming import ATTEMPTS, FIRST_ERROR, REASON
from chassis.runtime import Runtime
from chassis.testkit.broker import eventually, taken_from, waiting_in

pytestmark = pytest.mark.broker


@pytest.fixture(autouse=True)
def declared(runtime: Runtime, amqp_url: str) -> Iterator[None]:
    topology.declare(amqp_url, runtime.names, runtime.service)
    yield
    topology.forget(amqp_url, runtime.names, runtime.service)


@contextmanager
def consuming(runtime: Runtime, name: str = "till") -> Iterator[Consumer]:
    stop = threading.Event()
    subscription = next(found for found in runtime.service.subscriptions if found.name == name)
    running = Consumer(runtime, subscription)
    thread = threading.Thread(target=running.run, args=(stop,))
    thread.start()
    try:
        yield running
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def publish(runtime: Runtime, bodies: list[bytes], exchange: str = "purchases", **properties: Any) -> None:
    # With confirms: what the broker has not said to hold, it may drop, and the test would wait for it in vain.
    with kombu.Connection(runtime.settings.amqp_url, transport_options={"confirm_publish": True}) as connection:
        channel = connection.channel()
        for body in bodies:
            message = broker.amqp.basic_message.Message(body, delivery_mode=2, **properties)
            channel.basic_publish(message, runtime.names.exchange(exchange), "purchase.completed.v1")


def test_published_purchases_have_their_effect_once_although_delivered_twice(runtime: Runtime, shop: Any) -> None:
    bodies = [shop.purchase(f"e{n}").to_json() for n in range(300)]

    with consuming(runtime):
        publish(runtime, bodies + bodies[:100], content_type="application/cloudevents+json")
        eventually(lambda: waiting_in(runtime.settings.amqp_url, runtime.names.queue("shop", "till")) == 0)
        eventually(lambda: len(shop.effects(runtime)) >= 300)

    assert shop.effects(runtime) == [f"e{n}" for n in range(300)]
    assert max(shop.batches) > 1


def test_only_the_poison_message_of_a_batch_is_dead_lettered(
    runtime: Runtime, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RETRY_DELAYS", {})
    shop.fail_on["e13"] = ZeroDivisionError("thirteen")
    publish(runtime, [shop.purchase(f"e{n}").to_json() for n in range(40)])

    dead = runtime.names.dead(runtime.names.queue("shop", "till"))
    with consuming(runtime):
        eventually(lambda: waiting_in(runtime.settings.amqp_url, dead) == 1)
        eventually(lambda: len(shop.effects(runtime)) == 39)

    (letter,) = taken_from(runtime.settings.amqp_url, dead)
    assert letter.headers[REASON] == "The handler failed 1 times; the last time: ZeroDivisionError: thirteen"
    assert letter.headers[FIRST_ERROR] == "ZeroDivisionError: thirteen"


def test_a_failing_handler_is_tried_again_by_the_ladder(runtime: Runtime, shop: Any) -> None:
    shop.fail_on["e1"] = ZeroDivisionError("not yet")
    first_step = runtime.names.retry(runtime.names.queue("shop", "till"), "5s")

    with consuming(runtime):
        publish(runtime, [shop.purchase("e1").to_json()], content_type="application/json", message_id="e1")
        eventually(lambda: waiting_in(runtime.settings.amqp_url, first_step) == 1)
        assert shop.effects(runtime) == []
        shop.fail_on.clear()
        eventually(lambda: shop.effects(runtime) == ["e1"])

    assert waiting_in(runtime.settings.amqp_url, first_step) == 0


def test_the_ladder_ends_in_the_dead_queue(runtime: Runtime, shop: Any) -> None:
    shop.fail_on["e1"] = ZeroDivisionError("now")
    dead = runtime.names.dead(runtime.names.queue("shop", "till"))

    with consuming(runtime):
        publish(
            runtime,
            [shop.purchase("e1").to_json()],
            application_headers={ATTEMPTS: 3, FIRST_ERROR: "ValueError: long ago"},
        )
        eventually(lambda: waiting_in(runtime.settings.amqp_url, dead) == 1)

    (letter,) = taken_from(runtime.settings.amqp_url, dead)
    assert letter.headers[REASON].startswith("The handler failed 4 times")
    assert letter.headers[FIRST_ERROR] == "ValueError: long ago"


def test_malformed_bodies_are_never_acknowledged_away(runtime: Runtime, shop: Any) -> None:
    good = shop.purchase("good").to_json()
    bodies = [b"", b"{", b"\x00\xff", b"[]", good[:-7], good.replace(b'"total"', b'"totale"')] * 50
    dead = runtime.names.dead(runtime.names.queue("shop", "till"))

    with consuming(runtime):
        publish(runtime, [*bodies, good])
        eventually(lambda: waiting_in(runtime.settings.amqp_url, dead) == len(bodies))
        eventually(lambda: shop.effects(runtime) == ["good"])

    letters = taken_from(runtime.settings.amqp_url, dead)
    assert sorted(letter.body or b"" for letter in letters) == sorted(bodies)
    assert all(letter.headers[REASON].endswith(".") for letter in letters)


@pytest.mark.parametrize(
    "properties",
    [
        {"application_headers": {"compression": "application/x-gzip"}},
        {"content_encoding": "utf-16", "content_type": "application/json"},
        {"content_encoding": "no-such", "content_type": "application/x-python-serialize"},
    ],
)
def test_no_property_of_a_message_stops_the_consumer(runtime: Runtime, shop: Any, properties: dict[str, Any]) -> None:
    publish(runtime, [shop.purchase("odd").to_json()], **properties)
    publish(runtime, [shop.purchase("good").to_json()])

    with consuming(runtime):
        eventually(lambda: "good" in shop.effects(runtime))
        eventually(lambda: waiting_in(runtime.settings.amqp_url, runtime.names.queue("shop", "till")) == 0)


def test_unreadable_properties_are_dead_lettered_with_their_reason(runtime: Runtime, shop: Any) -> None:
    # A header whose timestamp lies beyond the year 9999 stops py-amqp's own reader.
    table = b"\x03oddT" + (2**62).to_bytes(8, "big")
    message = broker.amqp.basic_message.Message(shop.purchase("odd").to_json(), delivery_mode=2)
    message._serialize_properties = lambda: b"\x20\x00" + len(table).to_bytes(4, "big") + table
    dead = runtime.names.dead(runtime.names.queue("shop", "till"))
    with kombu.Connection(runtime.settings.amqp_url) as connection:
        connection.channel().basic_publish(message, runtime.names.exchange("purchases"), "purchase.completed.v1")
        connection.channel().queue_declare(dead, passive=True)

    with consuming(runtime):
        eventually(lambda: waiting_in(runtime.settings.amqp_url, dead) == 1)

    (letter,) = taken_from(runtime.settings.amqp_url, dead)
    assert "AMQP properties can't be read" in letter.headers[REASON]


def test_a_single_handler_commits_each_message_alone(runtime: Runtime, shop: Any) -> None:
    shop.fail_on["e1"] = ZeroDivisionError("one")

    with consuming(runtime, "clerk"):
        publish(runtime, [shop.purchase(f"e{n}").to_json() for n in range(4)], exchange="events")
        eventually(lambda: len(shop.effects(runtime)) == 3)

    assert shop.effects(runtime) == ["e0", "e2", "e3"]
