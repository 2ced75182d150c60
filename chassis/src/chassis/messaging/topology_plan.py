"""What the broker must hold for given services, as data: pure, so that it can be declared, removed, or written down.

``topology.declare`` applies a plan, ``topology.forget`` removes one, ``deploy/rabbitmq/generate.py`` writes one into
the definitions that a broker imports. None of them knows a name or an argument that is not in the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chassis.messaging.names import RETRY_DELAYS, BrokerNames
from chassis.service import Service, Subscription

FAMILIES = ("purchases", "events")
DELIVERY_LIMIT = 50  # every kill redelivers a whole prefetch, so the broker's own count must be patient (decision 8)
UNROUTED_KEPT = 100_000  # the newest ones; an event stands in its producer's outbox anyway
MOST_PARTITIONS = 64
_SAFELY = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}


@dataclass(frozen=True)
class ExchangePlan:
    """An exchange; ``keeps`` names the arguments that no policy can give."""

    name: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    keeps: tuple[str, ...] = ()

    @property
    def bare(self) -> dict[str, Any]:
        """Its arguments where a policy gives the rest."""
        return {name: self.arguments[name] for name in self.keeps}


@dataclass(frozen=True)
class QueuePlan:
    """A quorum queue with the arguments that give it its behaviour when no policy does."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    keeps: tuple[str, ...] = ()  # arguments that no policy can give

    @property
    def bare(self) -> dict[str, Any]:
        """Its arguments where a policy gives the rest."""
        return {"x-queue-type": "quorum"} | {name: self.arguments[name] for name in self.keeps}

    @property
    def policy(self) -> dict[str, Any]:
        """What a policy has to say so that the bare queue behaves like the one with arguments."""
        return {name.removeprefix("x-"): value for name, value in self.arguments.items() if name not in self.keeps}


@dataclass(frozen=True)
class BindingPlan:
    """Messages of ``source`` that ``key`` matches go to ``destination``: a queue, or an exchange that splits them."""

    source: str
    destination: str
    key: str
    to_exchange: bool = False


@dataclass(frozen=True)
class Plan:
    """Everything that some services of one installation need of the broker."""

    exchanges: tuple[ExchangePlan, ...]
    queues: tuple[QueuePlan, ...]
    bindings: tuple[BindingPlan, ...]


def make_plan(names: BrokerNames, services: Service | Iterable[Service], partitions: int = 0) -> Plan:
    """The plan of these services; with ``partitions`` the ordered subscriptions are split over so many queues."""
    several = [services] if isinstance(services, Service) else list(services)
    unrouted = names.exchange("unrouted")
    aside = {"alternate-exchange": unrouted}
    exchanges = [ExchangePlan(names.exchange(family), "topic", aside) for family in FAMILIES]
    exchanges.append(ExchangePlan(unrouted, "topic"))
    queues = [QueuePlan(unrouted_queue(names), {"x-max-length": UNROUTED_KEPT})]
    bindings = [BindingPlan(unrouted, unrouted_queue(names), "#")]
    for service in several:
        for subscription in service.subscriptions:
            part = _subscription(names, service.name, subscription, partitions)
            exchanges += part.exchanges
            queues += part.queues
            bindings += part.bindings
    return Plan(tuple(exchanges), tuple(queues), tuple(bindings))


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


def _subscription(names: BrokerNames, service: str, subscription: Subscription, partitions: int) -> Plan:
    queue, exchange = names.queue(service, subscription.name), names.exchange(subscription.family)
    dead = dead_queue(names, service, subscription)
    consumed = queues_of(names, service, subscription, partitions)
    queues = [QueuePlan(dead)]
    for name in consumed:
        single = {"x-single-active-consumer": True} if name != queue else {}
        limited = {"x-delivery-limit": DELIVERY_LIMIT}
        queues.append(QueuePlan(name, limited | _dead_lettered_to(dead) | single, tuple(single)))
        for step, milliseconds in RETRY_DELAYS.items():
            queues.append(QueuePlan(names.retry(name, step), {"x-message-ttl": milliseconds} | _dead_lettered_to(name)))
    if consumed == [queue]:
        return Plan((), tuple(queues), tuple(BindingPlan(exchange, queue, key) for key in subscription.bindings))
    hashing = ExchangePlan(
        f"{queue}.partitions", "x-consistent-hash", {"hash-header": "partitionkey"}, ("hash-header",)
    )
    split = [BindingPlan(hashing.name, name, "1") for name in consumed]
    fed = [BindingPlan(exchange, hashing.name, key, to_exchange=True) for key in subscription.bindings]
    return Plan((hashing,), tuple(queues), (*split, *fed))


def _dead_lettered_to(queue: str) -> dict[str, Any]:
    """At-least-once needs reject-publish: the broker then keeps a message until the other queue confirmed it."""
    return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue, **_SAFELY}
