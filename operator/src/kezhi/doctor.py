"""``kezhi doctor``: what is wrong, what is merely tolerated, and what to do about it."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from amqp.exceptions import NotFound
from rich.console import Console
from sqlalchemy import text

from chassis.messaging import topology
from chassis.messaging.broker import BROKER_TROUBLE, connect, user_of
from chassis.messaging.embedded import is_embedded
from chassis.messaging.embedded.looking import look
from chassis.messaging.names import BrokerNames
from kezhi.databases import ServerUnreachable, server_version
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation

OLDEST_POSTGRES = 15
OLDEST_BROKER = (3, 10)
CLOCK_TOLERANCE = 2.0
LEAST_FREE_BYTES = 1 << 30
MOST_LOOKED_AT = 1_000


@dataclass(frozen=True)
class Finding:
    """One look: ``good`` it is well, ``note`` it works but you should know, ``bad`` it must be mended."""

    kind: str
    text: str


def examine(home: Home, configuration: Configuration) -> int:
    """Print all findings; 1 when one of them must be mended."""
    console = Console()
    marks = {"good": "[green]✓[/]", "note": "[yellow]![/]", "bad": "[red]✗[/]"}
    worst = 0
    for finding in findings(Installation(home, configuration)):
        console.print(f"{marks[finding.kind]} {finding.text}", highlight=False)
        worst |= finding.kind == "bad"
    return int(worst)


def findings(installation: Installation) -> Iterator[Finding]:
    """All findings, cheapest first."""
    yield Finding("good", f"Python {sys.version.split()[0]}")
    yield from _home(installation)
    yield from _broker(installation)
    try:
        version = server_version(installation.configuration.pg_url)
    except ServerUnreachable as away:
        yield Finding("bad", str(away))
        return
    if version < OLDEST_POSTGRES:
        yield Finding("bad", f"PostgreSQL {version} is too old: {OLDEST_POSTGRES} or newer is needed")
    else:
        yield Finding("good", f"PostgreSQL {version}")
    for service in SERVICES:
        yield from _database(installation, service)


def _home(installation: Installation) -> Iterator[Finding]:
    home = installation.home
    if not home.path.exists():
        yield Finding("note", f"{home.path} does not exist yet; `kezhi up` makes it")
        return
    free = shutil.disk_usage(home.path).free
    yield Finding("good" if free > LEAST_FREE_BYTES else "bad", f"{free / 2**30:.1f} GB free at {home.path}")
    yield Finding("good" if home.running() else "note", "running" if home.running() else "not running")


def _broker(installation: Installation) -> Iterator[Finding]:
    url = installation.configuration.amqp_url
    try:
        connection = connect(url)
    except BROKER_TROUBLE as away:
        name = "the embedded broker" if is_embedded(url) else "RabbitMQ, under --amqp / KEZHI_AMQP,"
        yield Finding("bad", f"{name} does not answer: {away or type(away).__name__}")
        return
    with connection:
        yield from _embedded(url) if is_embedded(url) else _rabbitmq(connection)
        if topology.has_consistent_hash(url):
            yield Finding("good", "consistent-hash exchange: available; KEZHI_PARTITIONS may split ordered queues")
        else:
            yield Finding(
                "note",
                "consistent-hash exchange: not available; ordered queues stay whole (fine for one worker each)",
            )
        yield from _topology(connection, installation)
    if is_embedded(url):
        yield Finding("note", "open publisher: whoever reaches the embedded broker may publish any purchase")
    elif user_of(url) == "guest":
        yield Finding(
            "note",
            "open publisher: anybody with the guest account may publish any purchase (evaluation mode; "
            "docs/operations.md, Publishers)",
        )


def _rabbitmq(connection: Any) -> Iterator[Finding]:
    version = str((connection.connection.server_properties or {}).get("version", "0.0"))
    recent = tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_BROKER
    yield Finding("good" if recent else "bad", f"RabbitMQ {version}")


def _embedded(url: str) -> Iterator[Finding]:
    found = look(url)
    yield Finding(
        "note",
        f"embedded broker: for evaluation and small shops (RabbitMQ: --amqp); {found.waiting:,} messages wait, "
        f"{found.held:,} are in hand of {found.processes} processes, {found.bytes / 2**20:.0f} MB",
    )


def _topology(connection: Any, installation: Installation) -> Iterator[Finding]:
    names = BrokerNames(installation.configuration.instance)
    channel = connection.channel()
    try:
        for family in ("purchases", "events", "unrouted"):
            channel.exchange_declare(names.exchange(family), "topic", passive=True)
        unrouted = _unrouted(channel, names)
    except NotFound:
        yield Finding(
            "note",
            "exchanges are not declared yet; `kezhi up` or `migrate` declares them with plain arguments",
        )
        return
    channel.close()
    where = f"look into {names.exchange('unrouted')}"
    yield Finding("good", "exchanges are declared")
    if lost := unrouted.pop(names.exchange("purchases"), 0):
        yield Finding("bad", f"{lost:,} messages of other systems reached no queue (a misspelt type?): {where}")
    if unheard := sum(unrouted.values()):
        yield Finding("note", f"{unheard:,} events of our own that no service here listens to yet: {where}")


def _unrouted(channel: Any, names: BrokerNames) -> Counter[str]:
    """Where the newest unrouted messages were published to, by exchange; they stay in the queue."""
    queue = names.exchange("unrouted")
    found: Counter[str] = Counter()
    for _ in range(min(channel.queue_declare(queue, passive=True).message_count, MOST_LOOKED_AT)):
        message = channel.basic_get(queue)
        if message is None:
            break
        found[message.delivery_info["exchange"]] += 1
    return found  # unacknowledged, they return to the queue with the end of the channel


def _database(installation: Installation, service: str) -> Iterator[Finding]:
    try:
        runtime = installation.runtime(service)
        with runtime.sessions() as session:
            theirs = session.scalar(text("SELECT clock_timestamp()"))
            pending, oldest = session.execute(
                text("SELECT count(*), min(created_at) FROM chassis.outbox WHERE status = 'pending'")
            ).one()
            failed = session.scalar(text("SELECT count(*) FROM chassis.outbox WHERE status = 'failed'"))
            letters = session.scalar(text("SELECT count(*) FROM chassis.dead_letter WHERE status = 'waiting'"))
    except Exception as wrong:  # any failure of a look is itself the finding
        cause = getattr(wrong, "orig", wrong)
        missing = isinstance(cause, psycopg.errors.UndefinedTable | psycopg.OperationalError)
        yield Finding(
            "note" if missing else "bad",
            f"{service}: {str(cause).splitlines()[0]} (`kezhi up` creates and migrates)",
        )
        return
    runtime.engine.dispose()
    drift = abs((theirs - datetime.now(UTC)).total_seconds())
    if drift > CLOCK_TOLERANCE:
        yield Finding(
            "bad",
            f"{service}: this machine's clock and the database's differ by {drift:.1f} s; mend the time service",
        )
    if failed:
        yield Finding(
            "bad",
            f"{service}: {failed:,} outbox rows could not be published; `kezhi outbox list` says why, "
            "`kezhi outbox revive` tries again",
        )
    if letters:
        yield Finding("note", f"{service}: {letters:,} dead letters wait: kezhi dead-letters list --service {service}")
    if pending and oldest and time.time() - oldest.timestamp() > 60:
        yield Finding(
            "note",
            f"{service}: {pending:,} events wait in the outbox, the oldest since {oldest:%H:%M:%S} UTC",
        )
    if not (failed or letters or pending):
        yield Finding("good", f"{service}: schema there, nothing waits")
