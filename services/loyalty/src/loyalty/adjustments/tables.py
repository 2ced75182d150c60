"""Changes by hand. One that waits for a second person carries the id of its approval."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class Adjustment(Base):
    """A change that was asked for; booked once it has its transaction. Else its approval says what became of it."""

    __tablename__ = "adjustment"
    __table_args__ = (
        CheckConstraint("points <> 0", name="changes_something"),
        CheckConstraint("(transaction_id IS NULL) = (booked_at IS NULL)", name="booked_by_a_transaction"),
        Index("ix_adjustment_member_id_id", "member_id", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID]
    points: Mapped[int] = mapped_column(BigInteger)
    reason_code: Mapped[str]
    note: Mapped[str]
    needs: Mapped[str | None]  # second_person | director; none: within what its author may change alone
    why: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    transaction_id: Mapped[uuid.UUID | None]
    booked_at: Mapped[datetime | None]
    policyversion: Mapped[str]
    clause: Mapped[str]
