"""Publishing to an exchange as an outside system would, whichever broker the installation has."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self

import amqp

from chassis.messaging import broker
from chassis.messaging.broker import BROKER_TROUBLE
from chassis.messaging.embedded import is_embedded
from kezhi_contracts.publishing import CONTENT_TYPE, BrokerUnavailable, InvalidEvent, Publisher, Undelivered
from kezhi_contracts.validation import validate

_PATIENCE = 30.0  # seconds to wait for confirms


class Outlet(Protocol):
    """What is published counts only after a ``flush`` that raised nothing."""

    def publish(self, event: dict[str, Any]) -> None:
        """Send one event. Raises InvalidEvent, Undelivered."""

    def flush(self) -> None:
        """Wait until every event so far is confirmed. Raises Undelivered with those that are not."""


def open_outlet(url: str, exchange: str, *, check: bool = True) -> AbstractContextManager[Outlet]:
    """An outlet to one exchange; routing key is the event's type. ``check``: see first that the event is valid.

    Entering it raises BrokerUnavailable.
    """
    if is_embedded(url):
        return EmbeddedOutlet(url, exchange, check=check)
    return Publisher(url, exchange=exchange, check=check)


class EmbeddedOutlet:
    """To the embedded broker: what comes between two flushes goes in transactions of some hundred events."""

    def __init__(self, url: str, exchange: str, *, check: bool) -> None:
        self._url, self._exchange, self._check = url, exchange, check
        self._user = broker.user_of(url)
        self._sent: dict[int, str] = {}  # publish number → event id, not confirmed yet
        self._returned: dict[str, str] = {}
        self._count = 0

    def __enter__(self) -> Self:
        try:
            self._connection = broker.connect(self._url)
            self._channel = broker.confirming(self._connection, on_ack=self._on_ack, on_return=self._on_return)
        except BROKER_TROUBLE as away:
            raise BrokerUnavailable(f"no connection to the embedded broker: {away}") from away
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._connection.collect()

    def publish(self, event: dict[str, Any]) -> None:
        """Send one event. Raises InvalidEvent before anything is sent, Undelivered when the broker is gone."""
        if errors := validate(event) if self._check else {}:
            raise InvalidEvent(errors)
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        properties: dict[str, Any] = {
            "content_type": CONTENT_TYPE,
            "delivery_mode": 2,
            "user_id": self._user,
            "application_headers": {"partitionkey": event.get("partitionkey") or event["subject"]},
        }
        if len(event["id"].encode()) <= 255:
            properties["message_id"] = event["id"]
        self._count += 1
        self._sent[self._count] = event["id"]
        message = amqp.basic_message.Message(body, **properties)
        try:
            self._channel.basic_publish(message, self._exchange, event["type"], mandatory=True)
        except BROKER_TROUBLE as trouble:
            self._give_up(trouble)

    def flush(self) -> None:
        """Wait until every event so far is confirmed. Raises Undelivered with those that are not."""
        deadline = time.monotonic() + _PATIENCE
        try:
            while self._sent:
                self._connection.drain_events(timeout=max(0.0, deadline - time.monotonic()))
        except BROKER_TROUBLE as trouble:
            self._give_up(trouble)
        if self._returned:
            returned, self._returned = self._returned, {}
            raise Undelivered(returned)

    def _give_up(self, trouble: Exception) -> None:
        failures = dict.fromkeys(self._sent.values(), f"not confirmed: {trouble}") | self._returned
        self._sent.clear()
        self._returned = {}
        raise Undelivered(failures) from trouble

    def _on_ack(self, number: int, multiple: bool) -> None:
        for confirmed in [sent for sent in self._sent if sent <= number] if multiple else [number]:
            self._sent.pop(confirmed, None)

    def _on_return(self, error: Exception, exchange: str, routing_key: str, message: Any) -> None:
        event_id = message.properties.get("message_id") or json.loads(message.body)["id"]
        self._returned[event_id] = f"returned: no queue takes {routing_key} from {exchange}"
