"""How much of a purchase's points a refund takes back: pure.

A refund reverses the decision, it is not a second rule: its share of the purchase's weight, bonus included; of growth
value too, where some lines count for none. Shares are taken from the running total, so that partial refunds sum
exactly to the whole.
"""

from __future__ import annotations

from collections.abc import Collection
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
    counted: Decimal = Decimal(0)  # money of lines that count for growth value


def reversal(
    refund: Refund,
    purchase_total: Decimal,
    points: int,
    growth: int,
    weights: list[list[str]] | None,
    so_far: Running,
    uncounted: Collection[int] = (),
) -> Running:
    """The running totals after this refund; ``uncounted``: places of lines that count for no growth value.

    Raises Conflict when it would exceed the purchase (decision 23).
    """
    total = so_far.total + refund.total
    if refund.total <= 0:
        raise Conflict(f"refund {refund.refund_id} gives back {refund.total}: more than nothing is needed")
    if total > purchase_total:
        raise Conflict(
            f"refund {refund.refund_id} of {refund.total} exceeds purchase {refund.purchase_id}: "
            f"{so_far.total} of {purchase_total} was already refunded"
        )
    counting = _counting(weights, uncounted)
    whole, all_counted = _whole(weights, purchase_total), _whole(counting, purchase_total)
    if total == purchase_total:
        return Running(total, whole, points, growth, all_counted)
    weight = min(so_far.weight + _weight(refund, purchase_total, whole, weights), whole)
    counted = min(so_far.counted + _weight(refund, purchase_total, all_counted, counting), all_counted)
    reached = int(points * weight / whole) if whole else 0
    grown = int(growth * counted / all_counted) if all_counted else 0
    return Running(total, weight, max(reached, so_far.points), max(grown, so_far.growth), counted)


def _counting(weights: list[list[str]] | None, uncounted: Collection[int]) -> list[list[str]] | None:
    """What each line weighs in growth value; None where all weigh the same."""
    if not weights or not uncounted:
        return None
    return [[sku, amount, "0" if place in uncounted else "1"] for place, (sku, amount, _) in enumerate(weights)]


def _whole(weights: list[list[str]] | None, purchase_total: Decimal) -> Decimal:
    if not weights:
        return purchase_total
    return sum((Decimal(amount) * Decimal(rate) for _, amount, rate in weights), Decimal(0))


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
