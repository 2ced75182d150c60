"""One message as the broker gave it, before anybody trusted it, and the headers that we write on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ATTEMPTS = "x-kezhi-attempts"  # handler attempts so far; the broker's own count also counts our crashes
REASON = "x-kezhi-reason"
FIRST_ERROR = "x-kezhi-first-error"
QUEUE = "x-kezhi-queue"  # the queue a dead letter comes from, and goes back to
PUBLISHER = "x-kezhi-publisher"  # who published it first: a republished message carries our own user id


@dataclass(frozen=True, slots=True)
class Incoming:
    """Body and properties; ``tag`` is the delivery tag on its channel."""

    body: bytes
    content_type: str | None = None
    message_id: str | None = None
    user_id: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    tag: int = 0
    damage: str | None = None  # why its properties could not be read, if so

    @property
    def attempts(self) -> int:
        """Handler attempts before this delivery; a header of any other shape counts as none."""
        count = self.headers.get(ATTEMPTS)
        return count if isinstance(count, int) and 0 <= count < 1000 else 0

    @property
    def publisher(self) -> tuple[str | None, str | None]:
        """The user the broker vouches for, and whom that user says it publishes for."""
        claimed = self.headers.get(PUBLISHER)
        return self.user_id, claimed if isinstance(claimed, str) else None

    @property
    def first_error(self) -> str | None:
        text = self.headers.get(FIRST_ERROR)
        return text if isinstance(text, str) else None
