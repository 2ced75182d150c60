"""The registry's tables: one row says who the customer is, and every earlier state can be read from the changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from customer.base import Base


class CustomerRow(Base):
    """One customer. Contacts and identities lie in the row, so that one read answers ``GET customers/{id}``.

    ``terms`` holds the n-grams of everything a person may be searched by and the exact contacts (decision 37: no
    extension, hence a core GIN index); ``haystack`` is what a hit is checked against.
    """

    __tablename__ = "customer"
    __table_args__ = (
        Index("ix_customer_terms", "terms", postgresql_using="gin"),
        Index("ix_customer_tags", "tags", postgresql_using="gin"),
        Index("ix_customer_unit_id", "unit", "id"),
        Index("ix_customer_owner_id", "owner", "id"),
        Index("ix_customer_kind_id", "kind", "id"),
        Index("ix_customer_trade_id", "trade", "id", postgresql_where=text("trade <> 'open'")),
        Index("ix_customer_confirmed_at_id", "confirmed_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    name: Mapped[str]
    pinyin: Mapped[str]
    haystack: Mapped[str]
    terms: Mapped[list[str]]
    status: Mapped[str]
    stage: Mapped[str]
    value_class: Mapped[str | None]
    unit: Mapped[str | None]
    owner: Mapped[str | None]
    birthday: Mapped[date | None]
    special_dates: Mapped[list[Any]] = mapped_column(JSONB)
    phones: Mapped[list[Any]] = mapped_column(JSONB)
    emails: Mapped[list[Any]] = mapped_column(JSONB)
    addresses: Mapped[list[Any]] = mapped_column(JSONB)
    identities: Mapped[list[Any]] = mapped_column(JSONB)
    tags: Mapped[list[str]]
    profile: Mapped[dict[str, Any]] = mapped_column(JSONB)
    standing: Mapped[dict[str, Any]] = mapped_column(JSONB)
    trade: Mapped[str]
    referred_by: Mapped[UUID | None]
    registered_at: Mapped[datetime]
    registered_by: Mapped[str]
    updated_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    version: Mapped[int]


class IdentityRow(Base):
    """How another system knows a customer. ``identity`` is ``scheme:value``, unique in the company."""

    __tablename__ = "identity"

    identity: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), index=True)
    linked_at: Mapped[datetime]
    linked_by: Mapped[str]


class CustomerChangeRow(Base):
    """One change of one field: old, new, who, of which department, why, when. Never purged (CG-03)."""

    __tablename__ = "customer_change"
    __table_args__ = (Index("ix_customer_change_customer_id_id", "customer_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    field: Mapped[str]
    old: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    new: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    by: Mapped[str]
    collected_by: Mapped[str]
    department: Mapped[str | None]
    collected_at: Mapped[datetime]
    why: Mapped[str | None]
    at: Mapped[datetime]
    version: Mapped[int]
