"""On what a storm rages: real servers that the test starts itself, or an installation that needs none.

Both say who can be killed, which disasters there are, and where everything is; the storm and what must be true after it
are the same for both.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from chassis.testkit import engine
from chassis.testkit.broker import eventually
from chassis.testkit.private_postgres import PrivatePostgres
from chassis.testkit.private_rabbitmq import PrivateRabbitMQ
from kezhi.databases import create_databases
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation
from kezhi.supervisor import Supervisor
from kezhi.up import await_ready, run_prepare
from tests.faults.chaos import Victim
from tests.house import PASSWORD, build_house, free_port, free_ports, processes

Disaster = tuple[float, str, Callable[[], None]]  # share of the storm's time, name, what to do


def calm_pack(folder: Path) -> Path:
    """The storm's pack, with the one that it extends beside it."""
    house = Path(__file__).resolve().parents[2]
    shutil.copytree(house / "policies" / "consumer-goods", folder / "consumer-goods")
    return Path(shutil.copytree(Path(__file__).parent / "storm_pack", folder / "storm"))


class Ground(ABC):
    """Where an installation stands."""

    installation: Installation
    port: int  # of the gateway

    @abstractmethod
    def victims(self) -> Sequence[Victim]:
        """The services' processes."""

    @abstractmethod
    def disasters(self) -> Sequence[Disaster]:
        """What befalls the servers."""

    @abstractmethod
    def await_calm(self) -> None:
        """Return when every service is ready again."""


class OnServers(Ground):
    """PostgreSQL and RabbitMQ of the test's own; their owner keeps the services alive itself."""

    def __init__(self, folder: Path, database: PrivatePostgres, broker: PrivateRabbitMQ) -> None:
        self.database, self.broker = database, broker
        home = Home(folder / "home")
        home.create()
        self.installation = Installation(home, Configuration("storm", broker.url, database.url, free_port()))
        self.pack = calm_pack(folder)
        self.ports = free_ports(self.installation)
        self.port = self.ports["gateway"]
        self.supervisor: Supervisor | None = None

    def found(self) -> None:
        """What `kezhi up` does before it starts processes."""
        create_databases(self.installation)
        run_prepare(self.installation, self.pack)

    def victims(self) -> Sequence[Victim]:
        assert self.supervisor is not None
        living = self.supervisor.children
        return [(child.plan.name, child.process.pid if child.process else None) for child in living]

    def disasters(self) -> Sequence[Disaster]:
        return [
            (0.3, "broker restarted", self.broker.restart),
            (0.55, "database restarted", self.database.restart),
            (0.8, "broker restarted", self.broker.restart),
        ]

    def await_calm(self) -> None:
        assert self.supervisor is not None
        await_ready(self.ports, self.supervisor.stopping)


class OnNothing(Ground):
    """`kezhi up` as a shop starts it: its PostgreSQL and its supervisor are killed like everything else."""

    def __init__(self, folder: Path) -> None:
        self.house = build_house(folder / "home")
        self.port = self.house.port
        self.pack = calm_pack(folder)

    def up(self) -> None:
        self.house.up("--policy", str(self.pack))
        self.installation = self.house.installation()

    def victims(self) -> Sequence[Victim]:
        return [(child["name"], child["pid"]) for child in self._state()["children"]]

    def disasters(self) -> Sequence[Disaster]:
        return [
            (0.25, "postmaster killed", self.kill_postmaster),
            (0.5, "supervisor killed", self.kill_supervisor),
            (0.75, "both killed", self.kill_both),
        ]

    def kill_postmaster(self) -> None:
        os.kill(self._postmaster(), signal.SIGKILL)

    def kill_supervisor(self) -> None:
        """The next one adopts the PostgreSQL that outlived it."""
        orphan = self._postmaster()
        self._kill_supervisor()
        self.house.up()
        assert self._postmaster() == orphan, "the running PostgreSQL was not adopted"

    def kill_both(self) -> None:
        """As when the machine's power fails, but for the disk."""
        self.kill_postmaster()
        self._kill_supervisor()
        self.house.up()

    def await_calm(self) -> None:
        await_ready(self._state()["ports"], threading.Event())

    def _kill_supervisor(self) -> None:
        assert self.house.process is not None
        self.house.process.kill()
        self.house.process.wait()

    def _postmaster(self) -> int:
        return int(eventually(lambda: self._alive(self._state()["engine"]["pid"])))

    @staticmethod
    def _alive(pid: int) -> int | None:
        return pid if psutil.pid_exists(pid) else None

    def _state(self) -> dict:
        return self.installation.home.read_state()


@contextmanager
def on_servers(folder: Path) -> Iterator[Ground]:
    """Nodes and processes for the block."""
    with PrivateRabbitMQ() as broker, PrivatePostgres() as database:
        ground = OnServers(folder, database, broker)
        ground.found()
        with processes(ground.installation, ground.ports, SERVICES) as supervisor:
            ground.supervisor = supervisor
            yield ground


@contextmanager
def on_nothing(folder: Path) -> Iterator[Ground]:
    """A home for the block."""
    ground = OnNothing(folder)
    with ground.house.lasting():
        ground.up()
        yield ground


# The long form rages over both; the short one over what this run stands on.
GROUNDS = [on_servers, on_nothing]
if not os.environ.get("KEZHI_LONG"):
    GROUNDS = [on_nothing if len(engine.embedded()) == 2 else on_servers]


@pytest.fixture(params=GROUNDS, ids=lambda made: made.__name__)
def ground(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A running installation of either kind."""
    monkeypatch.setenv("KEZHI_ADMIN_PASSWORD", PASSWORD)
    monkeypatch.setenv("KEZHI_HTTP_WORKERS", "1")
    with request.param(tmp_path) as made:
        yield made
