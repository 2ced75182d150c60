"""One suite for brokers: what we rely on is asked of RabbitMQ and of the embedded broker, in the same words."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import amqp
import kombu
import pytest

from chassis.messaging import broker
from chassis.messaging.incoming import Incoming
from chassis.testkit.broker import eventually, waiting_in

QUORUM = {"x-queue-type": "quorum"}


def message(body: bytes | str, **properties: Any) -> amqp.basic_message.Message:
    """A persistent message."""
    return amqp.basic_message.Message(
        body if isinstance(body, bytes) else body.encode(), **{"delivery_mode": 2, **properties}
    )


class Bench:
    """Connections to one broker, and names that nobody else has; all of it is removed afterwards."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.prefix = f"conf{uuid.uuid4().hex[:10]}"
        self._open: list[kombu.Connection] = []
        self._queues: list[str] = []
        self._exchanges: list[str] = []
        # As in any installation, some process is alive whoever dies: it is what sees to the embedded broker.
        self.somebody = self.consumer(self.queue("somebody"))

    def connect(self) -> kombu.Connection:
        """One more connection, as the house opens them."""
        self._open.append(broker.connect(self.url))
        return self._open[-1]

    def channel(self) -> Any:
        return self.connect().channel()

    def name(self, what: str) -> str:
        return f"{self.prefix}.{what}"

    def queue(self, what: str = "queue", **arguments: Any) -> str:
        """A quorum queue; ``x_message_ttl=…`` is the argument ``x-message-ttl``."""
        given = QUORUM | {name.replace("_", "-"): value for name, value in arguments.items()}
        name = self.name(what)
        self.channel().queue_declare(name, durable=True, auto_delete=False, arguments=given)
        self._queues.append(name)
        return name

    def exchange(self, what: str = "exchange", kind: str = "topic", **arguments: Any) -> str:
        name = self.name(what)
        given = {argument.replace("_", "-"): value for argument, value in arguments.items()}
        self.channel().exchange_declare(name, kind, durable=True, auto_delete=False, arguments=given)
        self._exchanges.append(name)
        return name

    def bind(self, queue: str, exchange: str, key: str) -> None:
        self.channel().queue_bind(queue, exchange, key)

    def publisher(self) -> Publishing:
        return Publishing(self.connect())

    def publish(self, exchange: str, key: str, *bodies: bytes | str, **properties: Any) -> None:
        """Publish, and wait until the broker has them."""
        publisher = self.publisher()
        for body in bodies:
            publisher.publish(body, exchange, key, **properties)
        publisher.settle()

    def waiting(self, queue: str) -> int:
        return waiting_in(self.url, queue)

    def consumer(self, queue: str, prefetch: int = 100) -> Consuming:
        return Consuming(self.connect(), queue, prefetch)

    def bodies(self, queue: str) -> list[str]:
        """Everything ready in a queue, in order, removed from it."""
        channel, found = self.channel(), []
        channel.auto_decode = False
        while taken := channel.basic_get(queue, no_ack=True):
            found.append(bytes(taken.body).decode())
        return found

    @staticmethod
    def message(body: bytes | str, **properties: Any) -> amqp.basic_message.Message:
        return message(body, **properties)

    def close(self) -> None:
        for connection in self._open:
            connection.collect()
        with broker.connect(self.url) as connection:
            for name in self._queues:
                connection.channel().queue_delete(name)
            for name in self._exchanges:
                connection.channel().exchange_delete(name)


class Publishing:
    """A channel with confirms, and what the broker said."""

    def __init__(self, connection: kombu.Connection) -> None:
        self.connection = connection
        self.channel: Any = connection.channel()
        self.channel.confirm_select()
        self.waiting: set[int] = set()
        self.acks: list[tuple[int, bool]] = []
        self.returned: list[tuple[str, int]] = []  # body, reply code
        self.sent = 0
        self.channel.events["basic_ack"].add(self._on_ack)
        self.channel.events["basic_return"].add(self._on_return)

    def publish(
        self, body: bytes | str, exchange: str, key: str, *, mandatory: bool = False, **properties: Any
    ) -> None:
        self.sent += 1
        self.waiting.add(self.sent)
        self.channel.basic_publish(message(body, **properties), exchange, key, mandatory=mandatory)

    def settle(self) -> None:
        while self.waiting:
            self.connection.drain_events(timeout=20)

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self.acks.append((tag, multiple))
        self.waiting -= {one for one in self.waiting if one <= tag} if multiple else {tag}

    def _on_return(self, error: Any, exchange: str, routing_key: str, what: Any) -> None:
        self.returned.append((bytes(what.body).decode(), error.reply_code))


class Consuming:
    """A consumer as the house's, one step at a time."""

    def __init__(self, connection: kombu.Connection, queue: str, prefetch: int) -> None:
        self.connection = connection
        self.channel: Any = connection.channel()
        self.taken: list[Incoming] = []
        self.tag = broker.subscribe(self.channel, queue, self.taken.append, prefetch)

    @property
    def bodies(self) -> list[str]:
        return [incoming.body.decode() for incoming in self.taken]

    def until(self, count: int, seconds: float = 20) -> list[str]:
        """Wait for so many messages in all."""

        def enough() -> bool:
            broker.drain(self.connection, 0.2, lambda: len(self.taken) >= count)
            return len(self.taken) >= count

        eventually(enough, seconds)
        return self.bodies

    def nothing_more(self, seconds: float = 0.7) -> list[str]:
        """What has come although nothing should any more."""
        before = len(self.taken)
        broker.drain(self.connection, seconds, lambda: False)
        return self.bodies[before:]

    def ack_all(self) -> None:
        self.channel.basic_ack(self.taken[-1].tag, multiple=True)

    def die(self) -> None:
        """Let go of the socket without a word, as a crash does."""
        self.connection.collect()


@pytest.fixture
def bench(amqp_url: str) -> Iterator[Bench]:
    made = Bench(amqp_url)
    yield made
    made.close()


@pytest.fixture
def bench_at() -> Callable[[str], Bench]:
    """A bench at a server that ends with the test."""
    return Bench


@pytest.fixture
def queue(bench: Bench) -> str:
    return bench.queue()


def numbers(count: int, prefix: str = "m") -> Sequence[str]:
    """Bodies in their order."""
    return [f"{prefix}{number:05}" for number in range(count)]


@pytest.fixture
def bodies() -> Callable[..., Sequence[str]]:
    return numbers
