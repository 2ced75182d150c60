"""What cannot be valued yet: purchases of identities nobody knows, refunds of purchases nobody has seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class WaitingPurchase(Base):
    """Kept whole, applied once when its identity is known (decision 10)."""

    __tablename__ = "waiting_purchase"
    __table_args__ = (Index("ix_waiting_purchase_identity", "identity"),)

    purchase_id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, Identity())  # order of arrival
    identity: Mapped[str]
    content: Mapped[bytes]
    body: Mapped[bytes]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]


class WaitingRefund(Base):
    """Kept whole, applied once when its purchase has been valued."""

    __tablename__ = "waiting_refund"
    __table_args__ = (Index("ix_waiting_refund_purchase_id", "purchase_id"),)

    refund_id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, Identity())
    purchase_id: Mapped[str]
    content: Mapped[bytes]
    body: Mapped[bytes]
    received_at: Mapped[datetime]
