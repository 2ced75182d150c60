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


def needed(points: int, roles: Collection[str], rules: Adjustments) -> Need:
    """Who must agree to a change of so many points, up or down, by somebody with these roles (CG-05)."""
    size, alone = abs(points), rules.alone(roles)
    if size > rules.director_above:
        return Need(DIRECTOR, f"{size} points are above {rules.director_above}: a director must agree")
    if size > alone:
        return Need(SECOND_PERSON, f"{size} points are above {alone}: a second person must agree")
    return Need(None, f"{size} points are within the {alone} that may be changed alone")


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
