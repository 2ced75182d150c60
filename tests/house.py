"""A whole installation for tests and benchmarks: `kezhi up` under a name of its own, on servers or on none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click import ClickException

from chassis.testkit.private_node import free_port
from kezhi.api import Api
from kezhi.databases import create_databases
from kezhi.demo.people import all_of, await_job
from kezhi.home import Home
from kezhi.installation import SERVICES, Installation
from kezhi.packs import default_pack
from kezhi.reset import reset
from kezhi.supervisor import Supervisor
from kezhi.up import await_ready, plan_children, run_prepare
from kezhi_contracts import events

PASSWORD = "correct-horse-客至-battery"  # a test's own, for an installation that lives minutes


@dataclass
class House:
    """A running installation and how to reach it."""

    instance: str
    home: Path
    port: int
    amqp_url: str | None  # None: the embedded broker
    pg_url: str | None  # None: the embedded PostgreSQL
    process: subprocess.Popen[str] | None = None
    told: dict[str, str] = field(default_factory=dict)  # more of its environment

    def environment(self) -> dict[str, str]:
        servers = {"KEZHI_AMQP": self.amqp_url, "KEZHI_PG": self.pg_url}
        return {name: value for name, value in os.environ.items() if name not in servers} | {
            **{name: url for name, url in servers.items() if url is not None},
            "KEZHI_ADMIN_PASSWORD": PASSWORD,
            "KEZHI_HTTP_WORKERS": "1",
            "KEZHI_POOL_SIZE": "2",  # several houses of one test run share a server of a hundred places
            **self.told,
        }

    def command(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run ``kezhi <arguments>`` on this installation to its end."""
        argv = [
            sys.executable,
            "-m",
            "kezhi",
            *arguments,
            "--home",
            str(self.home),
            "--instance",
            self.instance,
        ]
        return subprocess.run(
            argv, env=self.environment(), capture_output=True, text=True, check=False, timeout=300, **options
        )  # type: ignore[call-overload, no-any-return]

    def up(self, *options: str) -> None:
        """Start it and wait for its word."""
        argv = [sys.executable, "-m", "kezhi", "up", "--home", str(self.home), "--instance", self.instance]
        self.process = subprocess.Popen(
            [*argv, "--port", str(self.port), *options],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("ready "):
                return
        log = self.home / "kezhi.log"
        tail = log.read_text()[-4000:] if log.exists() else ""
        raise AssertionError(f"kezhi up ended before it was ready:\n{''.join(said)}\n{tail}")

    def down(self) -> None:
        """SIGTERM, and the promise of 30 seconds."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=35)

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """However the block ends, nothing of the installation is left on the servers."""
        try:
            yield
        finally:
            self.down()
            gone = self.command("reset", "--yes")
            assert gone.returncode == 0, gone.stderr

    def installation(self) -> Installation:
        """Its home and configuration, as the operator's commands see them."""
        home = Home(self.home)
        configuration = home.configuration()
        assert configuration is not None, "never was up"
        return Installation(home, configuration)

    def api(self, username: str = "admin", password: str = PASSWORD) -> Api:
        return Api(f"http://127.0.0.1:{self.port}", username, password)


def build_house(home: Path, amqp_url: str | None = None, pg_url: str | None = None) -> House:
    """An installation on the given servers; what is not given is embedded."""
    return House(f"t{uuid.uuid4().hex[:8]}", home, free_port(), amqp_url, pg_url)


@contextmanager
def found_installation(home: Path, amqp_url: str | None, pg_url: str) -> Iterator[Installation]:
    """An installation as `kezhi up` leaves it before it starts processes; nothing of it stays after the block."""
    place = Home(home)
    place.create()
    made = Installation(place, place.resolved(f"t{uuid.uuid4().hex[:8]}", amqp_url, pg_url, free_port()))
    place.remember(made.configuration)
    told = {"KEZHI_ADMIN_PASSWORD": PASSWORD, "KEZHI_HTTP_WORKERS": "1", "KEZHI_POOL_SIZE": "2"}
    with pytest.MonkeyPatch.context() as environment:
        for name, value in told.items():
            environment.setenv(name, value)
        try:
            create_databases(made)
            run_prepare(made, default_pack())
            yield made
        finally:
            reset(place, made.configuration, sure=True)


@contextmanager
def processes(installation: Installation, ports: dict[str, int], services: Iterable[str]) -> Iterator[Supervisor]:
    """The processes of some services only, kept alive for the block; ready when it begins."""
    wanted = set(services)
    plans = [plan for plan in plan_children(installation, ports) if plan.name.split()[0] in wanted]
    supervisor = Supervisor(plans, installation.home.log)

    with supervisor.running() as stopping:
        await_ready({name: port for name, port in ports.items() if name in wanted}, stopping)
        yield supervisor


def free_ports(installation: Installation) -> dict[str, int]:
    """A port per service; the gateway keeps the one of the configuration."""
    return {name: free_port() for name in SERVICES} | {"gateway": installation.configuration.port}


def register(api: Api, cards: Iterable[str], patience: float = 240.0) -> dict[str, str]:
    """Card → customer id; repeated under one Idempotency-Key until an answer comes, as any careful client would."""

    def one(card: str) -> tuple[str, str]:
        body = {
            "kind": "individual",
            "name": f"Customer {card}",
            "identities": [{"scheme": "card", "value": card}],
        }
        deadline = time.monotonic() + patience
        while True:
            try:
                return card, api.post("/customers", body, f"register-{card}")["id"]
            except (ClickException, httpx.HTTPError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(one, cards))


def take_over(api: Api, cards: Iterable[str]) -> dict[str, str]:
    """Card → customer id, of customers who come in one file."""
    lines = ["name,kind,identity", *(f"Customer {card},individual,card:{card}" for card in cards)]
    job = api.request("POST", "/imports", {"Content-Type": "text/csv"}, content="\n".join(lines).encode())
    await_job(api, job)
    return {one["name"].removeprefix("Customer "): one["id"] for one in all_of(api, "/customers")}


def purchase(
    card: str, total: str, *, number: str | None = None, at: datetime | None = None, source: str = "/pos/test"
) -> dict[str, Any]:
    """A purchase event as another system would publish it."""
    return events.purchase(
        source=source,
        purchase_id=number or uuid.uuid4().hex,
        occurred_at=at or datetime.now(UTC) - timedelta(minutes=1),
        identity=f"card:{card}",
        total=total,
    )
