"""Every change of a tier and what it rested on. Append-only: a row revokes the rise that a refund undid."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class TierChange(Base):
    """One step of a member's tier history."""

    __tablename__ = "tier_change"
    __table_args__ = (Index("ix_tier_change_member_id_since", "member_id", "since"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    member_id: Mapped[uuid.UUID]
    kind: Mapped[str]  # rise | fall | revoked
    tier: Mapped[str]  # the tier from `since` on
    previous: Mapped[str]
    since: Mapped[datetime]
    kept_until: Mapped[datetime | None]
    growth: Mapped[int] = mapped_column(BigInteger)  # in the window, when decided
    transaction_id: Mapped[uuid.UUID | None]
    revokes: Mapped[int | None] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime]
    policyversion: Mapped[str | None]
    clause: Mapped[str | None]
