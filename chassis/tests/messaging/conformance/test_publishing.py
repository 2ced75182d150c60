"""A confirmed message is there, as it was sent; a publisher that is not who it says it is, is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from amqp.exceptions import AMQPError

from chassis.messaging.broker import NotTaken, Outgoing, Publisher, user_of
from chassis.testkit.broker import eventually

pytestmark = pytest.mark.broker


def test_a_window_of_publishes_is_confirmed_and_there_in_order(
    bench: Any, queue: str, bodies: Callable[..., Sequence[str]]
) -> None:
    publisher = bench.publisher()
    for body in bodies(1200):
        publisher.publish(body, "", queue)

    publisher.settle()

    assert bench.waiting(queue) == 1200
    assert max(tag for tag, _ in publisher.acks) == 1200
    assert bench.bodies(queue) == bodies(1200)


def test_properties_and_headers_come_back_as_they_were(bench: Any, queue: str) -> None:
    headers = {
        "text": "客至", "bytes": b"\x00\xff", "number": -7, "large": 2**40, "yes": True, "half": 0.5,
        "when": datetime(2026, 11, 22, 9, 30, tzinfo=UTC).replace(tzinfo=None), "money": Decimal("12.50"),
        "table": {"deep": ["list", 1]}, "nothing": None,
    }  # fmt: skip
    bench.publish(
        "", queue, b"\x00 any bytes \xff", content_type="application/cloudevents+json", message_id="é-1",
        user_id=user_of(bench.url), correlation_id="c", priority=3, type="t", app_id="a", reply_to="r",
        application_headers=headers,
    )  # fmt: skip

    got = bench.channel().basic_get(queue)

    assert bytes(got.body) == b"\x00 any bytes \xff"
    told = {name: got.properties[name] for name in ("content_type", "message_id", "correlation_id", "type", "app_id")}
    assert told == {
        "content_type": "application/cloudevents+json", "message_id": "é-1", "correlation_id": "c", "type": "t",
        "app_id": "a",
    }  # fmt: skip
    assert (got.properties["delivery_mode"], got.properties["user_id"]) == (2, user_of(bench.url))
    found = dict(got.properties["application_headers"])
    assert found["bytes"] in (b"\x00\xff", "\x00\xff") or bytes(found["bytes"]) == b"\x00\xff"
    assert {name: found[name] for name in ("text", "number", "large", "yes", "half", "money", "table")} == {
        name: headers[name] for name in ("text", "number", "large", "yes", "half", "money", "table")
    }


def test_a_body_may_be_empty_or_large(bench: Any, queue: str) -> None:
    large = b"x" * (4 * 1024 * 1024)

    bench.publish("", queue, b"", large, b"after")

    consumer = bench.consumer(queue)
    consumer.until(3)
    assert [incoming.body for incoming in consumer.taken] == [b"", large, b"after"]


def test_the_broker_vouches_for_the_user(bench: Any, queue: str) -> None:
    publisher = bench.publisher()

    def forge() -> None:
        publisher.publish("forged", "", queue, user_id="somebody-else")
        publisher.settle()

    with pytest.raises(AMQPError, match="user_id"):
        forge()

    assert bench.waiting(queue) == 0


def test_the_houses_publisher_refuses_what_was_returned(bench: Any, queue: str) -> None:
    publisher = Publisher(bench.url)
    publisher.publish([Outgoing(queue, b"here", None, "1", {"a": 1}), Outgoing(queue, b"too", None, "2")])
    assert bench.bodies(queue) == ["here", "too"]

    with pytest.raises(NotTaken, match="does not exist"):
        publisher.publish([Outgoing(queue, b"again", None, "1"), Outgoing(bench.name("gone"), b"x", None, "2")])
    publisher.close()


def test_several_publishers_each_keep_their_order(bench: Any, queue: str) -> None:
    def publish(key: str) -> None:
        publisher = bench.publisher()
        for number in range(300):
            publisher.publish(f"{key} {number}", "", queue)
            if number % 37 == 0:
                publisher.settle()
        publisher.settle()

    threads = [threading.Thread(target=publish, args=(key,)) for key in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    by_key: dict[str, list[int]] = {}
    for body in bench.bodies(queue):
        key, number = body.split()
        by_key.setdefault(key, []).append(int(number))
    assert by_key == {key: list(range(300)) for key in "abcd"}


def test_without_confirms_a_publish_arrives_all_the_same(bench: Any, queue: str) -> None:
    connection = bench.connect()
    channel = connection.channel()

    channel.basic_publish(bench.message("plain"), "", queue)
    connection.release()

    eventually(lambda: bench.waiting(queue) == 1)
