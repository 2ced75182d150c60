"""`kezhi up` without any server: ready, killed, taken over, ended and removed without a trace; as any user."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kezhi.engine.server import Engine
from kezhi.home import Home
from tests.house import House, build_house
from tests.quick import quick_folder

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as made:
        yield made


def processes_of(folder: Path) -> list[psutil.Process]:
    """Every living process that names the folder in its command line or works in it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                told = [*process.cmdline(), process.cwd()]
                found += [process] if any(str(folder) in word for word in told) else []
        except (psutil.Error, OSError):
            continue
    return found


def killed(house: House) -> None:
    """The supervisor alone gets SIGKILL."""
    assert house.process is not None
    house.process.kill()
    house.process.wait()


def test_a_killed_supervisor_leaves_a_database_that_the_next_one_takes_over(folder: Path) -> None:
    house = build_house(folder / "客 至")
    with house.lasting():
        house.up()
        running = Engine(Home(house.home)).look()
        assert running is not None
        made = house.api().post("/units", {"code": "HQ", "name": "总部"})
        killed(house)

        down = house.command("status")
        assert down.returncode == 1
        assert f"its PostgreSQL still runs ({running.pid})" in down.stdout.replace("\n", " ")

        house.up()
        taken_over = Engine(Home(house.home)).look()
        assert taken_over is not None
        assert taken_over.pid == running.pid
        assert made["code"] in {unit["code"] for unit in house.api().get("/units")["items"]}

        os.kill(running.pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline
            status = house.command("status")
            if status.returncode == 0 and f" {running.pid} " not in status.stdout:
                break
        assert "postgresql" in status.stdout
        assert house.command("doctor").returncode == 0
        # Options first: what follows the two dashes is psql's.
        place = ["--home", str(house.home), "--instance", house.instance]
        asked = subprocess.run(
            [sys.executable, "-m", "kezhi", "psql", *place, "gateway", "--", "-Atc", "SELECT current_user"],
            env=house.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert asked.stdout.strip() == f"kezhi_{house.instance}_gateway"

        began = time.monotonic()
        house.down()
        assert time.monotonic() - began < 30
        assert processes_of(folder) == []
        said = house.command("doctor").stderr
        assert "is not running; start it with `kezhi up`" in said


def test_reset_after_a_kill_leaves_no_process_and_no_file(folder: Path) -> None:
    house = build_house(folder / "home")
    house.up()
    outside = Engine(Home(house.home)).folder
    killed(house)

    removed = house.command("reset", "--yes")

    assert removed.returncode == 0, removed.stderr
    assert not house.home.exists()
    assert not outside.exists()
    deadline = time.monotonic() + 30
    while processes_of(folder):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests ran as an ordinary user already")
def test_an_ordinary_user_needs_nothing_but_a_home(folder: Path) -> None:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None or not os.access(sys.prefix, os.R_OK):
        pytest.skip("no Python that another user may run")
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    house = build_house(folder / "their 客至")
    told = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path)), "HOME": str(folder)}

    def kezhi(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [python, "-m", "kezhi", *arguments, "--home", str(house.home)],  # type: ignore[list-item]
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=told,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )

    with kezhi("up", "--port", str(house.port)) as running:
        assert running.stdout is not None
        said = []
        while not said or (said[-1] and not said[-1].startswith("ready ")):
            said.append(running.stdout.readline())
        owners = {process.username() for process in processes_of(house.home)}
        running.terminate()
        assert said[-1].startswith("ready "), "".join(said)
    assert running.returncode == 0
    assert owners == {"nobody"}
    assert {path.owner() for path in house.home.rglob("*")} == {"nobody"}

    with kezhi("reset", "--yes") as gone:
        assert gone.wait(60) == 0
    assert not house.home.exists()
