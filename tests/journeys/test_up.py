"""`kezhi up` as operations meet it: ready once, one supervisor per home, restarts, orderly end, complete removal."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.conftest import Servers
from tests.house import House, build_house

pytestmark = [
    pytest.mark.broker,
    pytest.mark.database,
    pytest.mark.timeout(300),
]


def children(house: House) -> list[dict]:
    return house.installation().home.read_state()["children"]  # type: ignore[return-value]


def test_status_and_doctor_find_it_well(house: House) -> None:
    status, doctor = house.command("status"), house.command("doctor")

    assert status.returncode == 0, status.stdout + status.stderr
    for name in (
        "customer serve",
        "customer work",
        "loyalty serve",
        "loyalty work",
        "gateway serve",
        "gateway work",
    ):
        assert name in status.stdout
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "open publisher" in doctor.stdout


def test_a_second_supervisor_is_refused(house: House) -> None:
    second = house.command("up", "--port", str(house.port))

    assert second.returncode == 1
    assert "another `kezhi up` runs" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_killed_child_comes_back(house: House) -> None:
    before = {child["name"]: child for child in children(house)}
    victim = before["loyalty work"]

    os.kill(victim["pid"], signal.SIGKILL)

    deadline = time.monotonic() + 30
    while (now := {child["name"]: child for child in children(house)}["loyalty work"])["restarts"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert now["pid"] != victim["pid"]
    assert psutil.pid_exists(now["pid"])


def test_a_taken_port_is_said_plainly(tmp_path: Path, servers: Servers) -> None:
    house = build_house(tmp_path / "home", *servers)
    with socket.socket() as other:
        other.bind(("127.0.0.1", house.port))
        other.listen()
        refused = house.command("up", "--port", str(house.port))

    assert refused.returncode == 1
    assert f"port {house.port} is taken" in refused.stderr


def test_servers_that_are_away_are_said_plainly(tmp_path: Path) -> None:
    house = build_house(
        tmp_path / "home", "amqp://guest:guest@127.0.0.1:1//", "postgresql://postgres@127.0.0.1:1/postgres"
    )

    refused = house.command("up", "--port", str(house.port))

    assert refused.returncode == 1
    assert "PostgreSQL" in refused.stderr
    assert "check --pg" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_killed_end_and_reset_leave_nothing(tmp_path: Path, outside: Servers, pg_url: str) -> None:
    house = build_house(tmp_path / "home", *outside)
    house.up()
    assert house.process is not None
    orphans = [child["pid"] for child in children(house)]
    house.process.kill()
    house.process.wait()

    house.up()
    assert not [pid for pid in orphans if psutil.pid_exists(pid) and pid in {child["pid"] for child in children(house)}]
    began = time.monotonic()
    house.down()
    assert time.monotonic() - began < 30
    removed = house.command("reset", "--yes")

    assert removed.returncode == 0, removed.stderr
    assert not house.home.exists()
    with psycopg.connect(pg_url) as server:
        left = server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"kezhi_{house.instance}_%"]
        ).fetchall()
    assert left == []
