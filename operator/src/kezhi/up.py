"""``kezhi up``: the whole of Kezhi as child processes of one supervisor, on given servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import click
import httpx

from kezhi.databases import ServerUnreachable, create_databases
from kezhi.home import Configuration, Home, HomeInUse
from kezhi.installation import SERVICES, Installation
from kezhi.packs import default_pack
from kezhi.prepare import FOR_THE_PERSON
from kezhi.supervisor import ChildPlan, Supervisor, end_leftovers, note

READY_WITHIN = 60.0


def take_port(wanted: int) -> int:
    """``wanted`` if it is free (0: any). Raises ClickException when somebody else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            raise click.ClickException(f"port {wanted} is taken by another process; choose one with --port N") from None
        return int(probe.getsockname()[1])


def run_prepare(installation: Installation, pack: Path) -> list[str]:
    """Run ``kezhi.prepare`` in a process of its own; answers what to tell the person, its complaint becomes ours."""
    told = {
        "home": str(installation.home.path),
        "configuration": asdict(installation.configuration),
        "pack": str(pack),
    }
    done = subprocess.run(
        [sys.executable, "-m", "kezhi.prepare"],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
    )
    with installation.home.log.open("a") as log:
        log.write(done.stderr)
    if done.returncode == FOR_THE_PERSON:
        raise click.ClickException(done.stderr.strip())
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
        raise click.ClickException(
            f"preparing the installation failed: {last} (whole story in {installation.home.log})"
        )
    return json.loads(done.stdout)


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
    home.create()
    # Seven processes start from the same modules: they may keep what they compiled.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with ExitStack() as stack:
        try:
            stack.enter_context(home.locked())
        except HomeInUse as used:
            raise click.ClickException(f"{used}; stop it first, or choose another --home or --instance") from None
        end_leftovers(home.read_state(), home.log)
        ports = {name: take_port(configuration.port if name == "gateway" else 0) for name in SERVICES}
        home.remember(configuration)
        installation = Installation(home, configuration)
        try:
            create_databases(installation)
        except ServerUnreachable as away:
            raise click.ClickException(f"{away}; check --pg or KEZHI_PG") from None
        told = run_prepare(installation, pack)
        supervisor = Supervisor(plan_children(installation, ports), home.log)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stopping.set())
        stopping = stack.enter_context(supervisor.running())
        note(home.log, f"started {len(supervisor.children)} processes")
        threading.Thread(target=_publish_state, args=(home, ports, supervisor), daemon=True).start()
        await_ready(ports, stopping)
        for word in told:
            say(word)
        yield installation, stopping


def _publish_state(home: Home, ports: dict[str, int], supervisor: Supervisor) -> None:
    last = None
    while True:
        children = supervisor.state()
        if children != last:
            home.write_state({"pid": os.getpid(), "ports": ports, "children": children})
            last = children
        if supervisor.stopping.wait(0.5):
            return


def up(home: Home, configuration: Configuration, pack: Path | None) -> None:
    """Run until SIGTERM; prints ``ready …`` once, then only logs to the home."""
    with running(home, configuration, pack or default_pack()) as (installation, stopping):
        click.echo(f"ready http://127.0.0.1:{installation.configuration.port}   log {home.log}")
        stopping.wait()
