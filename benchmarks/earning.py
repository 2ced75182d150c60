"""`earning`: purchases become points with the full rules, against the bare set-based SQL of the same rows.

Bars (1 process): 0.40 of the floor for the use case fed from memory, 0.20 through the broker, 15 times the same effect
event by event through an ORM, 1.4 times with a second process. Every figure is taken in this run, in turns, on fresh
tables of the same size.

Floor: batch of 500, one transaction, one statement over arrays: de-duplicate in the batch, inbox, one entry, one lot,
balance, outbox; nothing else, as in quality.md. Its rows are ready before the clock starts; ours begin as the bytes the
broker delivers. The same floor fed by COPY is printed beside it: it shows what handing over the rows costs.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
from sqlalchemy import text

from benchmarks.earning_broker import through_broker
from benchmarks.earning_peer import Peer
from benchmarks.measure import Sample, Table, rate
from chassis.clock import FakeClock
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime, start_runtime
from chassis.settings import Settings
from chassis.testkit import backends, engine
from chassis.testkit.databases import Databases
from loyalty.bootstrap import build_service

BATCH = 500
PACK = Path(__file__).parent.parent / "policies" / "consumer-goods"
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
_FLOOR_TABLES = """
    CREATE TABLE f_inbox (source text, event_id text, received_at timestamptz, body bytea,
                          PRIMARY KEY (source, event_id));
    CREATE TABLE f_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id uuid, key text, amount bigint,
                          at timestamptz);
    CREATE TABLE f_lot (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id uuid, points bigint,
                        remaining bigint, expires_at timestamptz);
    CREATE TABLE f_balance (member_id uuid PRIMARY KEY, balance bigint) WITH (fillfactor = 60);
    CREATE TABLE f_outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text, body bytea,
                           created_at timestamptz, status text DEFAULT 'pending');
    CREATE INDEX ON f_outbox (id) WHERE status = 'pending';
"""
_FLOOR = """
    WITH given AS (
        SELECT DISTINCT ON (source, event_id) * FROM {} AS batch ORDER BY source, event_id
    ), fresh AS (
        INSERT INTO f_inbox SELECT source, event_id, now(), body FROM given ON CONFLICT DO NOTHING
        RETURNING source, event_id
    ), work AS (
        SELECT given.* FROM given JOIN fresh USING (source, event_id)
    ), entries AS (
        INSERT INTO f_entry (member_id, key, amount, at) SELECT member_id, event_id, points, now() FROM work
    ), lots AS (
        INSERT INTO f_lot (member_id, points, remaining, expires_at)
        SELECT member_id, points, points, now() + interval '1 year' FROM work
    ), events AS (
        INSERT INTO f_outbox (key, body, created_at) SELECT event_id, event, now() FROM work
    )
    UPDATE f_balance SET balance = balance + due.points
    FROM (SELECT member_id, sum(points) AS points FROM work GROUP BY member_id) due
    WHERE f_balance.member_id = due.member_id
"""
_FLOOR_COLUMNS = "source text, event_id text, member_id uuid, points bigint, body bytea, event bytea"
_FLOOR_ARRAYS = (
    "(SELECT * FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::bigint[], %s::bytea[], %s::bytea[])"
    " AS given (source, event_id, member_id, points, body, event))"
)


def main(*, full: bool = False) -> bool:
    """Measure and print; True when every bar is reached."""
    count, members, times = (40_000, 8_000, 7) if full else (10_000, 2_000, 5)
    customers = [str(uuid.uuid4()) for _ in range(members)]
    bodies = purchases(count, customers)
    server = Databases(backends.postgres_url())
    figures: dict[str, list[float]] = {"floor": [], "copied": [], "memory": [], "peer": []}
    try:
        for _ in range(times):
            with fresh(server, customers) as runtime:
                figures["floor"].append(rate(count, _floor(runtime, bodies, customers)))
            with fresh(server, customers) as runtime:
                figures["copied"].append(rate(count, _floor(runtime, bodies, customers, copied=True)))
            with fresh(server, customers) as runtime:
                figures["memory"].append(rate(count, _memory(runtime, bodies)))
            with fresh(server, customers) as runtime:
                figures["peer"].append(rate(300, Peer(runtime.engine, customers).take(bodies[:300])))
        broker = through_broker(server, bodies, customers, times, fresh)
    finally:
        server.close()
    return _report(count, members, {name: Sample(tuple(values)) for name, values in (figures | broker).items()})


def _report(count: int, members: int, figures: dict[str, Sample]) -> bool:
    floor, memory = figures["floor"], figures["memory"]
    one, two, peer = figures["broker 1"], figures["broker 2"], figures["peer"]
    table = Table(
        f"earning: {count:,} purchases of {members:,} members, batches of {BATCH}, median of {len(floor.values)}",
        ("", "events/s", "spread", "ratio", "bar", "aim"),
    )
    table.row("bare set-based SQL (floor), 1 process", floor, floor.spread, "", "", "")
    copied = figures["copied"]
    table.row("the same, fed by COPY", copied, copied.spread, f"{copied.median / floor.median:.2f} of floor", "", "")
    claims = (
        ("loyalty from memory, 1 process", memory, memory.median / floor.median, "of floor", 0.40, 0.70),
        ("loyalty through the broker, 1 process", one, one.median / floor.median, "of floor", 0.20, 0.35),
        ("loyalty through the broker, 2 processes", two, two.median / one.median, "of one", 1.4, 1.7),
        ("the ORM, event by event (peer)", peer, memory.median / peer.median, "times: ours", 15, 30),
    )
    for name, sample, ratio, of, bar, aim in claims:
        table.row(name, sample, sample.spread, f"{ratio:.2f} {of}", bar, aim)
    table.print()
    return all(ratio >= bar for _, _, ratio, _, bar, _ in claims)


def purchases(count: int, customers: list[str]) -> list[bytes]:
    """Purchases as a till would publish them: two lines, spread over five days, one in a hundred told twice."""
    draw = random.Random(1997)
    bodies: list[bytes] = []
    for number in range(count):
        if number % 100 == 99:
            bodies.append(bodies[-7])
            continue
        water, bread = draw.randrange(2, 400), draw.randrange(1, 90)
        at = (NOW - timedelta(minutes=(count - number) * 7200 // count)).isoformat()
        bodies.append(
            orjson.dumps(
                {
                    "specversion": "1.0", "type": "purchase.completed.v1", "source": f"/pos/shop-{number % 20:03d}",
                    "id": f"20261120-{number:08d}", "time": at, "subject": "card",
                    "datacontenttype": "application/json",
                    "data": {
                        "purchase_id": f"SH-20261120-{number:08d}",
                        "customer": {"identity": f"card:{draw.randrange(len(customers))}"},
                        "occurred_at": at, "store": f"SH{number % 20:03d}", "channel": "store", "currency": "CNY",
                        "total": f"{water + bread}.50",
                        "lines": [
                            {"sku": "W-500", "name": "纯净水 500ml", "category": "water", "quantity": "24",
                             "unit_price": "2.00", "amount": f"{water}.00", "batch": "B20261101"},
                            {"sku": "B-001", "name": "全麦面包", "category": "bread", "quantity": "1",
                             "amount": f"{bread}.50"},
                        ],
                        "payment": "wechat",
                    },
                }
            )
        )  # fmt: skip
    return bodies


@contextmanager
def fresh(server: Databases, customers: list[str], **settings: object) -> Iterator[Runtime]:
    """A process of the service on a database of its own: members enrolled, each known by a card, pack in force."""
    service = build_service()
    url = server.fresh(service, PACK)
    given = {"amqp_url": engine.DEFAULT_AMQP, "mode": "evaluation", **settings}
    runtime = start_runtime(service, Settings(service="loyalty", database_url=url, **given), FakeClock(NOW))  # type: ignore[arg-type]
    with runtime.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO member (customer_id, enrolled_at, tier)"
                " SELECT unnest(CAST(:ids AS uuid[])), :now, 'ordinary'"
            ),
            {"ids": customers, "now": NOW},
        )
        session.execute(
            text(
                "INSERT INTO identity SELECT 'card:' || n - 1, id"
                " FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS c (id, n)"
            ),
            {"ids": customers},
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    try:
        yield runtime
    finally:
        runtime.engine.dispose()
        server.drop(url)


def _memory(runtime: Runtime, bodies: list[bytes]) -> float:
    began = time.perf_counter()
    deliver(runtime, "purchases", bodies)
    return time.perf_counter() - began


def _floor(runtime: Runtime, bodies: list[bytes], customers: list[str], *, copied: bool = False) -> float:
    """Seconds for the bare SQL: a batch handed over as arrays, or - for comparison - by COPY into a temporary table."""
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        connection.execute(_FLOOR_TABLES)
        connection.cursor().executemany("INSERT INTO f_balance VALUES (%s, 0)", [(customer,) for customer in customers])
        connection.execute(f"CREATE TEMP TABLE f_batch ({_FLOOR_COLUMNS}) ON COMMIT DELETE ROWS")
        connection.commit()
        batches = _floor_batches(bodies, customers)
        began = time.perf_counter()
        for rows in batches:
            with connection.cursor() as cursor:
                if copied:
                    with cursor.copy("COPY f_batch FROM STDIN") as copy:
                        for row in rows:
                            copy.write_row(row)
                    cursor.execute(_FLOOR.format("f_batch"))
                else:
                    cursor.execute(_FLOOR.format(_FLOOR_ARRAYS), [list(column) for column in zip(*rows, strict=True)])
            connection.commit()
        return time.perf_counter() - began


def _floor_batches(bodies: list[bytes], customers: list[str]) -> list[list[tuple[Any, ...]]]:
    """The same purchases as rows, points worked out and the event made, before the clock starts."""
    rows: list[tuple[Any, ...]] = []
    for body in bodies:
        event = orjson.loads(body)
        member = uuid.UUID(customers[int(event["data"]["customer"]["identity"].partition(":")[2])])
        points = int(event["data"]["total"].partition(".")[0])
        told = {"customer_id": member, "purchase": event["data"]["purchase_id"], "points": points, "why": "x" * 500}
        rows.append((event["source"], event["id"], member, points, body, orjson.dumps(told)))
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
