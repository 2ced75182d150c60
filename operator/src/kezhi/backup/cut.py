"""One instant for all databases of an installation: what one service had told, and another heard, is never torn apart.

The databases share no transaction. But services touch each other only through outbox and inbox, so for the blink in
which nobody may write to any of these tables, no effect can cross from one service to another; the snapshots taken in
that blink fit together, and the dumps read them at leisure while everything goes on. Without it a dump could hold the
effect of an event whose cause an earlier dump does not know yet.

The embedded broker's snapshot is the first: what it held then has either been taken by then or is taken twice, which
inboxes absorb; what a service had published by then and nobody took yet lies in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from kezhi.installation import SERVICES, Installation

_PATIENCE = 60.0
_LOCK_TIMEOUT = "2s"  # whoever writes waits behind us for as long
_PAUSE = 0.5

# The order in which consumers meet these tables: the other way round, they and we would wait for each other.
_LOCKS = ("LOCK TABLE chassis.inbox IN SHARE MODE", "LOCK TABLE chassis.outbox IN SHARE MODE")


class NoInstant(Exception):
    """A long transaction kept an outbox or inbox busy for all our patience."""


@dataclass(frozen=True)
class Cut:
    """The instant, and under which name each database (service, or ``broker``) shows it to pg_dump."""

    at: datetime
    snapshots: dict[str, str]


@contextmanager
def common_instant(installation: Installation) -> Iterator[Cut]:
    """The cut, kept readable for the life of the block. Raises NoInstant, psycopg.Error."""
    names = list(SERVICES)
    if installation.configuration.embedded_broker:
        names.insert(0, "broker")
    with ExitStack() as stack:
        readers = {name: stack.enter_context(_connect(installation, name)) for name in names}
        with ExitStack() as holding:
            lockers = [holding.enter_context(_connect(installation, service)) for service in SERVICES]
            _hold(lockers)
            snapshots = {name: _export(reader) for name, reader in readers.items()}
            at = datetime.now(UTC)
        yield Cut(at, snapshots)


def _connect(installation: Installation, name: str) -> psycopg.Connection:
    url = installation.broker_url() if name == "broker" else installation.database_url(name, owner=True)
    return psycopg.connect(url, connect_timeout=10, options="-c idle_in_transaction_session_timeout=0")


def _hold(lockers: list[psycopg.Connection]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            for locker in lockers:
                locker.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                for statement in _LOCKS:
                    locker.execute(statement)
        except psycopg.errors.LockNotAvailable:
            for locker in lockers:
                locker.rollback()
            if time.monotonic() > deadline:
                raise NoInstant(
                    f"one transaction (a large import?) has written events for {_PATIENCE:.0f} s; try again later"
                ) from None
            time.sleep(_PAUSE)
        else:
            return


def _export(reader: psycopg.Connection) -> str:
    reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    row = reader.execute("SELECT pg_export_snapshot()").fetchone()
    return str(row[0]) if row else ""
