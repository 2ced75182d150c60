"""Every change of a tier and what it rested on. Append-only: a row revokes the rise that a refund undid.

Beside it: which end of a tier was told of, what reviews found, and how often a right was used.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class TierChange(Base):
    """One step of a member's tier history."""

    __tablename__ = "tier_change"
    __table_args__ = (Index("ix_tier_change_member_id_since", "member_id", "since"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    member_id: Mapped[uuid.UUID]
    kind: Mapped[str]  # rise | fall | revoked | granted | beneath (a rise that a higher grant hid)
    tier: Mapped[str]  # the tier from `since` on
    previous: Mapped[str]
    since: Mapped[datetime]
    kept_until: Mapped[datetime | None]
    growth: Mapped[int] = mapped_column(BigInteger)  # in the window, when decided
    transaction_id: Mapped[uuid.UUID | None]
    revokes: Mapped[int | None] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime]
    policyversion: Mapped[str | None]
    clause: Mapped[str | None]
    reason: Mapped[str | None]  # of a grant by hand, with who proposed and who agreed
    granted_by: Mapped[str | None]
    approved_by: Mapped[str | None]


class TierNotice(Base):
    """A member was told that a tier ends at ``ends_at`` unless so much more comes in; once for each such end."""

    __tablename__ = "tier_notice"

    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(primary_key=True)
    tier: Mapped[str]
    missing: Mapped[int] = mapped_column(BigInteger)
    told_at: Mapped[datetime]


class TierReview(Base):
    """A review of all members as of an instant; the job of the same id does it."""

    __tablename__ = "tier_review"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    as_of: Mapped[datetime]
    dry_run: Mapped[bool]
    started_by: Mapped[str]
    created_at: Mapped[datetime]
    policyversion: Mapped[str]
    clause: Mapped[str]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)  # so far, while it runs


class TierReviewLine(Base):
    """What a review found of one member who falls, rises, or will fall within the notice."""

    __tablename__ = "tier_review_line"

    review_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TierReview.id), primary_key=True)
    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    change: Mapped[str]  # falls | rises | at_risk
    previous: Mapped[str]
    tier: Mapped[str]
    growth: Mapped[int] = mapped_column(BigInteger)
    missing: Mapped[int] = mapped_column(BigInteger)  # to keep what is lost or at risk
    falls_at: Mapped[datetime | None]


class BenefitUse(Base):
    """One use of a right of a tier."""

    __tablename__ = "benefit_use"
    __table_args__ = (Index("ix_benefit_use_member_id_benefit_used_at", "member_id", "benefit", "used_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID]
    benefit: Mapped[str]
    tier: Mapped[str]
    used_at: Mapped[datetime]
    used_by: Mapped[str]
    reference: Mapped[str | None]
    clause: Mapped[str]
    policyversion: Mapped[str]
