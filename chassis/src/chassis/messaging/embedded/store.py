"""The statements of the embedded broker, one method each. Every one is a transaction of its own (``functions.sql``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg.types.json import Jsonb

from chassis.messaging.embedded.messages import Publish, Taken
from chassis.messaging.embedded.trouble import as_trouble

# The plans are always the same: along an index. The tables are empty in one moment and long in the next, and a plan
# that was right for the first would read the whole of the second.
_SETTINGS = (
    "SET synchronous_commit = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET timezone = 'UTC'; SET client_min_messages = warning; SET jit = off"
)


class Store:
    """One database connection. Raises what ``trouble`` lists, nothing of psycopg's. One thread at a time."""

    def __init__(self, conninfo: str, name: str) -> None:
        try:
            self.connection = psycopg.connect(conninfo, autocommit=True, connect_timeout=10, application_name=name)
            self.connection.execute(_SETTINGS)
        except psycopg.Error as error:
            raise as_trouble(error) from error

    @property
    def usable(self) -> bool:
        return not self.connection.closed

    def close(self) -> None:
        self.connection.close()

    # --- publishing

    def route(self, pairs: Sequence[tuple[str, str]]) -> tuple[int, list[list[int] | None]]:
        """The topology's version, and under it the queues of each (exchange, routing key); None: no such exchange."""
        rows = self._all(
            "SELECT t.version, p.number, broker.route(p.exchange, p.key) FROM broker.topology t"
            " CROSS JOIN unnest(%s::text[], %s::text[]) WITH ORDINALITY AS p(exchange, key, number) ORDER BY 2",
            ([exchange for exchange, _ in pairs], [key for _, key in pairs]),
        )
        return rows[0][0], [queues for _, _, queues in rows]

    def publish(self, version: int, messages: Sequence[Publish], queues: Sequence[Sequence[int]]) -> bool:
        """All of them on disk, or False: the topology has another version. Each goes to its ``queues``."""
        expirations = [message.expiration for message in messages]
        of = [number for number, found in enumerate(queues, 1) for _ in found]
        row = self._row(
            "SELECT broker.publish(%s, %s::text[], %s::text[], %b::bytea[], %b::bytea[], %s::boolean[],"
            " %s::integer[], %s::integer[], %s::integer[])",
            (
                version,
                [message.exchange for message in messages],
                [message.routing_key for message in messages],
                [message.properties for message in messages],
                [message.body for message in messages],
                [len(found) > 1 for found in queues],
                expirations if any(expiration is not None for expiration in expirations) else None,
                _listed(of),
                _listed(queue for found in queues for queue in found),
            ),
        )
        return bool(row[0])

    def announce(self, queues: Iterable[int]) -> None:
        """Wake who listens to these queues."""
        self._row("SELECT broker.announce(%s::integer[])", (_listed(queues),))

    # --- consuming

    def open_session(self, client: str, patience: float) -> int:
        return self._row("SELECT broker.open_session(%s, make_interval(secs => %s))", (client, patience))[0]

    def close_session(self, session: int) -> None:
        self._row("SELECT broker.close_session(%s)", (session,))

    def hold(self, session: int, queue: int) -> int:
        return self._row("SELECT broker.hold(%s, %s)", (session, queue))[0]

    def take(self, holder: int, most: int) -> list[Taken]:
        """Lease up to ``most`` messages, in order. Raises LeaseLost."""
        return [Taken(*row) for row in self._all("SELECT * FROM broker.take(%s, %s)", (holder, most))]

    def pop(self, queue: str) -> Taken | None:
        """The first message of a queue, acknowledged at once. Raises NotFound."""
        row = self._maybe("SELECT * FROM broker.pop(%s)", (queue,))
        return None if row is None else Taken(*row)

    def settle(self, holder: int, queue: int, messages: Iterable[int]) -> None:
        """Acknowledge all of these. Raises LeaseLost: then none is."""
        self._row("SELECT broker.settle(%s, %s, %s::bigint[])", (holder, queue, _listed(messages)))

    def release(self, holder: int, queue: int, messages: Iterable[int]) -> list[int]:
        """Give these back; answers the queues to announce."""
        return self._row("SELECT broker.release(%s, %s, %s::bigint[])", (holder, queue, _listed(messages)))[0]

    def reject(self, holder: int, queue: int, messages: Iterable[int]) -> list[int]:
        """Dead-letter these; answers the queues to announce. Raises LeaseLost."""
        return self._row("SELECT broker.reject(%s, %s, %s::bigint[])", (holder, queue, _listed(messages)))[0]

    def leave(self, holders: Iterable[int]) -> list[int]:
        """These consumers are no more; answers the queues to announce."""
        return self._row("SELECT broker.leave(%s::integer[])", (_listed(holders),))[0]

    # --- what the process does once in a while

    def beat(self, session: int, queues: Iterable[int]) -> list[int] | None:
        """Show that we live; the queues of ours that have something ready. None: we were given up."""
        return self._row("SELECT broker.beat(%s, %s::integer[])", (session, _listed(queues)))[0]

    def first_alive(self, session: int) -> bool:
        return self._row("SELECT broker.first_alive(%s)", (session,))[0]

    def sweep(self, *, thoroughly: bool) -> None:
        self._row("SELECT broker.sweep(%s)", (thoroughly,))

    def sweep_bodies(self, after: int, most: int) -> int:
        return self._row("SELECT broker.sweep_bodies(%s, %s)", (after, most))[0]

    # --- topology

    def queue(self, name: str) -> int | None:
        """A queue's id."""
        row = self._maybe("SELECT id FROM broker.queue WHERE name = %s", (name,))
        return None if row is None else row[0]

    def counts(self, name: str) -> tuple[int, int] | None:
        """Messages ready and consumers of a queue."""
        return self._maybe(
            "SELECT (SELECT count(*) FROM broker.delivery d WHERE d.queue = q.id AND d.holder IS NULL),"
            " (SELECT count(*) FROM broker.holder h WHERE h.queue = q.id) FROM broker.queue q WHERE q.name = %s",
            (name,),
        )

    def exchange_kind(self, name: str) -> str | None:
        row = self._maybe("SELECT kind FROM broker.exchange WHERE name = %s", (name,))
        return None if row is None else row[0]

    def declare_exchange(self, name: str, kind: str, alternate: str | None, declared: dict[str, Any]) -> None:
        self._row("SELECT broker.declare_exchange(%s, %s, %s, %s)", (name, kind, alternate, Jsonb(declared)))

    def declare_queue(self, name: str, behaviour: Sequence[Any], declared: dict[str, Any]) -> None:
        """``behaviour``: ttl, dead exchange, dead key, safely, delivery limit, max length."""
        self._row("SELECT broker.declare_queue(%s, %s, %s, %s, %s, %s, %s, %s)", (name, *behaviour, Jsonb(declared)))

    def bind(self, source: str, destination: str, to_exchange: bool, key: str, pattern: str, on: bool) -> None:
        self._row("SELECT broker.bind(%s, %s, %s, %s, %s, %s)", (source, destination, to_exchange, key, pattern, on))

    def delete_exchange(self, name: str, if_unused: bool) -> None:
        self._row("SELECT broker.delete_exchange(%s, %s)", (name, if_unused))

    def delete_queue(self, name: str, if_unused: bool, if_empty: bool) -> int | None:
        return self._row("SELECT broker.delete_queue(%s, %s, %s)", (name, if_unused, if_empty))[0]

    def purge(self, queue: int) -> int:
        return self._row("SELECT broker.empty_queue(%s, false)", (queue,))[0]

    def overview(self) -> tuple[int, int, int, int]:
        """Waiting, held, sessions, bytes."""
        return self._row(
            "SELECT count(*) FILTER (WHERE holder IS NULL), count(*) FILTER (WHERE holder IS NOT NULL),"
            " (SELECT count(*) FROM broker.session), pg_database_size(current_database()) FROM broker.delivery",
            (),
        )

    # --- how

    def _all(self, statement: LiteralString, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            with self.connection.cursor(binary=True) as cursor:
                return cursor.execute(statement, values, prepare=True).fetchall()
        except psycopg.Error as error:
            raise as_trouble(error) from error

    def _maybe(self, statement: LiteralString, values: Sequence[Any]) -> Any:
        rows = self._all(statement, values)
        return rows[0] if rows else None

    def _row(self, statement: LiteralString, values: Sequence[Any]) -> Any:
        return self._all(statement, values)[0]


def _listed(ids: Iterable[int]) -> str:
    """An array literal: for thousands of ids far cheaper than a list of parameters."""
    return "{" + ",".join(map(str, ids)) + "}"
