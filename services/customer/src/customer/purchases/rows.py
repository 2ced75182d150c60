"""The statements of the hot path: each takes a whole batch, none depends on how large it is.

Rows are written in the order of their keys, so that two workers with overlapping batches wait for each other instead
of deadlocking.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.messaging.delivery import Delivery, Rejection
from customer.purchases.domain import ACCEPTED, REJECTED, WAITING, Refund, Sale


@dataclass(slots=True)
class Locked:
    """A purchase that refunds are about to be taken off."""

    customer_id: UUID | None
    total: Decimal
    refunded: Decimal


def _all(session: Session, statement: str, *values: Any) -> list[Any]:
    cursor: Any = session.connection().connection.cursor()
    with cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _run(session: Session, statement: str, *values: Any) -> None:
    cursor: Any = session.connection().connection.cursor()
    with cursor:
        cursor.execute(statement, values)


def holders(session: Session, identities: Collection[str | None]) -> dict[str, UUID]:
    """identity → customer, for those that are linked."""
    if not identities:
        return {}
    return dict(_all(session, "SELECT identity, customer_id FROM identity WHERE identity = ANY(%s)", list(identities)))


def present(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Which of these customers are in the registry."""
    if not ids:
        return set()
    return {row[0] for row in _all(session, "SELECT id FROM customer WHERE id = ANY(%s)", list(ids))}


def purchases_of(session: Session, purchase_ids: Collection[str]) -> set[str]:
    """Which of these purchases are there."""
    return {
        row[0]
        for row in _all(session, "SELECT purchase_id FROM purchase WHERE purchase_id = ANY(%s)", list(purchase_ids))
    }


def digests(session: Session, table: str, keys: Sequence[str]) -> dict[str, bytes]:
    """What was told under these business ids before. ``table`` is ``purchase`` or ``refund``."""
    statement = f"SELECT {table}_id, digest FROM {table} WHERE {table}_id = ANY(%s)"  # noqa: S608 - two tables of ours
    return dict(_all(session, statement, list(keys)))


_INSERT_SALES = """
    INSERT INTO purchase (purchase_id, customer_id, identity, status, occurred_at, day, store, channel, currency, total,
                          refunded, details, source, event_id, digest, received_at)
    SELECT purchase_id, customer_id, identity, status, occurred_at, day, store, channel, currency, total,
           0, details::jsonb, source, event_id, digest, %s
    FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::date[], %s::text[], %s::text[],
                %s::text[], %s::numeric[], %s::text[], %s::text[], %s::text[], %b::bytea[])
         AS given (purchase_id, customer_id, identity, status, occurred_at, day, store, channel,
                   currency, total, details, source, event_id, digest)
    ON CONFLICT (purchase_id) DO NOTHING
    RETURNING purchase_id
"""


def insert_sales(session: Session, now: datetime, told: Sequence[tuple[Sale, Delivery]]) -> set[str]:
    """Insert sales, one per purchase_id; returns the ids that were new."""
    ordered = sorted(told, key=lambda pair: pair[0].purchase_id)
    sales = [sale for sale, _ in ordered]
    statuses = [WAITING if sale.customer_id is None and sale.identity is not None else ACCEPTED for sale in sales]
    found = _all(
        session,
        _INSERT_SALES,
        now,
        [sale.purchase_id for sale in sales],
        [sale.customer_id for sale in sales],
        [sale.identity for sale in sales],
        statuses,
        [sale.occurred_at for sale in sales],
        [sale.day for sale in sales],
        [sale.store for sale in sales],
        [sale.channel for sale in sales],
        [sale.currency for sale in sales],
        [sale.total for sale in sales],
        [sale.details for sale in sales],
        [delivery.event.source for _, delivery in ordered],
        [delivery.event.id for _, delivery in ordered],
        [sale.digest for sale in sales],
    )
    return {row[0] for row in found}


_INSERT_REFUNDS = """
    INSERT INTO refund
        (refund_id, purchase_id, status, occurred_at, total, details, source, event_id, digest, received_at)
    SELECT refund_id, purchase_id, status, occurred_at, total, details::jsonb, source, event_id, digest, %s
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::numeric[], %s::text[], %s::text[],
                %s::text[], %b::bytea[])
         AS given (refund_id, purchase_id, status, occurred_at, total, details, source, event_id, digest)
"""


def insert_refunds(session: Session, now: datetime, kept: Sequence[tuple[Refund, Delivery, str]]) -> None:
    """Insert refunds with their status. A rival telling the same refund at this moment has the batch tried again."""
    if not kept:
        return
    ordered = sorted(kept, key=lambda told: told[0].refund_id)
    refunds = [refund for refund, _, _ in ordered]
    _run(
        session,
        _INSERT_REFUNDS,
        now,
        [refund.refund_id for refund in refunds],
        [refund.purchase_id for refund in refunds],
        [status for _, _, status in ordered],
        [refund.occurred_at for refund in refunds],
        [refund.total for refund in refunds],
        [refund.details for refund in refunds],
        [delivery.event.source for _, delivery, _ in ordered],
        [delivery.event.id for _, delivery, _ in ordered],
        [refund.digest for refund in refunds],
    )


def lock_purchases(session: Session, purchase_ids: Collection[str]) -> dict[str, Locked]:
    """The purchases that refunds were told of, locked in the order of their ids."""
    if not purchase_ids:
        return {}
    statement = (
        "SELECT purchase_id, customer_id, total, refunded FROM purchase"
        " WHERE purchase_id = ANY(%s) ORDER BY purchase_id FOR UPDATE"
    )
    return {row[0]: Locked(*row[1:]) for row in _all(session, statement, list(purchase_ids))}


def store_refunded(session: Session, sums: Mapping[str, Decimal]) -> None:
    """Write the sums of refunds of locked purchases."""
    if sums:
        statement = (
            "UPDATE purchase SET refunded = given.refunded"
            " FROM unnest(%s::text[], %s::numeric[]) AS given (id, refunded)"
            " WHERE purchase_id = given.id"
        )
        _run(session, statement, list(sums), list(sums.values()))


def waiting_refunds(session: Session, purchase_ids: Sequence[str]) -> dict[str, list[Any]]:
    """purchase → refunds that were told before it, oldest first."""
    statement = (
        "SELECT refund_id, purchase_id, occurred_at, total, source FROM refund"
        " WHERE status = %s AND purchase_id = ANY(%s) ORDER BY occurred_at, refund_id"
    )
    found: dict[str, list[Any]] = {}
    for refund_id, purchase_id, occurred_at, total, source in _all(session, statement, WAITING, list(purchase_ids)):
        found.setdefault(purchase_id, []).append(Early(refund_id, purchase_id, occurred_at, total, source))
    return found


@dataclass(slots=True)
class Early:
    """A refund that came before its purchase."""

    refund_id: str
    purchase_id: str
    occurred_at: datetime
    total: Decimal
    source: str


def settle_refunds(
    session: Session, purchase_id: str, refunded: Decimal, fits: Sequence[str], refused: Mapping[str, str]
) -> None:
    """Let early refunds count, refuse those that exceed the purchase."""
    store_refunded(session, {purchase_id: refunded})
    _run(session, f"UPDATE refund SET status = '{ACCEPTED}' WHERE refund_id = ANY(%s)", list(fits))  # noqa: S608
    for refund_id, reason in refused.items():
        _run(session, f"UPDATE refund SET status = '{REJECTED}', reason = %s WHERE refund_id = %s", reason, refund_id)  # noqa: S608


def note_stores(session: Session, now: datetime, stores: Collection[str], units: Mapping[str, str]) -> None:
    """Remember store codes when they are first seen, with the unit the pack gives them (decision 31)."""
    if stores:
        statement = (
            "INSERT INTO store (code, unit, first_seen_at)"
            " SELECT code, unit, %s FROM unnest(%s::text[], %s::text[]) AS given (code, unit) ON CONFLICT DO NOTHING"
        )
        codes = sorted(stores)
        _run(session, statement, now, codes, [units.get(code) for code in codes])


def note_refusals(session: Session, now: datetime, rejections: Sequence[Rejection]) -> None:
    """Keep what was refused and why under the purchase's id, for ``GET purchases/{purchase_id}``."""
    if rejections:
        statement = (
            "INSERT INTO refused_purchase (purchase_id, source, event_id, reason, at)"
            " SELECT id, source, event_id, reason, %s"
            " FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS given (id, source, event_id, reason)"
        )
        events = [rejection.delivery.event for rejection in rejections]
        _run(
            session,
            statement,
            now,
            [event.data["purchase_id"] for event in events],
            [event.source for event in events],
            [event.id for event in events],
            [rejection.reason for rejection in rejections],
        )
