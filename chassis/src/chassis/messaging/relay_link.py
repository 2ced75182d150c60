"""What every way of publishing an outbox shares: rows in hand, looks at the outbox, marks, rows that are put off.

A link is one connection to the broker and the database connection beside it, from connect to the first trouble.
``relay`` has the one for RabbitMQ, ``embedded.relay`` the one for the embedded broker.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque

import psycopg
import structlog

from chassis.messaging import metrics
from chassis.messaging.pending import Pending, PendingRow
from chassis.runtime import Runtime

log = structlog.get_logger(__name__)

PAGE = 2000  # rows read at once: each look costs the same however much it finds
_SHORTEST_POLL, _LONGEST_POLL = 0.05, 1.0
_SHARE_EVERY = 2.0
_MEASURE_EVERY = 5.0


class Link(ABC):
    """One way out of the outbox. ``run`` returns when told to stop, when the outbox is empty, or in ``trouble``."""

    def __init__(self, runtime: Runtime, pending: Pending, stop: threading.Event, until_empty: bool) -> None:
        self.runtime = runtime
        self.pending = pending
        self.stop = stop
        self.until_empty = until_empty
        self.emptied = False
        self.trouble: BaseException | None = None
        self.window = runtime.settings.relay_window
        self.exchanges = {family: runtime.names.exchange(family) for family in ("events", "purchases")}
        self.queue: deque[PendingRow] = deque()
        self.confirmed: list[int] = []
        self.exhausted = False  # the last look found less than a page
        self.next_poll = 0.0
        self.pause = _SHORTEST_POLL
        self.next_share = self.next_measure = 0.0

    @abstractmethod
    def run(self) -> None:
        """Publish. Raises psycopg.Error, AMQPError, OSError."""

    def under_way(self) -> list[PendingRow]:
        """Rows that were published and are not confirmed yet, in their order."""
        return []

    def keep_house(self, now: float) -> None:
        """What is due once in a while: a fair share of the partitions, the metrics."""
        if now >= self.next_share:
            self.next_share = now + _SHARE_EVERY
            self.share()
        if now >= self.next_measure:
            self.next_measure = now + _MEASURE_EVERY
            self.measure()

    def share(self) -> None:
        self.mark()
        self.pending.share({row.partition for row in self.under_way()})
        if self.pending.leaving:
            self.queue = deque(row for row in self.queue if row.partition not in self.pending.leaving)
        metrics.RELAY_PARTITIONS.set(len(self.pending.owned))

    def measure(self) -> None:
        pending, failed, oldest = self.pending.counts()
        age = (self.runtime.clock.now() - oldest).total_seconds() if oldest else 0.0
        metrics.OUTBOX_PENDING.set(pending)
        metrics.OUTBOX_FAILED.set(failed)
        metrics.OUTBOX_OLDEST.set(max(age, 0.0))

    def fetch_when_due(self) -> None:
        """Read on, unless the last look found the end and nothing says that there is more."""
        if len(self.queue) < self.window and (not self.exhausted or time.monotonic() >= self.next_poll):
            in_hand = [row.id for row in self.queue]
            in_hand += [row.id for row in self.under_way()]
            in_hand += self.confirmed
            rows = self.pending.fetch(PAGE, in_hand, self.runtime.clock.now())
            self.queue.extend(rows)
            self.exhausted = len(rows) < PAGE
            # Quiet times are polled seldom, a hint or a find makes it quick again.
            self.pause = _SHORTEST_POLL if rows else min(self.pause * 2, _LONGEST_POLL)
            self.next_poll = time.monotonic() + self.pause

    def hear(self) -> bool:
        """Whether somebody announced something: then the next look is due at once."""
        hinted = self.pending.hinted()
        if hinted:
            self.pause, self.next_poll = _SHORTEST_POLL, 0.0
        return hinted

    def put_off(self, row: PendingRow, why: str, error: str) -> None:
        metrics.NOT_TAKEN.labels(why).inc()
        log.warning("the broker did not take a row", id=row.id, event_id=row.event_id, error=error)
        self.pending.put_off(row.id, error, self.runtime.clock.now())

    def mark(self) -> None:
        if self.confirmed:
            self.pending.mark(self.confirmed, self.runtime.clock.now())
            metrics.PUBLISHED.inc(len(self.confirmed))
            self.confirmed.clear()

    def save_marks(self) -> None:
        """In trouble: what was confirmed is marked if the database still answers."""
        try:
            self.mark()
        except psycopg.Error:
            log.info("confirmed rows could not be marked, they will be published again", rows=len(self.confirmed))

    def all_done(self) -> bool:
        """Whether nothing is in hand, and nothing pending any more."""
        idle = self.exhausted and not (self.queue or self.confirmed or self.under_way())
        return idle and self.pending.counts()[0] == 0
