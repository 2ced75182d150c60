"""Pure rules of purchases: what a sale says, when two tellings of it differ, and what of it was given back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

ACCEPTED = "accepted"
WAITING = "waiting"
REJECTED = "rejected"

TOLERANCE = Decimal("0.01")
_KEPT = ("lines", "seller", "delivered_to", "payment", "reason")


@dataclass(slots=True)
class Sale:
    """One purchase as it was told. Neither ``customer_id`` nor ``identity``: an anonymous sale (decision 31)."""

    purchase_id: str
    customer_id: UUID | None
    identity: str | None
    occurred_at: datetime
    day: date
    store: str | None
    channel: str | None
    currency: str
    total: Decimal
    details: str
    digest: bytes


@dataclass(slots=True)
class Refund:
    """One giving back as it was told."""

    refund_id: str
    purchase_id: str
    occurred_at: datetime
    total: Decimal
    details: str
    digest: bytes


def sale_of(data: Mapping[str, Any], zone: ZoneInfo) -> Sale:
    """Read the data of ``purchase.completed.v1``, whose schema was checked."""
    occurred_at = datetime.fromisoformat(data["occurred_at"]).astimezone(UTC)
    total = Decimal(data["total"])
    customer = data.get("customer") or {}
    return Sale(
        purchase_id=data["purchase_id"],
        customer_id=UUID(customer["id"]) if "id" in customer else None,
        identity=customer.get("identity"),
        occurred_at=occurred_at,
        day=occurred_at.astimezone(zone).date(),
        store=data.get("store"),
        channel=data.get("channel"),
        currency=data["currency"],
        total=total,
        details=_details(data),
        digest=_digest(data, occurred_at, total),
    )


def refund_of(data: Mapping[str, Any]) -> Refund:
    """Read the data of ``purchase.refunded.v1``, whose schema was checked."""
    occurred_at = datetime.fromisoformat(data["occurred_at"]).astimezone(UTC)
    total = Decimal(data["total"])
    return Refund(
        refund_id=data["refund_id"],
        purchase_id=data["purchase_id"],
        occurred_at=occurred_at,
        total=total,
        details=_details(data),
        digest=_digest(data, occurred_at, total),
    )


def flaw(data: Mapping[str, Any]) -> str | None:
    """What no schema can see: lines that do not add up to the total. None when all is well."""
    lines = data.get("lines")
    if not lines:
        return None
    added = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
    if abs(added - Decimal(data["total"])) > TOLERANCE:
        return f"total {data['total']} is not the sum of the lines, {added}"
    return None


def waits_for(customer_id: UUID | None, identity: str | None) -> str | None:
    """The name under which an unknown customer's purchase is kept."""
    return identity or (f"id:{customer_id}" if customer_id else None)


def allowed_refunds(
    total: Decimal, refunded: Decimal, waiting: Iterable[tuple[str, Decimal]]
) -> tuple[Decimal, list[str], dict[str, str]]:
    """Which refunds a purchase can bear, in the order given (decision 23: Σ refunds ≤ purchase).

    Returns the new sum of refunds, the ids that fit, and the reason of each that does not.
    """
    fits, refused = [], {}
    for refund_id, amount in waiting:
        if refunded + amount > total:
            refused[refund_id] = (
                f"refund of {amount} exceeds what is left of the purchase: {total} less {refunded} refunded before"
            )
        else:
            refunded += amount
            fits.append(refund_id)
    return refunded, fits, refused


def _details(data: Mapping[str, Any]) -> str:
    return orjson.dumps({name: data[name] for name in _KEPT if data.get(name)}).decode()


def _digest(data: Mapping[str, Any], occurred_at: datetime, total: Decimal) -> bytes:
    """The content as one value; how the same instant or amount is written makes no difference."""
    same = {**data, "occurred_at": occurred_at.timestamp(), "total": str(total.normalize())}
    same = {name: value for name, value in same.items() if value not in (None, [], {})}
    return hashlib.sha256(orjson.dumps(same, option=orjson.OPT_SORT_KEYS)).digest()
