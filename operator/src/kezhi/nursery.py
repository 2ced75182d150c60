"""Service processes are forked from one that has imported their libraries: they start sooner and share its pages.

Ten processes that each import the same libraries take ten seconds of two cores and keep ten copies. Only libraries are
imported beforehand, nothing of ours: our modules read their environment, and that is each child's own. The same goes
for prometheus_client, which looks at its environment when it is imported.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import runpy
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from kezhi.supervisor import ChildPlan, Living, be_called, die_with_parent

LIBRARIES = (
    "alembic", "amqp", "argon2", "babel", "babel.dates", "chinese_calendar", "cronsim", "cryptography.fernet",
    "cryptography.x509", "environs", "flask", "flask_smorest", "gunicorn.app.base", "gunicorn.workers.gthread",
    "jinja2", "joserfc.jwk", "joserfc.jwt", "jsonschema_rs", "kombu", "limits", "marshmallow", "orjson",
    "phonenumbers", "pika", "psycopg", "psycopg.types.json", "pypinyin", "rapidfuzz", "sqlalchemy", "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.postgresql.psycopg", "structlog", "werkzeug.serving",
    "yaml",
)  # fmt: skip
_NEEDS = {"serve": "chassis.web.app", "work": "chassis.worker"}

# A big block that is given back - a password's hash takes 19 MiB - teaches glibc to keep blocks of that size for next
# time, in each process for ever. Thresholds that are set do not learn.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}


class Nursery:
    """Starts children for a supervisor; ``start`` may be given to it instead of its own.

    Importing begins at once, beside whatever else has to be done before the first child. Until ``open`` children
    only import what they will run and wait: the databases that they need are being prepared meanwhile.
    """

    def __init__(self) -> None:
        self._gate, self._keeper = multiprocessing.Pipe(duplex=False)  # open once its other end is closed
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*LIBRARIES, "kezhi.nursery_freeze"])
        os.environ.update({name: value for name, value in ALLOCATOR.items() if name not in os.environ})
        forkserver.ensure_running()

    def start(self, plan: ChildPlan, log: Path) -> Living:
        """A child that runs ``python -m MODULE ARGUMENTS…`` as planned."""
        _, _, *module = plan.arguments
        gate = None if self._keeper.closed else self._gate
        process = self._context.Process(
            target=_live, args=(module, plan.environment, str(log), gate), name=plan.name, daemon=True
        )
        process.start()
        return Born(process)

    def run(self, module: str, told: str) -> Done:
        """``run_alone`` in a child that has the libraries already."""
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = self._context.Process(target=_answer, args=(module, told, theirs), name=module, daemon=True)
        process.start()
        theirs.close()
        try:
            done: Done = ours.recv()
        except EOFError:  # it was killed
            done = Done(1, "", f"{module} ended before it was done")
        process.join()
        return done

    def open(self) -> None:
        """Children live from now on, those that wait and those to come."""
        self._keeper.close()


@dataclass(frozen=True)
class Done:
    """How a module ended that was run once: its exit code, what it printed, and what on standard error."""

    code: int
    said: str
    complaint: str


def run_alone(module: str, told: str) -> Done:
    """``python -m MODULE`` to its end, with ``told`` on its standard input."""
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    return Done(done.returncode, done.stdout, done.stderr)


class Born:
    """A forked child, spoken to as to one of ``subprocess``."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.pid = process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises TimeoutExpired."""
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return code


def _live(module: list[str], environment: dict[str, str], log: str, gate: Connection | None) -> None:
    """The child: a session, a log and an environment of its own, then as if it had been started alone."""
    # A child is given the nursery's life line, to bear children of its own; held, it would outlive a killed supervisor.
    os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]
    os.setsid()
    die_with_parent()
    be_called(" ".join(module))  # forked children would all be called alike
    _redirect(os.open(os.devnull, os.O_RDONLY), 0)
    _redirect(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 1, 2)
    os.environ.clear()
    os.environ.update(environment)
    multiprocessing.current_process().daemon = False
    sys.argv = [module[0], *module[1:]]
    sys.orig_argv = [sys.executable, "-m", *module]
    if gate is not None:
        _await(gate, *module)
    runpy.run_module(module[0], run_name="__main__", alter_sys=True)


def _answer(module: str, told: str, asked: Connection) -> None:
    """The child of ``run``: what it prints is kept for who asked."""
    said, complaint, code = io.StringIO(), io.StringIO(), 0
    sys.stdin = io.StringIO(told)
    with redirect_stdout(said), redirect_stderr(complaint):
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # as an interpreter would end
            traceback.print_exc()
            code = 1
    asked.send(Done(code, said.getvalue(), complaint.getvalue()))


def _await(gate: Connection, service: str, verb: str) -> None:
    """Import what will be needed, until the gate is open: nothing is ever sent through it, its other end is closed."""
    with suppress(ImportError):  # whatever is wrong is said when it is run
        import_module(f"{service}.bootstrap")
        import_module(_NEEDS[verb])
    with suppress(EOFError):
        gate.recv_bytes()
    gate.close()


def _redirect(opened: int, *standard: int) -> None:
    for number in standard:
        if opened != number:
            os.dup2(opened, number)
    if opened not in standard:
        os.close(opened)
