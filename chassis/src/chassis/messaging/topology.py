"""The broker's exchanges and queues: declared here and nowhere else, checked again at every start.

What has to be there is a plan (``topology_plan``), made first and then applied.

Two ways of arguments exist (decision 38). *Plain*: queues carry their arguments; ``kezhi up`` and ``migrate``
declare so, no plugin is needed. *Policies*: ``deploy/rabbitmq`` defines the queues bare and a broker policy gives
them their behaviour, so that it can be changed without remaking a queue. What is found in force is accepted;
anything else is a TopologyMismatch, because publishing into a queue that behaves otherwise would lose messages.

kombu remembers declarations per process, and a queue that was remade elsewhere then swallows publishes: nothing but
this module declares, on plain channels that remember nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import kombu
from amqp.exceptions import AccessRefused, AMQPError, NotFound, PreconditionFailed, ResourceLocked

from chassis.messaging.embedded import is_embedded
from chassis.messaging.names import BrokerNames
from chassis.messaging.topology_plan import (
    DELIVERY_LIMIT,
    MOST_PARTITIONS,
    BindingPlan,
    ExchangePlan,
    QueuePlan,
    dead_queue,
    make_plan,
    queues_of,
    unrouted_queue,
)
from chassis.service import Service

__all__ = [
    "DELIVERY_LIMIT",
    "PROBE",
    "Found",
    "TopologyMismatch",
    "dead_queue",
    "declare",
    "forget",
    "has_consistent_hash",
    "queues_of",
    "unrouted_queue",
]

PROBE = "kezhi.probe.consistent-hash"  # lives for the moment of a question


class TopologyMismatch(Exception):
    """The broker holds an exchange or queue that is not what this release needs."""


@dataclass(frozen=True)
class Found:
    """What ``declare`` saw: where the queues' behaviour comes from, and whether ordered queues can be split."""

    arguments: str  # "plain" or "policies"
    consistent_hash: bool


def declare(
    connection_url: str, names: BrokerNames, services: Service | Iterable[Service], partitions: int = 0
) -> Found:
    """Make sure that everything these services need exists and is as it must be. Raises TopologyMismatch."""
    split = partitions > 0 and has_consistent_hash(connection_url)
    plan = make_plan(names, services, partitions if split else 0)
    with _connected(connection_url) as connection:
        for exchange in plan.exchanges:
            _exchange(connection, exchange)
        governed = not is_embedded(connection_url)  # the embedded broker knows no policies
        styles = {_queue(connection, queue, governed) for queue in plan.queues}
        _bind(connection, plan.bindings)
    return Found("policies" if "policies" in styles else "plain", split)


def forget(connection_url: str, names: BrokerNames, services: Service | Iterable[Service]) -> None:
    """Remove exactly one instance's queues and exchanges, with what is in them (``kezhi reset``)."""
    several = [services] if isinstance(services, Service) else list(services)
    plans = [make_plan(names, several, partitions) for partitions in (0, MOST_PARTITIONS)]
    with _connected(connection_url) as connection:
        channel = connection.channel()
        for queue in dict.fromkeys(queue.name for plan in plans for queue in plan.queues):
            channel.queue_delete(queue)
        for exchange in dict.fromkeys(exchange.name for plan in plans for exchange in plan.exchanges):
            channel.exchange_delete(exchange)


def has_consistent_hash(connection_url: str) -> bool:
    """Whether the broker has the consistent-hash exchange; an unknown type costs the asking connection its life."""
    try:
        with _connected(connection_url) as connection:
            connection.channel().exchange_declare(PROBE, "x-consistent-hash", durable=False, auto_delete=True)
            connection.channel().exchange_delete(PROBE)
    except AMQPError:
        return False
    return True


def _queue(connection: kombu.Connection, plan: QueuePlan, governed: bool) -> str:
    """Declare with plain arguments, else bare where policies may govern it; says which of the two is in force."""
    whole = {**plan.bare, **plan.arguments}
    refusals = []
    for style, arguments in (("plain", whole), ("policies", plan.bare))[: 2 if governed else 1]:
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
    policies = ", or import deploy/rabbitmq/definitions.json" if governed else ""
    raise TopologyMismatch(
        f"The queue {plan.name} exists with other arguments than this release needs: {refusals[0]}. "
        f"Needed: {whole}. Drain and delete the queue{policies}, then start again."
    )


def _exchange(connection: kombu.Connection, plan: ExchangePlan) -> None:
    for given in (dict(plan.arguments), plan.bare):
        channel = connection.channel()
        try:
            channel.exchange_declare(plan.name, plan.kind, durable=True, auto_delete=False, arguments=given)
        except PreconditionFailed as refused:
            refusal = refused
            continue
        except AccessRefused as refused:
            raise TopologyMismatch(_no_access(plan.name, refused)) from refused
        channel.close()
        return
    raise TopologyMismatch(
        f"The exchange {plan.name} exists with another type or other arguments than this release needs: "
        f"{refusal.message}. Needed: type {plan.kind}, {dict(plan.arguments)}. "
        "Delete the exchange and start again; queues and messages stay."
    ) from refusal


def _bind(connection: kombu.Connection, bindings: Iterable[BindingPlan]) -> None:
    channel = connection.channel()
    for binding in bindings:
        bind, kind = (channel.exchange_bind, "exchange") if binding.to_exchange else (channel.queue_bind, "queue")
        try:
            bind(binding.destination, binding.source, binding.key)
        except (NotFound, AccessRefused) as refused:
            raise TopologyMismatch(
                f"The {kind} {binding.destination} can't be bound to {binding.source}: {refused.message}."
            ) from refused
    channel.close()


def _no_access(name: str, refused: AccessRefused) -> str:
    return f"This broker user may not declare {name}: {refused.message}. Give it configure rights on it."


@contextmanager
def _connected(url: str) -> Iterator[kombu.Connection]:
    with kombu.Connection(url, connect_timeout=10) as connection:
        connection.connect()
        yield connection
