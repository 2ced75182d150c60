"""The books: transactions and their entries, lots and what was taken from them, the keys of everything ever done.

Append-only but for the cached columns of ``lot``; partitioned by member (keys: by key) so that no index outgrows
its memory (decision 30). The partitions, triggers and revoked rights are made by the migration.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class Transaction(Base):
    """One decision that moved value, with the clause and the reasons it rests on."""

    __tablename__ = "transaction"
    __table_args__ = (
        Index("ix_transaction_reference", "member_id", "reference", postgresql_where=text("kind = 'refund'")),
        {"postgresql_partition_by": "HASH (member_id)"},
    )

    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]  # purchase | refund | release | expiry | hold | capture | hold_release | unblock
    business_key: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    policyversion: Mapped[str | None]
    clause: Mapped[str | None]
    reference: Mapped[str | None]  # the business key of what this transaction answers to
    reason: Mapped[str | None]
    points: Mapped[int] = mapped_column(BigInteger)
    growth: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # breakdown and facts: "why 37 points?"


class Entry(Base):
    """One leg. The legs of a transaction sum to 0 per currency: a statement trigger refuses anything else."""

    __tablename__ = "entry"
    __table_args__ = (
        Index("ix_entry_member_id_transaction_id", "member_id", "transaction_id"),
        Index(
            "ix_entry_growth",
            "member_id",
            "effective_at",
            postgresql_where=text("currency = 'growth' AND account = 'available'"),
            postgresql_include=["amount"],
        ),
        {"postgresql_partition_by": "HASH (member_id)"},
    )
    # No primary key on disk: nothing points at a leg, and an index less is a fifth of the insert.
    __mapper_args__ = {"primary_key": ["member_id", "transaction_id", "currency", "account"]}  # noqa: RUF012

    member_id: Mapped[uuid.UUID]
    transaction_id: Mapped[uuid.UUID]
    currency: Mapped[str]  # points | growth
    account: Mapped[str]  # the member's pending, available, held, blocked; the programme's issued, redeemed, expired, adjusted
    amount: Mapped[int] = mapped_column(BigInteger)
    effective_at: Mapped[datetime]  # when it counts from: a reversal counts from its purchase on


class Lot(Base):
    """Points of one origin with one expiry. ``remaining``, ``reserved`` and ``state`` are cached."""

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint("remaining >= 0 AND reserved >= 0 AND reserved <= remaining", name="never_negative"),
        Index("ix_lot_open", "member_id", "expires_at", "earned_at", postgresql_where=text("remaining > 0")),
        Index("ix_lot_pending", "available_at", postgresql_where=text("state = 'pending'")),
        Index(
            "ix_lot_expiring", "expires_at", postgresql_where=text("state = 'available' AND remaining > reserved")
        ),
        {"postgresql_partition_by": "HASH (member_id)"},
    )

    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)  # the origin's id while a transaction makes one lot
    transaction_id: Mapped[uuid.UUID]
    state: Mapped[str]  # pending | available | blocked
    points: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger, server_default="0")
    unit_cost: Mapped[Decimal]  # money per point, for the liability
    campaign: Mapped[str | None]
    earned_at: Mapped[datetime]
    available_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class LotUse(Base):
    """What a transaction took from a lot."""

    __tablename__ = "lot_use"
    __table_args__ = (
        Index("ix_lot_use_member_id_lot_id", "member_id", "lot_id"),
        {"postgresql_partition_by": "HASH (member_id)"},
    )
    __mapper_args__ = {"primary_key": ["member_id", "lot_id", "transaction_id"]}  # noqa: RUF012

    member_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID]
    transaction_id: Mapped[uuid.UUID]
    points: Mapped[int] = mapped_column(BigInteger)


class BusinessKey(Base):
    """``purchase:<id>``, ``refund:<id>``, ``birthday:<member>:<year>``…: each has one effect, for ever."""

    __tablename__ = "business_key"
    __table_args__ = ({"postgresql_partition_by": "HASH (key)"},)

    key: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]  # digest of what was asked under this key
    member_id: Mapped[uuid.UUID | None]  # none: an anonymous sale
    transaction_id: Mapped[uuid.UUID | None]
