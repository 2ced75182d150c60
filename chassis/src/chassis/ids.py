"""Identifiers: UUIDv7 for things that are born here, UUIDv5 for facts that follow from a key (decision 3)."""

from __future__ import annotations

import os
import uuid
from datetime import datetime
from hashlib import sha1

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


def derived_text(producer: str, business_key: str, kind: str) -> str:
    """``derived_id`` as text, without its detour over a UUID object: batches make thousands."""
    hashed = _DERIVATION.copy()
    hashed.update(f"{producer}\n{business_key}\n{kind}".encode())
    digest = hashed.hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"


_DERIVATION = sha1(_KEZHI.bytes, usedforsecurity=False)
_VARIANT = {f"{digit:x}": f"{digit & 0x3 | 0x8:x}" for digit in range(16)}
