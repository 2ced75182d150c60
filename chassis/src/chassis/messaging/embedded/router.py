"""Which queues a message goes to: asked of the database once per exchange and routing key, until the topology changes.

The publishing transaction checks the version that the answers were given under, so an old answer is never used.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from chassis.messaging.embedded.messages import Publish
from chassis.messaging.embedded.store import Store
from chassis.messaging.embedded.trouble import not_found

_MOST = 10_000  # answers kept; whoever invents routing keys must not fill our memory


Pair = tuple[str, str]  # exchange, routing key


class Router:
    """Shared by the threads of a process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._version = 0
        self._known: dict[Pair, list[int]] = {}

    def publish(self, store: Store, messages: Sequence[Publish]) -> list[int]:
        """Publish in one transaction; answers the positions of those that no queue takes.

        Raises NotFound for an exchange that isn't there: then nothing was published.
        """
        pairs = [(message.exchange, message.routing_key) for message in messages]
        while True:
            version, known = self._routes(store, list(dict.fromkeys(pairs)))
            routes = [known[pair] for pair in pairs]
            taken = [position for position, queues in enumerate(routes) if queues]
            to = [routes[position] for position in taken]
            # Also when none is taken: that no queue wants them must be true under the version of this moment.
            if store.publish(version, [messages[position] for position in taken], to):
                break
            with self._guard:
                if self._version == version:
                    self._known = {}
        if taken:
            store.announce({queue for queues in known.values() for queue in queues})
        return [position for position, queues in enumerate(routes) if not queues]

    def _routes(self, store: Store, pairs: Sequence[Pair]) -> tuple[int, dict[Pair, list[int]]]:
        """The queues of each of these, all under one version of the topology."""
        with self._guard:
            version = self._version
            found = {pair: self._known[pair] for pair in pairs if pair in self._known}
        unknown = [pair for pair in pairs if pair not in found]
        if not unknown:
            return version, found
        now, answers = self._ask(store, unknown)
        if now != version and found:
            found = {}
            now, answers = self._ask(store, pairs)
        with self._guard:
            if now != self._version or len(self._known) > _MOST:
                self._version, self._known = now, {}
            self._known |= answers
        return now, found | answers

    @staticmethod
    def _ask(store: Store, pairs: Sequence[Pair]) -> tuple[int, dict[Pair, list[int]]]:
        version, answers = store.route(pairs)
        for (exchange, _), queues in zip(pairs, answers, strict=True):
            if queues is None:
                raise not_found(f"no exchange '{exchange}'")
        return version, {pair: queues or [] for pair, queues in zip(pairs, answers, strict=True)}
