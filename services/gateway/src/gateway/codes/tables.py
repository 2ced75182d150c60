"""Codes that were asked for. A row is made for every number, known or not: the table tells nobody apart."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.storage.encrypted import Encrypted
from gateway.base import Base


class OneTimeCode(Base):
    """One code. ``phone`` and ``code`` are there, encrypted, only until the worker has sent it or found nobody."""

    __tablename__ = "one_time_code"
    __table_args__ = (Index("ix_one_time_code_number", "number_key", "asked_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number_key: Mapped[bytes] = mapped_column(LargeBinary)
    phone: Mapped[str | None] = mapped_column(Encrypted)
    code: Mapped[str | None] = mapped_column(Encrypted)
    code_hash: Mapped[str] = mapped_column(Text)
    locale: Mapped[str | None] = mapped_column(Text)
    customer_id: Mapped[uuid.UUID | None]  # whom it was sent to; None: nobody, and it opens nothing
    asked_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    tries: Mapped[int]
    used_at: Mapped[datetime | None]
