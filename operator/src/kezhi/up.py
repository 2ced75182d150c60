"""``kezhi up``: the whole of Kezhi as child processes of one supervisor, on given servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import click
import httpx

from chassis.signals import stop_on_signal
from kezhi.databases import ServerUnreachable, create_databases
from kezhi.engine.cluster import is_free
from kezhi.engine.server import Engine, EngineFailure
from kezhi.home import Configuration, Home, HomeInUse
from kezhi.installation import SERVICES, Installation
from kezhi.nursery import Done, Nursery, run_alone
from kezhi.packs import default_pack
from kezhi.prepare import FOR_THE_PERSON
from kezhi.supervisor import ChildPlan, Supervisor, end_leftovers, note

READY_WITHIN = 60.0
LEFTOVERS_END_WITHIN = 15.0


def take_port(wanted: int, patience: float = 0.0) -> int:
    """``wanted`` if it is free (0: any), now or within ``patience`` seconds.

    Raises ClickException when somebody else listens there.
    """
    deadline = time.monotonic() + patience
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                if time.monotonic() < deadline:
                    time.sleep(0.1)
                    continue
                raise click.ClickException(
                    f"port {wanted} is taken by another process; choose one with --port N"
                ) from None
            return int(probe.getsockname()[1])


def next_free_port(wanted: int, say: Callable[[str], None]) -> int:
    """``wanted``, or the next port that is free, and then a word about it: for who did not choose the port."""
    for port in range(wanted, min(wanted + 100, 65_536)):
        if is_free(port):
            if port != wanted:
                say(f"port {wanted} is taken by another process; taking {port}")
            return port
    raise click.ClickException(f"no port is free from {wanted} on; choose one with --port N")


def run_prepare(installation: Installation, pack: Path, run: Callable[[str, str], Done] = run_alone) -> list[str]:
    """Run ``kezhi.prepare`` in a process of its own; answers what to tell the person, its complaint becomes ours."""
    told = {
        "home": str(installation.home.path),
        "configuration": asdict(installation.configuration),
        "pack": str(pack),
    }
    done = run("kezhi.prepare", json.dumps(told))
    with installation.home.log.open("a") as log:
        log.write(done.complaint)
    if done.code == FOR_THE_PERSON:
        raise click.ClickException(done.complaint.strip())
    if done.code:
        last = done.complaint.strip().splitlines()[-1] if done.complaint.strip() else f"exit code {done.code}"
        raise click.ClickException(
            f"preparing the installation failed: {last} (whole story in {installation.home.log})"
        )
    told_back: list[str] = json.loads(done.said)
    return told_back


def plan_children(installation: Installation, ports: dict[str, int]) -> list[ChildPlan]:
    """Two processes per service: one answers HTTP, one works through queues, outbox and due rows."""
    plans = []
    for name in SERVICES:
        environment = installation.environment(name, ports)
        metrics = installation.home.path / "metrics" / name  # given here, serve need not start twice to share counts
        metrics.mkdir(parents=True, exist_ok=True)
        for verb, own in (("serve", {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}), ("work", {})):
            plans.append(ChildPlan(f"{name} {verb}", (sys.executable, "-m", name, verb), {**environment, **own}))
    return plans


def await_ready(ports: dict[str, int], stopping: threading.Event) -> None:
    """Return when every service says it is ready. Raises ClickException naming those that do not."""
    waiting = set(ports)
    deadline = time.monotonic() + READY_WITHIN
    with httpx.Client(timeout=2.0, trust_env=False) as http:
        while waiting and not stopping.is_set():
            for name in sorted(waiting):
                try:
                    if http.get(f"http://127.0.0.1:{ports[name]}/health/ready").status_code == 200:
                        waiting.discard(name)
                except httpx.HTTPError:
                    continue
            if waiting and time.monotonic() > deadline:
                raise click.ClickException(
                    f"not ready after {READY_WITHIN:.0f} s: {', '.join(sorted(waiting))}; see the log"
                )
            if waiting:
                stopping.wait(0.1)


@contextmanager
def running(
    home: Home, configuration: Configuration, pack: Path, say: Callable[[str], None] = click.echo
) -> Iterator[tuple[Installation, threading.Event]]:
    """A running installation for the life of the block; answers it with the event that ends it."""
    os.umask(0o077)  # logs, metrics, messages that become files: nothing of it is for others
    home.create()
    # Eleven processes start from the same modules: they may keep what they compiled.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with ExitStack() as stack:
        try:
            stack.enter_context(home.locked())
        except HomeInUse as used:
            raise click.ClickException(f"{used}; stop it first, or choose another --home or --instance") from None
        if home.half_restored():
            raise click.ClickException("a restore was cut off here: run `kezhi restore FILE --replace` again")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)  # until the supervisor takes over: whatever was started ends in order
        # After a killed supervisor: a child that it had just started stands in no state, and ends by itself.
        patience = LEFTOVERS_END_WITHIN if end_leftovers(home.read_state(), home.log) else 0.0
        ports = {name: take_port(configuration.port if name == "gateway" else 0, patience) for name in SERVICES}
        nursery = Nursery()
        engine = None
        if configuration.embedded_database:
            try:
                engine = stack.enter_context(Engine(home).running(say))
            except EngineFailure as failed:
                raise click.ClickException(str(failed)) from None
        home.remember(configuration)
        configuration = home.refreshed(configuration)  # the server's port is known by now
        installation = Installation(home, configuration)
        try:
            create_databases(installation)
        except ServerUnreachable as away:
            raise click.ClickException(f"{away}; check --pg or KEZHI_PG") from None
        supervisor = Supervisor(plan_children(installation, ports), home.log, nursery.start)
        stop_on_signal(supervisor.stopping)
        stopping = stack.enter_context(supervisor.running())
        try:
            told = run_prepare(installation, pack, nursery.run)
        except click.ClickException:
            if not stopping.is_set():  # a signal that reached all of us: there is nothing to complain about
                raise
            told = []
        nursery.open()
        note(home.log, f"started {len(supervisor.children)} processes")
        threading.Thread(target=_publish_state, args=(home, ports, supervisor, engine), daemon=True).start()
        await_ready(ports, stopping)
        for word in told:
            say(word)
        yield installation, stopping


def _leave(*_: object) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):  # a second one must not cut off the leaving
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + signal.SIGTERM)


def _publish_state(home: Home, ports: dict[str, int], supervisor: Supervisor, engine: Engine | None) -> None:
    last = None
    while True:
        now = {"children": supervisor.state(), "engine": engine.state() if engine else None}
        if now != last:
            home.write_state({"pid": os.getpid(), "ports": ports, **now})
            last = now
        if supervisor.stopping.wait(0.5):
            return


def up(home: Home, configuration: Configuration, pack: Path | None) -> None:
    """Run until SIGTERM; prints ``ready …`` once, then only logs to the home."""
    with running(home, configuration, pack or default_pack()) as (installation, stopping):
        click.echo(f"ready http://127.0.0.1:{installation.configuration.port}   log {home.log}")
        stopping.wait()
