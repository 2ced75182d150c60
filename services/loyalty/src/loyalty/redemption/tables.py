"""Holds with the lots they reserve (decision 24), and redemptions: what points were given for."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class Hold(Base):
    """Points set aside; resolves once, by capture, release or time-out."""

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("points > 0 AND captured >= 0 AND captured <= points", name="within_its_points"),
        Index("ix_hold_member_id_id", "member_id", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID]
    points: Mapped[int] = mapped_column(BigInteger)
    captured: Mapped[int] = mapped_column(BigInteger, server_default="0")
    status: Mapped[str]  # open | captured | released | timed_out
    reference: Mapped[str | None]
    created_by: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    redemption_id: Mapped[uuid.UUID | None]  # what it was captured for


class HoldLot(Base):
    """How much of which lot a hold reserves; consumption order is ``place``."""

    __tablename__ = "hold_lot"

    hold_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[uuid.UUID]
    points: Mapped[int] = mapped_column(BigInteger)


class Redemption(Base):
    """Points given for a reward, or off a bill at the till; cancelled at most once."""

    __tablename__ = "redemption"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND points >= 0", name="of_something"),
        Index("ix_redemption_member_id_id", "member_id", "id"),
        Index(
            "ix_redemption_member_id_reward_id",
            "member_id",
            "reward_id",
            postgresql_where=text("reward_id IS NOT NULL"),
        ),
        Index("ix_redemption_reward_id_id", "reward_id", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID]
    reward_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("reward.id"))  # none: a hold captured at the till
    reward: Mapped[str | None]  # its code and name as they were
    name: Mapped[str | None]
    kind: Mapped[str]  # voucher | gift | benefit | discount
    quantity: Mapped[int]
    points: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[Decimal]  # what the points are worth; of a discount: what comes off the bill
    currency: Mapped[str]
    status: Mapped[str]  # redeemed | cancelled
    hold_id: Mapped[uuid.UUID | None]
    transaction_id: Mapped[uuid.UUID | None]  # none: it cost nothing
    reference: Mapped[str | None]
    policyversion: Mapped[str]
    clause: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]
    cancelled_because: Mapped[str | None]
