"""Rewards as marketing keeps them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base
from loyalty.rewards.domain import Offer


class Reward(Base):
    """What points are exchanged for.

    ``stock`` is how many were ever provided, ``taken`` how many of them were claimed: whoever adds to the stock need
    not know what is claimed meanwhile.
    """

    __tablename__ = "reward"
    __table_args__ = (
        CheckConstraint("taken >= 0 AND taken <= stock", name="never_oversold"),
        CheckConstraint("points >= 0", name="price"),
        UniqueConstraint("code"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]  # voucher | gift | benefit | discount
    name: Mapped[str]
    description: Mapped[str | None]
    points: Mapped[int] = mapped_column(BigInteger)  # price of one
    tiers: Mapped[list[Any]]  # who may have it; none named: everybody
    per_member: Mapped[int | None]
    stock: Mapped[int | None]
    taken: Mapped[int]
    usable_for_days: Mapped[int | None]  # of its vouchers; none: as the pack says
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str | None]

    @property
    def left(self) -> int | None:
        """How many there are to be had; None: without limit."""
        return None if self.stock is None else self.stock - self.taken

    @property
    def offer(self) -> Offer:
        """The terms it is given on."""
        return Offer(self.code, tuple(self.tiers), self.per_member, self.left, self.valid_from, self.valid_until)
