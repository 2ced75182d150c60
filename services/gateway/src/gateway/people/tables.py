"""Units and staff. ``version`` counts an aggregate's states and travels as the ``sequence`` of its events."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.base import Base

ROOT_PATH = "/"


class Unit(Base):
    """A node of the organisation tree. ``path`` leads there: ``/SH/SH001``; the company itself is ``/``."""

    __tablename__ = "unit"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    path: Mapped[str] = mapped_column(Text, unique=True)
    head_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id", use_alter=True))
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    parent: Mapped[Unit | None] = relationship(remote_side=[id])
    head: Mapped[Staff | None] = relationship(foreign_keys=[head_id])


class Staff(Base):
    """A person who works here. ``username`` is kept in its folded form, so that ``Li`` and ``li`` are one."""

    __tablename__ = "staff"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    superior_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"), index=True)
    enabled: Mapped[bool]
    absent_from: Mapped[datetime | None]
    absent_until: Mapped[datetime | None]
    deputy_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    password_hash: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id], lazy="joined", innerjoin=True)
    superior: Mapped[Staff | None] = relationship(foreign_keys=[superior_id], remote_side=[id])
    deputy: Mapped[Staff | None] = relationship(foreign_keys=[deputy_id], remote_side=[id])
