"""Purchases and refunds as facts: ``purchase_id`` and ``refund_id`` are unique in the company (decision 2)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from customer.base import Base

MONEY = Numeric(20, 4)


class PurchaseRow(Base):
    """One sale. ``day`` is its date in the company's time zone: classes and rates count days, not instants.

    ``status``: ``accepted`` (its customer is known, or it is anonymous and has neither customer nor identity) or
    ``waiting`` for ``identity`` to be linked.
    """

    __tablename__ = "purchase"
    __table_args__ = (
        Index("ix_purchase_occurred_at_purchase_id", "occurred_at", "purchase_id"),
        Index("ix_purchase_customer_id_occurred_at_purchase_id", "customer_id", "occurred_at", "purchase_id"),
        Index("ix_purchase_store_occurred_at_purchase_id", "store", "occurred_at", "purchase_id"),
        Index(
            "ix_purchase_status_occurred_at_purchase_id",
            "status",
            "occurred_at",
            "purchase_id",
            postgresql_where=text("status <> 'accepted'"),
        ),
        Index(
            "ix_purchase_waiting_identity",
            "identity",
            "occurred_at",
            "purchase_id",
            postgresql_where=text("status = 'waiting'"),
        ),
        # Runs and rates read only these columns of a window of days: an index-only scan at 20,000,000 rows.
        Index("ix_purchase_day", "day", postgresql_include=["customer_id", "total", "refunded"]),
    )

    purchase_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID | None]
    identity: Mapped[str | None]
    status: Mapped[str]
    occurred_at: Mapped[datetime]
    day: Mapped[date]
    store: Mapped[str | None]
    channel: Mapped[str | None]
    currency: Mapped[str]
    total: Mapped[Decimal] = mapped_column(MONEY)
    refunded: Mapped[Decimal] = mapped_column(MONEY)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    source: Mapped[str]
    event_id: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]


class RefundRow(Base):
    """Money given back. ``waiting`` until its purchase is there; ``rejected`` when it exceeds what is left of it."""

    __tablename__ = "refund"
    __table_args__ = (Index("ix_refund_purchase_id_refund_id", "purchase_id", "refund_id"),)

    refund_id: Mapped[str] = mapped_column(primary_key=True)
    purchase_id: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    occurred_at: Mapped[datetime]
    total: Mapped[Decimal] = mapped_column(MONEY)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    source: Mapped[str]
    event_id: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]


class RefusedPurchaseRow(Base):
    """What this service refused and why, so that the publisher can read it under the id it knows."""

    __tablename__ = "refused_purchase"
    __table_args__ = (Index("ix_refused_purchase_purchase_id_id", "purchase_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    purchase_id: Mapped[str]
    source: Mapped[str]
    event_id: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]


class StoreRow(Base):
    """A store code seen in purchases, and the unit it belongs to once somebody says so (decision 31)."""

    __tablename__ = "store"

    code: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[str | None]
    first_seen_at: Mapped[datetime]
