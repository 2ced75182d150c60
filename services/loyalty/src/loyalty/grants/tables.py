"""Birthdays that were given something, and those that are kept by the lunar calendar."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class BirthdayGrant(Base):
    """What one birthday was given. ``year``: of the birthday in the calendar it is kept by."""

    __tablename__ = "birthday_grant"

    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    granted_on: Mapped[date]
    points: Mapped[int] = mapped_column(BigInteger)
    benefit: Mapped[str | None]
    transaction_id: Mapped[uuid.UUID | None]  # none: a benefit


class LunarBirthday(Base):
    """A customer who keeps their birthday by the lunar calendar."""

    __tablename__ = "lunar_birthday"
    __table_args__ = (Index("ix_lunar_birthday_month_day", "month", "day"),)

    customer_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    month: Mapped[int]
    day: Mapped[int]
    leap: Mapped[bool]
