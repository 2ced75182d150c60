"""`contention`: what it costs when 70 % of the traffic goes to 1 % of the members, each of whom is one lock.

Four processes do the same mix twice in turns, members drawn evenly and drawn unevenly: purchases in batches as the
consumer takes them, holds, captures and releases, redemptions; one transaction each. Beside it the least that a lock
can cost: `SELECT FOR UPDATE` and `UPDATE` of one row, the same processes, the same draws. Fails on anything but an
honest refusal (too few points), and unless afterwards every answer is found in the books and the books reconcile.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
from collections import Counter
from contextlib import ExitStack

import psycopg

from benchmarks.books import a_ledger, require_reconciled
from benchmarks.contention_worker import FLOOR, OURS, Round, Told, work
from benchmarks.measure import Sample, Table, quantile, rate
from chassis.runtime import Runtime
from chassis.testkit import backends
from chassis.testkit.databases import Databases

PROCESSES, MEMBERS, EACH = 4, 2_000, 20
HOT, SHARE = MEMBERS // 100, 0.70
_PREPARED = """
    CREATE TABLE f_account (id int PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 60);
    INSERT INTO f_account SELECT n, 0 FROM generate_series(0, {members} - 1) n;
    INSERT INTO reward (id, code, version, kind, name, points, tiers, taken, valid_from, created_at)
    VALUES (gen_random_uuid(), 'TEA', 1, 'benefit', 'A cup of tea', 5, '[]', 0, '2026-01-01', '2026-01-01');
"""
_BOOKED = """
    SELECT (SELECT count(*) FROM transaction WHERE kind = 'purchase') - %(before)s AS purchase,
        (SELECT count(*) FROM hold) AS hold, (SELECT count(*) FROM hold WHERE status = 'captured') AS capture,
        (SELECT count(*) FROM hold WHERE status = 'released') AS release,
        (SELECT count(*) FROM redemption WHERE reward = 'TEA') AS redeem, (SELECT sum(balance) FROM f_account) AS floor
"""


def main(*, full: bool = False) -> bool:
    """Measure and print; True when nothing failed and the books agree."""
    times, seconds = (9, 10.0) if full else (5, 3.0)
    server = Databases(backends.postgres_url())
    try:
        with a_ledger(server, MEMBERS, EACH) as runtime:
            url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(url) as connection:
                connection.execute(_PREPARED.format(members=MEMBERS))
            rounds = _measure(runtime, times, seconds)
            entries = require_reconciled(runtime, MEMBERS)
            _require_booked(url, [told for each in rounds.values() for told in each])
    finally:
        server.close()
    _report(rounds, seconds, entries)
    return True


def _measure(runtime: Runtime, times: int, seconds: float) -> dict[tuple[str, int], list[Told]]:
    """(what, hot members) → what each round told; 0 hot members: everybody alike."""
    spawn = multiprocessing.get_context("spawn")
    found: dict[tuple[str, int], list[Told]] = {(what, hot): [] for what in (FLOOR, OURS) for hot in (0, HOT)}
    with ExitStack() as stack:
        pipes = []
        for _ in range(PROCESSES):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=work, args=(runtime.settings, theirs), daemon=True)
            process.start()
            stack.callback(process.join, 60)
            stack.callback(ours.send, None)  # the end
            pipes.append(ours)
        for number in range(-1, times):  # the first round warms
            for (what, hot), told in found.items():
                for place, pipe in enumerate(pipes):
                    pipe.send(Round(what, MEMBERS, hot, SHARE, seconds, random.Random(f"{number}{place}").random()))
                whole = sum((pipe.recv() for pipe in pipes), Told([], Counter(), Counter()))
                told.append(whole)
        return found


def _require_booked(url: str, rounds: list[Told]) -> None:
    """Raises RuntimeError unless what was answered is what is in the books: nothing lost, nothing doubled."""
    answered = sum((told.done for told in rounds), Counter())
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        booked = connection.execute(_BOOKED, {"before": MEMBERS * EACH}).fetchone() or {}
    if {name: answered[name] for name in booked} != booked:
        raise RuntimeError(f"answered {dict(answered)}, booked {booked}")


def _report(rounds: dict[tuple[str, int], list[Told]], seconds: float, entries: int) -> None:
    table = Table(
        f"contention: {SHARE:.0%} of the traffic on {HOT} of {MEMBERS:,} members, {PROCESSES} processes,"
        f" nothing failed, {entries:,} entries reconcile",
        ("", "transactions/s", "spread", "p50 ms", "p99 ms", "refused", "ratio"),
    )
    names = {FLOOR: "SELECT FOR UPDATE, UPDATE (floor)", OURS: "purchases, holds, captures, redemptions"}
    medians: dict[tuple[str, int], float] = {}
    for (what, hot), (_, *told) in rounds.items():
        sample = Sample(tuple(rate(len(each.waits), seconds) for each in told))
        medians[what, hot] = sample.median
        waits = [wait for each in told for wait in each.waits]
        refused = sum(each.refused.total() for each in told) / len(waits)
        ratio = f"{sample.median / medians[what, 0]:.2f} of even" if hot else ""
        table.row(
            f"{names[what]}, {'uneven' if hot else 'even'}", sample, sample.spread, f"{quantile(waits, 0.5):.2f}",
            f"{quantile(waits, 0.99):.2f}", f"{refused:.1%}", ratio,
        )  # fmt: skip
    table.print()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
