"""``kezhi resync``: bring one service level, for one deployed later or restored from a backup (decision 9)."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from kombu import Connection

from chassis.messaging import resync as republishing
from chassis.messaging.broker import connect
from chassis.messaging.names import BrokerNames
from chassis.messaging.retention import BODIES_KEPT
from chassis.runtime import Runtime
from chassis.service import Service, Subscription
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation, build_service
from kezhi.queues import standing

PURCHASES = "purchases"


def resync(place: tuple[Home, Configuration], snapshot: str, receiver: str, since: datetime | None) -> None:
    """Republish a snapshot's state, or raw purchases, to the receiver's queues and say how many events that were."""
    installation = Installation(*place)
    if receiver not in SERVICES:
        raise click.UsageError(f"--to {receiver}: there are {', '.join(SERVICES)}")
    taker = build_service(receiver)
    if snapshot == PURCHASES:
        total = republish_purchases(installation, taker, since)
    else:
        total = _snapshot(installation, taker, snapshot)
    click.echo(f"{total:,} events republished to {receiver}; its inbox absorbs those it knows")


def republish_purchases(installation: Installation, taker: Service, since: datetime | None) -> int:
    """Send raw purchases that another service took since then (UTC; None: all that are kept) to the taker's queues."""
    start = since.replace(tzinfo=UTC) if since else datetime.now(UTC) - BODIES_KEPT
    queues = _queues(installation, taker, "purchases", None)
    for giver in SERVICES:
        if giver != taker.name and any(one.family == "purchases" for one in build_service(giver).subscriptions):
            runtime = installation.runtime(giver)
            return sum(republishing.republish_purchases(runtime, start, queue) for queue in queues)
    raise click.ClickException("no other service has seen purchases")


def _snapshot(installation: Installation, taker: Service, name: str) -> int:
    known: dict[str, str] = {}
    for giver in SERVICES:
        known |= {snapshot.name: giver for snapshot in build_service(giver).snapshots}
    if name not in known:
        raise click.UsageError(f"there is no {name!r}; there are {', '.join(sorted([*known, PURCHASES]))}")
    runtime = installation.runtime(known[name])
    queues = _queues(installation, taker, "events", _type_of(runtime, name))
    if not queues:
        raise click.ClickException(f"{taker.name} keeps no copy of {name}")
    return sum(republishing.republish(runtime, name, queue) for queue in queues)


def _type_of(runtime: Runtime, name: str) -> str | None:
    snapshot = next(one for one in runtime.service.snapshots if one.name == name)
    with runtime.sessions() as session:
        for page in snapshot.pages(session):
            for event in page:
                return str(event.type)
    return None


def _queues(installation: Installation, taker: Service, family: str, accepting: str | None) -> list[str]:
    names = BrokerNames(installation.configuration.instance)
    concerned = [
        one for one in taker.subscriptions if one.family == family and (accepting is None or accepting in one.accepts)
    ]
    with connect(installation.configuration.amqp_url) as broker:
        return [_one_queue(broker, names, taker.name, one) for one in concerned]


def _one_queue(broker: Connection, names: BrokerNames, service: str, subscription: Subscription) -> str:
    """Of a subscription that may be split over partitions, a queue that somebody reads: any one of them will do."""
    there = list(standing(broker, names, service, subscription))
    if not there:
        whole = names.queue(service, subscription.name)
        raise click.ClickException(f"the broker has no queue {whole}; start {service} once, or run its `migrate`")
    return str(max(there, key=lambda queue: queue.consumer_count > 0).queue)
