"""`growth`: does reading one member get slower as the ledger grows? Balance and statement page, small ledger and large.

Bar: at 10,000,000 entries at most 1.5 times the latency of 10,000, aim 1.2; a member has 100 entries in both. Both
ledgers are served in turns by gunicorn with two sync workers and asked through HTTP by one client, a member drawn by
lot each time, so that rows and index pages are as cold as a till would find them. 1,000,000 entries without `--full`.
"""

from __future__ import annotations

import random
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import urlsplit

from benchmarks.api import served_by
from benchmarks.api_targets import environment_of
from benchmarks.books import ENTRIES, a_ledger, member_id
from benchmarks.measure import Table, quantile
from chassis.testkit import backends, tokens
from chassis.testkit.databases import Databases

BAR, AIM = 1.5, 1.2
SMALL, LARGE, FULL_LARGE = 10_000, 1_000_000, 10_000_000  # entries
EACH = 25  # purchases of a member
ROUNDS, ASKED = 20, 50  # a round asks so often of the one, then of the other
PATHS = {"balance": "/api/v1/members/{}", "statement page": "/api/v1/members/{}/entries?limit=50"}


def main(*, full: bool = False) -> bool:
    """Measure and print; True when the bar is reached."""
    sizes = (SMALL, FULL_LARGE if full else LARGE)
    server = Databases(backends.postgres_url())
    try:
        with ExitStack() as stack:
            asking = {}
            for entries in sizes:
                members = entries // ENTRIES // EACH
                runtime = stack.enter_context(a_ledger(server, members, EACH))
                environment = environment_of(runtime.settings.database_url)
                application = "benchmarks.api_targets:served('loyalty.bootstrap')"
                url = stack.enter_context(served_by(sys.executable, application, environment))
                asking[entries] = _asker(url, members)
            waits = _measure(asking)
    finally:
        server.close()
    return _report(sizes, waits)


def _measure(asking: dict[int, Callable[[str], float]]) -> dict[tuple[str, int], list[float]]:
    """(what, entries) → milliseconds of each answer."""
    waits: dict[tuple[str, int], list[float]] = {(what, entries): [] for what in PATHS for entries in asking}
    for what, path in PATHS.items():
        for ask in asking.values():  # both workers of each read the policy and prepare their statements
            for _ in range(ASKED):
                ask(path)
        for _ in range(ROUNDS):
            for entries, ask in asking.items():
                waits[what, entries] += [ask(path) for _ in range(ASKED)]
    return waits


def _asker(url: str, members: int) -> Callable[[str], float]:
    """A function that asks for one member's resource and answers the milliseconds; raises for all but 200."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    bearer = tokens.bearer(["administrator"])
    draw = random.Random(10)

    def ask(path: str) -> float:
        at = path.format(member_id(draw.randrange(members)))
        request = f"GET {at} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: {bearer}\r\nConnection: close\r\n\r\n"
        began = time.perf_counter()
        with socket.create_connection(address) as connection:
            connection.sendall(request.encode())
            answer = b""
            while part := connection.recv(65536):
                answer += part
        took = (time.perf_counter() - began) * 1000
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"GET {at}: {answer[:500]!r}")
        return took

    return ask


def _report(sizes: tuple[int, int], waits: dict[tuple[str, int], list[float]]) -> bool:
    table = Table(
        f"growth: one member read through the API, {ROUNDS} rounds of {ASKED} in turns",
        ("", "p50 ms", "p99 ms", "ratio", "bar", "aim"),
    )
    ratios = []
    for what in PATHS:
        small, large = (waits[what, entries] for entries in sizes)
        ratios.append(quantile(large, 0.5) / quantile(small, 0.5))
        for entries, found, ratio in zip(sizes, (small, large), ("", f"{ratios[-1]:.2f}"), strict=True):
            bar, aim = (BAR, AIM) if ratio else ("", "")
            name = f"{what}, {entries:,} entries"
            table.row(name, f"{quantile(found, 0.5):.2f}", f"{quantile(found, 0.99):.2f}", ratio, bar, aim)
    table.print()
    return max(ratios) <= BAR


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
