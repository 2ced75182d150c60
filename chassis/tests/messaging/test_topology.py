"""What the broker holds is what this release needs, or the process stops and says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import kombu
import pytest
from amqp.exceptions import NotFound

from chassis.messaging import topology
from chassis.messaging.embedded import is_embedded
from chassis.messaging.names import BrokerNames
from chassis.messaging.topology import TopologyMismatch
from chassis.service import Service

pytestmark = pytest.mark.broker


@pytest.fixture
def names(instance: str) -> BrokerNames:
    return BrokerNames(instance)


@pytest.fixture(autouse=True)
def forgotten(amqp_url: str, names: BrokerNames, shop: Any) -> Iterator[None]:
    yield
    topology.forget(amqp_url, names, shop.service())


def exists(amqp_url: str, queue: str) -> bool:
    with kombu.Connection(amqp_url) as connection:
        try:
            connection.channel().queue_declare(queue, passive=True)
        except NotFound:
            return False
    return True


def test_declaring_twice_changes_nothing(amqp_url: str, names: BrokerNames, shop: Any) -> None:
    first = topology.declare(amqp_url, names, shop.service())

    assert topology.declare(amqp_url, names, [shop.service()]) == first
    assert first.arguments == "plain"
    queue = names.queue("shop", "till")
    assert all(exists(amqp_url, name) for name in (queue, names.dead(queue), names.retry(queue, "15m")))


def test_queues_that_policies_govern_are_accepted(amqp_url: str, names: BrokerNames, shop: Any) -> None:
    with kombu.Connection(amqp_url) as connection:
        connection.channel().queue_declare(
            names.queue("shop", "till"), durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
        )

    if is_embedded(amqp_url):  # it knows no policies: such a queue would have no dead letters
        with pytest.raises(TopologyMismatch):
            topology.declare(amqp_url, names, shop.service())
        return
    assert topology.declare(amqp_url, names, shop.service()).arguments == "policies"


def test_a_queue_of_another_kind_stops_the_start_with_its_name(amqp_url: str, names: BrokerNames, shop: Any) -> None:
    queue = names.queue("shop", "till")
    with kombu.Connection(amqp_url) as connection:
        connection.channel().queue_declare(queue, durable=True, auto_delete=False)

    with pytest.raises(TopologyMismatch, match=f"The queue {queue} exists with other arguments"):
        topology.declare(amqp_url, names, shop.service())


def test_an_exchange_of_another_kind_stops_the_start_with_its_name(
    amqp_url: str, names: BrokerNames, shop: Any
) -> None:
    with kombu.Connection(amqp_url) as connection:
        connection.channel().exchange_declare(names.exchange("events"), "fanout", durable=True, auto_delete=False)

    with pytest.raises(TopologyMismatch, match=f"The exchange {names.exchange('events')} exists"):
        topology.declare(amqp_url, names, shop.service())


def test_forgetting_removes_exactly_one_instance(amqp_url: str, names: BrokerNames, shop: Any) -> None:
    neighbour = BrokerNames(f"{names.instance}n")
    topology.declare(amqp_url, names, shop.service())
    topology.declare(amqp_url, neighbour, shop.service())

    topology.forget(amqp_url, names, shop.service())

    assert not exists(amqp_url, names.queue("shop", "till"))
    assert not exists(amqp_url, topology.unrouted_queue(names))
    assert exists(amqp_url, neighbour.queue("shop", "till"))
    topology.forget(amqp_url, neighbour, shop.service())


def test_without_the_plugin_an_ordered_subscription_stays_one_queue(
    amqp_url: str, names: BrokerNames, shop: Any
) -> None:
    if topology.has_consistent_hash(amqp_url):
        pytest.skip("this broker has the consistent-hash exchange")
    service: Service = shop.service()
    ordered = replace(service, subscriptions=tuple(replace(found, ordered=True) for found in service.subscriptions))

    assert topology.declare(amqp_url, names, ordered, partitions=3).consistent_hash is False
    assert exists(amqp_url, names.queue("shop", "till"))
