"""Who must agree to a change of points, and what a deduction does to the lots: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loyalty.ledger.domain import Account, OpenLot, spread
from loyalty.policy.adjusting import Adjustments

SECOND_PERSON, DIRECTOR = "second_person", "director"
_DIRECTING = frozenset({"director", "administrator"})


@dataclass(frozen=True, slots=True)
class Need:
    """Whose word a change takes beside its author's (None: nobody's), and why."""

    whose: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Before:
    """What the same person changed for the same member within the pack's time, up or down: sizes in points.

    ``alone``: what nobody else has looked at; ``total``: with what a second person agreed to, or is asked to.
    """

    alone: int = 0
    total: int = 0


def needed(points: int, roles: Collection[str], rules: Adjustments, before: Before = Before()) -> Need:
    """Who must agree to a change of so many points, up or down, by somebody with these roles (CG-05).

    A large change made in small steps is the large change: what went ``before`` counts.
    """
    size, alone = abs(points), rules.alone(roles)
    if size + before.total > rules.director_above:
        above = f"above {rules.director_above}: a director must agree"
        return Need(DIRECTOR, f"{_sized(size, before.total, rules)} {above}")
    if size + before.alone > alone:
        above = f"above {alone}: a second person must agree"
        return Need(SECOND_PERSON, f"{_sized(size, before.alone, rules)} {above}")
    within = f"within the {alone} that may be changed alone"
    return Need(None, f"{_sized(size, before.alone, rules)} {within}")


def _sized(size: int, before: int, rules: Adjustments) -> str:
    if not before:
        return f"{size} points are"
    return f"{size} points and the {before} that the same person changed within {rules.within} are"


def may_agree(roles: Collection[str], content: Mapping[str, Any]) -> bool:
    """Whether somebody with these roles may agree to a proposal; that they are not its author is seen to elsewhere."""
    return content["needs"] != DIRECTOR or bool(_DIRECTING & set(roles))


def deduct(account: Account, lots: Sequence[OpenLot], points: int) -> list[tuple[OpenLot, int]]:
    """Take points, soonest expiry first. The caller has seen that the free part of these lots covers them."""
    shares = spread(lots, points)
    for lot, share in shares:
        lot.remaining -= share
    account.available -= points
    return shares
