"""What we know of those who are written to: our copy of the few customer facts, and what they allow and forbid."""

from __future__ import annotations

import uuid
from datetime import datetime, time
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.storage.encrypted import Encrypted
from notify.base import Base


class RecipientCopy(Base):
    """A customer as the registry last told; older descriptions never overwrite newer ones (decision 1)."""

    __tablename__ = "recipient_copy"

    customer_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]  # active | merged | erased …
    merged_into: Mapped[uuid.UUID | None]
    blacklisted: Mapped[bool] = mapped_column(server_default=text("false"))  # in the whole company
    name: Mapped[str | None] = mapped_column(Encrypted)
    contacts: Mapped[str | None] = mapped_column(Encrypted)  # JSON: {"phones": […], "emails": […]}
    locale: Mapped[str | None]
    unit: Mapped[str | None]
    unit_path: Mapped[str]
    account_manager: Mapped[str | None]
    updated_at: Mapped[datetime]


class OpenComplaint(Base):
    """A case of a customer, open or closed; ``at`` is when what we know of it happened, so that late news lose."""

    __tablename__ = "open_complaint"
    __table_args__ = (Index("ix_open_complaint_customer_id", "customer_id", postgresql_where=text("open")),)

    complaint_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID]
    open: Mapped[bool]
    round: Mapped[int]
    at: Mapped[datetime]


class Consent(Base):
    """A consent or its withdrawal; only ever added to. The newest of a class and channel counts (CC-05)."""

    __tablename__ = "consent"
    __table_args__ = (
        Index("uq_consent_said", "customer_id", "class", "channel", "at", "given", unique=True),
        Index("ix_consent_customer_id", "customer_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    customer_id: Mapped[uuid.UUID]
    class_: Mapped[str] = mapped_column("class")
    channel: Mapped[str]  # a channel, or `any`
    given: Mapped[bool]
    at: Mapped[datetime]
    source: Mapped[str | None]
    by: Mapped[str | None]
    recorded_at: Mapped[datetime]


class Preference(Base):
    """How a customer wants to be written to."""

    __tablename__ = "preference"

    customer_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    locale: Mapped[str | None]
    time_zone: Mapped[str | None]
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))  # best first; those left out come after
    off: Mapped[list[Any]] = mapped_column(JSONB)  # [{"class": …, "channel": …}] not wanted
    version: Mapped[int]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str]


class Suppression(Base):
    """An address that nothing is sent to over a channel: it bounced, or its owner said so."""

    __tablename__ = "suppression"
    __table_args__ = (Index("ix_suppression_id", "id", unique=True),)

    channel: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)  # of the address: equal ones meet, none is readable
    id: Mapped[uuid.UUID]
    address: Mapped[str] = mapped_column(Encrypted)
    reason: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
