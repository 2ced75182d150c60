"""Routes that were added over the API; those of the regulation stand in the policy pack."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from notify.base import Base


class RouteRow(Base):
    """A route beside those of the pack. ``name`` is never used twice, also not after its end."""

    __tablename__ = "route"

    name: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID]
    event: Mapped[str]
    to: Mapped[list[Any]] = mapped_column("recipients", JSONB)
    when: Mapped[dict[str, Any]] = mapped_column("conditions", JSONB)
    class_: Mapped[str] = mapped_column("class")
    template: Mapped[str]
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    urgent: Mapped[bool]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    clause: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
