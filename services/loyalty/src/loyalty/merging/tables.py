"""Merges and what came with them: enough to take them apart again."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class Merge(Base):
    """The member ``absorbed_id`` became part of ``survivor_id``; ``id`` is the registry's own for it."""

    __tablename__ = "merge"
    __table_args__ = (
        Index("ix_merge_survivor_id", "survivor_id"),
        Index("ix_merge_absorbed_id", "absorbed_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    survivor_id: Mapped[uuid.UUID]
    absorbed_id: Mapped[uuid.UUID]
    status: Mapped[str]  # merged | proposed (parting waits for staff) | unmerged
    merged_at: Mapped[datetime]
    unmerged_at: Mapped[datetime | None]
    points: Mapped[int] = mapped_column(BigInteger, server_default="0")  # what the absorbed member brought
    growth: Mapped[int] = mapped_column(BigInteger, server_default="0")
    deficit: Mapped[int] = mapped_column(BigInteger, server_default="0")
    approval_id: Mapped[uuid.UUID | None]
    why: Mapped[str | None]  # why the parting is not the plain inverse


class MergedLot(Base):
    """A lot that came along under its own id, and what was in it."""

    __tablename__ = "merged_lot"

    merge_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger)


class MergedHold(Base):
    """A hold that was open when its member was absorbed, and went along."""

    __tablename__ = "merged_hold"

    merge_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    hold_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class MergedGrant(Base):
    """A tier granted by hand that came along: the absorbed member's step of history, and the survivor's."""

    __tablename__ = "merged_grant"

    merge_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    granted_id: Mapped[int] = mapped_column(BigInteger)
    brought_id: Mapped[int] = mapped_column(BigInteger)


class MergedPart(Base):
    """How often the absorbed member had profited of a campaign, and by how much: it counts for the survivor."""

    __tablename__ = "merged_part"

    merge_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    times: Mapped[int]
    points: Mapped[int] = mapped_column(BigInteger)
