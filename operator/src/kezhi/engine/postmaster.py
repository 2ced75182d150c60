"""One PostgreSQL server process on one data folder: found, started, asked, ended.

A postmaster outlives a killed owner. It is recognised by what its ``postmaster.pid`` says and by the data folder on
its own command line: the file alone may be stale and its number another process's by now.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from kezhi.engine import cluster
from kezhi.engine.place import Account
from kezhi.engine.programs import Programs

READY_WITHIN = 60.0  # seconds; recovery after a crash is a part of it
FAST_WITHIN = 6.0  # a fast shutdown ends sessions and writes a checkpoint
IMMEDIATE_WITHIN = 2.0
_LOOK_EVERY = 0.02


class NotStarted(Exception):
    """The server did not come up; its last words are the message."""


class PortTaken(NotStarted):
    """Somebody else listens on its port."""


@dataclass(frozen=True)
class Postmaster:
    """A living server process."""

    process: psutil.Process
    data: Path
    port: int
    started: float
    child: subprocess.Popen[bytes] | None = None  # None: adopted

    def alive(self) -> bool:
        """Whether it still runs; also takes note of the end of a child, so that none stays as a zombie."""
        if self.child is not None:
            return self.child.poll() is None
        return _lives(self.process)

    def stop(self) -> None:
        """A fast shutdown; harder where that takes too long: then the next start recovers from the log."""
        patience = ((signal.SIGINT, FAST_WITHIN), (signal.SIGQUIT, IMMEDIATE_WITHIN), (signal.SIGKILL, 5.0))
        for number, seconds in patience:
            if not self.alive():
                return
            with contextlib.suppress(psutil.NoSuchProcess):
                self.process.send_signal(number)
            _until(lambda: not self.alive(), seconds)


def find(data: Path) -> Postmaster | None:
    """The postmaster that runs on this data folder, whoever started it.

    Its start time says no more than its command line does, and clocks get set: it is not compared.
    """
    told = _pid_file(data)
    if told is None:
        return None
    pid, port = told
    try:
        process = psutil.Process(pid)
        if not _lives(process) or process.cmdline()[1:3] != ["-D", str(data)]:
            return None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return Postmaster(process, data, port, process.create_time())


def start(programs: Programs, data: Path, settings: Path, port: int, runner: Account, log: Path) -> Postmaster:
    """Start a server and return when its process runs on; ``await_ready`` says when it serves. Raises NotStarted."""
    clear_the_way(data)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as handle:
        child = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program, no shell
            [programs.path("postgres"), "-D", str(data), "-c", f"config_file={settings}", "-c", f"port={port}"],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            cwd=data.parent,
            env=cluster.environment(),
            umask=0o077,
            start_new_session=True,  # neither Ctrl-C nor the end of its starter reaches it
            **runner.credentials(),  # type: ignore[call-overload]
        )
    return Postmaster(psutil.Process(child.pid), data, port, time.time(), child)


def await_ready(server: Postmaster, password: str, log: Path, stopping: threading.Event | None = None) -> None:
    """Return when it serves; connections are refused before, and at the first moments even after it said ready.

    ``stopping`` ends the waiting: whoever is told to stop does not wait for a recovery.
    Raises PortTaken, NotStarted.
    """
    deadline = time.monotonic() + READY_WITHIN
    while stopping is None or not stopping.is_set():
        try:
            psycopg.connect(cluster.url(server.port, password), connect_timeout=5).close()
        except psycopg.OperationalError as refused:
            if not server.alive():
                said = last_words(log)
                if "could not bind" in said:
                    raise PortTaken(said) from None
                raise NotStarted(said) from None
            if time.monotonic() > deadline:
                raise NotStarted(f"no answer after {READY_WITHIN:.0f} s: {refused}") from None
            time.sleep(_LOOK_EVERY)
        else:
            if server.alive():
                return
            raise PortTaken("another server answers on its port")


def clear_the_way(data: Path) -> None:
    """After a killed postmaster: wait for its processes, end those that stay, remove a pid file that names a stranger.

    PostgreSQL refuses to start while processes of a dead postmaster hold its memory: they notice its death when they
    next wait for something. And it takes a reused process number for a living rival.
    """
    told = _pid_file(data)
    if told is None:
        return
    if not _until(lambda: not remnants(data), 5.0):
        for process in remnants(data):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGQUIT)
        _until(lambda: not remnants(data), 5.0)
    with contextlib.suppress(psutil.NoSuchProcess):
        if psutil.Process(told[0]) not in remnants(data):
            (data / "postmaster.pid").unlink()


def remnants(data: Path) -> list[psutil.Process]:
    """Every process that works in the data folder: each of PostgreSQL's does."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
            if _lives(process) and process.cwd() == str(data):
                found.append(process)
    return found


def last_words(log: Path) -> str:
    """The end of the server's log on one line."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "it said nothing"
    return " / ".join(line.split("] ", 1)[-1].strip() for line in lines[-3:])


def _pid_file(data: Path) -> tuple[int, int] | None:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), int(lines[3])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _until(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY)
    return True
