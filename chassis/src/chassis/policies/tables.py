"""Versions and activations. Both are written once: the database refuses to change or delete a row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.storage.schema import ChassisBase


class PolicyVersionRow(ChassisBase):
    """A staged pack: what it says, by the hash of what it says."""

    __tablename__ = "policy_version"
    __table_args__ = (Index("ix_policy_version_staged_at_hash", "staged_at", "hash"),)

    hash: Mapped[str] = mapped_column(primary_key=True)
    pack: Mapped[str]
    version: Mapped[str]
    documents: Mapped[dict[str, Any]] = mapped_column(JSONB)  # "<pack>/<file>" → its text
    author: Mapped[str]
    staged_at: Mapped[datetime]

    @property
    def cited(self) -> str:
        """How decisions name it; the same as ``Pack.cited``."""
        return f"{self.pack}@{self.version}:{self.hash[:12]}"


class PolicyActivationRow(ChassisBase):
    """From ``effective_from`` on this version decides, until the next activation. Going back is one more row."""

    __tablename__ = "policy_activation"
    __table_args__ = (Index("ix_policy_activation_effective_from_id", "effective_from", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    hash: Mapped[str] = mapped_column(ForeignKey("chassis.policy_version.hash"))
    effective_from: Mapped[datetime]
    activated_at: Mapped[datetime]
    activated_by: Mapped[str]
    approved_by: Mapped[str | None]
    alone: Mapped[bool]  # approved by its proposer, the only administrator there was
