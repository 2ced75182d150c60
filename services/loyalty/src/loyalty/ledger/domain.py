"""The arithmetic of purses and lots: pure, whole numbers, no input or output.

Decision 24 holds after every step: ``pending + available + held + blocked = remaining of all lots - deficit``.
A lot never goes negative; what no lot can bear is carried as the deficit and absorbed by later credits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Account:
    """A member's account row while its lock is held: balances, the edge of the growth window, the tier."""

    customer_id: str
    birthday: object
    earns_blocked: bool
    pending: int
    available: int
    held: int
    blocked: int
    deficit: int
    growth: int
    growth_before: int
    growth_from: datetime | None
    growth_first: datetime | None
    growth_until: datetime | None
    tier: str
    tier_since: datetime | None
    tier_kept_until: datetime | None
    tier_review_at: datetime | None
    rises: int
    sequence: int
    enrolled_at: datetime
    granted_until: datetime | None  # a tier granted by hand is in the history until then
    kind: str | None = None

    @property
    def balance(self) -> dict[str, int]:
        """The purse as events and answers show it."""
        return {
            "pending": self.pending,
            "available": self.available,
            "held": self.held,
            "blocked": self.blocked,
        }


@dataclass(slots=True)
class OpenLot:
    """A lot in hand, its member locked."""

    member_id: str
    id: str
    transaction_id: str
    state: str
    points: int
    remaining: int
    reserved: int
    earned_at: datetime
    available_at: datetime
    expires_at: datetime | None

    @property
    def free(self) -> int:
        """What is neither spent nor set aside."""
        return self.remaining - self.reserved

    def lapsed(self, now: datetime) -> bool:
        """Whether it is still available although its life is over: only its expiry, or a hold, may touch it now."""
        return (
            self.state == "available" and self.remaining > 0 and self.expires_at is not None and self.expires_at <= now
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """So many points of one lot, out of the member's account named ``account``."""

    lot: OpenLot
    points: int
    account: str


def consumption_order(lot: OpenLot) -> tuple[bool, datetime, datetime, str]:
    """Soonest expiry first, then oldest; what never expires comes last."""
    return (lot.expires_at is None, lot.expires_at or lot.earned_at, lot.earned_at, lot.id)


def spread(lots: Iterable[OpenLot], points: int) -> list[tuple[OpenLot, int]]:
    """Divide ``points`` over the free part of available lots in consumption order; as far as they go."""
    shares: list[tuple[OpenLot, int]] = []
    for lot in sorted((lot for lot in lots if lot.state == "available" and lot.free > 0), key=consumption_order):
        if points == 0:
            break
        share = min(points, lot.free)
        shares.append((lot, share))
        points -= share
    return shares


def credit_available(account: Account, points: int) -> int:
    """Put points of one lot into ``available``; returns how many of them the deficit absorbs."""
    absorbed = min(points, account.deficit)
    account.deficit -= absorbed
    account.available += points
    return absorbed


def take_back(
    account: Account, origins: Sequence[tuple[OpenLot, int]], lots: Sequence[OpenLot], points: int, mode: str
) -> tuple[list[Taken], int, int]:
    """Reverse ``points``: from their own lots first, then by ``mode`` from the rest of the balance.

    ``origins`` are the lots that the points came in, each with its share of them; what one of them no longer holds is
    looked for in the others. Returns what was taken from which lot, what the deficit bears (mode ``unlimited``), and
    what is forgiven (``within_balance`` beyond the balance, ``only_pending`` beyond what could not be spent yet: lots
    that are pending or under review). Lots and account are changed.
    """
    taken: list[Taken] = []
    rest = points
    own = [(lot, share) for lot, share in origins if mode != "only_pending" or lot.state != "available"]
    for lot, share in [*own, *((lot, rest) for lot, _ in own)]:
        if (part := min(rest, lot.free, share)) > 0:
            rest -= _take(account, lot, part, taken)
    if mode == "only_pending":
        return taken, 0, rest
    mine = {lot.id for lot, _ in origins}
    for lot, share in spread((lot for lot in lots if lot.id not in mine), rest):
        rest -= _take(account, lot, share, taken)
    if mode == "within_balance":
        return taken, 0, rest
    account.available -= rest
    account.deficit += rest
    return taken, rest, 0


def _take(account: Account, lot: OpenLot, points: int, taken: list[Taken]) -> int:
    lot.remaining -= points
    setattr(account, lot.state, getattr(account, lot.state) - points)
    taken.append(Taken(lot, points, lot.state))
    return points
