"""The worker's own threads: one sends to the outside world, one fills inboxes.

Of a sender's messages only one is ever between its attempt and its end: the end of one and the beginning of the next
are one transaction. A process that is killed therefore leaves at most one message per thread whose fate is unknown.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from chassis.errors import Unavailable
from chassis.runtime import Context, Runtime
from notify.channels import ChannelSettings, Guarded, Outcome, Outgoing, open_channels
from notify.delivery.metrics import ATTEMPTS
from notify.delivery.settling import settle
from notify.delivery.taking import Hand, Held, begin, held_by, let_go, place_due, take
from notify.templates.domain import Surroundings

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)  # well above the longest attempt of any channel
BATCH = 50
_INTERVAL = 0.3  # seconds between looks while nothing is due


@dataclass(frozen=True)
class Ended:
    """An attempt that is over, and how."""

    id: uuid.UUID
    outcome: Outcome


@dataclass
class Sender:
    """Sends what is due over the given channels."""

    runtime: Runtime
    channels: Mapping[str, Guarded]
    around: Surroundings
    lease: timedelta = LEASE
    batch: int = BATCH
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.hand = Hand(uuid.uuid4(), self.lease, self.channels, self.around)

    def tick(self) -> int:
        """One batch to the outside world; how many messages were tried."""
        with self.runtime.context() as context:
            taken = take(context, self.hand, self.batch)
        ended: Ended | None = None
        tried = 0
        for held in taken:
            begun = self._step(ended, held)
            ended = None
            if begun is None:
                continue
            channel, outgoing = begun
            outcome = channel.send(outgoing)
            ATTEMPTS.labels(channel.name, outcome.kind).inc()
            ended = Ended(held.id, outcome)
            tried += 1
            if self.stop.is_set():
                break
        if ended is not None:
            self._step(ended, None)
        if self.stop.is_set():
            with self.runtime.context() as context:
                let_go(context, self.hand)
        return tried

    def place(self) -> int:
        """One batch into inboxes; how many messages were looked at."""
        with self.runtime.context() as context:
            return place_due(context, self.hand, self.batch * 2)

    def drain(self) -> int:
        """All that is due now. For tests and one-off commands."""
        total = 0
        while done := self.tick() + self.place():
            total += done
        return total

    def _step(self, ended: Ended | None, following: Held | None) -> tuple[Guarded, Outgoing] | None:
        """End one attempt and begin the next. What a provider answered is worth waiting for a database that is away."""
        backoff = 0.2
        while True:
            try:
                with self.runtime.context() as context:
                    return self._turn(context, ended, None if self.stop.is_set() else following)
            except DBAPIError as away:
                if ended is None or backoff > self.lease.total_seconds():
                    raise
                log.warning("an attempt's end waits for the database", error=str(away.orig))
                self.stop.wait(backoff)
                backoff *= 2

    def _turn(self, context: Context, ended: Ended | None, following: Held | None) -> tuple[Guarded, Outgoing] | None:
        ours = held_by(context, self.hand, [one.id for one in (ended, following) if one is not None])
        if ended is not None and ended.id in ours:
            message = ours[ended.id]
            settle(context, message, ended.outcome, self.channels[message.channel].idempotent)
        elif ended is not None:  # it took longer than the lease: somebody else counted it as interrupted
            log.warning("an attempt ended after its lease", message=str(ended.id), outcome=ended.outcome.kind)
        if following is None or following.id not in ours:
            return None
        return begin(context, self.hand, following, ours[following.id])


def send_messages(runtime: Runtime, stop: threading.Event) -> None:
    """The worker's thread ``send``: e-mail, SMS, webhooks."""
    sender = Sender(runtime, open_channels(_settings(), runtime.clock.now), Surroundings(), stop=stop)
    _run(sender, sender.tick)


def place_messages(runtime: Runtime, stop: threading.Event) -> None:
    """The worker's thread ``place``: inboxes and call tasks, which wait for nobody's provider."""
    sender = Sender(runtime, {}, Surroundings(), stop=stop)
    _run(sender, sender.place)


def surroundings(runtime: Runtime) -> Surroundings:
    """What every text may use beside its data, by the policy in force now. Raises Unavailable without one."""
    policy = runtime.policies.in_force()
    return Surroundings(_settings().public_url, policy.company.time_zone, policy.rules.sender)


def _settings() -> ChannelSettings:
    return ChannelSettings.from_environment()


def _run(sender: Sender, work: Callable[[], int]) -> None:
    stop = sender.stop
    while not stop.is_set():
        try:
            sender.hand = replace(sender.hand, around=surroundings(sender.runtime))
            done = work()
        except Unavailable as empty:
            log.info("messages wait for a policy", reason=empty.detail)
            done = 0
        except DBAPIError as away:
            log.warning("messages wait for the database", error=str(away.orig))
            done = 0
            stop.wait(1.0)
        if not done:
            stop.wait(_INTERVAL)
