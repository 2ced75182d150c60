"""The time line: one row per fact, whoever told it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.people.guard import HiddenFrom
from customer.base import Base


class ArchiveEntryRow(HiddenFrom, Base):
    """One fact of one customer. ``customer_id`` is no foreign key: another service's fact may arrive first.

    A complaint's fact is hidden from those whom the complaint is hidden from (decision 13).
    """

    __tablename__ = "archive_entry"
    __table_args__ = (
        Index("ix_archive_entry_customer_id_at_id", "customer_id", "at", "id"),
        Index("ix_archive_entry_customer_id_kind_at_id", "customer_id", "kind", "at", "id"),
        Index(
            "ix_archive_entry_complaint",
            text("(data ->> 'complaint_id')"),
            postgresql_where=text("data ->> 'complaint_id' IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[UUID]
    at: Mapped[datetime]
    kind: Mapped[str]
    fact: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    source: Mapped[str]
