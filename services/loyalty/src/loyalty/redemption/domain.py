"""What holds, redemptions and their cancelling do to purse and lots: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty.ledger.domain import Account, OpenLot, consumption_order, credit_available, spread

OPEN, CAPTURED, RELEASED, TIMED_OUT = "open", "captured", "released", "timed_out"
REDEEMED, CANCELLED = "redeemed", "cancelled"


@dataclass(frozen=True, slots=True)
class Reserved:
    """So many points of one lot, set aside."""

    lot_id: str
    points: int


@dataclass(frozen=True, slots=True)
class Returned:
    """Points back in their lot, of which the deficit absorbed some; ``lapsed_at``: when it had ended, if it had."""

    lot: OpenLot
    points: int
    absorbed: int
    lapsed_at: datetime | None


def usable(lots: Sequence[OpenLot], now: datetime) -> list[OpenLot]:
    """The lots that may be spent: available, and not merely waiting for a hold to end before they expire."""
    return [lot for lot in lots if lot.state == "available" and lot.free > 0 and not lot.lapsed(now)]


def reserve(account: Account, lots: Sequence[OpenLot], points: int) -> list[tuple[OpenLot, int]]:
    """Set points aside, soonest expiry first. The caller has seen that the free part of these lots covers them."""
    shares = spread(lots, points)
    for lot, share in shares:
        lot.reserved += share
    account.available -= points
    account.held += points
    return shares


def resolve(
    account: Account, lots: Mapping[str, OpenLot], reserved: Sequence[Reserved], captured: int
) -> tuple[list[tuple[OpenLot, int]], list[tuple[OpenLot, int]]]:
    """End a hold: the first ``captured`` points are spent, the rest goes back to its lots.

    Returns what was spent of which lot, and what the member's deficit absorbed of that which came back.
    """
    spent: list[tuple[OpenLot, int]] = []
    absorbed: list[tuple[OpenLot, int]] = []
    for share in reserved:
        lot = lots[share.lot_id]
        taken = min(captured, share.points)
        captured -= taken
        back = share.points - taken
        lot.reserved -= share.points
        lot.remaining -= taken
        account.held -= share.points
        if taken:
            spent.append((lot, taken))
        if back and (lost := credit_available(account, back)):
            lot.remaining -= lost
            absorbed.append((lot, lost))
    return spent, absorbed


def spend(account: Account, lots: Sequence[OpenLot], points: int) -> list[tuple[OpenLot, int]]:
    """Take points at once, soonest expiry first. The caller has seen that the free part of these lots covers them."""
    shares = spread(lots, points)
    for lot, share in shares:
        lot.remaining -= share
    account.available -= points
    return shares


def give_back(account: Account, spent: Sequence[tuple[OpenLot, int]], now: datetime, until: datetime) -> list[Returned]:
    """Undo ``spend``: points go back to the lots they came from and keep their expiry.

    A lot whose life is over gets another one, ``until`` the end of the grace: what comes back can be used for a while.
    A debt that arose meanwhile takes its part first.
    """
    returned = []
    for lot, points in sorted(spent, key=lambda share: consumption_order(share[0])):
        lapsed_at = lot.expires_at if lot.expires_at is not None and lot.expires_at <= now else None
        if lapsed_at is not None:
            lot.expires_at = until
        absorbed = credit_available(account, points)
        lot.remaining += points - absorbed
        returned.append(Returned(lot, points, absorbed, lapsed_at))
    return returned
