"""Proposals and the compensation that was granted."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from complaint.base import Base


class Proposal(Base):
    """What somebody wants to do for the customer. At most one of a case is in force; a new one supersedes it."""

    __tablename__ = "proposal"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    complaint_id: Mapped[uuid.UUID]
    round: Mapped[int]
    measures: Mapped[str]
    points: Mapped[int] = mapped_column(BigInteger, default=0)
    amount: Mapped[Decimal | None]
    currency: Mapped[str | None]
    value: Mapped[Decimal]  # of this proposal, in the company's currency
    summed: Mapped[Decimal]  # with all that the case was granted before
    status: Mapped[str]  # needs_approval | open (needs none) | approved | superseded | carried_out
    may: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)  # roles that may approve it
    approver: Mapped[str | None]  # whom it was routed to
    because: Mapped[str]
    clause: Mapped[str]
    policyversion: Mapped[str | None]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    alone: Mapped[bool] = mapped_column(default=False)  # approved by its own proposer, the single administrator


class Compensation(Base):
    """Points or money that a case was granted; told to the others once, under this id."""

    __tablename__ = "compensation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    complaint_id: Mapped[uuid.UUID]
    round: Mapped[int]
    proposal_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)  # so that a proposal is paid once
    points: Mapped[int] = mapped_column(BigInteger, default=0)
    amount: Mapped[Decimal | None]
    currency: Mapped[str | None]
    value: Mapped[Decimal]
    reason: Mapped[str | None]
    granted_by: Mapped[str]
    approved_by: Mapped[str | None]
    granted_at: Mapped[datetime]
    clause: Mapped[str]
    policyversion: Mapped[str | None]
