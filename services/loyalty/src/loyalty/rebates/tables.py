"""What was settled: one row per dealer and period, and the periods in which nobody is left."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class Rebate(Base):
    """A dealer's period, settled once; ``points`` 0 and no transaction where too little was bought."""

    __tablename__ = "rebate"
    __table_args__ = (Index("ix_rebate_period", "period", "member_id"),)

    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    level: Mapped[str]
    bought: Mapped[int] = mapped_column(BigInteger)  # in the measure of the tiers
    unit: Mapped[str]
    points: Mapped[int] = mapped_column(BigInteger)
    breakdown: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    transaction_id: Mapped[uuid.UUID | None]
    settled_at: Mapped[datetime]
    clause: Mapped[str]
    policyversion: Mapped[str]


class SettledPeriod(Base):
    """A period all of whose dealers are settled: who becomes a dealer later has no part in it."""

    __tablename__ = "rebate_period"

    period: Mapped[str] = mapped_column(primary_key=True)
    every: Mapped[str]  # month | quarter | year
    until: Mapped[datetime]
    closed_at: Mapped[datetime]
