"""A channel behind its rate limit and circuit breaker, shared by the threads of one process."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock

from notify.channels.domain import Breaker, Channel, Clock, Limits, Outcome, Outgoing, Pace


class Guarded:
    """``ready()`` says how long to leave the channel alone; ``send`` makes an attempt and learns from it.

    Ask ``ready()`` before an attempt is committed, so that a channel that is out of order costs no message an
    attempt. Two threads that asked at the same moment may both go: the pace is right on average.
    """

    def __init__(self, channel: Channel, limits: Limits, clock: Clock) -> None:
        self.name = channel.name
        self.idempotent = channel.idempotent
        self._channel = channel
        self._clock = clock
        self._pace = Pace(limits.per_minute)
        self._breaker = Breaker(limits.failures, limits.pause)
        self._lock = Lock()

    def ready(self) -> timedelta:
        """How long until the next attempt may be made; zero: now."""
        with self._lock:
            now = self._clock()
            return max(self._pace.wait(now), self._breaker.wait(now))

    @property
    def in_order(self) -> bool:
        """Whether the breaker is closed."""
        return self._breaker.state == "closed"

    def send(self, outgoing: Outgoing) -> Outcome:
        """Make one attempt. Raises nothing: what goes wrong is in the outcome."""
        with self._lock:
            now = self._clock()
            self._pace.take(now)
            self._breaker.asked(now)
        outcome = self._channel.send(outgoing)
        with self._lock:
            self._breaker.learned(outcome, self._clock())
        return outcome
