"""Deliveries without a broker, for tests and benchmarks: the same gate, inbox, transaction and fates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from chassis.messaging.event import Event
from chassis.messaging.incoming import Incoming
from chassis.messaging.processing import Processor
from chassis.runtime import Runtime


def deliver(runtime: Runtime, subscription_name: str, messages: Iterable[Event | bytes | dict[str, Any]]) -> list[str]:
    """Hand messages to a subscription in batches as its consumer would; returns a word for each, in order.

    ``accepted``, ``duplicate`` or ``rejected:<reason>``. An unexpected exception of the handler, which would go up
    the retry ladder, is raised after the others were processed.
    """
    subscription = next(found for found in runtime.service.subscriptions if found.name == subscription_name)
    processor = Processor(runtime, subscription)
    incoming = [Incoming(_body(message), content_type="application/cloudevents+json") for message in messages]
    words: list[str] = []
    errors: list[Exception] = []
    size = runtime.settings.batch_size
    for start in range(0, len(incoming), size):
        for fate in processor.process(incoming[start : start + size]):
            words.append(f"rejected:{fate.reason}" if fate.kind == "rejected" else fate.kind)
            if fate.error is not None:
                errors.append(fate.error)
    if errors:
        raise errors[0]
    return words


def _body(message: Event | bytes | dict[str, Any]) -> bytes:
    if isinstance(message, Event):
        return message.to_json()
    return message if isinstance(message, bytes) else orjson.dumps(message)
