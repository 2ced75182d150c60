"""Campaigns, and who was in which arm of them."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class CampaignRow(Base):
    """A campaign. ``granted`` never exceeds ``budget``; the database would refuse it."""

    __tablename__ = "campaign"
    __table_args__ = (
        UniqueConstraint("code"),
        CheckConstraint("(multiplier IS NULL) <> (bonus IS NULL)", name="multiplier_or_bonus"),
        CheckConstraint("granted >= 0 AND (budget IS NULL OR granted <= budget)", name="within_its_budget"),
        CheckConstraint("starts_at < ends_at", name="has_a_term"),
        Index("ix_campaign_runs_until", "runs_until", postgresql_where=text("runs_from IS NOT NULL")),
        {"postgresql_with": {"fillfactor": 60}},  # `granted` changes in place
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="draft")  # draft | started | stopped
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    # When it applies: from its start, but never to what was bought before somebody agreed to it; until it was stopped.
    runs_from: Mapped[datetime | None]
    runs_until: Mapped[datetime | None]
    multiplier: Mapped[Decimal | None]
    bonus: Mapped[int | None] = mapped_column(BigInteger)
    conditions: Mapped[dict[str, Any]]  # campaigns/domain.py reads them
    control_group: Mapped[Decimal]
    times: Mapped[int | None]  # how often one member may profit
    budget: Mapped[int | None] = mapped_column(BigInteger)
    granted: Mapped[int] = mapped_column(BigInteger, server_default="0")
    clause: Mapped[str]
    policyversion: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    started_by: Mapped[str | None]
    stopped_by: Mapped[str | None]
    stopped_because: Mapped[str | None]


class CampaignMember(Base):
    """A member's arm: fixed by hash, remembered. ``listed``: on the name list made when the campaign was started."""

    __tablename__ = "campaign_member"

    campaign_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    arm: Mapped[str]  # treated | control
    listed: Mapped[bool]
    times: Mapped[int] = mapped_column(server_default="0")
    points: Mapped[int] = mapped_column(BigInteger, server_default="0")


class MemberProfile(Base):
    """What the registry says of a member that segments and reviews ask for; the newest customer event wins."""

    __tablename__ = "member_profile"

    customer_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    grade: Mapped[str | None]
    classes: Mapped[dict[str, Any]]  # scheme → value
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    blacklisted: Mapped[bool]
