"""Looking into queues, publishing raw messages, and waiting for what others will have done soon; on either broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import amqp

from chassis.messaging.broker import confirming, connect

T = TypeVar("T")


def eventually(fact: Callable[[], T], seconds: float = 60, every: float = 0.05) -> T:
    """The first true answer of ``fact``; fails the test when none came in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := fact():
            return found
        time.sleep(every)
    raise AssertionError(f"it did not come true within {seconds} s")


def waiting_in(amqp_url: str, queue: str) -> int:
    """How many messages a queue holds ready."""
    with connect(amqp_url) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)


def taken_from(amqp_url: str, queue: str) -> list[Any]:
    """Every message of a queue, raw, in order, removed from it."""
    found = []
    with connect(amqp_url) as connection:
        channel = connection.channel()
        channel.auto_decode = False
        while message := channel.basic_get(queue, no_ack=True):
            found.append(message)
    return found


class Line:
    """Publishes bodies as they are, right or wrong, and returns from each when the broker has it.

    For a context; raises ``chassis.messaging.broker.BROKER_TROUBLE`` when the broker is gone or a message is returned.
    """

    def __init__(self, amqp_url: str) -> None:
        self._url = amqp_url
        self._open = 0
        self._returned: list[str] = []

    def __enter__(self) -> Self:
        self._connection = connect(self._url)
        self._channel = confirming(
            self._connection, on_ack=self._on_ack, on_nack=self._on_nack, on_return=self._on_return
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.collect()

    def publish(
        self,
        exchange: str,
        key: str,
        body: bytes,
        content_type: str | None = "application/cloudevents+json",
        **properties: Any,
    ) -> None:
        """One message, mandatory and kept; ``properties`` as AMQP names them (``message_id``, ``user_id``)."""
        told = {name: value for name, value in properties.items() if value is not None}
        if content_type is not None:
            told["content_type"] = content_type
        message = amqp.basic_message.Message(body, delivery_mode=2, **told)
        self._open += 1
        self._channel.basic_publish(message, exchange, key, mandatory=True)
        deadline = time.monotonic() + 30
        while self._open:
            self._connection.drain_events(timeout=max(0.1, deadline - time.monotonic()))
        if self._returned:
            raise OSError(f"{exchange} did not take {self._returned.pop()}")

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self._open = 0  # each waits for its own

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._open = 0
        self._returned.append(f"message {tag}")

    def _on_return(self, error: Exception, exchange: str, routing_key: str, message: Any) -> None:
        self._returned.append(routing_key)
