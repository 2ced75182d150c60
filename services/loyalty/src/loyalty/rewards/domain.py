"""Whether a reward may be had now, by whom and how often: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

VOUCHER, GIFT, BENEFIT, DISCOUNT = "voucher", "gift", "benefit", "discount"
KINDS = (VOUCHER, GIFT, BENEFIT, DISCOUNT)


@dataclass(frozen=True, slots=True)
class Offer:
    """A reward as somebody asks for it. ``tiers`` empty: for every tier; ``left`` and ``per_member`` None: no limit."""

    code: str
    tiers: tuple[str, ...]
    per_member: int | None
    left: int | None
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why not: a sentence for people, the facts for programs."""

    says: str
    facts: dict[str, Any]


def obstacle(offer: Offer, quantity: int, now: datetime, *, tier: str, had: int) -> Obstacle | None:
    """What stands between a member of ``tier``, who ``had`` so many of it before, and ``quantity`` more. None: nothing.

    The last instant of validity is over, the first is not: ``valid_from <= now < valid_until``.
    """
    if now < offer.valid_from:
        return Obstacle(f"{offer.code} is not on offer yet", {"valid_from": offer.valid_from})
    if offer.valid_until is not None and offer.valid_until <= now:
        return Obstacle(f"{offer.code} is not on offer any more", {"valid_until": offer.valid_until})
    if offer.tiers and tier not in offer.tiers:
        return Obstacle(
            f"{offer.code} is for {', '.join(offer.tiers)}; the member is {tier}",
            {"tier": tier, "tiers": list(offer.tiers)},
        )
    if offer.per_member is not None and had + quantity > offer.per_member:
        return Obstacle(
            f"a member may have {offer.per_member} of {offer.code}; this one has had {had} and asks for {quantity}",
            {"per_member": offer.per_member, "had": had},
        )
    if offer.left is not None and quantity > offer.left:
        return Obstacle(f"{quantity} of {offer.code} were asked for, {offer.left} are left", {"left": offer.left})
    return None


def contradictions(
    kind: str,
    points: int,
    stock: int | None,
    usable_for_days: int | None,
    valid_from: datetime,
    valid_until: datetime | None,
) -> dict[str, list[str]]:
    """What of a reward does not go together, by field; empty when all does."""
    found: dict[str, list[str]] = {}
    if kind == GIFT and stock is None:
        found["stock"] = ["say how many there are: a gift can run out"]
    if kind == DISCOUNT:
        if points == 0:
            found["points"] = ["a discount is what its points are worth: give at least 1 point"]
        if stock is not None:
            found["stock"] = ["a discount is money and has no stock"]
    if kind != VOUCHER and usable_for_days is not None:
        found["usable_for_days"] = ["belongs to vouchers alone"]
    if valid_until is not None and valid_until <= valid_from:
        found["valid_until"] = ["must be later than valid_from"]
    return found
