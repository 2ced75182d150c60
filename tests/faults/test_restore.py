"""One service's database is lost and comes back from a backup: a resync brings it level (docs/operations.md)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from chassis.testkit.backends import postgres_binaries
from kezhi.api import Api
from kezhi.installation import SERVICES, Installation
from kezhi.outlet import Outlet, open_outlet
from kezhi.status import await_quiet
from tests.conftest import Servers
from tests.house import House, build_house, free_ports, processes, purchase, register

pytestmark = [
    pytest.mark.faults,
    pytest.mark.broker,
    pytest.mark.database,
    pytest.mark.timeout(300),
]


@pytest.fixture
def house(tmp_path: Path, outside: Servers) -> Iterator[House]:
    """A running installation of the test's own, whose databases it may lose."""
    made = build_house(tmp_path / "home", *outside)
    made.up()
    yield made
    made.down()
    made.command("reset", "--yes")


class Backup:
    """One service's database as docs/operations.md saves and restores it."""

    def __init__(self, installation: Installation, service: str, file: Path) -> None:
        server = make_url(installation.configuration.pg_url)
        self.name, self.owner = installation.database_name(service), installation.owner_name(service)
        self.server, self.file = server.set(drivername="postgresql"), file

    def save(self) -> None:
        self._run("pg_dump", "--format=custom", f"--file={self.file}", self._url(self.name))

    def restore(self) -> None:
        maintenance = f"--maintenance-db={self._url(self.server.database)}"
        self._run("dropdb", "--force", maintenance, self.name)
        self._run(
            "createdb", maintenance, f"--owner={self.owner}", "--template=template0", "--encoding=UTF8", self.name
        )
        self._run("pg_restore", "--exit-on-error", f"--dbname={self._url(self.name)}", str(self.file))

    def _url(self, database: str | None) -> str:
        return self.server.set(database=database).render_as_string(hide_password=False)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([postgres_binaries() / program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def till(house: House) -> AbstractContextManager[Outlet]:
    """What sells."""
    return open_outlet(house.installation().configuration.amqp_url, f"kezhi.{house.instance}.purchases")


def live(house: House, api: Api, day: int) -> dict[str, str]:
    """A day of a company's life: a new customer who buys, an old one too, and a stranger who registers a day later."""
    found = register(api, [f"known-{day}", f"stranger-{day - 1}"])
    with till(house) as publisher:
        for number in range(3):
            publisher.publish(purchase(f"known-{day}", f"{100 * day + number}.00"))
        publisher.publish(purchase("known-1", f"{day}.00"))
        publisher.publish(purchase(f"stranger-{day}", "70.00"))
    await_quiet(house.installation(), 60)
    return found


def level(house: House, state: str, receiver: str) -> None:
    """What the operator does after a restore."""
    resynced = house.command("resync", state, "--to", receiver)
    assert resynced.returncode == 0, resynced.stderr
    await_quiet(house.installation(), 60)


def books(api: Api, customers: dict[str, str]) -> dict[str, Any]:
    """What loyalty says of each member."""
    return {card: api.get(f"/members/{customer}")["points"] for card, customer in customers.items()}


def archive(api: Api, customers: dict[str, str]) -> dict[str, Any]:
    """What the customer service says of each customer: who they are and what they bought."""
    told = {}
    for card, customer in customers.items():
        bought = api.get("/purchases", customer_id=customer)["items"]
        told[card] = (
            api.get(f"/customers/{customer}")["name"],
            sorted((row["purchase_id"], row["total"]) for row in bought),
        )
    return told


def test_a_service_alone_comes_back_from_its_backup_and_is_level_after_a_resync(house: House, tmp_path: Path) -> None:
    installation = house.installation()
    api = house.api()
    loyalty = Backup(installation, "loyalty", tmp_path / "loyalty.dump")
    customer = Backup(installation, "customer", tmp_path / "customer.dump")
    customers = live(house, api, 1)
    loyalty.save()
    customers |= live(house, api, 2)
    customers |= live(house, api, 3)
    customer.save()
    with till(house) as publisher:
        for card in customers:
            publisher.publish(purchase(card, "45.00"))
    await_quiet(installation, 60)
    before, bought = books(api, customers), archive(api, customers)
    assert sum(points["pending"] for points in before.values()) > 1000
    house.down()

    loyalty.restore()
    ports = free_ports(installation)
    with processes(installation, ports, SERVICES):
        assert len(api.get("/members", limit=200)["items"]) < len(customers)
        level(house, "customers", "loyalty")
        level(house, "purchases", "loyalty")
        assert books(api, customers) == before
        assert archive(api, customers) == bought
        assert api.post("/reconciliations", {}, "after-restore")["mismatches"] == 0

    customer.restore()
    with processes(installation, ports, SERVICES):
        assert archive(api, customers) != bought
        level(house, "purchases", "customer")
        assert archive(api, customers) == bought
        assert books(api, customers) == before
