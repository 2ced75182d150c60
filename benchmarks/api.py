"""`api`: one resource read through the whole stack against a bare Flask + psycopg row read, same server, same run.

Bar: 0.45 of the bare one's requests per second, aim 0.65. Both run under gunicorn with two sync workers; the bare one
keeps one connection per process in autocommit, selects by key and answers with Flask's own JSON: the least that an
HTTP read of a row can be. Measurements alternate, so that a noisy neighbour meets both.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from urllib.parse import urlsplit

from benchmarks.api_targets import TARGETS, Target
from benchmarks.measure import Sample, Table
from chassis.testkit import backends
from chassis.testkit.databases import Databases

BAR, AIM = 0.45, 0.65
CLIENTS = 4


def main(*, full: bool = False) -> bool:
    """Measure and print; True when the bar is reached."""
    rounds, seconds = (9, 5.0) if full else (5, 2.0)
    databases = Databases(backends.postgres_url())
    table = Table(
        f"api: GET one row, gunicorn sync, 2 workers, {CLIENTS} clients",
        ("", "requests/s", "spread", "ratio", "bar", "aim"),
    )
    reached = True
    try:
        for build in TARGETS:
            ours, bare = _measure(build(databases), rounds, seconds)
            ratio = ours.median / bare.median
            reached = reached and ratio >= BAR
            name = build.__name__.replace("_", " ")
            table.row(f"{name}: bare Flask + psycopg", bare, bare.spread, "1", "", "")
            table.row(f"{name}: Kezhi", ours, ours.spread, f"{ratio:.2f}", BAR, AIM)
    finally:
        databases.close()
    table.print()
    return reached


def _measure(target: Target, rounds: int, seconds: float) -> tuple[Sample, Sample]:
    """Requests per second of ours and of the bare one, taken in turns."""
    with ExitStack() as stack:
        ours = stack.enter_context(_served(target.application, target.environment))
        bare = stack.enter_context(_served("benchmarks.api_targets:bare()", target.bare_environment))
        path, headers = target.prepare(ours)
        bare_path = target.bare_path()
        pairs = []
        for url, at, sent in ((ours, path, headers), (bare, bare_path, {})):
            _load(url, at, sent, 1.0)  # warm
        for _ in range(rounds):
            pairs.append((_load(ours, path, headers, seconds), _load(bare, bare_path, {}, seconds)))
        target.close()
    return Sample(tuple(pair[0] for pair in pairs)), Sample(tuple(pair[1] for pair in pairs))


def _served(application: str, environment: dict[str, str]) -> AbstractContextManager[str]:
    return served_by(sys.executable, application, environment)


@contextmanager
def served_by(python: str, application: str, environment: dict[str, str]) -> Iterator[str]:
    """gunicorn with two sync workers on a free port, in the virtual environment of ``python``; answers the URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [python, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}", "--log-level", "error",
         application],
        env={**os.environ, **environment},
    )  # fmt: skip
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing answers on port {port}")


def _load(url: str, path: str, headers: dict[str, str], seconds: float) -> float:
    """Requests per second that ``CLIENTS`` threads get answered with 200; anything else ends the benchmark.

    Raw sockets and a request made once: a load generator on the same cores must cost less than what it measures.
    A sync worker closes after each answer, so each request is one connection.
    """
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{lines}Connection: close\r\n\r\n".encode()
    end = time.perf_counter() + seconds
    counts = [0] * CLIENTS
    failed: list[bytes] = []

    def ask(number: int) -> None:
        while time.perf_counter() < end and not failed:
            with socket.create_connection(address) as connection:
                connection.sendall(request)
                answer = b""
                while part := connection.recv(65536):
                    answer += part
            if answer.startswith(b"HTTP/1.1 200"):
                counts[number] += 1
            else:
                failed.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(f"GET {path}: {failed[0][:500]!r}")
    return sum(counts) / (time.perf_counter() - begun)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
