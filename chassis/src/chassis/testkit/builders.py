"""Named builders of what other systems send: a valid example that each test bends where it matters.

``Purchase().but(total="19.90", identity=None).event()``; ``Purchase().refund("5.00").event()``.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from chassis.messaging.event import Event


@dataclass(frozen=True)
class Builder:
    """An immutable example; ``but`` gives a changed copy."""

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)


@dataclass(frozen=True)
class Purchase(Builder):
    """``purchase.completed.v1`` of a till, an hour before the fake clock's start. Each one is a purchase of its own."""

    identity: str | None = "card:8801"
    total: str = "256.00"
    occurred_at: datetime = datetime(2026, 11, 20, 1, tzinfo=UTC)
    purchase_id: str = field(default_factory=lambda: f"P-{uuid.uuid4().hex[:12]}")
    event_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    source: str = "/pos/shanghai-001"
    customer_id: str | None = None
    currency: str = "CNY"
    store: str = "SH001"
    channel: str = "store"
    lines: tuple[dict[str, str], ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def event(self) -> Event:
        """As the till publishes it. Neither identity nor customer id: an anonymous sale."""
        data: dict[str, Any] = {
            "purchase_id": self.purchase_id,
            "occurred_at": self.occurred_at.isoformat(),
            "store": self.store,
            "channel": self.channel,
            "currency": self.currency,
            "total": self.total,
            "lines": [dict(line) for line in self.lines],
            **self.extra,
        }
        if self.customer_id is not None:
            data["customer"] = {"id": self.customer_id}
        elif self.identity is not None:
            data["customer"] = {"identity": self.identity}
        subject = self.identity or self.customer_id or self.purchase_id
        return Event(self.event_id, self.source, "purchase.completed.v1", subject, self.occurred_at, data)

    def refund(self, total: str, **changes: Any) -> Refund:
        """A refund of this purchase, an hour later."""
        later = self.occurred_at + timedelta(hours=1)
        return Refund(self.purchase_id, total, later, source=self.source, **changes)


@dataclass(frozen=True)
class Refund(Builder):
    """``purchase.refunded.v1``."""

    purchase_id: str
    total: str
    occurred_at: datetime
    refund_id: str = field(default_factory=lambda: f"R-{uuid.uuid4().hex[:12]}")
    event_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    source: str = "/pos/shanghai-001"
    reason: str = "returned"

    def event(self) -> Event:
        """As the till publishes it."""
        data = {
            "refund_id": self.refund_id,
            "purchase_id": self.purchase_id,
            "occurred_at": self.occurred_at.isoformat(),
            "total": self.total,
            "lines": [],
            "reason": self.reason,
        }
        return Event(self.event_id, self.source, "purchase.refunded.v1", self.purchase_id, self.occurred_at, data)
