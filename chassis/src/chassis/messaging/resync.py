"""Bringing another service level again (decision 9): for one deployed later, or restored from a backup.

Everything goes to one named queue, so that nobody else hears it twice; inboxes and business keys absorb what is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import text

from chassis.errors import NotFound
from chassis.messaging.broker import Outgoing, Publisher
from chassis.messaging.event import CONTENT_TYPE, Event
from chassis.runtime import Runtime

_PAGE = 1000

# By arrival, so that what is replayed meets the receiver in the order in which it was met here.
_PURCHASES = text(
    """
    SELECT DISTINCT ON (received_at, source, event_id) received_at, source, event_id, body FROM chassis.inbox
    WHERE subscription = ANY(:subscriptions) AND body IS NOT NULL
      AND (received_at, source, event_id) > (:at, :source, :event_id)
    ORDER BY received_at, source, event_id LIMIT :page
    """
)


def republish(runtime: Runtime, snapshot_name: str, queue: str) -> int:
    """Send a snapshot's events to ``queue``, with confirms, in constant memory; returns how many. Raises NotFound."""
    snapshot = next((found for found in runtime.service.snapshots if found.name == snapshot_name), None)
    if snapshot is None:
        raise NotFound(f"{runtime.service.name} has no snapshot {snapshot_name!r}.")
    with runtime.sessions() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        return _send(runtime, queue, (map(_of_event, page) for page in snapshot.pages(session)))


def republish_purchases(runtime: Runtime, since: datetime, queue: str) -> int:
    """Send the raw purchases that this service took at or after ``since`` to ``queue``; returns how many."""
    names = [found.name for found in runtime.service.subscriptions if found.family == "purchases"]
    return _send(runtime, queue, _kept_bodies(runtime, names, since))


def _kept_bodies(runtime: Runtime, subscriptions: list[str], since: datetime) -> Iterator[list[Outgoing]]:
    at, source, event_id = since, "", ""
    while True:
        with runtime.sessions() as session:
            rows = session.execute(
                _PURCHASES,
                {"subscriptions": subscriptions, "at": at, "source": source, "event_id": event_id, "page": _PAGE},
            ).all()
        if not rows:
            return
        yield [Outgoing("", bytes(row.body), CONTENT_TYPE, row.event_id[:63]) for row in rows]
        at, source, event_id = rows[-1][:3]


def _of_event(event: Event) -> Outgoing:
    return Outgoing("", event.to_json(), CONTENT_TYPE, event.id, {"partitionkey": event.partitionkey or event.subject})


def _send(runtime: Runtime, queue: str, pages: Iterable[Iterable[Outgoing]]) -> int:
    publisher = Publisher(runtime.settings.amqp_url)
    sent = 0
    try:
        for page in pages:
            messages = [Outgoing(queue, one.body, one.content_type, one.message_id, one.headers) for one in page]
            publisher.publish(messages)
            sent += len(messages)
    finally:
        publisher.close()
    return sent
