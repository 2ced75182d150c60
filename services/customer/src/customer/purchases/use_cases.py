"""Taking purchases and refunds, hundreds at a time: a fact counts once, whoever tells it however often (decision 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.messaging.delivery import Delivery, Rejection
from chassis.runtime import Context
from customer.archive.use_cases import remember_many
from customer.purchases import rows
from customer.purchases.domain import (
    ACCEPTED,
    WAITING,
    Refund,
    Sale,
    allowed_refunds,
    flaw,
    refund_of,
    sale_of,
    waits_for,
)
from customer.purchases.waiting import (
    hold_refunds,
    refund_entry,
    sale_entry,
    stop_identities,
    stop_refunds,
)

Fact = TypeVar("Fact", Sale, Refund)
Told = tuple[Fact, Delivery]


def take_purchases(context: Context, deliveries: Sequence[Delivery]) -> Sequence[Rejection]:
    """Take a batch of the purchases exchange: sales first, so that a refund in the same batch finds its sale."""
    session = context.session
    zone = context.policies.in_force().company.time_zone
    rejections: list[Rejection] = []
    sales: list[Told[Sale]] = []
    refunds: list[Told[Refund]] = []
    for delivery in deliveries:
        data = delivery.event.data
        if (reason := flaw(data)) is not None:
            rejections.append(Rejection(delivery, reason))
        elif delivery.event.type == "purchase.completed.v1":
            sales.append((sale_of(data, zone), delivery))
        else:
            refunds.append((refund_of(data), delivery))
    _pass_refund_gate(session, sales, refunds)
    rejections += _take_sales(context, sales)
    rejections += _take_refunds(context, refunds)
    rows.note_refusals(session, context.clock.now(), rejections)
    return rejections


def _pass_refund_gate(session: Session, sales: Sequence[Told[Sale]], refunds: Sequence[Told[Refund]]) -> None:
    ours = {sale.purchase_id for sale, _ in sales}
    needed = {refund.purchase_id for refund, _ in refunds} - ours
    if needed and len(rows.purchases_of(session, needed)) < len(needed):
        stop_refunds(session)
    elif sales:
        hold_refunds(session)


def _take_sales(context: Context, told: Sequence[Told[Sale]]) -> list[Rejection]:
    session = context.session
    told, rejections = _one_each(told, lambda sale: sale.purchase_id)
    if not told:
        return rejections
    known = _known_customers(session, [sale for sale, _ in told])
    for sale, _ in told:
        sale.customer_id, sale.identity = known(sale)
    inserted = rows.insert_sales(session, context.clock.now(), told)
    rejections += _conflicts(
        [(sale, delivery) for sale, delivery in told if sale.purchase_id not in inserted],
        lambda missed: rows.digests(session, "purchase", [sale.purchase_id for sale, _ in missed]),
        lambda sale: sale.purchase_id,
    )
    fresh = [(sale, delivery) for sale, delivery in told if sale.purchase_id in inserted]
    units = context.policies.in_force().company.stores
    rows.note_stores(session, context.clock.now(), {sale.store for sale, _ in fresh if sale.store}, units)
    remember_many(
        session,
        (sale_entry(sale.customer_id, sale, d.event.source) for sale, d in fresh if sale.customer_id is not None),
    )
    _apply_refunds_that_waited(session, [sale for sale, _ in fresh])
    return rejections


def _known_customers(session: Session, sales: Sequence[Sale]) -> Callable[[Sale], tuple[UUID | None, str | None]]:
    """Who bought: from sale to (customer, identity as told). Who is unknown is looked for twice, see ``waiting``."""
    identities = {sale.identity for sale in sales if sale.customer_id is None and sale.identity is not None}
    ids = {sale.customer_id for sale in sales if sale.customer_id is not None}
    holders = rows.holders(session, identities)
    present = rows.present(session, ids)
    if len(holders) < len(identities):
        stop_identities(session)
        holders |= rows.holders(session, identities - holders.keys())

    def known(sale: Sale) -> tuple[UUID | None, str | None]:
        if sale.customer_id is not None:
            if sale.customer_id in present:
                return sale.customer_id, sale.identity
            return None, waits_for(sale.customer_id, None)
        return (holders.get(sale.identity) if sale.identity else None), sale.identity

    return known


def _apply_refunds_that_waited(session: Session, sales: Sequence[Sale]) -> None:
    """A refund told before its purchase counts now; one that exceeds it is refused where its teller can read it."""
    waiting = rows.waiting_refunds(session, [sale.purchase_id for sale in sales])
    if not waiting:
        return
    by_id = {sale.purchase_id: sale for sale in sales}
    for purchase_id, refunds in waiting.items():
        sale = by_id[purchase_id]
        refunded, fits, refused = allowed_refunds(sale.total, Decimal(0), [(r.refund_id, r.total) for r in refunds])
        rows.settle_refunds(session, purchase_id, refunded, fits, refused)
        if sale.customer_id is not None:
            remember_many(session, [refund_entry(sale.customer_id, r) for r in refunds if r.refund_id in fits])


def _take_refunds(context: Context, told: Sequence[Told[Refund]]) -> list[Rejection]:
    session = context.session
    told, rejections = _one_each(told, lambda refund: refund.refund_id)
    if not told:
        return rejections
    digests = rows.digests(session, "refund", [refund.refund_id for refund, _ in told])
    rejections += _conflicts(
        [(refund, delivery) for refund, delivery in told if refund.refund_id in digests],
        lambda _: digests,
        lambda refund: refund.refund_id,
    )
    fresh = sorted(
        ((refund, delivery) for refund, delivery in told if refund.refund_id not in digests),
        key=lambda pair: (pair[0].occurred_at, pair[0].refund_id),
    )
    purchases = rows.lock_purchases(session, {refund.purchase_id for refund, _ in fresh})
    entries, kept = [], []
    for refund, delivery in fresh:
        purchase = purchases.get(refund.purchase_id)
        if purchase is None:
            kept.append((refund, delivery, WAITING))
            continue
        refunded, fits, refused = allowed_refunds(purchase.total, purchase.refunded, [(refund.refund_id, refund.total)])
        if not fits:
            rejections.append(Rejection(delivery, refused[refund.refund_id]))
            continue
        purchase.refunded = refunded
        kept.append((refund, delivery, ACCEPTED))
        if purchase.customer_id is not None:
            entries.append(refund_entry(purchase.customer_id, refund, delivery.event.source))
    rows.insert_refunds(session, context.clock.now(), kept)
    rows.store_refunded(
        session, {refund.purchase_id: purchases[refund.purchase_id].refunded for refund, _, s in kept if s == ACCEPTED}
    )
    remember_many(session, entries)
    return rejections


def _one_each(told: Sequence[Told[Fact]], key: Callable[[Fact], str]) -> tuple[list[Told[Fact]], list[Rejection]]:
    """A batch may tell one fact twice: the first counts, an equal one has no effect, a different one is a conflict."""
    first: dict[str, Told[Fact]] = {}
    rejections = []
    for fact, delivery in told:
        before = first.setdefault(key(fact), (fact, delivery))
        if before[0].digest != fact.digest:
            rejections.append(Rejection(delivery, _conflict(key(fact))))
    return list(first.values()), rejections


def _conflicts(
    told: Sequence[Told[Fact]], digests: Callable[[Sequence[Told[Fact]]], dict[str, bytes]], key: Callable[[Fact], str]
) -> list[Rejection]:
    if not told:
        return []
    known = digests(told)
    return [Rejection(delivery, _conflict(key(fact))) for fact, delivery in told if known[key(fact)] != fact.digest]


def _conflict(business_id: str) -> str:
    return f"{business_id} is known with a different content; a correction needs a refund and a new purchase_id"
