"""How a webhook proves who sent it, and how a receiver checks that (we are one ourselves, for receipts). Pure.

    Kezhi-Timestamp: 1795000000
    Kezhi-Signature: v1=<hex of HMAC-SHA256(secret, "<timestamp>." + body)>

The time is part of what is signed, so that an old message can't be played again.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

TIMESTAMP, SIGNATURE = "Kezhi-Timestamp", "Kezhi-Signature"
TOLERANCE = timedelta(minutes=5)


def signed(secret: str, at: datetime, body: bytes) -> dict[str, str]:
    """The two headers that go with a body."""
    timestamp = str(int(at.timestamp()))
    return {TIMESTAMP: timestamp, SIGNATURE: f"v1={_digest(secret, timestamp, body)}"}


def authentic(
    secrets: Sequence[str],
    timestamp: str | None,
    signature: str | None,
    body: bytes,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> bool:
    """Whether one of the secrets signed this body within the tolerance of now."""
    if not timestamp or not signature or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > tolerance.total_seconds():
        return False
    given = [part.strip().removeprefix("v1=") for part in signature.split(",") if part.strip().startswith("v1=")]
    expected = [_digest(secret, timestamp, body) for secret in secrets]
    return any(hmac.compare_digest(have.encode(), want.encode()) for have in given for want in expected)


def _digest(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()
