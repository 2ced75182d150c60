"""What signing in leaves behind. Secrets are here only as hashes, signing keys only encrypted."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.storage.encrypted import Encrypted
from gateway.base import Base


class SigningKey(Base):
    """One Ed25519 key. Published from birth, signs from ``active_from``, gone from ``withdrawn_at``."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(Text, primary_key=True)
    public: Mapped[dict[str, Any]]
    private: Mapped[str] = mapped_column(Encrypted)
    created_at: Mapped[datetime]
    active_from: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class SignInFamily(Base):
    """All refresh tokens that descend from one sign-in; they are revoked together."""

    __tablename__ = "sign_in_family"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    signed_in_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None] = mapped_column(Text)


class RefreshToken(Base):
    """One link of a family's chain: good for one use."""

    __tablename__ = "refresh_token"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    family_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sign_in_family.id", ondelete="CASCADE"), index=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class FailedSignIns(Base):
    """Failures in a row for one username, whether or not such an account exists: the delay must not tell."""

    __tablename__ = "failed_sign_ins"

    username_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]
