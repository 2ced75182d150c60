"""`expiry`: lots that lapse all at once, as at the end of a year; the worker is killed halfway and another goes on.

Bar: 1,000,000 lots in 5 minutes (3,333 a second), aim 1 minute (16,667). Ours is the schedule's own step, in a process
of its own: a transaction, a use and a `points.expired` for every lot, balances and lots changed. Floor: one SQL
statement per step that does the same to the same tables: no rules, the event's text from a format string, no id that
follows from its fact. Afterwards the books must reconcile and every lot have lapsed exactly once, or it fails.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.synchronize import Event
from typing import Any

import psycopg

from benchmarks.books import NOW, a_ledger, require_reconciled
from benchmarks.measure import Table, rate
from chassis.clock import FakeClock
from chassis.runtime import Runtime, start_runtime
from chassis.testkit import backends
from chassis.testkit.databases import Databases
from loyalty.bootstrap import build_service
from loyalty.expiry.use_cases import expire_lots

BAR, AIM = 1_000_000 / 300, 1_000_000 / 60  # lots a second
LOTS, FULL_LOTS = 100_000, 1_000_000
LAPSING, EACH = 5, 6  # of a member's lots
STEP = 10_000  # lots of one statement of the floor
_FLOOR = """
    WITH due AS MATERIALIZED (
        SELECT member_id, id, remaining AS points, gen_random_uuid() AS transaction_id FROM lot
        WHERE state = 'available' AND remaining > reserved AND expires_at <= %(now)s
        ORDER BY expires_at LIMIT %(step)s FOR UPDATE
    ), gone AS (
        UPDATE lot SET remaining = 0 FROM due WHERE lot.member_id = due.member_id AND lot.id = due.id
    ), posted AS (
        INSERT INTO transaction (member_id, id, kind, business_key, occurred_at, effective_at, recorded_at,
            points_available, points_expired, policyversion, clause, reference)
        SELECT member_id, transaction_id, 'expiry', 'expiry:' || id, %(now)s, %(now)s, %(now)s, -points, points,
            'bench', 'CG-22', 'lot:' || id FROM due
    ), used AS (
        INSERT INTO lot_use SELECT member_id, id, transaction_id, points FROM due
    ), told AS (
        INSERT INTO chassis.outbox (partition, event_id, type, family, routing_key, partitionkey, body, created_at)
        SELECT 1, transaction_id, 'points.expired.v1', 'events', 'points.expired.v1', member_id, convert_to(format(
            %(event)s, transaction_id, member_id, member_id, member_id, transaction_id, id, points), 'UTF8'), %(now)s
        FROM due
    ), bowed AS (
        UPDATE member SET available = available - lost.points
        FROM (SELECT member_id, sum(points) AS points FROM due GROUP BY member_id) AS lost
        WHERE member.customer_id = lost.member_id
    )
    SELECT count(*) FROM due
"""
_EVENT = (
    '{"specversion":"1.0","id":"%s","source":"/kezhi/loyalty","type":"points.expired.v1","subject":"%s",'
    '"time":"2026-11-20T02:00:00+00:00","datacontenttype":"application/json",'
    '"dataschema":"/events/points.expired.v1.json","partitionkey":"%s","policyversion":"bench","data":{'
    '"customer_id":"%s","transaction_id":"%s","lot_id":"%s","points":%s,"expired_at":"2026-10-31T16:00:00+00:00",'
    '"balance":{"pending":0,"available":100,"held":0,"blocked":0}}}'
)
_LAPSED = """
    SELECT count(*) AS transactions, count(DISTINCT reference) AS lots,
        (SELECT count(*) FROM chassis.outbox WHERE type = 'points.expired.v1') AS events
    FROM transaction WHERE kind = 'expiry'
"""


def main(*, full: bool = False) -> bool:
    """Measure and print; True when the bar is reached."""
    lots = FULL_LOTS if full else LOTS
    members = lots // LAPSING
    server = Databases(backends.postgres_url())
    try:
        with a_ledger(server, members, EACH, LAPSING) as runtime:
            floor = _floor(_url(runtime))
            _require_lapsed(runtime, lots, members)
        with a_ledger(server, members, EACH, LAPSING) as runtime:
            before, first = _expire(runtime, until=lots // 2)
            _, second = _expire(runtime)
            _require_lapsed(runtime, lots, members)
    finally:
        server.close()
    took = first + second
    table = Table(
        f"expiry: {lots:,} lots of {members:,} members lapse; the worker is killed after {before:,}",
        ("", "lots/s", "seconds", "ratio", "bar", "aim"),
    )
    table.row("bare SQL, a statement a step (floor)", f"{rate(lots, floor):,.0f}", f"{floor:.1f}", "", "", "")
    reached = rate(lots, took)
    ratio = f"{reached / rate(lots, floor):.2f} of floor"
    table.row("the schedule's steps", f"{reached:,.0f}", f"{took:.1f}", ratio, f"{BAR:,.0f}", f"{AIM:,.0f}")
    table.print()
    return reached >= BAR


def _floor(url: str) -> float:
    with psycopg.connect(url) as connection:
        began = time.perf_counter()
        while True:
            (done,) = connection.execute(_FLOOR, {"now": NOW, "step": STEP, "event": _EVENT}).fetchone() or (0,)
            connection.commit()
            if done == 0:
                return time.perf_counter() - began


def _expire(runtime: Runtime, until: int | None = None) -> tuple[int, float]:
    """How many lots a worker process took and how long; at ``until`` lots it is killed in whatever it does."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    worker = spawn.Process(target=_work, args=(runtime.settings, ready))
    worker.start()
    if not ready.wait(120):
        raise TimeoutError("the worker did not start")
    began = time.perf_counter()
    with psycopg.connect(_url(runtime), autocommit=True) as connection:
        while worker.is_alive():
            if until is not None and _gone(connection) >= until:
                os.kill(worker.pid or 0, signal.SIGKILL)
                break
            worker.join(0.02 if until is not None else None)
        took = time.perf_counter() - began
        worker.join()
        if until is None and worker.exitcode:
            raise RuntimeError(f"the worker ended with {worker.exitcode}")
        return _gone(connection), took


def _gone(connection: psycopg.Connection[Any]) -> int:
    """The outbox numbers its rows, so that a look costs nothing."""
    (told,) = connection.execute("SELECT coalesce(max(id), 0) FROM chassis.outbox").fetchone() or (0,)
    return int(told)


def _work(settings: Any, ready: Event) -> None:
    """What the schedule does, step by step; everything imported and connected before the clock starts."""
    runtime = start_runtime(build_service(), settings, FakeClock(NOW))
    runtime.policies.refresh()
    with runtime.engine.connect():
        pass
    ready.set()
    more = True
    while more:
        with runtime.context() as context:
            more = expire_lots(context)


def _require_lapsed(runtime: Runtime, lots: int, members: int) -> None:
    """Raises RuntimeError unless each lot lapsed once, was told of once, and the books agree."""
    with psycopg.connect(_url(runtime)) as connection:
        found = connection.execute(_LAPSED).fetchone()
    if found != (lots, lots, lots):
        raise RuntimeError(f"transactions, lots and events should be {lots:,} each: {found}")
    require_reconciled(runtime, members)


def _url(runtime: Runtime) -> str:
    return runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
