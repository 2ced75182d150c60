"""Our short way of encoding a publish says exactly what pika's long way says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pika
import pytest
from pika import frame, spec

from chassis.messaging.wire import LARGEST_BODY, Unpublishable, Wire

FRAME_MAX = 4096


@pytest.fixture
def wire() -> Wire:
    connection: Any = SimpleNamespace(params=SimpleNamespace(frame_max=FRAME_MAX))
    return Wire(connection, 3, "kezhi_客")


@pytest.mark.parametrize("size", [0, 1, 900, FRAME_MAX - 8, FRAME_MAX - 7, 3 * FRAME_MAX])
def test_the_bytes_are_those_of_pika(wire: Wire, size: int) -> None:
    body = b"x" * size
    properties = pika.BasicProperties(
        content_type="application/cloudevents+json",
        delivery_mode=2,
        message_id="é-1",
        user_id="kezhi_客",
        headers={"partitionkey": "card:客至"},
    )
    publish = spec.Basic.Publish(exchange="kezhi.events", routing_key="points.earned.v1", mandatory=True)
    expected = frame.Method(3, publish).marshal() + frame.Header(3, size, properties).marshal()
    for start in range(0, size, FRAME_MAX - 8):
        expected += frame.Body(3, body[start : start + FRAME_MAX - 8]).marshal()

    assert wire.encode("kezhi.events", "points.earned.v1", "é-1", "card:客至", body) == expected


@pytest.mark.parametrize(
    ("routing_key", "event_id", "body"),
    [("k" * 256, "1", b""), ("k", "1" * 256, b""), ("k", "1", bytes(LARGEST_BODY + 1))],
)
def test_what_fits_into_no_frame_is_named(wire: Wire, routing_key: str, event_id: str, body: bytes) -> None:
    with pytest.raises(Unpublishable):
        wire.encode("kezhi.events", routing_key, event_id, "key", body)
