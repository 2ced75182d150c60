"""The part of a channel that makes, binds and removes exchanges and queues.

What a queue is asked to do and this broker can't is refused at the declaration, not left out in silence.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from amqp.exceptions import InvalidCommand
from amqp.protocol import queue_declare_ok_t

from chassis.messaging.embedded.routing import pattern
from chassis.messaging.embedded.store import Store
from chassis.messaging.embedded.trouble import not_found, refused

_TTL, _LIMIT, _LENGTH = "x-message-ttl", "x-delivery-limit", "x-max-length"
_DEAD_EXCHANGE, _DEAD_KEY = "x-dead-letter-exchange", "x-dead-letter-routing-key"
_STRATEGY, _OVERFLOW = "x-dead-letter-strategy", "x-overflow"
_KNOWN = {_TTL, _LIMIT, _LENGTH, _DEAD_EXCHANGE, _DEAD_KEY, _STRATEGY, _OVERFLOW, "x-queue-type"}
_LARGEST = 2**31 - 1


class Declaring(ABC):
    """Topology as AMQP speaks of it."""

    @abstractmethod
    def _lent(self) -> AbstractContextManager[Store]:
        """A database connection; after an error the channel starts over."""

    def exchange_declare(
        self, exchange: str = "", type: str = "direct", passive: bool = False, durable: bool = False,
        auto_delete: bool = True, nowait: bool = False, arguments: Mapping[str, Any] | None = None, **_: Any,
    ) -> None:  # fmt: skip
        """Make an exchange, or see that it is as asked for. Raises PreconditionFailed, NotFound (``passive``)."""
        with self._lent() as store:
            if passive:
                if store.exchange_kind(exchange) is None:
                    raise not_found(f"no exchange '{exchange}'")
                return
            if type not in {"direct", "topic", "fanout"}:
                raise InvalidCommand(f"COMMAND_INVALID - unknown exchange type '{type}'", (40, 10), "", 503)
            given = dict(arguments or {})
            store.declare_exchange(exchange, type, given.get("alternate-exchange"), {"type": type, "arguments": given})

    def exchange_delete(self, exchange: str, if_unused: bool = False, nowait: bool = False, **_: Any) -> None:
        """Remove an exchange with its bindings; one that isn't there is no error."""
        with self._lent() as store:
            store.delete_exchange(exchange, if_unused)

    def exchange_bind(self, destination: str, source: str = "", routing_key: str = "", **_: Any) -> None:
        """What ``source`` routes by the key goes on to ``destination``. Raises NotFound."""
        self._bind(source, destination, True, routing_key, on=True)

    def exchange_unbind(self, destination: str, source: str = "", routing_key: str = "", **_: Any) -> None:
        """The opposite."""
        self._bind(source, destination, True, routing_key, on=False)

    def queue_declare(
        self, queue: str = "", passive: bool = False, durable: bool = False, exclusive: bool = False,
        auto_delete: bool = True, nowait: bool = False, arguments: Mapping[str, Any] | None = None, **_: Any,
    ) -> queue_declare_ok_t:  # fmt: skip
        """Make a queue, or see that it is as asked for; says how many messages are ready, and how many consume.

        Raises PreconditionFailed when it is otherwise, or wants what this broker can't do; NotFound (``passive``).
        """
        name = queue or f"amq.gen-{uuid.uuid4().hex}"
        with self._lent() as store:
            if not passive:
                given = dict(arguments or {})
                store.declare_queue(name, behaviour(given), {"durable": durable, "arguments": given})
            counts = store.counts(name)
            if counts is None:
                raise not_found(f"no queue '{name}'")
        return queue_declare_ok_t(name, *counts)

    def queue_bind(
        self, queue: str, exchange: str = "", routing_key: str = "", nowait: bool = False, arguments: Any = None,
        **_: Any,
    ) -> None:  # fmt: skip
        """What the exchange routes by the key goes to the queue. Raises NotFound."""
        self._bind(exchange, queue, False, routing_key, on=True)

    def queue_unbind(
        self, queue: str, exchange: str = "", routing_key: str = "", nowait: bool = False, arguments: Any = None,
        **_: Any,
    ) -> None:  # fmt: skip
        """The opposite."""
        self._bind(exchange, queue, False, routing_key, on=False)

    def queue_purge(self, queue: str = "", nowait: bool = False, **_: Any) -> int:
        """Throw away what is ready; answers how much."""
        with self._lent() as store:
            return store.purge(self._queue_id(store, queue))

    def queue_delete(
        self, queue: str = "", if_unused: bool = False, if_empty: bool = False, nowait: bool = False, **_: Any
    ) -> int:
        """Remove a queue with what is in it; answers how much that was. One that isn't there is no error."""
        with self._lent() as store:
            return store.delete_queue(queue, if_unused, if_empty) or 0

    def _bind(self, source: str, destination: str, to_exchange: bool, key: str, *, on: bool) -> None:
        with self._lent() as store:
            if not source:
                if not on or to_exchange or key != destination:
                    raise refused("the default exchange can't be bound")
                return  # every queue is bound to it by its name
            kind = store.exchange_kind(source)
            if kind is None:
                raise not_found(f"no exchange '{source}'")
            store.bind(source, destination, to_exchange, key, pattern(kind, key), on)

    @staticmethod
    def _queue_id(store: Store, queue: str) -> int:
        found = store.queue(queue)
        if found is None:
            raise not_found(f"no queue '{queue}'")
        return found


def behaviour(arguments: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a queue's arguments mean: ttl, dead exchange, dead key, safely, delivery limit, max length.

    Raises PreconditionFailed for what this broker does not do.
    """
    if unknown := sorted(set(arguments) - _KNOWN):
        raise refused(f"the embedded broker knows no queue argument {unknown[0]!r}")
    if arguments.get(_OVERFLOW, "drop-head") != "drop-head" and _LENGTH in arguments:
        raise refused("the embedded broker drops the oldest message of a full queue, it refuses none (x-overflow)")
    for name in (_TTL, _LIMIT, _LENGTH):
        value = arguments.get(name)
        if value is not None and not (isinstance(value, int) and 0 <= value <= _LARGEST):
            raise refused(f"invalid value {value!r} of queue argument {name!r}")
    return (
        arguments.get(_TTL), arguments.get(_DEAD_EXCHANGE), arguments.get(_DEAD_KEY),
        arguments.get(_STRATEGY) == "at-least-once", arguments.get(_LIMIT), arguments.get(_LENGTH),
    )  # fmt: skip
