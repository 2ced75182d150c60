"""The consumer of one queue: takes messages in batches, decides each one's fate, and only then acknowledges.

What makes sure that nothing is lost or doubled:

- the transaction commits before the acknowledgement, and the inbox absorbs what is delivered again in between;
- a message goes to the retry ladder or the dead queue by a confirmed publish, and only then is acknowledged;
- a batch is acknowledged by one ``multiple``, after every member of it was settled;
- when the channel dies, what is buffered here is dropped: the broker delivers it again;
- when the database is away, messages are held, not sent up the ladder: it is not their fault.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import structlog

from chassis.messaging import broker, metrics
from chassis.messaging.broker import BROKER_TROUBLE, Outgoing, Publisher
from chassis.messaging.incoming import ATTEMPTS, FIRST_ERROR, PUBLISHER, QUEUE, REASON, Incoming
from chassis.messaging.names import RETRY_DELAYS
from chassis.messaging.processing import DatabaseAway, Fate, Processor
from chassis.messaging.publishers import Publishers
from chassis.messaging.topology import dead_queue, queues_of
from chassis.runtime import Runtime
from chassis.service import Subscription

log = structlog.get_logger(__name__)

LINGER = 0.01  # seconds a batch waits for more after its first message
_IDLE = 0.5  # seconds between looks at the stop event while nothing arrives
_LONGEST_BACKOFF = 10.0


class Consumer:
    """Consumes one queue of a subscription until it is told to stop."""

    def __init__(self, runtime: Runtime, subscription: Subscription, queue: str | None = None) -> None:
        self.runtime = runtime
        self.subscription = subscription
        name = runtime.service.name
        self.queue = queue or queues_of(runtime.names, name, subscription)[0]
        self._dead = dead_queue(runtime.names, name, subscription)
        self._processor = Processor(runtime, subscription)
        self._publishers = Publishers.of(runtime.settings)
        self._publisher = Publisher(runtime.settings.amqp_url)
        self._buffer: deque[Incoming] = deque()
        self._connected = metrics.CONSUMER_CONNECTED.labels(subscription.name)
        self._seconds = metrics.BATCH_SECONDS.labels(subscription.name)

    def run(self, stop: threading.Event) -> None:
        """Consume until ``stop``; reconnects for ever, with backoff, when the broker goes away."""
        backoff = 0.2
        while not stop.is_set():
            began = time.monotonic()
            try:
                self._consume(stop)
            except BROKER_TROUBLE as trouble:
                if time.monotonic() - began > _LONGEST_BACKOFF:
                    backoff = 0.2
                log.warning("broker away", queue=self.queue, error=str(trouble), again_in=backoff)
                stop.wait(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF)
            finally:
                self._buffer.clear()
                self._connected.set(0)
        self._publisher.close()

    def _consume(self, stop: threading.Event) -> None:
        settings = self.runtime.settings
        connection = broker.connect(settings.amqp_url)
        try:
            channel = connection.channel()
            broker.subscribe(channel, self.queue, self._buffer.append, max(settings.prefetch, settings.batch_size))
            self._connected.set(1)
            beat = time.monotonic()
            while not stop.is_set():
                batch = self._gather(connection)
                if batch:
                    with self._seconds.time():
                        self._settle(connection, channel, batch, stop)
                if time.monotonic() - beat > 1:
                    beat = time.monotonic()
                    connection.heartbeat_check()
                    self._publisher.beat()
        except BaseException:
            connection.collect()  # without a farewell: a broker in trouble may never answer one
            raise
        connection.release()

    def _gather(self, connection: Any) -> list[Incoming]:
        """The next batch: full, or whatever came within LINGER of its first message; empty when nothing came."""
        buffer, size = self._buffer, self.runtime.settings.batch_size
        if not buffer:
            broker.drain(connection, _IDLE, enough=lambda: bool(buffer))
        if buffer:
            broker.drain(connection, LINGER, enough=lambda: len(buffer) >= size)
        return [buffer.popleft() for _ in range(min(len(buffer), size))]

    def _settle(self, connection: Any, channel: Any, batch: Sequence[Incoming], stop: threading.Event) -> None:
        fates = self._decide(connection, batch, stop)
        if fates is None:
            return
        onward = [
            self._onward(incoming, fate)
            for incoming, fate in zip(batch, fates, strict=True)
            if fate.kind in {"rejected", "failed"}
        ]
        if onward:
            self._publisher.publish(onward)
            first = next(fate.reason for fate in fates if fate.kind in {"rejected", "failed"})
            log.warning("messages not taken", queue=self.queue, count=len(onward), first_reason=first)
        channel.basic_ack(batch[-1].tag, multiple=True)

    def _decide(self, connection: Any, batch: Sequence[Incoming], stop: threading.Event) -> list[Fate] | None:
        """Fates of a batch; holds it while the database is away. None when stopped meanwhile: nothing is settled."""
        backoff = 0.2
        while True:
            try:
                return self._processor.process(batch)
            except DatabaseAway as away:
                log.warning("database away, holding messages", queue=self.queue, held=len(batch), error=str(away))
            deadline = time.monotonic() + backoff
            while (remaining := deadline - time.monotonic()) > 0:
                connection.heartbeat_check()
                if stop.wait(min(remaining, 1.0)):
                    return None
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    def _onward(self, incoming: Incoming, fate: Fate) -> Outgoing:
        """Where a message goes that was not taken: up the ladder, or to the dead queue with its reasons."""
        attempts = incoming.attempts
        headers = dict(incoming.headers)
        headers[PUBLISHER] = self._publishers.origin(incoming.publisher)
        steps = list(RETRY_DELAYS)
        if fate.kind == "failed":
            headers[ATTEMPTS] = attempts + 1
            headers.setdefault(FIRST_ERROR, fate.reason)
            if attempts < len(steps):
                metrics.RETRIES.labels(self.subscription.name, steps[attempts]).inc()
                return self._outgoing(self.runtime.names.retry(self.queue, steps[attempts]), incoming, headers)
            headers[REASON] = f"The handler failed {attempts + 1} times; the last time: {fate.reason}"[:2000]
        else:
            headers[ATTEMPTS] = attempts
            headers[REASON] = fate.reason[:2000]
        headers[QUEUE] = self.queue
        return self._outgoing(self._dead, incoming, headers)

    def _outgoing(self, queue: str, incoming: Incoming, headers: dict[str, Any]) -> Outgoing:
        return Outgoing(queue, incoming.body, incoming.content_type, incoming.message_id, headers)
