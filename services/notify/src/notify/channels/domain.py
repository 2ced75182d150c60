"""What a channel is handed, what it answers, and when it may be asked again: pure values, no sockets.

``send`` never raises for what the outside world does: every end of an attempt is an ``Outcome``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from notify.templates.domain import Rendered

Kind = Literal["sent", "delivered", "temporary", "permanent"]


@dataclass(frozen=True)
class Outgoing:
    """One attempt at one message. ``address`` is what the channel understands: mail address, number, URL, username."""

    message_id: str
    address: str
    rendered: Rendered
    idempotency_key: str  # the same for every attempt at this message
    at: datetime  # when the attempt was committed, aware


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    ``sent``: the provider took it. ``delivered``: the recipient has it. ``temporary``: worth another attempt.
    ``permanent``: another attempt would end the same way. ``uncertain``: a temporary end after which the provider may
    hold the message all the same (it broke off before it answered): the next attempt may be a duplicate.
    """

    kind: Kind
    reference: str | None = None  # the provider's name for it
    reason: str | None = None  # one line for people, without the message's text and without secrets
    uncertain: bool = False
    retry_after: timedelta | None = None  # the provider asked for this much patience
    our_fault: bool = False  # the channel itself is out of order (login refused, host away): counts for its breaker

    @property
    def well(self) -> bool:
        """Whether the provider took the message."""
        return self.kind in ("sent", "delivered")


class Channel(Protocol):
    """A way to reach someone outside this database. Safe to use from several threads."""

    name: str
    idempotent: bool  # the provider (or the file system) knows the idempotency key: an attempt repeated is no duplicate

    def send(self, outgoing: Outgoing) -> Outcome:
        """Make one attempt."""
        ...


@dataclass(frozen=True)
class Limits:
    """The tunables of one channel, per process. Every number is technical: what may be sent is the pack's."""

    per_minute: int = 600  # messages; 0: no limit
    timeout: timedelta = timedelta(seconds=10)  # of one attempt, from connecting to the last byte of the answer
    failures: int = 5  # in a row, of the channel itself, that open the breaker
    pause: timedelta = timedelta(seconds=30)  # until an open breaker lets one attempt through


@dataclass
class Pace:
    """A token bucket: at most ``per_minute`` in any minute on average, bursts of a tenth of that."""

    per_minute: int
    _tokens: float = field(init=False)
    _seen: datetime | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)

    @property
    def burst(self) -> int:
        """How many may go at once after a silence."""
        return max(1, self.per_minute // 10)

    def wait(self, now: datetime) -> timedelta:
        """How long until the next one may go; zero: now."""
        if not self.per_minute:
            return timedelta(0)
        self._refill(now)
        return timedelta(0) if self._tokens >= 1 else timedelta(minutes=(1 - self._tokens) / self.per_minute)

    def take(self, now: datetime) -> None:
        """One goes."""
        self._refill(now)
        self._tokens -= 1

    def _refill(self, now: datetime) -> None:
        passed = max((now - (self._seen or now)).total_seconds(), 0.0)
        self._tokens = min(float(self.burst), self._tokens + passed * self.per_minute / 60)
        self._seen = now


@dataclass
class Breaker:
    """Keeps a channel that is out of order from being asked: closed → open after failures → one try → closed."""

    failures: int
    pause: timedelta
    _in_a_row: int = field(init=False, default=0)
    _opened_at: datetime | None = field(init=False, default=None)

    @property
    def state(self) -> Literal["closed", "open"]:
        """Open: the channel is not asked, but for one try after each pause."""
        return "closed" if self._opened_at is None else "open"

    def wait(self, now: datetime) -> timedelta:
        """How long until the channel may be asked; zero: now."""
        if self._opened_at is None:
            return timedelta(0)
        return max(self._opened_at + self.pause - now, timedelta(0))

    def asked(self, now: datetime) -> None:
        """An attempt begins: while open it is the one try, and the others wait another pause."""
        if self._opened_at is not None:
            self._opened_at = now

    def learned(self, outcome: Outcome, now: datetime) -> None:
        """An attempt ended. A refused recipient says nothing against the channel."""
        if not outcome.our_fault:
            self._in_a_row, self._opened_at = 0, None
            return
        self._in_a_row += 1
        if self._in_a_row >= self.failures:
            self._opened_at = now


Clock = Callable[[], datetime]
