"""Which queues a subscription has at the broker, however many partitions its service runs with.

How many there are is told to the processes of the service alone (KEZHI_PARTITIONS), and while their number is changed
the queues of before lie beside those of now: so the broker is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from amqp.protocol import queue_declare_ok_t
from kombu import Connection

from chassis.messaging.names import BrokerNames
from chassis.messaging.topology import queues_of
from chassis.messaging.topology_plan import MOST_PARTITIONS
from chassis.service import Subscription


def standing(
    broker: Connection, names: BrokerNames, service: str, subscription: Subscription
) -> Iterator[queue_declare_ok_t]:
    """Name, ready messages and consumers of each queue that is there, the undivided one first."""
    whole = names.queue(service, subscription.name)
    split = queues_of(names, service, subscription, MOST_PARTITIONS) if subscription.ordered else []
    for queue in (whole, *split):
        try:
            with broker.channel() as channel:
                yield channel.queue_declare(queue, passive=True)
        except broker.channel_errors:
            if queue != whole:  # they are numbered without gaps
                return
