"""When a purchase is looked at before its points may be spent: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from loyalty.policy.fraud import Fraud

MEMBER = "member"  # the cause of reviews that rest on the member's standing, not on the purchase


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a purchase is looked at."""

    cause: str
    detail: str


@dataclass(slots=True)
class Day:
    """What a member bought and earned on one company day so far."""

    purchases: int = 0
    points: int = 0


STANDING = Doubt(MEMBER, "blacklisted or flagged: what is earned waits until that is cleared")


def doubt_about(total: Decimal, points: int, day: Day, before: Sequence[Decimal], limits: Fraud) -> Doubt | None:
    """The first limit that a purchase goes beyond; ``before`` are the totals of the member's purchases before it."""
    if limits.purchases_a_day is not None and day.purchases >= limits.purchases_a_day:
        return Doubt("purchases_a_day", f"purchase {day.purchases + 1} of the day, at most {limits.purchases_a_day}")
    if limits.points_a_day is not None and day.points + points > limits.points_a_day:
        return Doubt("points_a_day", f"{day.points + points} points on one day, at most {limits.points_a_day}")
    if limits.amount_above is not None and total > limits.amount_above:
        return Doubt("amount_above", f"{total} is above {limits.amount_above}")
    if limits.outlier is not None and len(before) >= limits.outlier.after:
        usual = median(before)
        if total > usual * limits.outlier.times:
            return Doubt("outlier", f"{total} is more than {limits.outlier.times} times the usual {usual:.2f}")
    return None
