"""The member's account row and our copy of who is known under which identity.

One row per member carries the balances and the tier: it is the only lock on the hot path. Everything in it can be
recomputed from the ledger (``reporting/reconciliation.py`` does).
"""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.base import Base


class Member(Base):
    """A customer who takes part; ``customer_id`` is the registry's."""

    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint("pending >= 0 AND held >= 0 AND blocked >= 0 AND deficit >= 0", name="no_negative_purse"),
        CheckConstraint("available >= -deficit", name="overdrawn_only_by_deficit"),
        Index("ix_member_tier_review_at", "tier_review_at", postgresql_where=text("tier_review_at IS NOT NULL")),
        Index("ix_member_tier", "tier", "customer_id"),
        Index("ix_member_unit", "unit", "customer_id"),
        Index("ix_member_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        {"postgresql_with": {"fillfactor": 60}},  # balances change in place: leave room for HOT updates
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="active")  # active | merged | erased
    enrolled_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")  # newest customer state applied
    birthday: Mapped[date | None]
    unit: Mapped[str | None]  # the code of the unit that looks after the customer
    earns_blocked: Mapped[bool] = mapped_column(server_default=text("false"))  # blacklisted or flagged
    # The purse: the ledger's balances, cached.
    pending: Mapped[int] = mapped_column(BigInteger, server_default="0")
    available: Mapped[int] = mapped_column(BigInteger, server_default="0")
    held: Mapped[int] = mapped_column(BigInteger, server_default="0")
    blocked: Mapped[int] = mapped_column(BigInteger, server_default="0")
    deficit: Mapped[int] = mapped_column(BigInteger, server_default="0")
    growth: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # What the rolling window needs: growth before `growth_from` is in `growth_before`; the rest lies between
    # `growth_first` and `growth_until`.
    growth_before: Mapped[int] = mapped_column(BigInteger, server_default="0")
    growth_from: Mapped[datetime | None]
    growth_first: Mapped[datetime | None]
    growth_until: Mapped[datetime | None]
    # The tier as last decided; tiers/domain.py decides what it is at an instant.
    tier: Mapped[str]
    tier_since: Mapped[datetime | None]
    tier_kept_until: Mapped[datetime | None]
    tier_review_at: Mapped[datetime | None]
    tier_granted_until: Mapped[datetime | None]  # the end of the grant by hand, while one is in the history
    rises: Mapped[int] = mapped_column(server_default="0")
    sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")  # of the member's own state events
    merged_into: Mapped[uuid.UUID | None]  # the member this one is part of now: an empty account


class Identity(Base):
    """How other systems name a member. A row without a member is a name that purchases are waiting under.

    ``#<uuid>`` is the customer's own id, so that every purchase finds its member by one look-up.
    """

    __tablename__ = "identity"
    __table_args__ = (Index("ix_identity_customer_id", "customer_id"),)

    identity: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID | None]
