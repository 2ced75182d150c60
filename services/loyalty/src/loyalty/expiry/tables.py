"""What members were told of points that are about to lapse."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class ExpiryNotice(Base):
    """A member was told, ``ahead`` days before, that points lapse at ``expires_at``; once for each of these."""

    __tablename__ = "expiry_notice"
    __table_args__ = (Index("ix_expiry_notice_told_at", "told_at", "member_id"),)

    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(primary_key=True)
    ahead: Mapped[int] = mapped_column(primary_key=True)
    told_at: Mapped[datetime]
