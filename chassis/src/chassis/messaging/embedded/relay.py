"""The relay's way to the embedded broker: a window of rows is one transaction there, its commit their confirm.

A crash between that commit and the mark publishes the window again, in the same order, and the inboxes absorb it.
"""

from __future__ import annotations

import select
import time

from chassis.messaging import metrics
from chassis.messaging.embedded.address import Address
from chassis.messaging.embedded.hub import Hub
from chassis.messaging.embedded.messages import Publish
from chassis.messaging.pending import PendingRow
from chassis.messaging.relay_link import Link
from chassis.messaging.wire import Properties, Unpublishable, check

_TICK = 0.25  # seconds between looks at the stop event


class EmbeddedLink(Link):
    """To the embedded broker, over the process's hub."""

    def run(self) -> None:
        address = Address.of(self.runtime.settings.amqp_url)
        self.properties = Properties(address.user)
        hub = Hub.of(address)
        metrics.RELAY_CONNECTED.set(1)
        try:
            while not (self.stop.is_set() or self.emptied):
                self.keep_house(time.monotonic())
                self.fetch_when_due()
                if self.queue:
                    self._publish(hub)
                elif self.until_empty and self.all_done():
                    self.emptied = True
                else:
                    self._wait()
        finally:
            self.save_marks()
            metrics.RELAY_CONNECTED.set(0)
            hub.release()

    def _publish(self, hub: Hub) -> None:
        rows: list[PendingRow] = []
        messages: list[Publish] = []
        while self.queue and len(rows) < self.window:
            row = self.queue.popleft()
            try:
                messages.append(self._message(row))
                rows.append(row)
            except Unpublishable as why:
                self.put_off(row, "unpublishable", f"it can't be published: {why}")
        with hub.lent() as store:
            returned = set(hub.router.publish(store, messages))
        self.confirmed += [row.id for position, row in enumerate(rows) if position not in returned]
        self.mark()
        for position in returned:
            self.put_off(rows[position], "returned", "returned by the broker: 312 NO_ROUTE")

    def _message(self, row: PendingRow) -> Publish:
        check(row.routing_key, row.body)
        properties = self.properties.encode(row.event_id, row.partitionkey)
        return Publish(self.exchanges[row.family], row.routing_key, properties, row.body, mandatory=True)

    def _wait(self) -> None:
        """Until the database hints, the next look is due, or it is time to look at the stop event."""
        pause = min(_TICK, max(0.0, self.next_poll - time.monotonic()))
        ready, _, _ = select.select([self.pending.connection.fileno()], [], [], pause)
        if ready:
            self.hear()
