"""The publisher against a real RabbitMQ: all arrive as they should, and what does not arrive is named."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Iterator
from itertools import count
from typing import Any

import pika
import pytest

from kezhi_contracts import schemas
from kezhi_contracts.publishing import BrokerUnavailable, InvalidEvent, Publisher, Undelivered

pytestmark = pytest.mark.broker


class Exchange:
    """A topic exchange of this test alone, with one queue behind it."""

    def __init__(self, url: str) -> None:
        parameters = pika.URLParameters(url)
        parameters.virtual_host = parameters.virtual_host or "/"
        self.url = url
        self.name = f"test.{uuid.uuid4().hex}"
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        self.channel.exchange_declare(self.name, "topic", auto_delete=True)

    def listen(self, **arguments: Any) -> str:
        """Bind a queue to everything; returns its name."""
        queue = str(self.channel.queue_declare("", exclusive=True, arguments=arguments).method.queue)
        self.channel.queue_bind(queue, self.name, "#")
        return queue

    def taken(self, queue: str) -> list[tuple[Any, Any, bytes]]:
        """Everything that lies in the queue now."""
        taken = []
        while (message := self.channel.basic_get(queue, auto_ack=True))[0] is not None:
            taken.append(message)
        return taken


@pytest.fixture
def exchange(rabbitmq_url: str) -> Iterator[Exchange]:
    made = Exchange(rabbitmq_url)
    yield made
    made.channel.exchange_delete(made.name)
    made.connection.close()


def _purchase(number: int) -> dict[str, Any]:
    return schemas.example("purchase.completed.v1") | {"id": f"e-{number}"}


def test_every_event_arrives_once_with_its_properties(exchange: Exchange) -> None:
    queue = exchange.listen()

    with Publisher(exchange.url, exchange=exchange.name, window=50) as broker:
        for number in range(500):
            broker.publish(_purchase(number))

    messages = exchange.taken(queue)
    assert [json.loads(body)["id"] for _, _, body in messages] == [f"e-{number}" for number in range(500)]
    method, properties, body = messages[0]
    assert method.routing_key == "purchase.completed.v1"
    assert (properties.content_type, properties.delivery_mode) == ("application/cloudevents+json", 2)
    assert (properties.message_id, properties.user_id) == (
        "e-0",
        pika.URLParameters(exchange.url).credentials.username,
    )
    assert properties.headers == {"partitionkey": "card:8801"}
    assert json.loads(body) == _purchase(0)


def test_what_no_queue_takes_is_named(exchange: Exchange) -> None:
    broker = Publisher(exchange.url, exchange=exchange.name)
    with broker:
        broker.publish(_purchase(1))
        with pytest.raises(Undelivered, match="no queue takes") as told:
            broker.flush()
        assert told.value.failures.keys() == {"e-1"}

        queue = exchange.listen()
        broker.publish(_purchase(1))  # after mending, the same connection goes on

    assert len(exchange.taken(queue)) == 1


def test_what_a_full_queue_refuses_is_named(exchange: Exchange) -> None:
    queue = exchange.listen(**{"x-max-length": 2, "x-overflow": "reject-publish"})

    with Publisher(exchange.url, exchange=exchange.name) as broker:
        for number in range(5):
            broker.publish(_purchase(number))
        with pytest.raises(Undelivered, match="refused") as told:
            broker.flush()

    arrived = {json.loads(body)["id"] for _, _, body in exchange.taken(queue)}
    assert arrived | told.value.failures.keys() == {f"e-{number}" for number in range(5)}
    assert not arrived & told.value.failures.keys()


def test_a_missing_exchange_is_said_and_nothing_counts_as_sent(rabbitmq_url: str) -> None:
    with (
        pytest.raises(Undelivered, match="no exchange") as told,
        Publisher(rabbitmq_url, exchange="test.none") as broker,
    ):
        broker.publish(_purchase(1))

    assert told.value.failures.keys() == {"e-1"}


def test_a_wrong_event_is_refused_before_anything_is_sent(exchange: Exchange) -> None:
    queue = exchange.listen()

    with Publisher(exchange.url, exchange=exchange.name) as broker, pytest.raises(InvalidEvent) as told:
        broker.publish(_purchase(1) | {"subject": ""})

    assert told.value.errors.keys() == {"subject"}
    assert exchange.taken(queue) == []


def test_a_broker_that_is_away_is_said_at_once() -> None:
    with (
        pytest.raises(BrokerUnavailable, match="no connection"),
        Publisher("amqp://guest:guest@127.0.0.1:1/"),
    ):
        pass


def test_a_broker_that_never_answers_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"amqp://guest:guest@127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(BrokerUnavailable, match="did not answer"), Publisher(url, timeout=0.3):
            pass
    assert not [thread for thread in threading.enumerate() if thread.name == "kezhi-publisher"]


def test_a_lost_connection_names_what_was_not_confirmed(exchange: Exchange) -> None:
    exchange.listen()
    with Publisher(exchange.url, exchange=exchange.name) as broker:
        connection = broker._connection
        connection.ioloop.add_callback_threadsafe(lambda: connection._terminate_stream(OSError("cut")))
        with pytest.raises(Undelivered, match="cut") as told:
            _publish_without_end(broker)

    assert told.value.failures


def _publish_without_end(broker: Publisher) -> None:
    for number in count():
        broker.publish(_purchase(number))
