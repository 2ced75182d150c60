"""The relay: publishes what the outbox holds, in order, until the broker has confirmed every row.

To RabbitMQ by pika's SelectConnection; it and the database connection are driven by one loop in one thread: publishes
run in a window of outstanding confirms, outside any transaction; confirmed ids are marked in sets. Nothing is taken
for published that was returned, refused or not confirmed: a lost connection means that its open publishes are done
again. A row the broker keeps refusing is put off, in the end marked ``failed``, counted and shown, never deleted.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import amqp
import kombu
import pika
import psycopg
import structlog
from pika.exceptions import AMQPError

from chassis.messaging import metrics
from chassis.messaging.broker import user_of
from chassis.messaging.embedded import is_embedded
from chassis.messaging.embedded.relay import EmbeddedLink
from chassis.messaging.pending import Pending, PendingRow
from chassis.messaging.relay_link import Link
from chassis.messaging.wire import Unpublishable, Wire
from chassis.runtime import Runtime

log = structlog.get_logger(__name__)

_MARK_EVERY = 500
_TICK = 0.05  # seconds between looks at the stop event
_PATIENCE = 5.0  # seconds that open confirms may take after the stop
_LONGEST_BACKOFF = 10.0
_HEARTBEAT = 30
_BLOCKED_TIMEOUT = 60  # seconds a broker in alarm may leave us blocked before we start over


class Relay:
    """Publishes one service's outbox until it is told to stop. Any number may run: each owns partitions of its own."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def run(self, stop: threading.Event) -> None:
        """Publish until ``stop``; whatever is away is waited for, with backoff, while writes go on."""
        self._run(stop, until_empty=False)

    def drain(self, timeout: float = 30.0) -> None:
        """Publish until nothing is pending; for tests and for a farewell. Raises TimeoutError."""
        stop = threading.Event()
        timer = threading.Timer(timeout, stop.set)
        timer.start()
        try:
            if not self._run(stop, until_empty=True):
                raise TimeoutError(f"the outbox is not empty after {timeout} s")
        finally:
            timer.cancel()

    def _run(self, stop: threading.Event, until_empty: bool) -> bool:
        backoff = 0.2
        while not stop.is_set():
            began = time.monotonic()
            try:
                pending = Pending(self.runtime.settings.database_url)
                try:
                    link = self._link(pending, stop, until_empty)
                    link.run()
                finally:
                    pending.close()
                if link.emptied:
                    return True
                if stop.is_set():
                    return False
                trouble = link.trouble
            except (psycopg.Error, AMQPError, amqp.AMQPError, OSError) as error:
                trouble = error
            if time.monotonic() - began > _LONGEST_BACKOFF:
                backoff = 0.2
            log.warning("relay interrupted", error=f"{type(trouble).__name__}: {trouble}", again_in=backoff)
            stop.wait(backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)
        return False

    def _link(self, pending: Pending, stop: threading.Event, until_empty: bool) -> Link:
        """The way to the broker that the URL names."""
        kind = EmbeddedLink if is_embedded(self.runtime.settings.amqp_url) else RabbitLink
        return kind(self.runtime, pending, stop, until_empty)


class RabbitLink(Link):
    """To RabbitMQ, by pika's SelectConnection: one loop, in one thread, also hears the database's hints."""

    def __init__(self, runtime: Runtime, pending: Pending, stop: threading.Event, until_empty: bool) -> None:
        super().__init__(runtime, pending, stop, until_empty)
        self.outstanding: dict[int, PendingRow] = {}  # delivery tag → row, in the order of publishing
        self.returned: dict[str, str] = {}  # event id → what the broker said
        self.tag = 0
        self.patience = 0.0
        self.leaving = False
        self.wire: Wire
        url = runtime.settings.amqp_url
        self.user = user_of(url)
        parameters = pika.URLParameters(url)
        parameters.virtual_host = kombu.Connection(url).virtual_host  # pika reads "//" otherwise than kombu does
        parameters.heartbeat = _HEARTBEAT
        parameters.blocked_connection_timeout = _BLOCKED_TIMEOUT
        parameters.socket_timeout = 10
        self.connection = pika.SelectConnection(
            parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_trouble,
            on_close_callback=self._on_trouble,
        )

    def run(self) -> None:
        loop = self.connection.ioloop
        try:
            loop.start()
        finally:
            metrics.RELAY_CONNECTED.set(0)
            loop.close()

    # --- the connection's life

    def _on_open(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        self.wire = Wire(self.connection, channel.channel_number, self.user)
        channel.add_on_close_callback(self._on_trouble)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._begin())

    def _begin(self) -> None:
        metrics.RELAY_CONNECTED.set(1)
        # The loop wakes for the database's hints as it does for the broker's confirms.
        loop = self.connection.ioloop
        loop.add_handler(self.pending.connection.fileno(), lambda *_: self._guarded(self._on_hint), loop.READ)
        self._tick()

    def _on_trouble(self, _: Any, reason: BaseException | str) -> None:
        self.trouble = self.trouble or (reason if isinstance(reason, BaseException) else OSError(str(reason)))
        self.save_marks()
        self.connection.ioloop.stop()

    def _guarded(self, step: Any) -> None:
        """Run a step; an exception must leave the loop, not vanish in a callback."""
        try:
            step()
        except Exception as trouble:
            self.trouble = trouble
            self.connection.ioloop.stop()
            if not isinstance(trouble, psycopg.Error | AMQPError | OSError):
                raise

    # --- the work

    def under_way(self) -> list[PendingRow]:
        return list(self.outstanding.values())

    def _tick(self) -> None:
        self._guarded(self._step)
        if self.trouble is None and not self.leaving:
            self.connection.ioloop.call_later(_TICK, self._tick)

    def _step(self) -> None:
        now = time.monotonic()
        if self.stop.is_set():
            self._finish(now)
            return
        self.keep_house(now)
        self._pump()

    def _finish(self, now: float) -> None:
        """Told to stop: publish nothing more, wait a little for the open confirms, mark, leave."""
        self.queue.clear()
        self.patience = self.patience or now + _PATIENCE
        if not self.outstanding or now >= self.patience:
            self.mark()
            self._leave()

    def _pump(self) -> None:
        if len(self.confirmed) >= _MARK_EVERY or (self.confirmed and not self.outstanding):
            self.mark()
        self.fetch_when_due()
        room = self.window - len(self.outstanding)
        if self.queue and room >= min(self.window // 4, len(self.queue)):
            self._publish(room)
        if self.until_empty and self.all_done():
            self.emptied = True
            self._leave()

    def _publish(self, rows: int) -> None:
        publishes = []
        for _ in range(min(rows, len(self.queue))):
            row = self.queue.popleft()
            try:
                frames = self.wire.encode(
                    self.exchanges[row.family], row.routing_key, row.event_id, row.partitionkey, row.body
                )
            except Unpublishable as why:
                self.put_off(row, "unpublishable", f"it can't be published: {why}")
                continue
            self.tag += 1
            self.outstanding[self.tag] = row
            publishes.append(frames)
        self.wire.send(publishes)

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        tag = method.delivery_tag
        if method.multiple:
            settled = []
            for open_tag in self.outstanding:
                if open_tag > tag:
                    break
                settled.append(open_tag)
        else:
            settled = [tag]
        refused = method.NAME == "Basic.Nack"
        for one in settled:
            row = self.outstanding.pop(one)
            if refused:
                self._guarded(lambda row=row: self.put_off(row, "refused", "the broker refused it (nack)"))
            elif self.returned and row.event_id in self.returned:
                answer = self.returned.pop(row.event_id)
                self._guarded(lambda row=row, answer=answer: self.put_off(row, "returned", answer))
            else:
                self.confirmed.append(row.id)
        self._guarded(self._pump)

    def _on_return(self, _: Any, method: Any, properties: Any, __: bytes) -> None:
        self.returned[properties.message_id] = f"returned by the broker: {method.reply_code} {method.reply_text}"

    def _on_hint(self) -> None:
        if self.hear():
            self._pump()

    def _leave(self) -> None:
        if self.leaving:
            return
        self.leaving = True
        self.connection.ioloop.remove_handler(self.pending.connection.fileno())
        if self.connection.is_open:
            self.connection.close()
            self.connection.ioloop.call_later(_PATIENCE, self.connection.ioloop.stop)  # a blocked broker never answers
