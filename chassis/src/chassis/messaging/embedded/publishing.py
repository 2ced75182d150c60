"""The part of a channel that publishes: gathered into windows, one transaction each, confirmed after its commit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NoReturn

from amqp.exceptions import ChannelError, error_for_code

from chassis.messaging.embedded.messages import Publish, read
from chassis.messaging.embedded.store import Store
from chassis.messaging.embedded.trouble import refused

if TYPE_CHECKING:
    from chassis.messaging.embedded.hub import Hub

_WINDOW = 500  # publishes that are put together into one transaction, at most
_WINDOW_BYTES = 8 * 1024 * 1024


class Publishing(ABC):
    """Publishes as AMQP speaks of them, with confirms and returns as events."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.events: dict[str, set[Callable[..., Any]]] = {
            "basic_ack": set(), "basic_nack": set(), "basic_return": set()
        }  # fmt: skip
        self._confirming = False
        self._published = 0  # publishes since confirms were asked for: their tags
        self._window: list[Publish] = []
        self._window_bytes = 0
        self._returned: list[Publish] = []
        self._confirmed = 0  # the newest tag whose confirm was not told yet

    @abstractmethod
    def _check_open(self) -> None:
        """Raises when the channel was closed."""

    @abstractmethod
    def _lent(self) -> AbstractContextManager[Store]:
        """A database connection; after an error the channel starts over."""

    @abstractmethod
    def _fail(self, error: Exception) -> NoReturn:
        """Start over, and raise."""

    def _forget_window(self) -> None:
        self._window.clear()
        self._window_bytes = 0

    def confirm_select(self, nowait: bool = False) -> None:
        """From now on publishes are gathered, and confirmed by ``drain_events`` after their one commit."""
        self._confirming = True

    def basic_publish(
        self, msg: Any, exchange: str = "", routing_key: str = "", mandatory: bool = False, immediate: bool = False,
        **_: Any,
    ) -> None:  # fmt: skip
        """Publish. Without confirms it is on disk when this returns; with them, when its confirm came."""
        self._check_open()
        body = msg.body.encode() if isinstance(msg.body, str) else bytes(msg.body)
        user = msg.properties.get("user_id")
        if user is not None and user != self._hub.address.user:
            self._fail(
                refused(f"user_id property set to '{user}' but authenticated user was '{self._hub.address.user}'")
            )
        publish = Publish(
            exchange, routing_key, msg._serialize_properties(), body, mandatory, _milliseconds(msg.properties)
        )
        self._window.append(publish)
        self._window_bytes += len(body)
        if not self._confirming or len(self._window) >= _WINDOW or self._window_bytes >= _WINDOW_BYTES:
            self.flush()

    def flush(self) -> None:
        """Publish what was gathered, in one transaction. Raises NotFound, BrokerAway: then it may not be there."""
        window, self._window, self._window_bytes = self._window, [], 0
        if not window:
            return
        with self._lent() as store:
            unroutable = self._hub.router.publish(store, window)
        self._returned += [window[position] for position in unroutable if window[position].mandatory]
        if self._confirming:
            self._published += len(window)
            self._confirmed = self._published

    def fire(self) -> bool:
        """Tell of returns and confirms that have come meanwhile; whether there were any."""
        if not self._returned and not self._confirmed:
            return False
        returned, self._returned = self._returned, []
        confirmed, self._confirmed = self._confirmed, 0
        for publish in returned:
            error = error_for_code(312, "NO_ROUTE", (60, 50), ChannelError)
            message = read(publish.properties, publish.body, self)
            handlers = self.events["basic_return"]
            if not handlers:
                raise error
            for handler in list(handlers):
                handler(error, publish.exchange, publish.routing_key, message)
        if confirmed:
            for handler in list(self.events["basic_ack"]):
                handler(confirmed, True)
        return True


def _milliseconds(properties: Mapping[str, Any]) -> int | None:
    """A message's own time to live."""
    expiration = properties.get("expiration")
    return int(expiration) if expiration is not None else None
