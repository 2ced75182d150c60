"""Every file of opening balances that was taken over."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class Opening(Base):
    """One file; its lines are transactions of their own. ``known``: lines that had been taken over before."""

    __tablename__ = "opening"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    lines: Mapped[int]
    known: Mapped[int]
    members: Mapped[int]
    points: Mapped[int] = mapped_column(BigInteger)  # of all its lines, as the source stated them
    growth: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    policyversion: Mapped[str]
    clause: Mapped[str]
