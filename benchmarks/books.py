"""Valid books of any size, made in SQL: purchases of a year ago with their lots, keys and balances, that reconcile.

Every purchase is one transaction of four entries (points available and issued, growth available and issued) and one
lot. A member's purchases lie as far apart as time would have put them: one round of all members follows the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path

import psycopg
from sqlalchemy import text

from chassis.clock import FakeClock
from chassis.runtime import Runtime, start_runtime
from chassis.settings import Settings
from chassis.testkit.databases import Databases
from loyalty.bootstrap import build_service
from loyalty.reporting.reconciliation import reconcile

PACK = Path(__file__).parents[1] / "policies" / "consumer-goods"
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
ENTRIES = 4  # of a purchase

_PURCHASES = """
    CREATE TEMP TABLE bought ON COMMIT DROP AS
    SELECT md5((n % {members})::text)::uuid AS member_id,
        (lpad(to_hex(1760000000000 + n), 12, '0') || '7' || substr(md5('p' || n), 1, 3) || '8'
            || substr(md5('p' || n), 4, 15))::uuid AS id,
        'purchase:B' || n AS key, 10 + n % 190 AS points,
        timestamptz '2025-11-01' + n * interval '300 days' / {purchases} AS at,
        n / {members} < {lapsing} AS lapses
    FROM generate_series(0, {purchases} - 1) AS n
"""
_BOOKED = (
    """
    INSERT INTO transaction (member_id, id, kind, business_key, occurred_at, effective_at, recorded_at,
        points_available, points_issued, growth_available, growth_issued, policyversion, clause, detail)
    SELECT member_id, id, 'purchase', key, at, at, at, points, -points, points, -points, 'bench', 'CG-22',
        format('{"total":"%s.50","currency":"CNY","tier":"ordinary","breakdown":[{"rule":"base","points":%s,'
            '"growth":%s,"clause":"CG-22","detail":"of %s.50 CNY"}]}', points, points, points, points)::json
    FROM bought
    """,
    """
    INSERT INTO lot (member_id, id, transaction_id, state, points, remaining, unit_cost, earned_at, available_at,
        expires_at)
    SELECT member_id, id, id, 'available', points, points, 0.01, at, at + interval '7 days',
        CASE WHEN lapses THEN timestamptz '2026-10-31 16:00+00' ELSE timestamptz '2027-12-31 16:00+00' END
    FROM bought
    """,
    "INSERT INTO business_key SELECT key, decode(md5(key), 'hex'), member_id, id FROM bought",
    """
    INSERT INTO member (customer_id, enrolled_at, tier, available, growth, growth_first, growth_until)
    SELECT member_id, '2025-11-01', 'ordinary', sum(points), sum(points), min(at), max(at)
    FROM bought GROUP BY member_id
    """,
    "INSERT INTO identity SELECT '#' || customer_id, customer_id FROM member",
)


def member_id(number: int) -> uuid.UUID:
    """The id of the member with this number, 0 being the first."""
    return uuid.UUID(md5(str(number).encode(), usedforsecurity=False).hexdigest())


@contextmanager
def a_ledger(server: Databases, members: int, each: int, lapsing: int = 0) -> Iterator[Runtime]:
    """The loyalty service on a database of its own: members with ``each`` purchases, the first ``lapsing`` lots over.

    Raises RuntimeError when the books made do not reconcile.
    """
    service = build_service()
    url = server.fresh(service, PACK)
    runtime = start_runtime(
        service, Settings(service.name, database_url=url, amqp_url="", mode="evaluation"), FakeClock(NOW)
    )
    try:
        with psycopg.connect(url) as connection:
            connection.execute("SET LOCAL synchronous_commit = off")
            sizes = {"members": members, "purchases": members * each, "lapsing": lapsing}
            connection.execute(_PURCHASES.format(**sizes))
            for statement in _BOOKED:
                connection.execute(statement)
        settle(url)
        if require_reconciled(runtime, members) != members * each * ENTRIES:
            raise RuntimeError("the books hold more or fewer entries than were made")
        yield runtime
    finally:
        runtime.engine.dispose()
        server.drop(url)


def settle(url: str) -> None:
    """Statistics and a quiet disk before anything is measured."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def require_reconciled(runtime: Runtime, members: int) -> int:
    """Check every account against its entries; how many entries there are. Raises RuntimeError for a difference."""
    with runtime.sessions.begin() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        found = reconcile(session)
    if found["mismatches"] or found["accounts"] != members:
        raise RuntimeError(f"the books of {found['accounts']:,} of {members:,} accounts: {found['details'][:3]}")
    return int(found["entries"])
