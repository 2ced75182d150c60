"""``kezhi status``: what runs, since when, and what waits."""

from __future__ import annotations

import time
from typing import Any

import click
import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from chassis.messaging.broker import connect
from chassis.messaging.names import RETRY_DELAYS
from kezhi.engine.server import Engine
from kezhi.home import Home
from kezhi.installation import SERVICES, Installation
from kezhi.queues import standing

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
        left = Engine(home).look()
        also = f"; its PostgreSQL still runs ({left.pid}): `kezhi up` takes it over" if left else ""
        console.print(f"{home.path}: not running{also}")
        raise SystemExit(1)
    if not psutil.pid_exists(state.get("pid", -1)):  # what an earlier supervisor wrote, or none yet
        console.print(f"{home.path}: starting, or a command is at work in it; see {home.log}")
        raise SystemExit(1)
    console.print(f"{home.path}: running, http://127.0.0.1:{configuration.port}")
    processes = Table("process", "pid", "up for", "restarts", "memory")
    for child in [*filter(None, [state.get("engine")]), *state["children"]]:
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
        # Shared pages count once: what gunicorn's processes, or PostgreSQL's, have in common is not there many times.
        shared_out = [getattr(member.memory_full_info(), "pss", member.memory_info().rss) for member in family]
        return f"{sum(shared_out) / 2**20:.0f} MB"
    except (psutil.NoSuchProcess, psutil.AccessDenied):
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
                time.sleep(LOOK_EVERY)
                connection.heartbeat_check()
    finally:
        for runtime in runtimes:
            runtime.engine.dispose()


def _waiting(runtimes: list[Any], connection: Any) -> dict[str, int]:
    found = {}
    for runtime in runtimes:
        with runtime.sessions() as session:
            pending, _, _ = session.execute(WAITING).one()
        found[f"outbox of {runtime.service.name}"] = pending
        for subscription in runtime.service.subscriptions:
            for queue in standing(connection, runtime.names, runtime.service.name, subscription):
                found[queue.queue] = queue.message_count
                with connection.channel() as channel:
                    for name in (runtime.names.retry(queue.queue, delay) for delay in RETRY_DELAYS):
                        found[name] = channel.queue_declare(name, passive=True).message_count
    return {name: count for name, count in found.items() if count}
