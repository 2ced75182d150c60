"""Vouchers as they were issued and used."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class Voucher(Base):
    """One piece of a redemption, to be handed in once."""

    __tablename__ = "voucher"
    __table_args__ = (UniqueConstraint("code"), Index("ix_voucher_redemption_id", "redemption_id"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    redemption_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("redemption.id"))
    status: Mapped[str]  # issued | used | void
    issued_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None]
    store: Mapped[str | None]  # where it was handed in
    reference: Mapped[str | None]  # the till's own number
