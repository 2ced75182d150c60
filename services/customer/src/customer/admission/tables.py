"""Blacklist entries: by whom, why, until when, and how each of them ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from customer.base import Base


class BlacklistEntryRow(Base):
    """One entry. It blocks while ``in_force`` and, once its time is up, while ``evaluation_due`` (AD-06)."""

    __tablename__ = "blacklist_entry"
    __table_args__ = (
        Index("ix_blacklist_entry_customer_id_id", "customer_id", "id"),
        # Two approvals of the same proposal race here, and one of them loses.
        Index(
            "uq_blacklist_entry_open",
            "customer_id",
            text("coalesce(unit, '')"),
            unique=True,
            postgresql_where=text("status <> 'lifted'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    scope: Mapped[str]
    unit: Mapped[str | None]
    reason: Mapped[str]
    evidence: Mapped[list[Any]] = mapped_column(JSONB)
    status: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    clause: Mapped[str]
    policyversion: Mapped[str]
    proposed_by: Mapped[str]
    approved_by: Mapped[str]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    lift: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
