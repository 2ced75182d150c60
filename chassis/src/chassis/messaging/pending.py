"""The relay's side of the outbox: which partitions are ours, what is pending in them, what became of it.

One dedicated connection holds the session advisory locks, listens for hints, reads and marks. When it dies, the
locks die with it and another relay takes over; what was published but not marked is published again, in the same
order, and the inboxes absorb it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from sqlalchemy.engine import make_url

from chassis.messaging.outbox import CHANNEL, PARTITIONS

# Advisory locks live in a space per database: (this, partition) is owned by one relay, (this, -1) shared by all.
_LOCKS = 0x6B7A
_PRESENCE = -1
GIVE_UP_AFTER = 12  # attempts; with their backoff about an hour
_LONGEST_BACKOFF = timedelta(minutes=10)


class PendingRow(NamedTuple):
    """A row to be published."""

    id: int
    partition: int
    event_id: str
    family: str
    routing_key: str
    partitionkey: str
    body: bytes


# No "id greater than": rows become visible in the order of commits, not of ids, and a late one would be lost.
# What this relay has in its hands is left out by name instead.
_FETCH = """
    SELECT id, partition, event_id, family, routing_key, partitionkey, body FROM chassis.outbox
    WHERE status = 'pending' AND partition = ANY(%b::smallint[]) AND id <> ALL(%s::bigint[])
      AND (not_before IS NULL OR not_before <= %s)
    ORDER BY id LIMIT %s
"""
_MARK = "UPDATE chassis.outbox SET status = 'published', published_at = %s, error = NULL WHERE id = ANY(%s::bigint[])"
_PUT_OFF = """
    UPDATE chassis.outbox SET attempts = attempts + 1, error = %(error)s,
        status = CASE WHEN attempts + 1 >= %(give_up)s THEN 'failed' ELSE 'pending' END,
        not_before = %(now)s + LEAST(%(longest)s, interval '1 second' * (2 ^ attempts))
    WHERE id = %(id)s
"""
_RELAYS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND objsubid = 2 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Pending:
    """The pending rows of the partitions this relay owns. Raises psycopg.OperationalError when the database is away."""

    def __init__(self, database_url: str) -> None:
        url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(url, autocommit=True, connect_timeout=10, application_name="kezhi-relay")
        # A lost mark only means a second publish, so marking need not wait for the disk.
        self.connection.execute("SET synchronous_commit = off")
        self.connection.execute("SET timezone = 'UTC'")
        self.connection.execute(f"LISTEN {CHANNEL}")
        self.connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (_LOCKS, _PRESENCE))
        self.owned: set[int] = set()
        self.leaving: set[int] = set()

    def close(self) -> None:
        """Give up every partition."""
        self.connection.close()

    def hinted(self) -> bool:
        """Whether somebody announced something since the last look; never waits."""
        return any(True for _ in self.connection.notifies(timeout=0))

    def share(self, busy: Collection[int]) -> None:
        """Take or give back partitions until every relay alive has its share.

        A partition to be given back is ``leaving`` first: nothing more of it is fetched, and it is unlocked by a
        later call, when none of its publishes is under way (``busy``), so that its next owner overtakes nothing.
        """
        row = self.connection.execute(_RELAYS, (_LOCKS, _unsigned(_PRESENCE))).fetchone()
        alive = max(1, int(row[0]) if row else 1)
        fair = -(-PARTITIONS // alive)
        for partition in self.leaving - set(busy):
            self.connection.execute("SELECT pg_advisory_unlock(%s, %s)", (_LOCKS, partition))
            self.owned.discard(partition)
            self.leaving.discard(partition)
        staying = sorted(self.owned - self.leaving)
        self.leaving.update(staying[fair:])
        for partition in range(PARTITIONS):
            if len(self.owned) >= fair:
                break
            if partition not in self.owned:
                got = self.connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_LOCKS, partition)).fetchone()
                if got is not None and got[0]:
                    self.owned.add(partition)

    def fetch(self, limit: int, in_hand: Iterable[int], now: datetime) -> list[PendingRow]:
        """The oldest pending rows that are not in hand, each partition in the order of its ids."""
        partitions = list(self.owned - self.leaving)
        if not partitions:
            return []
        with self.connection.cursor(binary=True) as cursor:
            cursor.execute(_FETCH, (partitions, _listed(in_hand), now, limit), prepare=True)
            return [PendingRow(*row) for row in cursor.fetchall()]

    def mark(self, ids: Iterable[int], now: datetime) -> None:
        """These were confirmed by the broker."""
        self.connection.execute(_MARK, (now, _listed(ids)), prepare=True)

    def put_off(self, id: int, error: str, now: datetime) -> None:
        """The broker did not take this one: try again later, or give up and keep it as failed."""
        self.connection.execute(
            _PUT_OFF,
            {
                "id": id,
                "error": error[:1000],
                "now": now,
                "give_up": GIVE_UP_AFTER,
                "longest": _LONGEST_BACKOFF,
            },
        )

    def counts(self) -> tuple[int, int, datetime | None]:
        """Pending and failed rows of all partitions, and when the oldest pending one was written."""
        row = self.connection.execute(
            "SELECT (SELECT count(*) FROM chassis.outbox WHERE status = 'pending'),"
            " (SELECT count(*) FROM chassis.outbox WHERE status = 'failed'),"
            " (SELECT created_at FROM chassis.outbox WHERE status = 'pending' ORDER BY id LIMIT 1)"
        ).fetchone()
        return row or (0, 0, None)


def _listed(ids: Iterable[int]) -> str:
    """An array literal: for thousands of ids far cheaper than a list of parameters."""
    return "{" + ",".join(map(str, ids)) + "}"


def _unsigned(key: int) -> int:
    """pg_locks shows the keys of advisory locks as unsigned."""
    return key & 0xFFFFFFFF
