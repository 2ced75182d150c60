"""Who referred whom, and what came of it."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class Referral(Base):
    """One new customer, brought by one member, once and for ever."""

    __tablename__ = "referral"
    __table_args__ = (
        UniqueConstraint("referred"),
        CheckConstraint("referrer <> referred", name="never_oneself"),
        Index("ix_referral_referrer", "referrer", "id"),
        Index("ix_referral_waiting", "referred", postgresql_where=text("status = 'waiting'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    referrer: Mapped[uuid.UUID]
    referred: Mapped[uuid.UUID]
    status: Mapped[str]  # waiting | earned | rewarded | void
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    purchase_id: Mapped[str | None]  # the one that earned it
    rewarded_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    reason: Mapped[str | None]  # why it is void
    policyversion: Mapped[str]
    clause: Mapped[str]
