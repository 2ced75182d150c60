"""Runs, what each of them found, and the class or grade that is in force for a customer now."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from customer.base import Base


class SegmentRow(Base):
    """The value of one scheme for one customer, with run and clause. The grade is the scheme ``grade``."""

    __tablename__ = "segment"
    __table_args__ = (Index("ix_segment_scheme_value_customer_id", "scheme", "value", "customer_id"),)

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    scheme: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    since: Mapped[datetime]
    run_id: Mapped[UUID | None]
    clause: Mapped[str]
    policyversion: Mapped[str]
    score: Mapped[Decimal | None] = mapped_column(Numeric(20, 9))
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


class RunRow(Base):
    """One classification or grading of the whole population."""

    __tablename__ = "segmentation_run"
    __table_args__ = (Index("ix_segmentation_run_family_id", "family", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    family: Mapped[str]
    scheme: Mapped[str]
    as_of: Mapped[date]
    dry_run: Mapped[bool]
    status: Mapped[str]
    window_from: Mapped[date]
    window_to: Mapped[date]
    population: Mapped[int]
    buyers: Mapped[int]
    summary: Mapped[dict[str, Any]] = mapped_column(JSONB)
    clause: Mapped[str]
    policyversion: Mapped[str]
    requested_by: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    approval_id: Mapped[UUID | None]


class RunResultRow(Base):
    """What a run found for one customer, with the inputs it saw: the snapshot that explains the value for ever."""

    __tablename__ = "segmentation_result"
    __table_args__ = (
        Index("ix_segmentation_result_changed", "run_id", "customer_id", postgresql_where=text("direction <> 'same'")),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("segmentation_run.id"), primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    previous: Mapped[str | None]
    value: Mapped[str]
    direction: Mapped[str]
    score: Mapped[Decimal | None] = mapped_column(Numeric(20, 9))
    inputs: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    parts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
