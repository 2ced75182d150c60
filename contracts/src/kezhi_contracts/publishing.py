"""Publish events so that none is lost unnoticed: confirms in a window, returns and refusals by event id.

A confirm per message would cap a sender at about two thousand events a second; a window of unconfirmed ones
lets the broker answer in bulk. One connection, kept alive by a thread of its own; one Publisher per thread.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from types import TracebackType
from typing import Any, Self

import pika
from pika.exceptions import AMQPError

from kezhi_contracts import validation

CONTENT_TYPE = "application/cloudevents+json"
_SHORT = 255  # bytes that AMQP's message_id holds


class InvalidEvent(ValueError):
    """The event is not what its schema says; nothing was sent. ``errors`` has the messages by path."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{path or 'event'}: {', '.join(said)}" for path, said in errors.items()))
        self.errors = errors


class BrokerUnavailable(ConnectionError):
    """No connection, or no channel, to the broker."""


class Undelivered(Exception):
    """The broker did not take these events: ``failures`` has the reason by event id.

    Publish them again after mending the cause; one that did arrive has no second effect.
    """

    def __init__(self, failures: dict[str, str]) -> None:
        shown = "; ".join(f"{event_id}: {reason}" for event_id, reason in list(failures.items())[:5])
        rest = f"; and {len(failures) - 5} more" if len(failures) > 5 else ""
        super().__init__(f"{len(failures)} events were not delivered: {shown}{rest}")
        self.failures = failures


class Publisher:
    """Publishes events to one exchange.

    url      ``amqp://user:password@host:5672/``; its user travels as ``user_id``, which the broker checks
    exchange where to; routing key is the event's type
    window   how many events may wait for their confirm before ``publish`` blocks
    check    validate each event first; switch off only for events that were checked before
    timeout  seconds to wait for the broker: at connecting, for a place in the window, at ``flush``
    """

    def __init__(
        self,
        url: str,
        *,
        exchange: str = "kezhi.purchases",
        window: int = 500,
        check: bool = True,
        timeout: float = 30,
    ) -> None:
        self._parameters = pika.URLParameters(url)
        # An URL that ends in // means the default virtual host everywhere but in pika.
        self._parameters.virtual_host = self._parameters.virtual_host or "/"
        self._parameters.blocked_connection_timeout = self._parameters.blocked_connection_timeout or timeout
        self._parameters.socket_timeout = min(timeout, 10)
        self._exchange, self._window, self._check, self._timeout = exchange, window, check, timeout
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, str, bytes, pika.BasicProperties]] = deque()
        self._unconfirmed: dict[int, str] = {}
        self._failures: dict[str, str] = {}
        self._sending = False
        self._last_tag = 0
        self._ready = False
        self._broken: str | None = None
        self._channel: Any = None
        self._connection: Any = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="kezhi-publisher", daemon=True)
        self._thread.start()
        with self._changed:
            answered = self._changed.wait_for(lambda: self._ready or self._broken, self._timeout)
        if not answered or self._broken:
            self._close()
            raise BrokerUnavailable(self._broken or f"the broker did not answer within {self._timeout:g} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._close()

    def publish(self, event: dict[str, Any]) -> None:
        """Send one event; blocks while the window is full.

        Raises InvalidEvent before anything is sent, Undelivered when the connection is gone. What the broker
        returns or refuses is reported by the next ``flush``.
        """
        errors = validation.validate(event) if self._check else {}
        if errors:
            raise InvalidEvent(errors)
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        message = (event["id"], event["type"], body, self._properties(event))
        with self._changed:
            free = self._changed.wait_for(lambda: self._broken or self._open() < self._window, self._timeout)
            if not free:
                self._give_up(f"the broker confirmed nothing within {self._timeout:g} s")
            if self._broken:
                self._failures[event["id"]] = f"not sent: {self._broken}"
                self._report()
            self._waiting.append(message)
            wake, self._sending = not self._sending, True
        if wake:
            self._connection.ioloop.add_callback_threadsafe(self._send)

    def flush(self) -> None:
        """Wait until every event so far is confirmed. Raises Undelivered with those that are not."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._broken or not self._open(), self._timeout)
            if not done:
                self._give_up(f"not confirmed within {self._timeout:g} s")
            self._report()

    # Called with the lock held.

    def _open(self) -> int:
        return len(self._waiting) + len(self._unconfirmed)

    def _report(self) -> None:
        if self._failures:
            failures, self._failures = self._failures, {}
            raise Undelivered(failures)

    def _give_up(self, reason: str) -> None:
        self._broken = self._broken or reason
        for event_id in [*self._unconfirmed.values(), *(message[0] for message in self._waiting)]:
            self._failures.setdefault(event_id, f"not confirmed: {reason}")
        self._unconfirmed.clear()
        self._waiting.clear()
        self._changed.notify_all()

    # Everything below runs in the connection's thread, except _properties and _close.

    def _properties(self, event: dict[str, Any]) -> pika.BasicProperties:
        fits = len(event["id"].encode()) <= _SHORT
        return pika.BasicProperties(
            content_type=CONTENT_TYPE,
            delivery_mode=2,
            message_id=event["id"] if fits else None,
            user_id=self._parameters.credentials.username,
            headers={"partitionkey": event.get("partitionkey") or event["subject"]},
        )

    def _run(self) -> None:
        try:
            self._connection = pika.SelectConnection(
                self._parameters,
                on_open_callback=lambda connection: connection.channel(on_open_callback=self._opened),
                on_open_error_callback=lambda _, error: self._lost(f"no connection to the broker: {_said(error)}"),
                on_close_callback=lambda _, error: self._lost(f"the connection was closed: {_said(error)}"),
            )
            self._connection.ioloop.start()
        except (AMQPError, OSError) as error:
            self._lost(f"no connection to the broker: {_said(error)}")

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(ack_nack_callback=self._confirmed, callback=self._confirming)

    def _confirming(self, _: Any) -> None:
        with self._changed:
            self._ready = True
            self._changed.notify_all()

    def _send(self) -> None:
        while True:
            with self._changed:
                if not self._waiting or self._broken:
                    self._sending = False
                    return
                event_id, key, body, properties = self._waiting.popleft()
                self._last_tag += 1
                self._unconfirmed[self._last_tag] = event_id
            self._channel.basic_publish(self._exchange, key, body, properties, mandatory=True)

    def _confirmed(self, frame: Any) -> None:
        method = frame.method
        with self._changed:
            tags = [method.delivery_tag]
            if method.multiple:  # tags are given in rising order, and so they stand in the dict
                tags = [tag for tag in self._unconfirmed if tag <= method.delivery_tag or not method.delivery_tag]
            for tag in tags:
                event_id = self._unconfirmed.pop(tag, None)
                if event_id is not None and isinstance(method, pika.spec.Basic.Nack):
                    self._failures[event_id] = "the broker refused it (a queue is full or not available)"
            self._changed.notify_all()

    def _returned(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        event_id = properties.message_id or json.loads(body)["id"]
        with self._changed:
            self._failures[event_id] = f"returned: no queue takes {method.routing_key} from {method.exchange}"

    def _channel_closed(self, _channel: Any, error: Exception) -> None:
        self._lost(f"the broker closed the channel: {_said(error)}", stop=False)
        if self._connection.is_open:
            self._connection.close()

    def _lost(self, reason: str, *, stop: bool = True) -> None:
        with self._changed:
            self._give_up(reason)
        if stop and self._connection is not None:
            self._connection.ioloop.stop()

    def _leave(self) -> None:
        if self._connection.is_open:
            self._connection.close()
        elif not self._connection.is_closing:  # it never opened: nobody is there to say goodbye to
            self._connection.ioloop.stop()

    def _close(self) -> None:
        if self._thread is not None and self._connection is not None and self._thread.is_alive():
            self._connection.ioloop.add_callback_threadsafe(self._leave)
            self._thread.join(self._timeout)
        self._thread = None


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__
