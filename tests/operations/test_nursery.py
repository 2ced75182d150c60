"""Children that share their libraries' pages are their own masters otherwise."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from kezhi.nursery import LIBRARIES, Nursery
from kezhi.supervisor import ChildPlan, Supervisor

TELLER = """
import json, os, pathlib, signal, sys, time
print(json.dumps({
    "mine": os.environ["MINE"], "inherited": "PATH" in os.environ, "arguments": sys.argv[1:],
    "leader": os.getsid(0) == os.getpid(), "sqlalchemy": "sqlalchemy" in sys.modules,
    "called": pathlib.Path("/proc/self/comm").read_text().strip(),
}), flush=True)
time.sleep(600)
"""


@pytest.fixture
def teller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ChildPlan:
    """A package that tells what it is started with, and stays."""
    (tmp_path / "teller").mkdir()
    (tmp_path / "teller" / "__init__.py").touch()
    (tmp_path / "teller" / "__main__.py").write_text(TELLER)
    environment = {"MINE": "yes", "PYTHONPATH": str(tmp_path)}
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))  # a forked child searches where its supervisor does
    return ChildPlan("teller", (sys.executable, "-m", "teller", "serve"), environment)


def told(log: Path) -> list[dict[str, object]]:
    lines = log.read_text().splitlines() if log.exists() else []
    return [json.loads(line) for line in lines if '"mine"' in line]


def until(log: Path, number: int) -> list[dict[str, object]]:
    deadline = time.monotonic() + 60
    while len(found := told(log)) < number:
        assert time.monotonic() < deadline, log.read_text() if log.exists() else "nothing"
        time.sleep(0.02)
    return found


def test_a_child_has_its_libraries_and_its_own_environment_log_and_session(teller: ChildPlan, tmp_path: Path) -> None:
    log = tmp_path / "log"

    nursery = Nursery()
    with Supervisor([teller], log, nursery.start).running():
        nursery.open()
        said = until(log, 1)[0]

    assert said == {
        "mine": "yes", "inherited": False, "arguments": ["serve"], "leader": True, "sqlalchemy": True,
        "called": "teller serve",
    }  # fmt: skip


def test_a_child_waits_until_what_it_needs_is_prepared(teller: ChildPlan, tmp_path: Path) -> None:
    log, nursery = tmp_path / "log", Nursery()
    supervisor = Supervisor([teller], log, nursery.start)
    with supervisor.running():
        deadline = time.monotonic() + 60
        while supervisor.state()[0]["pid"] is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(1.0)
        assert told(log) == []

        nursery.open()

        until(log, 1)
    assert supervisor.state()[0]["restarts"] == 0


def test_a_killed_child_is_born_again_also_when_the_nursery_died_with_it(teller: ChildPlan, tmp_path: Path) -> None:
    log = tmp_path / "log"
    nursery = Nursery()
    nursery.open()
    supervisor = Supervisor([teller], log, nursery.start)
    with supervisor.running():
        until(log, 1)
        first = psutil.Process(supervisor.state()[0]["pid"])
        bearer = first.parent()
        assert bearer is not None
        bearer.kill()
        until(log, 2)
        second = supervisor.state()[0]["pid"]
        os.kill(second, signal.SIGKILL)
        until(log, 3)

    assert not first.is_running()
    assert supervisor.state()[0]["restarts"] == 2


def test_nothing_of_ours_is_imported_before_a_child_has_its_environment() -> None:
    program = (
        f"import sys; [__import__(name) for name in {LIBRARIES!r}]; import kezhi.nursery_freeze;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert not {"chassis", "customer", "loyalty", "prometheus_client", "opentelemetry"} & set(loaded)


@pytest.mark.parametrize(
    ("body", "code", "said", "complaint"),
    [
        ("import sys; print('heard', sys.stdin.read())", 0, "heard 客至\n", ""),
        ("import sys; print('no', file=sys.stderr); sys.exit(3)", 3, "", "no\n"),
        ("raise RuntimeError('lost')", 1, "", "RuntimeError: lost\n"),
        ("import os; os.kill(os.getpid(), 9)", 1, "", "once ended before it was done"),
    ],
)
def test_a_module_that_is_run_once_answers_as_a_process_of_its_own_would(
    body: str, code: int, said: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "once.py").write_text(body)
    monkeypatch.syspath_prepend(str(tmp_path))

    done = Nursery().run("once", "客至")

    assert (done.code, done.said) == (code, said)
    assert done.complaint.endswith(complaint)
