"""One injected clock per process: no decision reads the time from anywhere else (decision 20)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What a use case may ask of time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class ShiftedClock:
    """The machine's time plus the offset in seconds that a file holds: all processes of a demo travel together.

    The file is read at every call, so that a test moves every running process by one write.
    """

    path: Path

    def now(self) -> datetime:
        try:
            offset = float(self.path.read_text().strip() or 0)
        except FileNotFoundError:
            offset = 0.0
        return datetime.now(UTC) + timedelta(seconds=offset)


@dataclass
class FakeClock:
    """A clock that stands still until a test moves it."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 20, 2, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> datetime:
        """Move by a timedelta given in its words: ``clock.advance(days=7)``."""
        self.at += timedelta(**delta)
        return self.at

    def travel_to(self, at: datetime) -> datetime:
        """Stand at an aware instant."""
        if at.tzinfo is None:
            raise ValueError("travel to an aware datetime: a naive one names no instant")
        self.at = at.astimezone(UTC)
        return self.at
