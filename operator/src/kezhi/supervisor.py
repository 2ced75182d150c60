"""Keeps a set of child processes alive until told to stop (decision 39).

A crashed child is started again without limit, with growing pauses; SIGTERM ends all of them within 30 seconds.
Children die with their supervisor even when it is killed with SIGKILL (Linux), and a later supervisor ends
what was left over.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

GRACE_SECONDS = 20.0
LONGEST_PAUSE = 10.0
STEADY_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


@dataclass(frozen=True)
class ChildPlan:
    """One process to keep alive."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]


class Living(Protocol):
    """A process as ``subprocess`` shows it."""

    pid: int

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def terminate(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


@dataclass
class Child:
    """A planned process and its present life."""

    plan: ChildPlan
    process: Living | None = None
    started: float = 0.0
    restarts: int = 0
    pause: float = 0.2
    resume_at: float = 0.0


def die_with_parent() -> None:
    """Called in a child: it is told to stop when the thread that started it is gone."""
    # Linux only: without it a SIGKILL of the supervisor would leave children writing into the same home.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def be_called(name: str) -> None:
    """What ``top`` and ``ps -o comm`` show of this process: the first 15 bytes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode())


def start_alone(plan: ChildPlan, log: Path) -> Living:
    """A process that shares nothing with ours."""
    with log.open("ab") as written:
        return subprocess.Popen(  # noqa: S603 - our own modules, no shell
            plan.arguments,
            env=plan.environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops the children in order
            preexec_fn=die_with_parent,  # noqa: PLW1509 - runs before any thread exists in the child
        )


@dataclass
class Supervisor:
    """Runs ``plans``; every child writes to the one log file."""

    plans: list[ChildPlan]
    log: Path
    start: Callable[[ChildPlan, Path], Living] = start_alone
    stopping: threading.Event = field(default_factory=threading.Event)
    children: list[Child] = field(init=False)

    def __post_init__(self) -> None:
        self.children = [Child(plan) for plan in self.plans]

    @contextlib.contextmanager
    def running(self) -> Iterator[threading.Event]:
        """All children alive for the block; answers the event that ends them early.

        One thread starts, revives and ends them: the kernel's parent-death signal belongs to the starting thread.
        """
        keeper = threading.Thread(target=self._keep, name="supervisor", daemon=True)
        keeper.start()
        try:
            yield self.stopping
        finally:
            self.stopping.set()
            keeper.join()

    def _keep(self) -> None:
        try:
            for child in self.children:
                self._spawn(child)
            while not self.stopping.wait(0.1):
                for child in self.children:
                    self._revive(child)
        finally:
            self._end()

    def _end(self) -> None:
        # SIGTERM to all, SIGKILL to who has not gone after the grace time.
        living = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in living:
            process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in living:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_tree(process.pid)
                process.wait()

    def state(self) -> list[dict[str, Any]]:
        """Name, pid, start and restarts of each child, for ``kezhi status``."""
        return [
            {
                "name": child.plan.name,
                "pid": child.process.pid if child.process else None,
                "started": child.started,
                "restarts": child.restarts,
            }
            for child in self.children
        ]

    def _spawn(self, child: Child) -> None:
        child.process = self.start(child.plan, self.log)
        child.started = time.time()

    def _revive(self, child: Child) -> None:
        if child.process is not None and child.process.poll() is None:
            if child.pause > 0.2 and time.time() - child.started > STEADY_SECONDS:
                child.pause = 0.2
            return
        if child.resume_at == 0.0:
            code = child.process.returncode if child.process else None
            note(self.log, f"{child.plan.name} ended with {code}; starting it again in {child.pause:.1f} s")
            child.resume_at = time.monotonic() + child.pause
            child.pause = min(child.pause * 2, LONGEST_PAUSE)
        elif time.monotonic() >= child.resume_at:
            child.resume_at = 0.0
            self._spawn(child)
            child.restarts += 1


def _kill_tree(pid: int) -> None:
    """SIGKILL for a child of ours and its workers; when this returns they are gone and their ports free."""
    members = set(_session(pid))
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        members |= {parent, *parent.children(recursive=True)}
    for process in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(list(members), timeout=5)


def _session(pid: int) -> list[psutil.Process]:
    # Every child leads a session. Its workers stay in it even when the child died before them, still holding its port.
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == pid:
                found.append(process)
    return found


def end_leftovers(state: dict[str, Any], log: Path) -> int:
    """End children that outlived a killed supervisor, and workers that outlived such a child; answers how many.

    A reused process id is told apart by its start time; a session whose leader died is still the leader's.
    """
    ended = 0
    for child in state.get("children", []):
        if child["pid"] is None:
            continue
        try:
            if abs(psutil.Process(child["pid"]).create_time() - child["started"]) > 5:
                continue
        except psutil.NoSuchProcess:
            if not _session(child["pid"]):
                continue
        note(log, f"ending {child['name']} ({child['pid']}), left over from a killed supervisor")
        _kill_tree(child["pid"])
        ended += 1
    return ended


def note(log: Path, text: str) -> None:
    """A line of the supervisor's own in the common log."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as handle:
        handle.write(f'{{"timestamp":"{stamp}","logger":"supervisor","event":"{text}"}}\n')
