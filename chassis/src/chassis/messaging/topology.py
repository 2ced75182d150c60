"""The broker's exchanges and queues: declared here and nowhere else, checked again at every start.

Two ways of arguments exist (decision 38). *Plain*: queues carry their arguments; ``kezhi up`` and ``migrate``
declare so, no plugin is needed. *Policies*: ``deploy/rabbitmq`` defines the queues bare and a broker policy gives
them their behaviour, so that it can be changed without remaking a queue. What is found in force is accepted;
anything else is a TopologyMismatch, because publishing into a queue that behaves otherwise would lose messages.

kombu remembers declarations per process, and a queue that was remade elsewhere then swallows publishes: nothing but
this module declares, on plain channels that remember nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import kombu
from amqp.exceptions import AccessRefused, AMQPError, NotFound, PreconditionFailed, ResourceLocked

from chassis.messaging.names import RETRY_DELAYS, BrokerNames
from chassis.service import Service, Subscription

FAMILIES = ("purchases", "events")
DELIVERY_LIMIT = 50  # every kill redelivers a whole prefetch, so the broker's own count must be patient (decision 8)
UNROUTED_KEPT = 100_000  # the newest ones; an event stands in its producer's outbox anyway
_MOST_PARTITIONS = 64


class TopologyMismatch(Exception):
    """The broker holds an exchange or queue that is not what this release needs."""


@dataclass(frozen=True)
class Found:
    """What ``declare`` saw: where the queues' behaviour comes from, and whether ordered queues can be split."""

    arguments: str  # "plain" or "policies"
    consistent_hash: bool


@dataclass(frozen=True)
class QueuePlan:
    """A queue with the arguments that give it its behaviour when no policy does."""

    name: str
    arguments: dict[str, Any]
    keeps: tuple[str, ...] = ()  # arguments that no policy can give


def queues_of(names: BrokerNames, service: str, subscription: Subscription, partitions: int = 0) -> list[str]:
    """The queues that a subscription consumes: one, or one per partition where it is ordered and split."""
    queue = names.queue(service, subscription.name)
    if subscription.ordered and partitions > 0:
        return [f"{queue}.{number}" for number in range(partitions)]
    return [queue]


def dead_queue(names: BrokerNames, service: str, subscription: Subscription) -> str:
    """Where the exhausted and invalid messages of all the subscription's queues go."""
    return names.dead(names.queue(service, subscription.name))


def unrouted_queue(names: BrokerNames) -> str:
    """Where messages end that no queue is bound for; its length is watched."""
    return names.exchange("unrouted")


def declare(
    connection_url: str, names: BrokerNames, services: Service | Iterable[Service], partitions: int = 0
) -> Found:
    """Make sure that everything these services need exists and is as it must be. Raises TopologyMismatch."""
    several = [services] if isinstance(services, Service) else list(services)
    with _connected(connection_url) as connection:
        split = partitions > 0 and has_consistent_hash(connection_url)
        styles = set()
        for family in FAMILIES:
            _exchange(
                connection,
                names.exchange(family),
                "topic",
                {"alternate-exchange": names.exchange("unrouted")},
            )
        _exchange(connection, names.exchange("unrouted"), "topic", {})
        styles.add(_queue(connection, _unrouted_plan(names)))
        _bind(connection, unrouted_queue(names), names.exchange("unrouted"), ["#"])
        for service in several:
            for subscription in service.subscriptions:
                styles |= _declare_subscription(
                    connection, names, service.name, subscription, partitions if split else 0
                )
    return Found("policies" if "policies" in styles else "plain", split)


def forget(connection_url: str, names: BrokerNames, services: Service | Iterable[Service]) -> None:
    """Remove exactly one instance's queues and exchanges, with what is in them (``kezhi reset``)."""
    several = [services] if isinstance(services, Service) else list(services)
    with _connected(connection_url) as connection:
        channel = connection.channel()
        for service in several:
            for subscription in service.subscriptions:
                queue = names.queue(service.name, subscription.name)
                doomed = [queue] + ([f"{queue}.{n}" for n in range(_MOST_PARTITIONS)] if subscription.ordered else [])
                for name in doomed:
                    for step in RETRY_DELAYS:
                        channel.queue_delete(names.retry(name, step))
                    channel.queue_delete(name)
                channel.queue_delete(names.dead(queue))
                channel.exchange_delete(_hash_exchange(queue))
        channel.queue_delete(unrouted_queue(names))
        for family in (*FAMILIES, "unrouted"):
            channel.exchange_delete(names.exchange(family))


def has_consistent_hash(connection_url: str) -> bool:
    """Whether the broker has the consistent-hash exchange; an unknown type costs the asking connection its life."""
    try:
        with _connected(connection_url) as connection:
            connection.channel().exchange_declare(
                "kezhi.probe.consistent-hash", "x-consistent-hash", durable=False, auto_delete=True
            )
            connection.channel().exchange_delete("kezhi.probe.consistent-hash")
    except AMQPError:
        return False
    return True


def _declare_subscription(
    connection: kombu.Connection,
    names: BrokerNames,
    service: str,
    subscription: Subscription,
    partitions: int,
) -> set[str]:
    queue = names.queue(service, subscription.name)
    dead = names.dead(queue)
    consumed = queues_of(names, service, subscription, partitions)
    styles = {_queue(connection, QueuePlan(dead, {}))}
    for name in consumed:
        single = {"x-single-active-consumer": True} if name != queue else {}
        styles.add(_queue(connection, QueuePlan(name, _safe_dead_lettering(dead) | single, tuple(single))))
        for step, milliseconds in RETRY_DELAYS.items():
            plan = QueuePlan(names.retry(name, step), {"x-message-ttl": milliseconds} | _back_to(name))
            styles.add(_queue(connection, plan))
    exchange = names.exchange(subscription.family)
    if consumed == [queue]:
        _bind(connection, queue, exchange, subscription.bindings)
        return styles
    hashing = _hash_exchange(queue)
    _exchange(connection, hashing, "x-consistent-hash", {"hash-header": "partitionkey"})
    channel = connection.channel()
    for name in consumed:
        channel.queue_bind(name, hashing, "1")
    for binding in subscription.bindings:
        channel.exchange_bind(hashing, exchange, binding)
    channel.close()
    return styles


def _safe_dead_lettering(dead: str) -> dict[str, Any]:
    """At-least-once needs reject-publish: the broker then keeps a message until the dead queue confirmed it."""
    return {
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _back_to(queue: str) -> dict[str, Any]:
    return {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _unrouted_plan(names: BrokerNames) -> QueuePlan:
    return QueuePlan(unrouted_queue(names), {"x-max-length": UNROUTED_KEPT})


def _hash_exchange(queue: str) -> str:
    return f"{queue}.partitions"


def _queue(connection: kombu.Connection, plan: QueuePlan) -> str:
    """Declare with plain arguments, else bare; says which of the two is in force."""
    bare = {"x-queue-type": "quorum"} | {name: plan.arguments[name] for name in plan.keeps}
    refusals = []
    for style, arguments in (("plain", bare | plan.arguments), ("policies", bare)):
        channel = connection.channel()
        try:
            channel.queue_declare(plan.name, durable=True, auto_delete=False, arguments=arguments)
        except (PreconditionFailed, ResourceLocked) as refused:
            refusals.append(str(refused.message))
            continue
        except AccessRefused as refused:
            raise TopologyMismatch(_no_access(plan.name, refused)) from refused
        channel.close()
        return style
    raise TopologyMismatch(
        f"The queue {plan.name} exists with other arguments than this release needs: {refusals[0]}. "
        f"Needed: {bare | plan.arguments}. Drain and delete the queue, or import deploy/rabbitmq/definitions.json, "
        "then start again."
    )


def _exchange(connection: kombu.Connection, name: str, kind: str, arguments: dict[str, Any]) -> None:
    for given in (arguments, {}):
        channel = connection.channel()
        try:
            channel.exchange_declare(name, kind, durable=True, auto_delete=False, arguments=given)
        except PreconditionFailed as refused:
            refusal = refused
            continue
        except AccessRefused as refused:
            raise TopologyMismatch(_no_access(name, refused)) from refused
        channel.close()
        return
    raise TopologyMismatch(
        f"The exchange {name} exists with another type or other arguments than this release needs: {refusal.message}. "
        f"Needed: type {kind}, {arguments}. Delete the exchange and start again; queues and messages stay."
    ) from refusal


def _bind(connection: kombu.Connection, queue: str, exchange: str, bindings: Sequence[str]) -> None:
    channel = connection.channel()
    try:
        for binding in bindings:
            channel.queue_bind(queue, exchange, binding)
    except (NotFound, AccessRefused) as refused:
        raise TopologyMismatch(f"The queue {queue} can't be bound to {exchange}: {refused.message}.") from refused
    channel.close()


def _no_access(name: str, refused: AccessRefused) -> str:
    return f"This broker user may not declare {name}: {refused.message}. Give it configure rights on it."


@contextmanager
def _connected(url: str) -> Iterator[kombu.Connection]:
    with kombu.Connection(url, connect_timeout=10) as connection:
        connection.connect()
        yield connection
