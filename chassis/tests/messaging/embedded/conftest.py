"""The embedded broker's own promises, looked at from inside its database."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from chassis.messaging import broker
from chassis.messaging.broker import Outgoing, Publisher
from chassis.messaging.embedded import prepare_database
from chassis.messaging.incoming import Incoming
from chassis.testkit.databases import Databases


class Inside:
    """An embedded broker of the test's own, and what its tables hold."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.open: list[Any] = []

    def ask(self, statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.url.removeprefix("kezhi+"), autocommit=True) as connection:
            done = connection.execute(statement.encode(), values)
            return done.fetchall() if done.description else []

    def count(self, table: str) -> int:
        return int(self.ask(f"SELECT count(*) FROM broker.{table}")[0][0])

    def connect(self, url: str | None = None) -> Any:
        self.open.append(broker.connect(url or self.url))
        return self.open[-1]

    def queue(self, name: str = "queue", **arguments: Any) -> str:
        given = {argument.replace("_", "-"): value for argument, value in arguments.items()}
        self.connect().channel().queue_declare(name, durable=True, auto_delete=False, arguments=given)
        return name

    def publish(self, queue: str, *bodies: str) -> None:
        publisher = Publisher(self.url)
        publisher.publish([Outgoing(queue, body.encode(), None, None) for body in bodies])
        publisher.close()

    def taking(self, queue: str, count: int, url: str | None = None) -> tuple[Any, Any, list[Incoming]]:
        """A connection and channel that hold so many messages of a queue."""
        taken: list[Incoming] = []
        connection = self.connect(url)
        channel = connection.channel()
        broker.subscribe(channel, queue, taken.append, count)
        broker.drain(connection, 10, lambda: len(taken) >= count)
        return connection, channel, taken


@pytest.fixture
def inside(databases: Databases) -> Iterator[Inside]:
    name = f"kezhi_test_inside_{uuid.uuid4().hex[:12]}"
    databases.create(name)
    made = Inside(f"kezhi+{databases.url(name)}")
    prepare_database(made.url)
    yield made
    for connection in made.open:
        connection.collect()
    databases.drop(name)


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[Callable[[], str]]:
    names: list[str] = []

    def make() -> str:
        names.append(f"kezhi_test_empty_{uuid.uuid4().hex[:12]}")
        databases.create(names[-1])
        return f"kezhi+{databases.url(names[-1])}"

    yield make
    for name in names:
        databases.drop(name)
