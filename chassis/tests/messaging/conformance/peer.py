"""A process of its own that consumes or publishes, to be killed in the middle: ``peer.py consume|publish URL QUEUE …``.

It tells on standard output, a line at a time, what it took and what was confirmed.
"""

from __future__ import annotations

import sys
from typing import Any

import amqp
import kombu

from chassis.messaging import broker


def tell(*words: object) -> None:
    print(*words, flush=True)


def consume(url: str, queue: str, prefetch: str, acknowledge: str, heartbeat: str) -> None:
    """Acknowledge the first so many, then hold whatever comes."""
    connection = kombu.Connection(url, heartbeat=int(heartbeat))
    connection.connect()
    channel = connection.channel()
    left = int(acknowledge)

    def on_message(incoming: Any) -> None:
        nonlocal left
        if left > 0:
            left -= 1
            channel.basic_ack(incoming.tag)
            tell("done", incoming.body.decode())
        else:
            tell("held", incoming.body.decode())

    broker.subscribe(channel, queue, on_message, int(prefetch))
    tell("ready")
    try:
        while True:
            broker.drain(connection, 0.2, lambda: False)
            connection.heartbeat_check()
    except broker.BROKER_TROUBLE as trouble:
        tell("trouble", type(trouble).__name__)


def publish(url: str, queue: str) -> None:
    """Number messages upwards for ever; tell each window that was confirmed."""
    connection = broker.connect(url)
    channel: Any = connection.channel()
    channel.confirm_select()
    waiting: set[int] = set()

    def on_ack(tag: int, multiple: bool) -> None:
        waiting.difference_update([one for one in waiting if one <= tag] if multiple else [tag])

    channel.events["basic_ack"].add(on_ack)
    number = 0
    tell("ready")
    while True:
        for _ in range(50):
            number += 1
            waiting.add(number)
            channel.basic_publish(amqp.basic_message.Message(str(number).encode(), delivery_mode=2), "", queue)
        while waiting:
            connection.drain_events(timeout=30)
        tell("confirmed", number)


if __name__ == "__main__":
    {"consume": consume, "publish": publish}[sys.argv[1]](*sys.argv[2:])
