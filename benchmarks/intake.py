"""`intake`: complaints made per second - number, level, handler, clocks, history, link, events - beside the bare rows.

Bars: 0.05 of the floor for the use case (one process, one transaction a case), 0.03 over HTTP (two workers; audit and
idempotency beside it). The floor writes the very rows that the use case wrote: read back, and inserted again into a
fresh database with prepared statements, one transaction a case, one connection. It decides nothing: no rules are read,
nobody is chosen, no deadline is computed. Figures are taken in turns in this run, each on a database of its own.
"""

from __future__ import annotations

import http.client
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
import psycopg

from benchmarks.api import _served
from benchmarks.api_targets import _environment
from benchmarks.earning import PACK
from benchmarks.measure import Sample, Table, rate
from chassis.clock import FakeClock
from chassis.runtime import Runtime, start_runtime
from chassis.settings import Settings
from chassis.testkit import backends, tokens
from chassis.testkit.databases import Databases
from chassis.testkit.people import Company
from chassis.web.principal import Principal
from complaint.bootstrap import build_service
from complaint.cases.intake import receive
from complaint.cases.schemas import IntakeSchema
from complaint.links.domain import FOLLOW
from complaint.links.use_cases import issue

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
CLIENTS = 4
FRONT_DESK = Principal(tokens.staff_id("fei"), "fei", "staff", "/SH/SH001/", frozenset({"front_desk"}))
# table → the column that says whose row it is; the case's own events carry its id as partition key
ROWS = {
    "complaint": "id", "complaint_step": "complaint_id", "clock": "complaint_id", "personal_link": "complaint_id",
    "chassis.due": "key", "chassis.outbox": "partitionkey",
}  # fmt: skip


def main(*, full: bool = False) -> bool:
    """Measure and print; True when every bar is reached."""
    count, times = (1_000, 7) if full else (200, 5)
    bodies = [_body(number) for number in range(count)]
    databases = Databases(backends.postgres_url())
    figures: dict[str, list[float]] = {"floor": [], "memory": [], "http": []}
    try:
        for _ in range(times):
            with _fresh(databases) as (runtime, _url):
                figures["memory"].append(rate(count, _received(runtime, bodies)))
                cases = _read_back(runtime)
            with _fresh(databases) as (_, url):
                figures["floor"].append(rate(count, _inserted(url, cases)))
            with _fresh(databases) as (_, url):
                figures["http"].append(rate(count, _posted(url, bodies)))
    finally:
        databases.close()
    rows = sum(len(parts) for parts in cases) / len(cases)
    return _report(count, rows, {name: Sample(tuple(values)) for name, values in figures.items()})


def _report(count: int, rows: float, figures: dict[str, Sample]) -> bool:
    floor = figures["floor"]
    table = Table(
        f"intake: {count:,} complaints, {rows:.0f} rows each, median of {len(floor.values)}",
        ("", "complaints/s", "spread", "ratio", "bar", "aim"),
    )
    table.row("the same rows, bare (floor), 1 connection", floor, floor.spread, "1", "", "")
    claims = (
        ("use case, 1 process", figures["memory"], 0.05, 0.15),
        (f"over HTTP, 2 workers, {CLIENTS} clients", figures["http"], 0.03, 0.10),
    )
    for name, sample, bar, aim in claims:
        table.row(name, sample, sample.spread, f"{sample.median / floor.median:.2f}", bar, aim)
    table.print()
    return all(sample.median / floor.median >= bar for _, sample, bar, _ in claims)


def _body(number: int) -> dict[str, Any]:
    """Every third is against a product, every tenth of the second level; each from somebody else."""
    body: dict[str, Any] = {
        "channel": "hotline",
        "complainant": {"name": f"顾客 {number}", "phone": f"138{number:08d}"},
        "subject": f"Leaking bottle {number}",
        "description": "The bottle was leaking when it came. " * 5,
        "category": "product.quality",
        "unit": "SH001",
        "wanted": "a new bottle",
        "insists": number % 10 == 0,
        "details": {"batch": f"B2026{number:06d}", "order": f"SH-{number:08d}"},
    }
    if number % 3 == 0:
        body["against"] = {"kind": "product", "ref": f"W-{number}"}
    return body


@contextmanager
def _fresh(databases: Databases) -> Iterator[tuple[Runtime, str]]:
    """A process of the service on a database of its own: the pack in force, twelve people on the ladder at work."""
    service = build_service()
    url = databases.fresh(service, PACK)
    given = Settings(
        service=service.name, database_url=url, amqp_url=backends.DEFAULT_AMQP, mode="evaluation",
        field_keys=(_KEYS["KEZHI_FIELD_KEYS"],),
    )  # fmt: skip
    runtime = start_runtime(service, given, FakeClock(NOW))
    company = Company(runtime)
    company.unit("SH")
    company.unit("SH001", parent="SH")
    company.employ("sun", ["director"])
    company.employ("zhou", ["store_manager"], unit="SH001", superior="sun")
    for number in range(2):
        company.employ(f"chen{number}", ["service_manager"], unit="SH001", superior="zhou")
    for number in range(8):
        company.employ(f"li{number}", ["handler"], unit="SH001", superior="chen0")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    try:
        yield runtime, url
    finally:
        runtime.engine.dispose()
        databases.drop(url)


def _received(runtime: Runtime, bodies: list[dict[str, Any]]) -> float:
    """Seconds for the use case, one transaction a case."""
    said = [IntakeSchema().load(body) for body in bodies]
    began = time.perf_counter()
    for one in said:
        with runtime.context() as context:
            case = receive(context, FRONT_DESK, one)
            issue(context, case, FOLLOW, context.policies.in_force().rules, NOW)
    return time.perf_counter() - began


Statement = tuple[str, list[str | None]]


def _read_back(runtime: Runtime) -> list[list[Statement]]:
    """What each case left in the database, as the statements that write the same again."""
    found: dict[str, list[Statement]] = {}
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        for table, whose in ROWS.items():
            schema, _, name = table.rpartition(".")
            columns = connection.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                [f"{schema or 'public'}.{name}"],
            ).fetchall()
            names = ", ".join(f'"{column}"' for column, _ in columns)
            places = ", ".join(f"%s::{type_}" for _, type_ in columns)
            insert = f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({places})"
            texts = ", ".join(f'"{column}"::text' for column, _ in columns)
            rows = connection.execute(f"SELECT {whose}::text, {texts} FROM {table}").fetchall()  # type: ignore[arg-type]
            for key, *values in rows:
                found.setdefault(key, []).append((insert, values))
    return [statements for statements in found.values() if statements[0][0].startswith("INSERT INTO complaint ")]


def _inserted(url: str, cases: list[list[Statement]]) -> float:
    """Seconds for the bare rows, one transaction a case."""
    with psycopg.connect(url, prepare_threshold=0) as connection:
        began = time.perf_counter()
        for statements in cases:
            with connection.cursor() as cursor:
                for statement, values in statements:
                    cursor.execute(statement, values)  # type: ignore[arg-type]
            connection.commit()
        return time.perf_counter() - began


_KEYS = _environment("")


def _posted(url: str, bodies: list[dict[str, Any]]) -> float:
    """Seconds for ``POST complaints``, from several clients to two workers."""
    environment = {**_KEYS, "KEZHI_DATABASE_URL": url}
    with _served("benchmarks.api_targets:served('complaint.bootstrap')", environment) as base:
        _post(base, bodies[:1] * 8)  # warm
        shares = [bodies[number::CLIENTS] for number in range(CLIENTS)]
        began = time.perf_counter()
        threads = [threading.Thread(target=_post, args=(base, share)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.perf_counter() - began
    with psycopg.connect(url) as connection:
        made = connection.execute("SELECT count(*) FROM complaint").fetchone()
    if made != (len(bodies) + 8,):
        raise RuntimeError(f"{made} complaints were made of {len(bodies) + 8}")
    return elapsed


def _post(base: str, bodies: list[dict[str, Any]]) -> None:
    address = urlsplit(base).netloc
    bearer = tokens.bearer(["front_desk"], "/SH/SH001/", "fei")
    for body in bodies:
        connection = http.client.HTTPConnection(address, timeout=60)  # a sync worker closes after each answer
        headers = {
            "Authorization": bearer, "Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex,
            "Connection": "close",
        }  # fmt: skip
        connection.request("POST", "/api/v1/complaints", orjson.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status != 201:
            raise RuntimeError(f"POST complaints: {answer.status} {said[:500]!r}")


if __name__ == "__main__":
    import sys

    sys.exit(0 if main() else 1)
