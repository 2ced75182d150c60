"""``clocks``: what one look of the poller costs while N clocks are open and none is due.

Every case has four open clocks and one due row, as the service itself makes them; the poller is the worker's own. Bar
50 ms a tick, aim 10 ms. Floor: `SELECT 1` in a transaction of its own through the same engine, in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from benchmarks.measure import Sample, Table
from chassis.clock import FakeClock
from chassis.runtime import Runtime, start_runtime
from chassis.settings import Settings
from chassis.testkit import backends
from chassis.testkit.databases import Databases
from chassis.timing.due import DuePoller
from complaint.bootstrap import build_service

BAR, AIM = 50.0, 10.0  # milliseconds
ROUNDS, TICKS = 5, 50
CLOCKS, FULL_CLOCKS = 20_000, 100_000
EACH = 4  # open clocks of a case
PACK = Path(__file__).parents[1] / "policies" / "consumer-goods"
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)

CASES = """
INSERT INTO complaint (id, number, type, channel, status, level, level_reason, subject, description, handler,
    handler_role, received_at, created_at, created_by, policyversion, next_due_at)
SELECT md5(n::text)::uuid, 'TS2026-' || n, 'complaint', 'hotline', 'received', 1, '{}', 'Leaking bottle', 'It leaks.',
    'handler' || n % 50, 'handler', :now, :now, 'fei', 'bench', :now + interval '1 day'
FROM generate_series(1, :cases) n
"""
OPEN_CLOCKS = """
INSERT INTO clock (id, complaint_id, round, level, kind, sequence, status, started_with, started_at, within, warn_share,
    due_at, warn_at, budget_seconds, explanation, provisional, calendar, escalates, policyversion, clause)
SELECT md5(n || kind)::uuid, md5(n::text)::uuid, 1, 1, kind, 1, 'running', 'receive', :now, '1 working day', 0.75,
    :now + interval '1 day', :now + n * interval '1 second', 32400, 'received', false, 'bench', true, 'bench', 'CG-13'
FROM generate_series(1, :cases) n, unnest(ARRAY['first_contact', 'answer', 'progress', 'resolution']) kind
"""
DUE_ROWS = """
INSERT INTO chassis.due (kind, key, due_at, try_at, payload)
SELECT 'complaint-clocks', md5(n::text)::uuid::text, at, at, '{}'
FROM generate_series(1, :cases) n, LATERAL (SELECT :now + n * interval '1 second') later (at)
"""


def main(*, full: bool = False) -> bool:
    """Print the table; False when the bar is missed."""
    clocks = FULL_CLOCKS if full else CLOCKS
    measured: dict[str, list[float]] = {"floor": [], "tick": []}
    with a_service(clocks) as runtime:
        poller = DuePoller(runtime)
        poller.tick()  # the first look reads the policy and prepares the statements
        for _ in range(ROUNDS):
            measured["floor"].append(_milliseconds(lambda: _ask(runtime)))
            measured["tick"].append(_milliseconds(lambda: _look(poller)))
    floor, tick = Sample(tuple(measured["floor"])), Sample(tuple(measured["tick"]))
    table = Table(
        f"clocks: one tick with {clocks:,} open clocks, none due, {ROUNDS} rounds of {TICKS}",
        ("what", "ms", "spread", "bar", "aim"),
    )
    table.row("SELECT 1 in a transaction (floor)", f"{floor.median:.2f}", _spread(floor), "", "")
    table.row("a tick of the poller", f"{tick.median:.2f}", _spread(tick), f"< {BAR:.0f}", f"< {AIM:.0f}")
    table.print()
    return tick.median < BAR


def _look(poller: DuePoller) -> None:
    if poller.tick():
        raise AssertionError("something was due: this would measure work, not a look")


def _spread(sample: Sample) -> str:
    return f"{min(sample.values):.2f}-{max(sample.values):.2f}"


def _ask(runtime: Runtime) -> None:
    with runtime.sessions.begin() as session:
        session.execute(text("SELECT 1"))


def _milliseconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    for _ in range(TICKS):
        act()
    return (time.perf_counter() - began) / TICKS * 1000


@contextmanager
def a_service(clocks: int) -> Iterator[Runtime]:
    """The complaint service on a database of its own with so many open clocks."""
    service = build_service()
    databases = Databases(backends.postgres_url())
    settings = Settings(service.name, database_url=databases.fresh(service, PACK), amqp_url="")
    runtime = start_runtime(service, settings, FakeClock(NOW))
    try:
        with runtime.sessions.begin() as session:
            for statement in (CASES, OPEN_CLOCKS, DUE_ROWS):
                session.execute(text(statement), {"now": NOW, "cases": clocks // EACH})
        with runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        yield runtime
    finally:
        runtime.engine.dispose()
        databases.give_back(settings.database_url)
        databases.close()
