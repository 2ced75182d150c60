"""An outlet says of every event whether the broker has it, whichever broker that is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.messaging.broker import connect
from chassis.messaging.embedded import prepare_database
from chassis.testkit import backends
from chassis.testkit.broker import taken_from, waiting_in
from chassis.testkit.databases import Databases
from kezhi.outlet import open_outlet
from kezhi_contracts import schemas
from kezhi_contracts.publishing import BrokerUnavailable, InvalidEvent, Undelivered

pytestmark = pytest.mark.broker


@pytest.fixture(params=["rabbitmq", "embedded"])
def place(request: pytest.FixtureRequest, databases: Databases) -> Iterator[tuple[str, str, str]]:
    """A broker's URL, an exchange, and the queue of its purchases."""
    name = f"outlet{uuid.uuid4().hex[:10]}"
    if request.param == "embedded":
        databases.create(name)
        url = f"kezhi+{databases.url(name)}"
        prepare_database(url)
    else:
        url = backends.rabbitmq_url()
    with connect(url) as connection:
        channel = connection.channel()
        channel.exchange_declare(name, "topic", durable=True, auto_delete=False)
        channel.queue_declare(f"{name}.q", durable=True, auto_delete=False)
        channel.queue_bind(f"{name}.q", name, "purchase.#")
        yield url, name, f"{name}.q"
        channel.queue_delete(f"{name}.q")
        channel.exchange_delete(name)
    if request.param == "embedded":
        databases.drop(name)


def purchase(id: str, **changed: Any) -> dict[str, Any]:
    return schemas.example("purchase.completed.v1") | {"id": id} | changed


def test_what_was_flushed_is_there_in_order(place: tuple[str, str, str]) -> None:
    url, exchange, queue = place

    with open_outlet(url, exchange) as outlet:
        for number in range(1200):
            outlet.publish(purchase(str(number)))
        outlet.flush()
        assert waiting_in(url, queue) == 1200

    first, second = taken_from(url, queue)[:2]
    assert (first.properties["message_id"], second.properties["message_id"]) == ("0", "1")
    assert first.properties["content_type"] == "application/cloudevents+json"
    assert first.properties["application_headers"]["partitionkey"]


def test_what_no_queue_takes_is_named_and_the_rest_arrives(place: tuple[str, str, str]) -> None:
    url, exchange, queue = place

    with open_outlet(url, exchange, check=False) as outlet:
        outlet.publish(purchase("fine"))
        outlet.publish(purchase("lost", type="purchse.completed.v1"))
        with pytest.raises(Undelivered) as refused:
            outlet.flush()

    assert list(refused.value.failures) == ["lost"]
    assert waiting_in(url, queue) == 1


def test_an_event_that_breaks_its_schema_is_never_sent(place: tuple[str, str, str]) -> None:
    url, exchange, queue = place

    with open_outlet(url, exchange) as outlet, pytest.raises(InvalidEvent):
        outlet.publish(purchase("wrong", data={}))

    assert waiting_in(url, queue) == 0


@pytest.mark.parametrize("url", ["amqp://guest:guest@127.0.0.1:1//", "kezhi+postgresql://a:b@127.0.0.1:1/nowhere"])
def test_a_broker_that_is_away_is_said_to_be(url: str) -> None:
    with pytest.raises(BrokerUnavailable), open_outlet(url, "x"):
        pass
