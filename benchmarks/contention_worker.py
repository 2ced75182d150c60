"""One of the processes of `contention`: does a mix of the programme's work for so many seconds, tells how it went."""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import psycopg

from benchmarks.books import NOW, member_id
from chassis.clock import FakeClock
from chassis.errors import Conflict
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime, start_runtime
from loyalty.bootstrap import build_service
from loyalty.redemption.redeeming import Claim, redeem
from loyalty.redemption.use_cases import capture, release, set_aside

FLOOR, OURS = "floor", "ours"
BATCH = 10  # purchases of one delivery
_LOCK = "SELECT balance FROM f_account WHERE id = %s FOR UPDATE"
_SAVE = "UPDATE f_account SET balance = %s WHERE id = %s"


@dataclass(frozen=True)
class Round:
    """What to do: of ``members``, the first ``hot`` get ``share`` of the traffic; none hot: all alike."""

    what: str
    members: int
    hot: int
    share: float
    seconds: float
    seed: float


@dataclass
class Told:
    """Milliseconds of each transaction, what was done how often, what was refused how often."""

    waits: list[float]
    done: Counter[str]
    refused: Counter[str]

    def __add__(self, other: Told) -> Told:
        return Told(self.waits + other.waits, self.done + other.done, self.refused + other.refused)


def work(settings: Any, orders: Connection[Told, Round | None]) -> None:
    """Do one round after the other until there is none; anything but a refusal ends the process."""
    runtime = start_runtime(build_service(), settings, FakeClock(NOW))
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        while (told := orders.recv()) is not None:
            draw = random.Random(told.seed)
            acts = _Floor(connection, told, draw) if told.what == FLOOR else _Programme(runtime, told, draw)
            orders.send(_round(acts.next, told.seconds))


def _round(act: Callable[[], tuple[str, int]], seconds: float) -> Told:
    found = Told([], Counter(), Counter())
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        try:
            name, count = act()
            found.done[name] += count
        except Conflict as refusal:
            found.refused[refusal.detail or ""] += 1
        found.waits.append((time.perf_counter() - began) * 1000)
    return found


class _Floor:
    def __init__(self, connection: psycopg.Connection[Any], told: Round, draw: random.Random) -> None:
        self.connection, self.told, self.draw = connection, told, draw

    def next(self) -> tuple[str, int]:
        with self.connection.transaction():
            number = _drawn(self.told, self.draw)
            (balance,) = self.connection.execute(_LOCK, [number]).fetchone() or (0,)
            self.connection.execute(_SAVE, [balance + 1, number])
        return "floor", 1


class _Programme:
    """Each answers what was done, and how often."""

    def __init__(self, runtime: Runtime, told: Round, draw: random.Random) -> None:
        self.runtime, self.told, self.draw = runtime, told, draw
        self.held: list[uuid.UUID] = []

    def next(self) -> tuple[str, int]:
        if self.held:
            return self.end_hold(self.held.pop())
        return self.draw.choices((self.buy, self.hold, self.redeem), (40, 35, 25))[0]()

    def buy(self) -> tuple[str, int]:
        events = [self._purchase(member_id(_drawn(self.told, self.draw))) for _ in range(BATCH)]
        words = deliver(self.runtime, "purchases", events)
        if set(words) != {"accepted"}:
            raise RuntimeError(f"purchases were {Counter(words)}")
        return "purchase", BATCH

    def hold(self) -> tuple[str, int]:
        with self.runtime.context() as context:
            hold = set_aside(context, member_id(_drawn(self.told, self.draw)), self.draw.randint(1, 20))
        self.held.append(hold.id)
        return "hold", 1

    def end_hold(self, hold_id: uuid.UUID) -> tuple[str, int]:
        ends, name = (capture, "capture") if self.draw.random() < 0.8 else (release, "release")
        with self.runtime.context() as context:
            ends(context, hold_id)
        return name, 1

    def redeem(self) -> tuple[str, int]:
        claim = Claim(member_id(_drawn(self.told, self.draw)), "TEA", 1, None, None, "till")
        with self.runtime.context() as context:
            redeem(context, claim)
        return "redeem", 1

    def _purchase(self, member: uuid.UUID) -> dict[str, Any]:
        number = str(uuid.uuid4())
        return {
            "specversion": "1.0", "type": "purchase.completed.v1", "source": "/pos/bench", "id": number,
            "time": NOW.isoformat(), "subject": str(member), "datacontenttype": "application/json",
            "data": {
                "purchase_id": number, "customer": {"id": str(member)}, "occurred_at": NOW.isoformat(),
                "store": "SH001", "channel": "store", "currency": "CNY",
                "total": f"{self.draw.randint(1, 90)}.00", "lines": [],
            },
        }  # fmt: skip


def _drawn(told: Round, draw: random.Random) -> int:
    """The number of a member: with ``share`` one of the hot."""
    if told.hot and draw.random() < told.share:
        return draw.randrange(told.hot)
    return draw.randrange(told.members)
