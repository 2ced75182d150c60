"""What a browser's visit leaves behind: a hash of its cookie, tied to the sign-in it belongs to."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base


class ConsoleSession(Base):
    """One browser. It lives as long as its sign-in family, and ends earlier when it lies idle."""

    __tablename__ = "console_session"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    family_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sign_in_family.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
