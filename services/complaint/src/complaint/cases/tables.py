"""The case, its history, and our copy of the customers it may be about.

A case is one row, changed only under its lock (``acting.take``); its history is append-only. Who must not see it
stands in the two columns of ``HiddenFrom`` (decision 13). Contacts are encrypted; ``complainant_key`` is a keyed hash
of the telephone number (or mail address), by which the same person is found again.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Computed, ForeignKey, Identity, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.people.guard import HiddenFrom
from chassis.storage.encrypted import Encrypted
from complaint.base import Base


class Complaint(HiddenFrom, Base):
    """One case, from the first word to the satisfied answer."""

    __tablename__ = "complaint"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]  # complaint | inquiry | opinion | suggestion | report | praise
    channel: Mapped[str]
    status: Mapped[str]
    level: Mapped[int]
    level_reason: Mapped[dict[str, Any]]  # {level, clause, because}
    round: Mapped[int] = mapped_column(default=1)
    category: Mapped[str | None]
    subject: Mapped[str]
    description: Mapped[str]
    wanted: Mapped[str | None]  # the solution that the customer wants (LQ-14)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)  # product, batch, order, place, persons …
    insists: Mapped[bool] = mapped_column(default=False)
    value: Mapped[Decimal | None] = mapped_column(Numeric(19, 4))  # money at stake
    currency: Mapped[str | None]
    # Who said it
    customer_id: Mapped[uuid.UUID | None]
    verified: Mapped[bool] = mapped_column(default=False)  # the customer is known to our copy
    anonymous: Mapped[bool] = mapped_column(default=False)
    complainant_name: Mapped[str | None] = mapped_column(Encrypted)
    complainant_phone: Mapped[str | None] = mapped_column(Encrypted)
    complainant_email: Mapped[str | None] = mapped_column(Encrypted)
    complainant_key: Mapped[str | None]
    locale: Mapped[str | None]
    # Whom or what it is against
    against_kind: Mapped[str | None]  # product | store | department | staff | policy
    against_ref: Mapped[str | None]
    # Who has it
    unit: Mapped[str | None]
    unit_path: Mapped[str] = mapped_column(default="/")
    handler: Mapped[str | None]
    handler_role: Mapped[str]
    department: Mapped[str | None]  # that works on it; the case stays with its handler (FR-12)
    # Where it stands
    waiting_from: Mapped[str | None]  # the state that `resume` goes back to
    founded: Mapped[bool | None]  # as triage judged (LQ-08)
    approval_needed: Mapped[bool] = mapped_column(default=False)  # set by propose: `resolve` waits for `approve`
    proposed_by: Mapped[str | None]  # of this round: nobody approves their own proposal
    cause: Mapped[str | None]
    outcome: Mapped[str | None]  # satisfied | unfounded | withdrawn | executive | not_reached …
    satisfaction: Mapped[int | None]
    executive: Mapped[bool] = mapped_column(default=False)  # on the list of the general-manager meeting (FR-08)
    repeat_of: Mapped[uuid.UUID | None]
    compensated: Mapped[Decimal] = mapped_column(Numeric(19, 4), default=Decimal(0))  # granted so far, as money
    received_at: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    acknowledged_at: Mapped[datetime | None]
    first_contacted_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]  # also of withdrawn cases: null means open
    policyversion: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger, default=0)  # raised by each change; the sequence of its events
    # Kept by clocks/
    next_due_at: Mapped[datetime | None]
    breached: Mapped[bool] = mapped_column(default=False)
    # The queue's order (AD-07), every column ascending so that one index serves a page
    grade_rank: Mapped[int] = mapped_column(SmallInteger)  # 0: the grade whose disputes go first
    queue_late: Mapped[int] = mapped_column(SmallInteger, Computed("CASE WHEN breached THEN 0 ELSE 1 END"))
    queue_due: Mapped[datetime] = mapped_column(Computed("coalesce(next_due_at, '9000-01-01 00:00:00+00')"))
    queue_level: Mapped[int] = mapped_column(SmallInteger, Computed("-level"))
    grams: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)  # what `q` finds it by


class Step(Base):
    """One line of a case's history: who did what, when, under which article. Nothing of it changes or goes."""

    __tablename__ = "complaint_step"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    complaint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("complaint.id"))
    round: Mapped[int]
    action: Mapped[str]
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    by: Mapped[str]
    by_role: Mapped[str | None]
    at: Mapped[datetime]
    note: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    clause: Mapped[str | None]


class CustomerCopy(Base):
    """What we must know of a customer: whether they exist, their name, grade and unit, how to recognise them."""

    __tablename__ = "customer_copy"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str | None]
    name: Mapped[str]
    status: Mapped[str]
    grade: Mapped[str | None]
    unit: Mapped[str | None]
    unit_path: Mapped[str | None]
    locale: Mapped[str | None]
    merged_into: Mapped[uuid.UUID | None]
    contact_keys: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    grams: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    version: Mapped[int] = mapped_column(BigInteger)
