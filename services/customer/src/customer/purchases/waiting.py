"""Purchases that wait for their customer, and the two gates without which one could wait for ever.

A purchase of an unknown identity and the linking of that identity may run at the same moment, and neither
transaction sees the other's row. So linking holds a gate *shared*, and a batch that is about to let a purchase wait
holds it *alone* and looks once more. The gate of refunds works the same way: batches with purchases hold it shared,
a batch with a refund whose purchase is not there holds it alone. Gates are taken before any row is locked, refunds
before identities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from customer.archive.use_cases import remember_many
from customer.purchases.domain import ACCEPTED, WAITING

REFUNDS, IDENTITIES = 0x726566756E64, 0x6964656E74
_SHARED = text("SELECT pg_advisory_xact_lock_shared(:gate)")
_ALONE = text("SELECT pg_advisory_xact_lock(:gate)")

_APPLY = text(
    f"""
    UPDATE purchase SET customer_id = :customer_id, status = '{ACCEPTED}'
    WHERE status = '{WAITING}' AND identity = :identity RETURNING purchase_id
    """  # noqa: S608 - constants of this service
)
_SALES = text(
    """
    SELECT purchase_id, customer_id, occurred_at, total, currency, store, channel, source FROM purchase
    WHERE purchase_id = ANY(CAST(:ids AS text[])) ORDER BY occurred_at, purchase_id
    """
)
_REFUNDS_OF = text(
    f"""
    SELECT refund_id, purchase_id, occurred_at, total, source FROM refund
    WHERE status = '{ACCEPTED}' AND purchase_id = ANY(CAST(:ids AS text[])) ORDER BY occurred_at, refund_id
    """  # noqa: S608
)


def hold_identities(session: Session) -> None:
    """Linking: from now until the commit no purchase decides to wait."""
    session.execute(_SHARED, {"gate": IDENTITIES})


def stop_identities(session: Session) -> None:
    """About to wait: every linking that had begun is visible once this returns."""
    session.execute(_ALONE, {"gate": IDENTITIES})


def hold_refunds(session: Session) -> None:
    """Purchases come in: no refund decides to wait before they are there."""
    session.execute(_SHARED, {"gate": REFUNDS})


def stop_refunds(session: Session) -> None:
    """A refund may have to wait: every purchase on its way is visible once this returns."""
    session.execute(_ALONE, {"gate": REFUNDS})


def apply_waiting(session: Session, customer_id: UUID, identity: str) -> int:
    """Give the customer the purchases that waited under this identity; how many there were."""
    applied = session.scalars(_APPLY, {"customer_id": customer_id, "identity": identity}).all()
    if applied:
        remember_applied(session, applied)
    return len(applied)


def remember_applied(session: Session, purchase_ids: Sequence[str]) -> None:
    """Archive purchases that have just found their customer, with what was refunded of them."""
    sales = session.execute(_SALES, {"ids": list(purchase_ids)}).all()
    customers = {sale.purchase_id: sale.customer_id for sale in sales}
    refunds = session.execute(_REFUNDS_OF, {"ids": list(purchase_ids)}).all()
    entries = [sale_entry(sale.customer_id, sale) for sale in sales]
    remember_many(session, [*entries, *(refund_entry(customers[refund.purchase_id], refund) for refund in refunds)])


def sale_entry(customer_id: UUID, sale: Any, source: str | None = None) -> tuple[Any, ...]:
    """A purchase in the archive of its customer."""
    data = {
        "purchase_id": sale.purchase_id,
        "total": str(sale.total),
        "currency": sale.currency,
        "store": sale.store,
        "channel": sale.channel,
    }
    return customer_id, sale.occurred_at, "purchase", "purchase.completed", data, source or sale.source


def refund_entry(customer_id: UUID, refund: Any, source: str | None = None) -> tuple[Any, ...]:
    """A refund in the archive of the purchase's customer."""
    data = {"refund_id": refund.refund_id, "purchase_id": refund.purchase_id, "total": str(refund.total)}
    return customer_id, refund.occurred_at, "purchase", "purchase.refunded", data, source or refund.source
