"""Purchases and refunds as they were told, read once per delivery; what they contradict is refused here."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import orjson

from chassis.messaging.delivery import Reject
from loyalty.earning.domain import Purchase
from loyalty.earning.refunds import Refund

PURCHASE = "purchase.completed.v1"
REFUND = "purchase.refunded.v1"
SLACK = Decimal("0.01")
NOTHING: list[dict[str, Any]] = []


def content_of(data: dict[str, Any]) -> str:
    """A digest of what was told: the same fact under another event id has the same (decision 2)."""
    return blake2b(orjson.dumps(data, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def read_purchase(data: dict[str, Any], delivery: Any = None) -> Purchase:
    """Read ``purchase.completed.v1``. Raises Reject when the lines do not add up to the total."""
    total = Decimal(data["total"])
    lines = data.get("lines") or NOTHING
    if lines:
        added = sum([Decimal(line["amount"]) for line in lines])
        if abs(added - total) > SLACK:
            raise Reject(f"the lines add up to {added}, the total says {total}")
    customer = data.get("customer")
    if customer is None:
        name = ""
    else:
        own = customer.get("id")
        name = f"#{own.lower()}" if own else customer["identity"]
    return Purchase(
        data["purchase_id"],
        name,
        datetime.fromisoformat(data["occurred_at"]).astimezone(UTC),
        data["currency"],
        total,
        lines,
        data.get("store"),
        data.get("channel"),
        content_of(data),
        delivery,
    )


def read_refund(data: dict[str, Any], delivery: Any = None) -> Refund:
    """Read ``purchase.refunded.v1``. Raises Reject when its lines are worth more than its total."""
    total = Decimal(data["total"])
    lines = data.get("lines") or NOTHING
    if lines and sum([Decimal(line["amount"]) for line in lines]) > total + SLACK:
        raise Reject("the lines give back more than the refund's total")
    return Refund(
        data["refund_id"],
        data["purchase_id"],
        datetime.fromisoformat(data["occurred_at"]).astimezone(UTC),
        total,
        lines,
        data.get("reason"),
        content_of(data),
        delivery,
    )
