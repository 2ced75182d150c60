"""The books: transactions with their entries, lots and what was taken from them, the keys of everything ever done.

A transaction and its legs are one row: one column per account, and a check that they sum to 0 in every currency. No
transaction can be half written or unbalanced, and a purchase costs one insert instead of five. The view ``entry``
shows the same legs as rows (transaction, account, amount).

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

ACCOUNTS = ("pending", "available", "held", "blocked")  # the member's
COUNTERS = ("issued", "redeemed", "expired", "adjusted")  # the programme's
_POINTS = " + ".join(f"coalesce(points_{account}, 0)" for account in (*ACCOUNTS, *COUNTERS))


class Transaction(Base):
    """One decision that moved value, with the clause and the reasons it rests on. A leg that is NULL does not exist."""

    __tablename__ = "transaction"
    __table_args__ = (
        CheckConstraint(f"{_POINTS} = 0", name="points_sum_to_0"),
        CheckConstraint("coalesce(growth_available, 0) + coalesce(growth_issued, 0) = 0", name="growth_sums_to_0"),
        Index("ix_transaction_reference", "member_id", "reference", postgresql_where=text("kind = 'refund'")),
        Index(
            "ix_transaction_growth",
            "member_id",
            "effective_at",
            postgresql_where=text("growth_available IS NOT NULL"),
            postgresql_include=["growth_available"],
        ),
        {"postgresql_partition_by": "HASH (member_id)"},
    )

    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]  # purchase | refund | release | expiry | hold | capture | hold_release | unblock | compensation |
    # redemption | cancellation
    business_key: Mapped[str]
    occurred_at: Mapped[datetime]
    effective_at: Mapped[datetime]  # when it counts from: a reversal counts from its purchase on
    recorded_at: Mapped[datetime]
    points_pending: Mapped[int | None] = mapped_column(BigInteger)
    points_available: Mapped[int | None] = mapped_column(BigInteger)
    points_held: Mapped[int | None] = mapped_column(BigInteger)
    points_blocked: Mapped[int | None] = mapped_column(BigInteger)
    points_issued: Mapped[int | None] = mapped_column(BigInteger)
    points_redeemed: Mapped[int | None] = mapped_column(BigInteger)
    points_expired: Mapped[int | None] = mapped_column(BigInteger)
    points_adjusted: Mapped[int | None] = mapped_column(BigInteger)
    growth_available: Mapped[int | None] = mapped_column(BigInteger)
    growth_issued: Mapped[int | None] = mapped_column(BigInteger)
    policyversion: Mapped[str | None]
    clause: Mapped[str | None]
    reference: Mapped[str | None]  # the business key of what this transaction answers to
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # breakdown and facts: "why 37 points?"

    @property
    def legs(self) -> dict[str, dict[str, int]]:
        """Currency → account → amount."""
        points = {name: getattr(self, f"points_{name}") for name in (*ACCOUNTS, *COUNTERS)}
        growth = {"available": self.growth_available, "issued": self.growth_issued}
        found = {"points": points, "growth": growth}
        return {
            currency: {name: amount for name, amount in legs.items() if amount is not None}
            for currency, legs in found.items()
        }

    @property
    def points(self) -> int:
        """What the transaction changed of the member's points."""
        return sum(getattr(self, f"points_{name}") or 0 for name in ACCOUNTS)


class Lot(Base):
    """Points of one origin with one expiry. ``remaining``, ``reserved`` and ``state`` are cached."""

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint("remaining >= 0 AND reserved >= 0 AND reserved <= remaining", name="never_negative"),
        Index("ix_lot_open", "member_id", "expires_at", "earned_at", postgresql_where=text("remaining > 0")),
        Index("ix_lot_pending", "available_at", postgresql_where=text("state = 'pending'")),
        Index("ix_lot_campaign", "campaign", postgresql_where=text("campaign IS NOT NULL")),
        Index("ix_lot_expiring", "expires_at", postgresql_where=text("state = 'available' AND remaining > reserved")),
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
    """What a transaction took from a lot; below zero: what came back when a redemption was cancelled."""

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
