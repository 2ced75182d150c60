"""Messages between AMQP's form and the broker's rows: properties are stored as the bytes that AMQP writes.

So no header changes its type on the way, and what can't be read is damage of one message, as with RabbitMQ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import amqp
from amqp.serialization import decode_properties_basic

from chassis.messaging.frames import damage_of


class Taken(NamedTuple):
    """A delivery as the database gives it."""

    id: int
    deliveries: int
    exchange: str
    routing_key: str
    properties: bytes
    body: bytes
    deaths: Sequence[Mapping[str, Any]] | None


class Publish(NamedTuple):
    """One message to be published; ``expiration`` in milliseconds."""

    exchange: str
    routing_key: str
    properties: bytes
    body: bytes
    mandatory: bool = False
    expiration: int | None = None


class Delivered(amqp.basic_message.Message):
    """A delivered message; ``damage`` says why its properties can't be read, if so."""

    damage: str | None = None


def read(properties: bytes, body: bytes, channel: Any) -> Delivered:
    """A message from its stored form."""
    message = Delivered(bytes(body), channel=channel)
    try:
        message.properties, _ = decode_properties_basic(bytes(properties), 0)
    except Exception as wrong:  # whatever a header does to the decoder, it is the header's fault
        message.damage = damage_of(wrong)
    return message


def message_of(taken: Taken, tag: int, consumer_tag: str | None, channel: Any) -> Delivered:
    """What a consumer's callback gets."""
    message = read(taken.properties, taken.body, channel)
    if taken.deaths or taken.deliveries > 1:
        _add_notes(message.properties, taken)
    message.delivery_info = {
        "consumer_tag": consumer_tag,
        "delivery_tag": tag,
        "redelivered": taken.deliveries > 1,
        "exchange": taken.exchange,
        "routing_key": taken.routing_key,
    }
    return message


def _add_notes(properties: dict[str, Any], taken: Taken) -> None:
    """The broker's own headers, as RabbitMQ writes them."""
    headers = dict(properties.get("application_headers") or {})
    if taken.deliveries > 1:
        headers["x-delivery-count"] = taken.deliveries - 1
    if taken.deaths:
        headers["x-death"] = [{**death, "time": datetime.fromtimestamp(death["time"], UTC)} for death in taken.deaths]
        first = taken.deaths[-1]
        headers |= {f"x-first-death-{name}": first[name] for name in ("exchange", "queue", "reason")}
    properties["application_headers"] = headers
