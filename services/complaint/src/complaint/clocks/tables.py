"""The clock rows."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from complaint.base import Base


class Clock(Base):
    """One deadline of a case. Open until ``ended_at``; once its due time has passed it is ``missed`` for ever."""

    __tablename__ = "clock"
    __table_args__ = (
        UniqueConstraint("complaint_id", "round", "kind", "sequence", name="uq_clock_once"),
        Index("ix_clock_provisional", "calendar", postgresql_where=text("provisional AND ended_at IS NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    complaint_id: Mapped[uuid.UUID]
    round: Mapped[int]
    level: Mapped[int]
    kind: Mapped[str]
    sequence: Mapped[int]  # of recurring ones within the round, from 1
    status: Mapped[str]  # running | paused | met | missed | stopped
    started_with: Mapped[str]  # the word its explanation begins with
    started_at: Mapped[datetime]
    within: Mapped[str | None]  # as the pack writes it; None: the date was promised
    warn_share: Mapped[Any] = mapped_column(Numeric(5, 4))
    due_at: Mapped[datetime]
    warn_at: Mapped[datetime]
    budget_seconds: Mapped[float]
    pauses: Mapped[list[Any]] = mapped_column(default=list)  # [[from, to], …] that are over
    paused_since: Mapped[datetime | None]
    explanation: Mapped[str]
    provisional: Mapped[bool]
    calendar: Mapped[str]  # version of the calendar it was computed with
    escalates: Mapped[bool]
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    escalate_at: Mapped[datetime | None]  # a breach that waits for working hours
    escalated_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    late_seconds: Mapped[int] = mapped_column(default=0)  # of working time
    promise_reason: Mapped[str | None]
    promised_by: Mapped[str | None]
    policyversion: Mapped[str]
    clause: Mapped[str]
