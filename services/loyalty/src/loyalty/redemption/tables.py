"""Holds, and the lots they reserve (decision 24)."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
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


class HoldLot(Base):
    """How much of which lot a hold reserves; consumption order is ``place``."""

    __tablename__ = "hold_lot"

    hold_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[uuid.UUID]
    points: Mapped[int] = mapped_column(BigInteger)
