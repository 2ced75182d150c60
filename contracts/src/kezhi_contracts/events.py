"""Build the events that other systems send, with totals that add up and times that name an instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Number = Decimal | int | str


def line(sku: str, quantity: Number, amount: Number, **more: Any) -> dict[str, Any]:
    """One line of a purchase; ``more``: name, category, unit_price, batch."""
    return {"sku": sku, "quantity": str(quantity), "amount": str(amount), **more}


def purchase(
    *,
    source: str,
    purchase_id: str,
    occurred_at: datetime,
    identity: str | None = None,
    customer_id: str | None = None,
    total: Number | None = None,
    lines: Iterable[dict[str, Any]] = (),
    currency: str = "CNY",
    event_id: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A ``purchase.completed.v1``. Without ``total`` the lines are summed; without customer it is anonymous.

    The event's id is ``purchase_id`` unless given; ``more``: store, channel, seller, delivered_to, payment.
    """
    listed = list(lines)
    if total is None:
        total = sum((Decimal(one["amount"]) for one in listed), Decimal(0))
    data = {
        "purchase_id": purchase_id,
        "occurred_at": instant(occurred_at),
        "currency": currency,
        "total": str(total),
    }
    customer = _customer(identity, customer_id)
    subject = identity or customer_id or f"purchase:{purchase_id}"
    return _event(
        "purchase.completed.v1",
        source,
        event_id or purchase_id,
        subject,
        {**data, **customer, "lines": listed, **more},
    )


def refund(
    *,
    source: str,
    refund_id: str,
    purchase_id: str,
    occurred_at: datetime,
    total: Number,
    lines: Iterable[dict[str, Any]] = (),
    reason: str | None = None,
    event_id: str | None = None,
    subject: str | None = None,
) -> dict[str, Any]:
    """A ``purchase.refunded.v1``; ``total`` is what was given back, in the purchase's currency."""
    data = {
        "refund_id": refund_id,
        "purchase_id": purchase_id,
        "occurred_at": instant(occurred_at),
        "total": str(total),
        "lines": list(lines),
        "reason": reason,
    }
    return _event("purchase.refunded.v1", source, event_id or refund_id, subject or f"purchase:{purchase_id}", data)


def milestone(
    *,
    source: str,
    event_id: str,
    milestone: str,
    at: datetime,
    identity: str | None = None,
    customer_id: str | None = None,
    details: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A ``milestone.reached.v1``: first_visit, subscription, signing, check_in, hand_over …"""
    subject = identity or customer_id
    if subject is None:
        raise ValueError("a milestone needs identity or customer_id")
    data = {
        **_customer(identity, customer_id),
        "milestone": milestone,
        "at": instant(at),
        "details": details or {},
    }
    return _event("milestone.reached.v1", source, event_id, subject, data)


def instant(at: datetime) -> str:
    """An aware time in RFC 3339. Raises ValueError for a naive one: it names no instant."""
    if at.tzinfo is None:
        raise ValueError("a time needs an offset: give an aware datetime")
    return at.isoformat().replace("+00:00", "Z")


def _customer(identity: str | None, customer_id: str | None) -> dict[str, Any]:
    if identity is not None:
        return {"customer": {"identity": identity}}
    return {"customer": {"id": customer_id}} if customer_id is not None else {}


def _event(type_: str, source: str, event_id: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": type_,
        "source": source,
        "id": event_id,
        "time": instant(datetime.now(UTC)),
        "subject": subject,
        "datacontenttype": "application/json",
        "data": data,
    }
