"""`intake`: complaints made per second - number, level, handler, clocks, history, link, events - beside the bare rows
and beside the tickets of django-helpdesk (``intake_peer.py``).

Bars: twice the peer's tickets over HTTP; 0.05 of the floor for the use case (one process, one transaction a case), 0.03
over HTTP (two workers; audit and idempotency beside it). The floor writes the very rows that the use case wrote: read
back, and inserted again into a fresh database with prepared statements, one transaction a case, one connection. It
decides nothing: no rules are read, nobody is chosen, no deadline is computed. Each side has a database and processes of
its own for the whole run; figures are taken in short turns, the first of which warms all of them and counts for none.
"""

from __future__ import annotations

import http.client
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
import psycopg

from benchmarks import intake_peer
from benchmarks.api import _served
from benchmarks.api_targets import environment_of
from benchmarks.earning import PACK
from benchmarks.measure import Sample, Table, rate
from chassis.clock import FakeClock
from chassis.runtime import Runtime, start_runtime
from chassis.settings import Settings
from chassis.testkit import backends, engine, tokens
from chassis.testkit.databases import Databases
from chassis.testkit.people import Company
from chassis.web.principal import Principal
from complaint.bootstrap import build_service
from complaint.cases.intake import receive
from complaint.cases.schemas import IntakeSchema

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
    count, times = (500, 9) if full else (80, 5)
    bodies = [_body(number) for number in range(count * (times + 1))]
    databases = Databases(backends.postgres_url())
    figures: dict[str, list[float]] = {"floor": [], "memory": [], "http": [], "peer": []}
    with ExitStack() as stack:
        stack.callback(databases.close)
        peer = _peer(stack)
        runtime, _ = stack.enter_context(_company(databases))
        _, floor = stack.enter_context(_company(databases))
        _, url = stack.enter_context(_company(databases))
        ours = stack.enter_context(_serving(url))
        for turn in range(times + 1):  # the first turn warms both sides: connections, prepared statements, caches
            share = bodies[turn * count : (turn + 1) * count]
            elapsed, made = _received(runtime, share)
            cases = _read_back(runtime, made)
            taken = {"memory": elapsed, "floor": _inserted(floor, cases), "http": _posted(ours, url, share)}
            if peer is not None:
                taken["peer"] = _ticketed(peer, share)
            if turn:
                for name, seconds in taken.items():
                    figures[name].append(rate(count, seconds))
    rows = sum(len(parts) for parts in cases) / len(cases)
    return _report(count, rows, {name: Sample(tuple(values)) for name, values in figures.items() if values})


def _report(count: int, rows: float, figures: dict[str, Sample]) -> bool:
    floor = figures["floor"]
    table = Table(
        f"intake: {count:,} complaints, {rows:.0f} rows each, medians of {len(floor.values)} turns",
        ("", "complaints/s", "spread", "ratio", "bar", "aim"),
    )
    table.row("the same rows, bare (floor), 1 connection", floor, floor.spread, "1", "", "")
    claims = (
        ("use case, 1 process", figures["memory"], 0.05, 0.15),
        (f"over HTTP, 2 workers, {CLIENTS} clients", figures["http"], 0.03, 0.10),
    )
    for name, sample, bar, aim in claims:
        table.row(name, sample, sample.spread, f"{_ratio(sample, floor):.2f}", bar, aim)
    reached = _beside_the_peer(table, figures)
    table.print()
    return reached and all(_ratio(sample, floor) >= bar for _, sample, bar, _ in claims)


def _ratio(ours: Sample, theirs: Sample) -> float:
    """The median of the turns' ratios: what loads the machine meanwhile meets both sides of a turn."""
    return statistics.median(one / other for one, other in zip(ours.values, theirs.values, strict=True))


def _beside_the_peer(table: Table, figures: dict[str, Sample]) -> bool:
    """The claim over HTTP against the peer; what could not be measured is said, and fails nothing."""
    http, peer = figures["http"], figures.get("peer")
    if peer is None:
        table.row("django-helpdesk: left out, see above", "-", "-", "-", "", "")
        return True
    table.row(f"django-helpdesk: tickets, 2 workers, {CLIENTS} clients", peer, peer.spread, "1", "", "")
    ratio = _ratio(http, peer)
    table.row("ours over HTTP beside django-helpdesk", http, http.spread, f"{ratio:.1f}", 2, 5)
    return ratio >= 2


def _peer(stack: ExitStack) -> intake_peer.Peer | None:
    try:
        python = stack.enter_context(intake_peer.installed())
    except intake_peer.NotThere as why:
        print(f"django-helpdesk can't be installed here: {why}")
        return None
    return stack.enter_context(intake_peer.serving(python, backends.postgres_url()))


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
def _company(databases: Databases) -> Iterator[tuple[Runtime, str]]:
    """A process of the service on a database of its own: the pack in force, twelve people on the ladder at work."""
    service = build_service()
    url = databases.fresh(service, PACK)
    given = Settings(
        service=service.name, database_url=url, amqp_url=engine.DEFAULT_AMQP, mode="evaluation",
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


def _received(runtime: Runtime, bodies: list[dict[str, Any]]) -> tuple[float, list[str]]:
    """Seconds for the use case, one transaction a case; and the ids of the cases."""
    said = [IntakeSchema().load(body) for body in bodies]
    made = []
    began = time.perf_counter()
    for one in said:
        with runtime.context() as context:
            made.append(receive(context, FRONT_DESK, one).case.id)
    return time.perf_counter() - began, [str(id_) for id_ in made]


Statement = tuple[str, list[str | None]]


def _read_back(runtime: Runtime, made: list[str]) -> list[list[Statement]]:
    """What each of these cases left in the database, as the statements that write the same again."""
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
            asked = f"SELECT {whose}::text, {texts} FROM {table} WHERE {whose}::text = ANY(%s)"
            rows = connection.execute(asked, [made]).fetchall()  # type: ignore[arg-type]
            for key, *values in rows:
                found.setdefault(key, []).append((insert, values))
    return list(found.values())


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


_KEYS = environment_of("")


def _serving(url: str) -> AbstractContextManager[str]:
    """The service under gunicorn; answers where."""
    return _served("benchmarks.api_targets:served('complaint.bootstrap')", {**_KEYS, "KEZHI_DATABASE_URL": url})


def _posted(base: str, database: str, bodies: list[dict[str, Any]]) -> float:
    """Seconds for ``POST complaints``, from several clients to two workers."""
    signed = {"Authorization": tokens.bearer(["front_desk"], "/SH/SH001/", "fei")}
    return _counted(
        lambda: _together(base, "/api/v1/complaints", signed, bodies), lambda: _rows(database, "complaint"), len(bodies)
    )


def _ticketed(peer: intake_peer.Peer, bodies: list[dict[str, Any]]) -> float:
    """Seconds for the same as tickets of the peer."""
    tickets = [peer.ticket(body) for body in bodies]
    return _counted(
        lambda: _together(peer.url, intake_peer.PATH, peer.headers, tickets),
        lambda: _rows(peer.database, "helpdesk_ticket"), len(tickets),
    )  # fmt: skip


def _counted(work: Callable[[], float], rows: Callable[[], int], expected: int) -> float:
    """The seconds of ``work``, once it is certain that it left what it said."""
    before = rows()
    elapsed = work()
    if rows() != before + expected:
        raise RuntimeError(f"{rows() - before} were made of {expected}")
    return elapsed


def _rows(database: str, table: str) -> int:
    with psycopg.connect(database) as connection:
        found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]
    return int(found[0]) if found else 0


def _together(base: str, path: str, signed: dict[str, str], bodies: list[dict[str, Any]]) -> float:
    """Seconds until all of them were taken, from ``CLIENTS`` clients at once."""
    shares = [bodies[number::CLIENTS] for number in range(CLIENTS)]
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda share: _post(base, path, signed, share), shares))
    return time.perf_counter() - began


def _post(base: str, path: str, signed: dict[str, str], bodies: list[dict[str, Any]]) -> None:
    address = urlsplit(base).netloc
    for body in bodies:
        connection = http.client.HTTPConnection(address, timeout=60)  # a sync worker closes after each answer
        headers = {
            **signed, "Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex, "Connection": "close",
        }  # fmt: skip
        connection.request("POST", path, orjson.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status != 201:
            raise RuntimeError(f"POST {path}: {answer.status} {said[:500]!r}")


if __name__ == "__main__":
    import sys

    sys.exit(0 if main() else 1)
