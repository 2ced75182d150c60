"""The cached columns of accounts and lots, written set-based: one statement for all that a use case changed."""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from typing import Any

from loyalty.ledger import statements
from loyalty.ledger.domain import Account, OpenLot
from loyalty.ledger.statements import array, instants

_BALANCES = attrgetter("customer_id", "pending", "available", "held", "blocked", "deficit", "growth", "growth_before")


def save_accounts(connection: Any, rows: Collection[Account]) -> None:
    """Balances, growth and its window of locked accounts."""
    if not rows:
        return
    columns = zip(*map(_BALANCES, rows), strict=True)
    connection.execute(
        statements.SAVE,
        (
            *("{" + ",".join(map(str, column)) + "}" for column in columns),
            instants([row.growth_from for row in rows]),
            instants([row.growth_first for row in rows]),
            instants([row.growth_until for row in rows]),
        ),
    )


def save_tiers(connection: Any, rows: Collection[Account]) -> None:
    """Tiers of locked accounts, with their dates."""
    if not rows:
        return
    connection.execute(
        statements.SAVE_TIER,
        (
            array(row.customer_id for row in rows),
            [row.tier for row in rows],
            instants(row.tier_since for row in rows),
            instants(row.tier_kept_until for row in rows),
            instants(row.tier_review_at for row in rows),
            array(row.rises for row in rows),
            array(row.sequence for row in rows),
            instants(row.granted_until for row in rows),
        ),
    )


def save_lots(connection: Any, rows: Collection[OpenLot]) -> None:
    """State, rest and reservations of lots of locked accounts."""
    if not rows:
        return
    connection.execute(
        statements.SAVE_LOTS,
        (
            array(row.member_id for row in rows),
            array(row.id for row in rows),
            array(row.state for row in rows),
            array(row.remaining for row in rows),
            array(row.reserved for row in rows),
        ),
    )
