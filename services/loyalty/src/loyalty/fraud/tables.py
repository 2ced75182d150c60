"""The queue of purchases whose points wait for somebody's look."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class FraudReview(Base):
    """One purchase under review; all its lots are blocked until it is decided, once."""

    __tablename__ = "fraud_review"
    __table_args__ = (
        UniqueConstraint("transaction_id"),
        Index("ix_fraud_review_status", "status", "id"),
        Index("ix_fraud_review_member_id", "member_id", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID]
    transaction_id: Mapped[uuid.UUID]
    purchase_id: Mapped[str]
    cause: Mapped[str]  # purchases_a_day | points_a_day | amount_above | outlier | member
    detail: Mapped[str]
    points: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(server_default="open")  # open | released | voided
    opened_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    reason: Mapped[str | None]
    approval_id: Mapped[uuid.UUID | None]  # of the last proposal to void it, where that takes a second person
    clause: Mapped[str]
    policyversion: Mapped[str]
