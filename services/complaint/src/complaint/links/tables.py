"""Personal links, known by the hash of their token alone."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from complaint.base import Base


class PersonalLink(Base):
    """``follow`` is read as often as one likes, ``answer`` is answered once; both until ``expires_at``."""

    __tablename__ = "personal_link"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    complaint_id: Mapped[uuid.UUID]
    round: Mapped[int]
    purpose: Mapped[str]  # follow | answer
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
