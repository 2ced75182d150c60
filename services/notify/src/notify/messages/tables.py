"""Messages: one row per (route, event, recipient, channel), for ever. Personal parts are unreadable at rest.

``next_attempt_at`` is when somebody may take the row in hand: its time to be sent, to be looked at again, or the end
of a lease whose owner fell silent. It is null in terminal states, so the queue's index holds only what is open.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.people.guard import HiddenFrom
from chassis.storage.encrypted import Encrypted
from notify.base import Base


class Message(HiddenFrom, Base):
    """A word to one recipient over one channel."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("route", "source", "event_id", "recipient", "channel", name="uq_message_once"),
        Index("ix_message_next_attempt_at", "next_attempt_at", "id",
              postgresql_where=text("next_attempt_at IS NOT NULL")),
        Index("ix_message_customer_id", "customer_id", "id"),
        Index("ix_message_status", "status", "id"),
        Index("ix_message_recipient", "recipient", "id"),
        Index("ix_message_event_id", "event_id", "id"),
        Index("ix_message_route", "route", "id"),
        Index("ix_message_held", "customer_id", postgresql_where=text("status = 'held'")),
        Index("ix_message_provider_reference", "channel", "provider_reference",
              postgresql_where=text("provider_reference IS NOT NULL")),
        Index("ix_message_duplicates", "id", postgresql_where=text("possible_duplicates > 0")),
        {"postgresql_with": {"fillfactor": 70}},  # every message changes a few times: leave room for HOT updates
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    route: Mapped[str]
    source: Mapped[str]  # with event_id: the event behind it, or the call that asked for it
    event_id: Mapped[str]
    event_type: Mapped[str | None]
    recipient_kind: Mapped[str]  # customer | complainant | staff | address
    recipient: Mapped[str]  # customer id, complaint:<id>, username, or a fingerprint of the address
    customer_id: Mapped[uuid.UUID | None]
    unit_path: Mapped[str]  # whose people may read it
    channel: Mapped[str]
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))  # preference order; what follows `channel` is left to try
    class_: Mapped[str] = mapped_column("class")  # service | care | marketing
    template: Mapped[str]
    locale: Mapped[str | None]
    urgent: Mapped[bool] = mapped_column(server_default=text("false"))
    by_law: Mapped[bool] = mapped_column(server_default=text("false"))
    status: Mapped[str]  # see messages/lifecycle.py
    why: Mapped[str | None]
    clause: Mapped[str | None]
    policyversion: Mapped[str | None]
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    expires_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    possible_duplicates: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    lease: Mapped[uuid.UUID | None]  # whoever has it in hand
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    provider_reference: Mapped[str | None]
    template_version: Mapped[int | None]
    name: Mapped[str | None] = mapped_column(Encrypted)  # of the recipient
    address: Mapped[str | None] = mapped_column(Encrypted)
    data: Mapped[str | None] = mapped_column(Encrypted)  # what the template is filled with, JSON; gone once it ended
    subject: Mapped[str | None] = mapped_column(Encrypted)  # as sent, secrets struck out
    body: Mapped[str | None] = mapped_column(Encrypted)
