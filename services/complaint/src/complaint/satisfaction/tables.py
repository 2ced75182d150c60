"""The rounds of a case: each is a form of its own, from its opening to the customer's answer."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from complaint.base import Base


class Round(Base):
    """One pass from handling to call-back. The score belongs to it, and to the handler it was resolved by.

    ``handler`` is a snapshot taken when the round was resolved: whoever holds the case later neither earns nor bears
    this answer. ``attempts`` counts every try to reach the customer, ``reached`` says whether one of them succeeded.
    """

    __tablename__ = "complaint_round"

    complaint_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    form: Mapped[str]  # the number of this round's form: the case's number and the round
    level: Mapped[int]
    opened_at: Mapped[datetime]
    cause: Mapped[str | None]
    cause_note: Mapped[str | None]
    responsible: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    investigated_by: Mapped[str | None]
    investigated_at: Mapped[datetime | None]
    handler: Mapped[str | None]
    handler_role: Mapped[str | None]
    resolved_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_attempt_at: Mapped[datetime | None]
    reached: Mapped[bool] = mapped_column(default=False)
    satisfaction: Mapped[int | None]
    comment: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_via: Mapped[str | None]  # call | link
    answered_at: Mapped[datetime | None]
    because: Mapped[str | None]  # what the gate decided, and why
    clause: Mapped[str | None]
