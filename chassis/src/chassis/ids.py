"""Identifiers: UUIDv7 for things that are born here, UUIDv5 for facts that follow from a key (decision 3)."""

from __future__ import annotations

import os
import threading
import uuid
from datetime import datetime
from hashlib import sha1

_KEZHI = uuid.UUID("6b657a68-6900-5000-8000-000000000000")


class _Births:
    """Counts what this process bears within one millisecond, in 42 bits."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._millisecond = -1
        self._next = 0

    def take(self, millisecond: int, count: int) -> int:
        """The first of ``count`` numbers that follow each other, above all that this millisecond gave before."""
        with self._turn:
            if millisecond != self._millisecond:  # starts in the lower half: 2^41 births may follow
                self._millisecond, self._next = millisecond, int.from_bytes(os.urandom(6)) >> 7
            first = self._next
            self._next += count
            return first


_BIRTHS = _Births()


def uuid7(at: datetime) -> uuid.UUID:
    """A time-ordered id (RFC 9562, version 7, method 1) for something born at ``at``.

    New rows land side by side in an index, and what one process bears in one millisecond sorts as it was born.
    """
    return uuid.UUID(uuid7_texts(at, 1)[0])


def uuid7_texts(at: datetime, count: int) -> list[str]:
    """``count`` ids as ``uuid7`` gives them, as texts: transactions of one batch keep their order in a statement."""
    millisecond = int(at.timestamp() * 1000)
    first = _BIRTHS.take(millisecond, count)
    chance = os.urandom(4 * count).hex()
    head = f"{millisecond >> 16:08x}-{millisecond & 0xFFFF:04x}-7"
    return [
        f"{head}{birth >> 30:03x}-{0x8000 | birth >> 16 & 0x3FFF:04x}-{birth & 0xFFFF:04x}{chance[8 * n : 8 * n + 8]}"
        for n, birth in enumerate(range(first, first + count))
    ]


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
