"""How much of a purchase's points a refund takes back: pure.

A refund reverses the decision, it is not a second rule: its share of the purchase's weight, bonus included. Shares
are taken from the running total, so that partial refunds sum exactly to the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from chassis.errors import Conflict


@dataclass(slots=True)
class Refund:
    """A refund as it was told."""

    refund_id: str
    purchase_id: str
    occurred_at: datetime
    total: Decimal
    lines: list[dict[str, Any]]
    reason: str | None
    content: str
    delivery: Any = None
    waited: bool = False  # taken out of the waiting room: whoever sent it was told "accepted" long ago


@dataclass(frozen=True, slots=True)
class Running:
    """What the refunds of a purchase have taken so far."""

    total: Decimal = Decimal(0)
    weight: Decimal = Decimal(0)
    points: int = 0
    growth: int = 0


def reversal(
    refund: Refund, purchase_total: Decimal, points: int, growth: int, weights: list[list[str]] | None, so_far: Running
) -> Running:
    """The running totals after this refund. Raises Conflict when it would exceed the purchase (decision 23)."""
    total = so_far.total + refund.total
    if refund.total <= 0:
        raise Conflict(f"refund {refund.refund_id} gives back {refund.total}: more than nothing is needed")
    if total > purchase_total:
        raise Conflict(
            f"refund {refund.refund_id} of {refund.total} exceeds purchase {refund.purchase_id}: "
            f"{so_far.total} of {purchase_total} was already refunded"
        )
    whole = (
        sum((Decimal(amount) * Decimal(rate) for _, amount, rate in weights), Decimal(0)) if weights else purchase_total
    )
    weight = min(so_far.weight + _weight(refund, purchase_total, whole, weights), whole)
    if total == purchase_total:
        return Running(total, whole, points, growth)
    reached = int(points * weight / whole) if whole else 0
    return Running(total, weight, max(reached, so_far.points), int(growth * total / purchase_total))


def _weight(refund: Refund, purchase_total: Decimal, whole: Decimal, weights: list[list[str]] | None) -> Decimal:
    """What the refunded lines weigh; money that names no known line weighs the average."""
    if not weights:
        return refund.total
    rates = {sku: Decimal(rate) for sku, _, rate in weights}
    rest, weight = refund.total, Decimal(0)
    for line in refund.lines:
        if line["sku"] in rates:
            amount = min(Decimal(line["amount"]), rest)
            weight += amount * rates[line["sku"]]
            rest -= amount
    return weight + rest * whole / purchase_total
