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

_REFUNDS, _IDENTITIES = 0x726566756E64, 0x6964656E74
_SHARED = text("SELECT pg_advisory_xact_lock_shared(:gate)")
_ALONE = text("SELECT pg_advisory_xact_lock(:gate)")

_APPLY = text(
    f"""
    UPDATE purchase SET customer_id = :customer_id, status = '{ACCEPTED}'
    WHERE status = '{WAITING}' AND identity = ANY(CAST(:identities AS text[]))
    RETURNING purchase_id, occurred_at, total, currency, store, channel, source
    """  # noqa: S608 - constants of this service
)
_REFUNDS_OF = text(
    f"""
    SELECT refund_id, purchase_id, occurred_at, total, source FROM refund
    WHERE status = '{ACCEPTED}' AND purchase_id = ANY(CAST(:ids AS text[])) ORDER BY occurred_at, refund_id
    """  # noqa: S608
)


def hold_identities(session: Session) -> None:
    """Linking: from now until the commit no purchase decides to wait."""
    session.execute(_SHARED, {"gate": _IDENTITIES})


def stop_identities(session: Session) -> None:
    """About to wait: every linking that had begun is visible once this returns."""
    session.execute(_ALONE, {"gate": _IDENTITIES})


def hold_refunds(session: Session) -> None:
    """Purchases come in: no refund decides to wait before they are there."""
    session.execute(_SHARED, {"gate": _REFUNDS})


def stop_refunds(session: Session) -> None:
    """A refund may have to wait: every purchase on its way is visible once this returns."""
    session.execute(_ALONE, {"gate": _REFUNDS})


def apply_waiting(session: Session, customer_id: UUID, identities: Sequence[str]) -> int:
    """Give the customer the purchases that waited under these identities; how many there were."""
    if not identities:
        return 0
    sales = session.execute(_APPLY, {"customer_id": customer_id, "identities": list(identities)}).all()
    if sales:
        refunds = session.execute(_REFUNDS_OF, {"ids": [sale.purchase_id for sale in sales]}).all()
        remember_many(
            session,
            [*(sale_entry(customer_id, sale) for sale in sales), *(refund_entry(customer_id, r) for r in refunds)],
        )
    return len(sales)


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
