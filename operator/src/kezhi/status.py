"""``kezhi status``: what runs, since when, and what waits."""

from __future__ import annotations

import time
from typing import Any

import click
import pika
import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from chassis.messaging.names import RETRY_DELAYS
from kezhi.broker import connect
from kezhi.home import Home
from kezhi.installation import SERVICES, Installation

CALM_LOOKS = 4
LOOK_EVERY = 0.25

WAITING = text(
    "SELECT (SELECT count(*) FROM chassis.outbox WHERE status = 'pending'),"
    " (SELECT count(*) FROM chassis.outbox WHERE status = 'failed'),"
    " (SELECT count(*) FROM chassis.dead_letter WHERE status = 'waiting')"
)


def show_status(home: Home) -> None:
    """Print a table of processes and one of backlogs; exit code 1 when the installation is down."""
    configuration = home.configuration()
    if configuration is None:
        raise click.ClickException(f"no installation in {home.path}; start one with `kezhi up`")
    console = Console()
    state: dict[str, Any] = home.read_state()
    if not home.running():
        console.print(f"{home.path}: not running")
        raise SystemExit(1)
    console.print(f"{home.path}: running, http://127.0.0.1:{configuration.port}")
    processes = Table("process", "pid", "up for", "restarts", "memory")
    for child in state["children"]:
        processes.add_row(
            child["name"],
            str(child["pid"]),
            _age(child["started"]),
            str(child["restarts"]),
            _memory(child["pid"]),
        )
    console.print(processes)
    backlog = Table("service", "outbox pending", "outbox failed", "dead letters", "policy")
    installation = Installation(home, configuration)
    for service in state["ports"]:
        runtime = installation.runtime(service)
        with runtime.sessions() as session:
            counts = session.execute(WAITING).one()
        backlog.add_row(service, *map(str, counts), runtime.policies.in_force().version)
        runtime.engine.dispose()
    console.print(backlog)


def _age(started: float) -> str:
    seconds = int(time.time() - started)
    return (
        f"{seconds // 3600} h {seconds // 60 % 60} min" if seconds >= 3600 else f"{seconds // 60} min {seconds % 60} s"
    )


def _memory(pid: Any) -> str:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return f"{sum(member.memory_info().rss for member in family) / 2**20:.0f} MB"
    except psutil.NoSuchProcess:
        return "gone"


def await_quiet(installation: Installation, patience: float) -> None:
    """Return when no outbox and no queue holds work: for upgrades, tests and the demo.

    A broker does not count what a consumer holds unacknowledged, so several calm looks in a row are asked for.
    Raises ClickException naming what still waits after ``patience`` seconds.
    """
    runtimes = [installation.runtime(service) for service in SERVICES]
    deadline = time.monotonic() + patience
    calm = 0
    try:
        with connect(installation.configuration.amqp_url) as connection:
            while calm < CALM_LOOKS:
                waiting = _waiting(runtimes, connection)
                calm = 0 if waiting else calm + 1
                if waiting and time.monotonic() > deadline:
                    raise click.ClickException(
                        "still waiting: " + ", ".join(f"{name} {n:,}" for name, n in waiting.items())
                    )
                connection.sleep(LOOK_EVERY)
    finally:
        for runtime in runtimes:
            runtime.engine.dispose()


def _waiting(runtimes: list[Any], connection: pika.BlockingConnection) -> dict[str, int]:
    found = {}
    channel = connection.channel()
    for runtime in runtimes:
        with runtime.sessions() as session:
            pending, _, _ = session.execute(WAITING).one()
        found[f"outbox of {runtime.service.name}"] = pending
        for subscription in runtime.service.subscriptions:
            queue = runtime.names.queue(runtime.service.name, subscription.name)
            for name in (queue, *(runtime.names.retry(queue, delay) for delay in RETRY_DELAYS)):
                found[name] = channel.queue_declare(name, passive=True).method.message_count
    channel.close()
    return {name: count for name, count in found.items() if count}
