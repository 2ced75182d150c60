"""Saved versions of texts. Version 0 of every key that comes with the release is in the release, not here."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from notify.base import Base


class TemplateVersion(Base):
    """One saved version. Rows are never changed: whoever wants an old text back saves it again."""

    __tablename__ = "template_version"
    __table_args__ = (UniqueConstraint("key", "channel", "locale", "version"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    channel: Mapped[str]
    locale: Mapped[str]
    version: Mapped[int]  # from 1; the highest is in use
    event: Mapped[str | None]  # type with version; none for keys over variables
    variables: Mapped[dict[str, Any] | None]  # without an event: name → {example, secret}
    subject: Mapped[str | None]
    text: Mapped[str]
    html: Mapped[str | None]
    note: Mapped[str | None]  # why it was changed
    saved_by: Mapped[str]
    saved_at: Mapped[datetime]
