"""Identifiers: UUIDv7 for things that are born here, UUIDv5 for facts that follow from a key (decision 3)."""

from __future__ import annotations

import os
import uuid
from datetime import datetime

_KEZHI = uuid.UUID("6b657a68-6900-5000-8000-000000000000")


def uuid7(at: datetime) -> uuid.UUID:
    """A time-ordered id (RFC 9562, version 7) for something born at ``at``: new rows land side by side in an index."""
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    noise = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | noise
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def derived_id(producer: str, business_key: str, kind: str) -> uuid.UUID:
    """The same id for the same fact, for ever: a replay after a restore meets the inboxes and stops there."""
    return uuid.uuid5(_KEZHI, f"{producer}\n{business_key}\n{kind}")
