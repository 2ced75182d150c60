"""After a restore: what was on its way between services at the instant of the backup is sent again.

An event that its service had published, and another had not taken yet, lay in the broker, which a restore does not
bring back (unless it is the embedded one). So published rows of the outbox become pending again, and purchases go from
each service that took them to those that may not have: inboxes and business keys absorb what is known (decision 9).

How far back: an hour before the newest row, or everything that is kept where messages waited in queues. Rows are
compared with rows, never with this machine's clock.
"""

from __future__ import annotations

from datetime import UTC, timedelta

import psycopg

from chassis.messaging.retention import PUBLISHED_KEPT
from kezhi.backup.archive import Manifest
from kezhi.installation import SERVICES, Installation, build_service
from kezhi.resync import republish_purchases

USUAL_SPAN = timedelta(hours=1)  # the ladder of retries takes 16 minutes

_PENDING_AGAIN = """
    UPDATE chassis.outbox SET status = 'pending', attempts = 0, not_before = NULL, published_at = NULL
    WHERE status = 'published'
      AND coalesce(published_at, created_at)
          >= (SELECT max(coalesce(published_at, created_at)) FROM chassis.outbox WHERE status = 'published') - %s
"""
_NEWEST = "SELECT max(received_at) FROM chassis.inbox WHERE body IS NOT NULL"


def span(manifest: Manifest) -> timedelta:
    """How far back of the instant something could have been on its way."""
    return PUBLISHED_KEPT if manifest.waiting else USUAL_SPAN


def publish_again(installation: Installation, back: timedelta) -> int:
    """Set published events pending again; answers how many. The relays publish them when the services start."""
    total = 0
    for service in SERVICES:
        with psycopg.connect(installation.database_url(service)) as database:
            total += database.execute(_PENDING_AGAIN, [back]).rowcount
    return total


def level_purchases(installation: Installation, back: timedelta) -> int:
    """Send purchases to every service that takes them from another that took them; answers how many."""
    takers = [
        service
        for service in map(build_service, SERVICES)
        if any(one.family == "purchases" for one in service.subscriptions)
    ]
    newest = []
    for taker in takers:
        with psycopg.connect(installation.database_url(taker.name)) as database:
            row = database.execute(_NEWEST).fetchone()
            newest += [row[0]] if row and row[0] else []
    if not newest:
        return 0
    since = (min(newest) - back).astimezone(UTC).replace(tzinfo=None)
    return sum(republish_purchases(installation, taker, since) for taker in takers)
