"""`gateway`: what the way through the gateway adds to a call, p50 over the direct call of the same service.

Both callers keep their connection and take turns call by call, so that noise of the machine meets both alike. The
service behind is a bare WSGI function under the same server with a body of 1 KB: what is measured is the gateway alone.
"""

from __future__ import annotations

import http.client
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography.fernet import Fernet
from tests.house import free_port

from benchmarks.measure import Table
from chassis.testkit import backends
from chassis.testkit.databases import Databases
from gateway.bootstrap import build_service

BAR, AIM = 3.0, 1.5  # milliseconds
WARM_UP = 200
PATH = "/api/v1/customers/0192d3c4-0000-7000-8000-000000000000"

_UPSTREAM = """
BODY = b'{"items": "' + b"x" * 1000 + b'"}'

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return (BODY,)
"""


def main(full: bool = False) -> bool:
    """Print the table; True when the bar is reached."""
    calls, rounds = (3000, 7) if full else (1000, 5)
    added, direct_times, carried_times = [], [], []
    with ExitStack() as stack:
        service, gateway = stack.enter_context(_running())
        for _ in range(rounds):
            direct, carried = _in_turns(service, gateway, calls)
            direct_times.append(statistics.median(direct) * 1000)
            carried_times.append(statistics.median(carried) * 1000)
            added.append(carried_times[-1] - direct_times[-1])
    table = Table(
        f"gateway: added time, p50 of {calls:,} calls, median of {rounds} rounds, milliseconds",
        ("", "direct", "through the gateway", "added", "spread", "bar", "aim"),
    )
    figure = statistics.median(added)
    table.row(
        "GET, 1 KB, kept connections",
        f"{statistics.median(direct_times):.2f}",
        f"{statistics.median(carried_times):.2f}",
        f"{figure:.2f}",
        f"{min(added):.2f}-{max(added):.2f}",
        f"< {BAR}",
        f"< {AIM}",
    )
    table.print()
    return figure < BAR


def _in_turns(service: int, gateway: int, calls: int) -> tuple[list[float], list[float]]:
    direct, carried = (http.client.HTTPConnection("127.0.0.1", port) for port in (service, gateway))
    for _ in range(WARM_UP):
        _call(direct)
        _call(carried)
    times: tuple[list[float], list[float]] = [], []
    for _ in range(calls):
        times[0].append(_call(direct))
        times[1].append(_call(carried))
    direct.close()
    carried.close()
    return times


def _call(connection: http.client.HTTPConnection) -> float:
    begun = time.perf_counter()
    connection.request("GET", PATH, headers={"Authorization": "Bearer a.b.c"})
    response = connection.getresponse()
    body = response.read()
    took = time.perf_counter() - begun
    if response.status != 200:
        raise RuntimeError(f"status {response.status}: {body[:200]!r}")
    return took


@contextmanager
def _running() -> Iterator[tuple[int, int]]:
    """A bare service and a gateway before it, on free ports; both gone afterwards."""
    databases = Databases(backends.postgres_url())
    database = databases.fresh(build_service())
    service, gateway = free_port(), free_port()
    environment = os.environ | {
        "KEZHI_DATABASE_URL": database,
        "KEZHI_HTTP_PORT": str(gateway),
        "KEZHI_HTTP_WORKERS": "2",
        "KEZHI_MODE": "evaluation",
        "KEZHI_LOG_LEVEL": "WARNING",
        "KEZHI_FIELD_KEYS": Fernet.generate_key().decode(),
        "KEZHI_SERVICE_CUSTOMER_URL": f"http://127.0.0.1:{service}",
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bare.py").write_text(_UPSTREAM)
        bare = ("-m", "gunicorn", "--chdir", folder, "-k", "gthread", "--threads", "4", "-w", "2", "--keep-alive", "75")
        commands = ((*bare, "-b", f"127.0.0.1:{service}", "bare:app"), ("-m", "gateway", "serve"))
        children = [
            subprocess.Popen([sys.executable, *command], env=environment, stderr=subprocess.DEVNULL)
            for command in commands
        ]
        try:
            _await(gateway)
            yield service, gateway
        finally:
            for child in children:
                child.send_signal(signal.SIGTERM)
            for child in children:
                child.wait(30)
            databases.drop(database)
            databases.close()


def _await(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", PATH)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the gateway did not come up within 30 s")


if __name__ == "__main__":
    sys.exit(0 if main("--full" in sys.argv) else 1)
