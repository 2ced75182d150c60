"""A kombu connection as we use it: raw bodies in, confirmed publishes out, whatever the headers hold.

kombu decodes, decompresses and by default acknowledges what it can't read; none of that may happen to a message
that nobody has judged yet. So bodies are taken from the channel as they came.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
import kombu
from kombu.exceptions import KombuError

import chassis.messaging.embedded  # noqa: F401 - makes its URLs known to kombu
from chassis.messaging.frames import tolerant_frames
from chassis.messaging.incoming import Incoming

HEARTBEAT = 30
_CONFIRM_TIMEOUT = 30.0
_BROKERS_NOTES = ("x-death", "x-first-death", "x-last-death", "x-delivery-count", "x-acquired-count")
_WINDOW = 500  # publishes that may wait for their confirm


class NotTaken(Exception):
    """The broker returned or refused a publish: what was to be acknowledged for it must not be."""


# What a connection may raise when the broker, or the way to it, fails; anything else is our own fault.
BROKER_TROUBLE = (OSError, amqp.AMQPError, KombuError, NotTaken)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for one named queue, through the default exchange."""

    queue: str
    body: bytes
    content_type: str | None
    message_id: str | None
    headers: Mapping[str, Any] = field(default_factory=dict)


def connect(url: str) -> kombu.Connection:
    """A connection with heartbeats, its socket open. Raises OSError or AMQPError."""
    options = {"frame_handler": tolerant_frames} if url.startswith(("amqp:", "amqps:", "pyamqp:")) else {}
    connection = kombu.Connection(url, heartbeat=HEARTBEAT, connect_timeout=10, transport_options=options)
    connection.connect()
    return connection


def confirming(
    connection: kombu.Connection,
    *,
    on_ack: Callable[[int, bool], None],
    on_return: Callable[[Exception, str, str, Any], None],
    on_nack: Callable[[int, bool], None] | None = None,
) -> Any:
    """A channel whose publishes are confirmed; who publishes hears of each (tag, multiple) and of what came back."""
    channel = connection.channel()
    channel.confirm_select()
    for event, heard in (("basic_ack", on_ack), ("basic_nack", on_nack), ("basic_return", on_return)):
        if heard is not None:
            channel.events[event].add(heard)
    return channel


def user_of(url: str) -> str:
    """The broker user of a URL: what we put into ``user_id``, which the broker validates (decision 11)."""
    return unquote(urlsplit(url).username or "guest")


def subscribe(channel: Any, queue: str, on_message: Callable[[Incoming], None], prefetch: int) -> str:
    """Consume a queue with explicit acknowledgement; returns the consumer's tag."""
    if hasattr(channel, "auto_decode"):
        channel.auto_decode = False
    channel.basic_qos(0, prefetch, False)  # per consumer, not per channel: quorum queues know no global prefetch
    return channel.basic_consume(queue, no_ack=False, callback=lambda message: on_message(incoming_of(message)))


def drain(connection: kombu.Connection, seconds: float, enough: Callable[[], bool]) -> None:
    """Read until there is enough, or the time is up and nothing more lies ready.

    What lies ready is read even when the time is up: under load a batch then grows full instead of counting the
    time of reading against it.
    """
    deadline = time.monotonic() + seconds
    try:
        while not enough():
            connection.drain_events(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        pass


def incoming_of(message: Any) -> Incoming:
    """What py-amqp or a kombu transport delivered, as we carry it."""
    properties = message.properties
    body = message.body
    return Incoming(
        body=body if isinstance(body, bytes) else bytes(body) if isinstance(body, memoryview) else body.encode(),
        content_type=properties.get("content_type"),
        message_id=properties.get("message_id"),
        user_id=properties.get("user_id"),
        headers=properties.get("application_headers") or {},
        tag=message.delivery_tag,
        damage=getattr(message, "damage", None),
    )


def carried(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Headers that can be written again: the broker's own notes dropped, exotic values as text.

    Dropping ``x-death`` also keeps the broker from seeing a cycle in the retry ladder, which it would cut by
    dropping the message.
    """
    kept: dict[str, Any] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or name.startswith(_BROKERS_NOTES):
            continue
        plain = isinstance(value, str | bytes | bool | float) or (isinstance(value, int) and abs(value) < 2**62)
        kept[name] = value if plain else str(value)
    return kept


class Publisher:
    """Publishes to named queues and returns only when the broker has every message. One thread, one connection.

    It has a connection of its own: a broker that runs out of memory stops reading from those who publish, and
    acknowledgements must still get through.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._user = user_of(url)
        self._connection: kombu.Connection | None = None
        self._channel: Any = None
        self._waiting: dict[int, Outgoing] = {}
        self._refused: list[str] = []
        self._tag = 0

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish with a window of confirms. Raises NotTaken, OSError or AMQPError: then some may not be there."""
        try:
            self._open()
            for start in range(0, len(messages), _WINDOW):
                self._publish_window(messages[start : start + _WINDOW])
        except Exception:
            self.close()
            raise

    def beat(self) -> None:
        """Keep the connection alive; called now and then while there is nothing to publish."""
        if self._connection is not None:
            try:
                self._connection.heartbeat_check()
            except (OSError, amqp.AMQPError):
                self.close()

    def close(self) -> None:
        """Let the connection go; the next publish opens another."""
        if self._connection is not None:
            self._connection.collect()
        self._connection = self._channel = None

    def _open(self) -> None:
        if self._connection is not None:
            if self._connection.connected:
                return
            self.close()
        self._connection = connect(self._url)
        self._channel = confirming(
            self._connection, on_ack=self._on_ack, on_nack=self._on_nack, on_return=self._on_return
        )
        self._tag = 0

    def _publish_window(self, messages: Sequence[Outgoing]) -> None:
        self._waiting.clear()
        self._refused.clear()
        for message in messages:
            self._tag += 1
            self._waiting[self._tag] = message
            properties: dict[str, Any] = {
                "delivery_mode": 2,
                "user_id": self._user,
                "application_headers": carried(message.headers),
            }
            if message.content_type is not None:
                properties["content_type"] = message.content_type
            if message.message_id is not None:
                properties["message_id"] = message.message_id
            self._channel.basic_publish(
                amqp.basic_message.Message(message.body, **properties), "", message.queue, mandatory=True
            )
        deadline = time.monotonic() + _CONFIRM_TIMEOUT
        while self._waiting:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise NotTaken(f"The broker did not confirm {len(self._waiting)} messages in {_CONFIRM_TIMEOUT:.0f} s.")
            self._connection.drain_events(timeout=remaining)  # type: ignore[union-attr]
        if self._refused:
            raise NotTaken(self._refused[0])

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for confirmed in [waiting for waiting in self._waiting if waiting <= tag] if multiple else [tag]:
            self._waiting.pop(confirmed, None)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refused.append("The broker refused a message (nack).")
        self._on_ack(tag, multiple)

    def _on_return(self, error: Exception, exchange: str, routing_key: str, message: Any) -> None:
        self._refused.append(f"The queue {routing_key} does not exist.")
