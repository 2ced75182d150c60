"""The trace that a message belongs to: taken into the outbox, linked again where the message is consumed."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from chassis.messaging.event import Event

try:
    from chassis.telemetry import current_traceparent, span_from
except ImportError:

    def current_traceparent() -> str | None:
        return None

    def span_from(event: Event, name: str) -> AbstractContextManager[Any]:
        return nullcontext()


__all__ = ["current_traceparent", "span_from"]
