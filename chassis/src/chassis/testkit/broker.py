"""Looking into queues, and waiting for what other threads and processes will have done soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import kombu

T = TypeVar("T")


def eventually(fact: Callable[[], T], seconds: float = 60, every: float = 0.05) -> T:
    """The first true answer of ``fact``; fails the test when none came in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := fact():
            return found
        time.sleep(every)
    raise AssertionError(f"it did not come true within {seconds} s")


def waiting_in(amqp_url: str, queue: str) -> int:
    """How many messages a queue holds ready."""
    with kombu.Connection(amqp_url) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)


def taken_from(amqp_url: str, queue: str) -> list[Any]:
    """Every message of a queue, raw, in order, removed from it."""
    found = []
    with kombu.Connection(amqp_url) as connection:
        channel = connection.channel()
        channel.auto_decode = False
        while message := channel.basic_get(queue, no_ack=True):
            found.append(message)
    return found
