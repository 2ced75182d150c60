"""Three pollers, thousands of open cases, SIGKILL at random: every warning, breach and escalation exactly once.

Time is a file that the test writes and all pollers read: it stands still until everything due was done, then jumps to
the next instant (a night, a weekend, a morning). The oracle computes from the clocks' rows alone what must have been
said. In the short form a weekend and a Monday pass; KEZHI_LONG=1 lets four weeks pass, in which every case is breached.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from chassis.ids import derived_id
from chassis.runtime import start_runtime
from chassis.timing.due import DuePoller

LONG = bool(os.environ.get("KEZHI_LONG"))
OPEN = 5000  # cases
SHARES = (1000,) * 5 if LONG else (150, 4250, 150, 300, 150)  # copies of each of the five cases
POLLERS = 3
PATIENCE = 1500 if LONG else 240  # seconds
SHANGHAI = ZoneInfo("Asia/Shanghai")

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800 if LONG else 300)]


def local(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


SHORT_TIMES = [local(11, 21, 3), local(11, 23, 9), local(11, 23, 17)]
LONG_TIMES = [moment for day in range(20, 31) for moment in (local(11, day, 12, 7), local(11, day, 23, 59))] + [
    local(12, day, 9) for day in range(1, 19)
]


@dataclass
class FileClock:
    """A clock that stands where a file says, in every process."""

    path: Path

    def now(self) -> datetime:
        return datetime.fromisoformat(self.path.read_text())

    def travel_to(self, at: datetime) -> None:
        aside = self.path.with_suffix(".new")
        aside.write_text(at.isoformat())
        aside.replace(self.path)


def poll(service: Any, settings: Any, path: Path) -> None:
    """A worker process of its own, as far as the database can tell."""
    DuePoller(start_runtime(service, settings, FileClock(path)), interval=0.02).run(threading.Event())


class Pollers:
    """Three processes that are killed and replaced at random."""

    def __init__(self, runtime: Any, path: Path, seed: int) -> None:
        self.start = lambda: multiprocessing.get_context("fork").Process(
            target=poll, args=(runtime.service, runtime.settings, path), daemon=True
        )
        self.random = random.Random(seed)
        self.killed = 0
        self.alive: list[Any] = []
        for _ in range(POLLERS):
            self._replace()

    def _replace(self) -> None:
        process = self.start()
        process.start()
        self.alive.append(process)

    def kill_one(self) -> None:
        victim = self.alive.pop(self.random.randrange(len(self.alive)))
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        self.killed += 1
        self._replace()

    def end(self) -> None:
        for process in self.alive:
            process.kill()
            process.join()


def multiply(house: Any, cases: list[str]) -> None:
    """Copies of every case with its clocks and its due row, each a little later than the one before."""
    shift = "n * interval '3 seconds'"
    copies = {
        ("public", "complaint", "id::text"): {"id": "md5(id::text || n)::uuid", "number": "number || '-' || n"},
        ("public", "clock", "complaint_id::text"): {
            "id": "md5(id::text || n)::uuid",
            "complaint_id": "md5(complaint_id::text || n)::uuid",
            "due_at": f"due_at + {shift}",
            "warn_at": f"warn_at + {shift}",
        },
        ("chassis", "due", "key"): {
            "key": "md5(key || n)::uuid::text",
            "due_at": f"due_at + {shift}",
            "try_at": f"try_at + {shift}",
        },
    }
    with house.runtime.sessions.begin() as session:
        for (schema, name, case), changes in copies.items():
            columns = session.scalars(
                text(
                    "SELECT column_name FROM information_schema.columns WHERE table_schema = :schema "
                    "AND table_name = :name AND is_generated = 'NEVER'"
                ),
                {"schema": schema, "name": name},
            ).all()
            told, chosen = ", ".join(columns), ", ".join(changes.get(column, column) for column in columns)
            for id_, share in zip(cases, SHARES, strict=True):
                copied = f"SELECT {chosen} FROM {schema}.{name}, generate_series(1, :times) n WHERE {case} = :id"
                session.execute(text(f"INSERT INTO {schema}.{name} ({told}) {copied}"), {"times": share - 1, "id": id_})
        session.execute(text("DELETE FROM chassis.outbox"))
    with house.runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def five_cases(given_complaint: Any) -> list[str]:
    """At its beginning, contacted, about safety, waiting for the customer, with a promise for the night."""
    beginning = given_complaint()
    beginning.does("promise", {"due_at": "2026-11-20T20:00:00+08:00", "reason": "we call tonight"})
    contacted = given_complaint(subject="a lid").contacted()
    safety = given_complaint(level=3).contacted()
    waiting = given_complaint(subject="a bill").contacted().investigated()
    waiting.does("promise", {"due_at": "2026-11-23T12:00:00+08:00", "reason": "a visit"})
    waiting.does("wait", {"for": "the receipt"})
    promise = given_complaint(subject="a parcel").contacted()
    promise.does("promise", {"due_at": "2026-11-20T23:00:00+08:00", "reason": "the driver"})
    return [case.id for case in (beginning, contacted, safety, waiting, promise)]


def due_left(house: Any, now: datetime) -> int:
    (found,) = house.rows("SELECT count(*) AS count FROM chassis.due WHERE try_at <= :now", now=now)
    return int(found["count"])


def opening(at: datetime) -> datetime:
    """The oracle's own calendar: these weeks have no holiday."""
    here = at.astimezone(SHANGHAI)
    while here.weekday() > 4 or here.hour >= 18:
        here = (here.replace(hour=9, minute=0, second=0, microsecond=0)).fromtimestamp(
            here.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() + 86_400, SHANGHAI
        )
    return here.replace(hour=9, minute=0, second=0, microsecond=0) if here.hour < 9 else here


def expected(house: Any, times: list[datetime]) -> Counter[tuple[str, str]]:
    """What must have been said, from the rows and the instants at which somebody looked."""
    wanted: Counter[tuple[str, str]] = Counter()
    last = times[-1]
    rows = house.rows(
        "SELECT clock.*, complaint.category FROM clock JOIN complaint ON complaint.id = complaint_id "
        "WHERE ended_at IS NULL"
    )
    for row in rows:
        if row["paused_since"] is not None:
            continue
        case = str(row["complaint_id"])
        wanted["due_soon", str(row["id"])] += row["warn_at"] <= last
        wanted["breached", str(row["id"])] += row["due_at"] <= last
        seen = next((at for at in times if row["due_at"] <= at), None)
        if seen is not None:
            goes_up = seen if row["category"].startswith("safety") else opening(seen)
            wanted["escalated", case] += goes_up <= last
    return +wanted


def said(house: Any) -> Counter[tuple[str, str]]:
    """What was said, by clock (its id is the key of the event's id) or, for escalations, by case."""
    ids = {}
    for row in house.rows("SELECT id FROM clock"):
        for type_ in ("due_soon", "breached"):
            ids[str(derived_id("/kezhi/complaint", str(row["id"]), f"complaint.{type_}.v1"))] = str(row["id"])
    events = house.rows(
        "SELECT type, event_id, convert_from(body, 'UTF8')::jsonb->>'subject' AS subject FROM chassis.outbox "
        "WHERE type IN ('complaint.due_soon.v1', 'complaint.breached.v1', 'complaint.escalated.v1')"
    )
    found: Counter[tuple[str, str]] = Counter()
    for row in events:
        kind = row["type"].split(".")[1]
        found[kind, row["subject"] if kind == "escalated" else ids[row["event_id"]]] += 1
    return found


@pytest.mark.rule("FR-04", "FR-06", "CG-15")
def test_every_warning_breach_and_escalation_once_whoever_is_killed(house, given_complaint, tmp_path):
    times = LONG_TIMES if LONG else SHORT_TIMES
    clock = FileClock(tmp_path / "now")
    clock.travel_to(local(11, 20, 10))
    multiply(house, five_cases(given_complaint))
    (cases,) = house.rows("SELECT count(*) AS count FROM complaint WHERE closed_at IS NULL")
    assert cases["count"] == OPEN

    pollers = Pollers(house.runtime, clock.path, seed=20261120)
    patience = time.monotonic() + PATIENCE
    try:
        for moment in times:
            clock.travel_to(moment)
            at_kill = due_left(house, moment)
            while left := due_left(house, moment):
                assert time.monotonic() < patience, f"{left} rows left at {moment}"
                if left < at_kill - pollers.random.randrange(60, 300):  # in the middle of the work, slow as it may be
                    pollers.kill_one()
                    at_kill = left
                time.sleep(0.05)
    finally:
        pollers.end()

    wanted, found = expected(house, times), said(house)
    assert found == wanted
    assert pollers.killed >= POLLERS
    steps = house.rows("SELECT action, count(*) AS count FROM complaint_step WHERE by = 'system' GROUP BY action")
    kinds = Counter(kind for kind, _ in found.elements())
    counted = {row["action"]: row["count"] for row in steps}
    assert (counted["breach"], counted["escalate"]) == (kinds["breached"], kinds["escalated"])
    assert house.rows("SELECT * FROM chassis.due WHERE attempts > 0") == []
    assert min(kinds.values()) > OPEN / 10
    print(f"{kinds} in {len(times)} looks, {pollers.killed} pollers killed")
