"""The supervisor: what dies comes back, what must end ends, what was left over is found."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from kezhi.home import Home, HomeInUse
from kezhi.supervisor import ChildPlan, Supervisor, end_leftovers

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


def until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def planned(tmp_path: Path, *arguments: str) -> Supervisor:
    return Supervisor([ChildPlan("sleeper", arguments or SLEEPER, dict(os.environ))], tmp_path / "log")


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    supervisor = planned(tmp_path)
    with supervisor.running():
        until(lambda: supervisor.state()[0]["pid"] is not None)
        first = supervisor.state()[0]["pid"]
        os.kill(first, signal.SIGKILL)

        until(lambda: supervisor.state()[0]["restarts"] == 1)

        assert supervisor.state()[0]["pid"] != first
    assert "sleeper ended with -9; starting it again in 0.2 s" in (tmp_path / "log").read_text()


def test_pauses_grow_for_a_child_that_cannot_live(tmp_path: Path) -> None:
    supervisor = planned(tmp_path, sys.executable, "-c", "raise SystemExit(3)")
    with supervisor.running():
        until(lambda: supervisor.state()[0]["restarts"] >= 2)
    said = (tmp_path / "log").read_text()
    assert "ended with 3; starting it again in 0.2 s" in said
    assert "starting it again in 0.4 s" in said


def test_all_children_end_with_the_block(tmp_path: Path) -> None:
    supervisor = planned(tmp_path)
    with supervisor.running():
        until(lambda: supervisor.state()[0]["pid"] is not None)
        child = psutil.Process(supervisor.state()[0]["pid"])
    assert not child.is_running()


def test_leftovers_of_a_killed_supervisor_are_ended_and_strangers_spared(tmp_path: Path) -> None:
    with psutil.Popen(SLEEPER) as leftover, psutil.Popen(SLEEPER) as stranger:
        state = {
            "children": [
                {"name": "ours", "pid": leftover.pid, "started": leftover.create_time()},
                {"name": "reused pid", "pid": stranger.pid, "started": stranger.create_time() - 3600},
            ]
        }

        assert end_leftovers(state, tmp_path / "log") == 1

        leftover.wait(5)
        assert stranger.is_running()
        stranger.kill()


def test_a_home_has_one_supervisor(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    with home.locked(), pytest.raises(HomeInUse, match="another `kezhi up` runs"), home.locked():
        pass
    assert not home.running()


def test_secrets_are_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()

    first, second = home.secrets(), home.secrets()

    assert first == second
    assert (home.path / "secrets.json").stat().st_mode & 0o077 == 0
