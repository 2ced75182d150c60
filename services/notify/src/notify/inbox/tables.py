"""The staff inbox: what each person has to read, and what to do (call tasks)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.people.guard import HiddenFrom
from chassis.storage.encrypted import Encrypted
from notify.base import Base


class InboxItem(HiddenFrom, Base):
    """One message in somebody's inbox; written in the transaction that delivers it, so never twice."""

    __tablename__ = "inbox_item"
    __table_args__ = (
        Index("ix_inbox_item_username", "username", "id"),
        Index("ix_inbox_item_unread", "username", "id", postgresql_where=text("read_at IS NULL")),
        Index("uq_inbox_item_message_id", "message_id", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    message_id: Mapped[uuid.UUID]
    username: Mapped[str]
    kind: Mapped[str]  # message | call_task
    class_: Mapped[str] = mapped_column("class")
    template: Mapped[str]
    subject: Mapped[str | None] = mapped_column(Encrypted)
    body: Mapped[str] = mapped_column(Encrypted)
    link: Mapped[dict[str, Any]] = mapped_column(JSONB)  # what it is about: {"complaint_id": …}, {"customer_id": …}
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
