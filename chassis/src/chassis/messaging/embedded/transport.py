"""The kombu transport of the embedded broker, and its connection: ``kombu.Connection("kezhi+postgresql://…")``."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import amqp
from kombu.transport import base

from chassis.messaging.embedded.address import Address
from chassis.messaging.embedded.channel import Channel
from chassis.messaging.embedded.hub import Hub
from chassis.messaging.embedded.trouble import BrokerAway


class Connection:
    """Channels of one thread over the process's hub."""

    def __init__(self, address: Address, client: Any = None) -> None:
        self.client = client  # kombu remembers there what it declared
        self.hub = Hub.of(address)
        self.channels: dict[int, Channel] = {}
        self.wake = threading.Event()  # set by the hub's thread when there is news
        self._open = True
        self._last = 0

    @property
    def connected(self) -> bool:
        return self._open and self.hub.broken is None

    def channel(self) -> Channel:
        self.check()
        self._last += 1
        self.channels[self._last] = Channel(self, self._last)
        return self.channels[self._last]

    def drain_events(self, timeout: float | None = None) -> None:
        """Tell of one thing that happened: confirms, returns, a message. Raises TimeoutError when nothing does."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self.check()
            self.wake.clear()
            channels = list(self.channels.values())
            for channel in channels:
                channel.flush()
            if any(channel.fire() for channel in channels):
                return
            if any(channel.deliver() for channel in channels):
                return
            if any(channel.take() for channel in channels):
                continue
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                raise TimeoutError("nothing happened")
            self.wake.wait(remaining)

    def check(self) -> None:
        """Raises BrokerAway when this connection is of no use any more."""
        if not self._open:
            raise BrokerAway("the connection is closed")
        if self.hub.broken is not None:
            raise BrokerAway(f"the connection to the broker is lost: {self.hub.broken}")

    def close(self) -> None:
        """In order: what was gathered is published, what is held is given back."""
        if self._open:
            try:
                for channel in list(self.channels.values()):
                    channel.close()
            finally:
                self.collect()

    def collect(self) -> None:
        """Without a farewell."""
        if self._open:
            for channel in list(self.channels.values()):
                channel.collect()
            self._open = False
            self.hub.release()

    def __del__(self) -> None:
        # Who forgot it lost its socket, with RabbitMQ; here what it held must be freed as well.
        if getattr(self, "_open", False):
            with suppress(Exception):
                self.collect()


class Transport(base.Transport):
    """What kombu asks of a transport."""

    can_parse_url = True
    driver_type = "postgresql"
    driver_name = "kezhi"
    client: Any
    connection_errors: Any = (amqp.ConnectionError, OSError)
    channel_errors = (amqp.ChannelError,)
    recoverable_connection_errors = (amqp.RecoverableConnectionError, OSError)
    recoverable_channel_errors = (amqp.RecoverableChannelError,)
    implements = base.Transport.implements.extend(
        exchange_type=frozenset({"direct", "topic", "fanout"}), heartbeats=True
    )

    def __init__(self, client: Any, **_: Any) -> None:
        self.client = client

    def driver_version(self) -> str:
        return "1"

    def establish_connection(self) -> Connection:
        return Connection(Address.of(self.client.hostname), self.client)

    def close_connection(self, connection: Connection) -> None:
        connection.client = None
        connection.close()

    def create_channel(self, connection: Connection) -> Channel:
        return connection.channel()

    def close_channel(self, channel: Channel) -> None:
        channel.close()

    def drain_events(self, connection: Connection, **told: Any) -> None:
        connection.drain_events(**told)

    def verify_connection(self, connection: Connection) -> bool:
        return connection.connected

    def heartbeat_check(self, connection: Connection, rate: int = 2) -> None:
        connection.check()

    def _collect(self, connection: Connection | None) -> None:
        if connection is not None:
            connection.collect()

    def as_uri(self, uri: str, include_password: bool = False, mask: str = "**") -> str:
        parts = urlsplit(uri)
        if not include_password and parts.password:
            parts = parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", f":{mask}@"))
        return urlunsplit(parts)
