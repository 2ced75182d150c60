"""The legs of a transaction as the books carry them: one field per account, absent ones NULL."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.storage import wire
from loyalty.ledger.tables import ACCOUNTS, COUNTERS

_POINTS_COLUMNS = (*ACCOUNTS, *COUNTERS)


def legs(points: Mapping[str, int], growth: int = 0) -> bytes:
    """The legs of a transaction: amounts by account; the database refuses what does not sum to 0."""
    columns = [wire.integer(points.get(name) or None) for name in _POINTS_COLUMNS]
    columns.append(wire.integers(growth, -growth) if growth else wire.NULL * 2)
    return b"".join(columns)


def earned_legs(account: str, points: int, growth: int) -> bytes:
    """``legs`` of a purchase, the ones that are made by the hundred thousand."""
    grown = wire.integers(growth, -growth) if growth else wire.NULL * 2
    if not points:
        return wire.NULL * len(_POINTS_COLUMNS) + grown
    before, after = _EARNED[account]
    return before + wire.integer(points) + after + wire.integer(-points) + wire.NULL * 3 + grown


def moved_legs(source: str, target: str, points: int) -> bytes:
    """``legs`` of points that leave one account for another that is kept after it, for steps of thousands."""
    before, between, after = _MOVED[source, target]
    return before + wire.integer(-points) + between + wire.integer(points) + after


_EARNED = {name: (wire.NULL * place, wire.NULL * (len(ACCOUNTS) - 1 - place)) for place, name in enumerate(ACCOUNTS)}
_MOVED = {
    (source, target): (
        wire.NULL * place,
        wire.NULL * (later - place - 1),
        wire.NULL * (len(_POINTS_COLUMNS) + 2 - later - 1),  # the two of growth come last
    )
    for place, source in enumerate(_POINTS_COLUMNS)
    for later, target in enumerate(_POINTS_COLUMNS)
    if place < later
}
