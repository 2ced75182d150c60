"""Workers of the notify service that are killed at random: ``python senders.py SETTINGS.json``.

One process that has imported everything forks the workers, kills one of them with SIGKILL every now and then, and
forks another, until its standard input closes; then it lets the others finish what there is. It writes down how
often it struck. Their provider is a file to which every call adds a line: what no clock, row or log can embellish.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from chassis.clock import ShiftedClock
from chassis.messaging.admission import contents
from chassis.runtime import Runtime, start_runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.worker import Worker
from kezhi_contracts import schemas
from notify.bootstrap import build_service
from notify.channels import Guarded, Limits, Outcome, Outgoing
from notify.delivery.sender import Sender, _run, place_messages, surroundings
from notify.templates.domain import Surroundings
from notify.templates.use_cases import Shelf, render, vocabulary_of

LEASE = timedelta(seconds=6)


@dataclass
class Ledger:
    """A provider without idempotency keys; it needs a moment, so that killers find it busy."""

    path: Path
    name: str = "sms"
    idempotent: bool = False

    def send(self, outgoing: Outgoing) -> Outcome:
        time.sleep(0.001)
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{outgoing.message_id}\n".encode())
        os.close(file)
        time.sleep(0.001)
        return Outcome("sent", outgoing.message_id)


def declared(given: dict[str, Any]) -> tuple[Service, Settings]:
    """The service as always, but for its provider."""

    def send(runtime: Runtime, stop: threading.Event) -> None:
        ways = {"sms": Guarded(Ledger(Path(given["ledger"])), Limits(per_minute=0), runtime.clock.now)}
        sender = Sender(runtime, ways, Surroundings(), lease=LEASE, stop=stop)
        _run(sender, sender.tick)

    service = replace(build_service(), parts={"send": send, "place": place_messages})
    return service, Settings(
        service="notify", **{**given["settings"], "field_keys": tuple(given["settings"]["field_keys"])}
    )


def warm_up(service: Service, settings: Settings) -> None:
    """Read once what every worker would read at its start: pack, schemas, texts. Leaves no connection behind."""
    runtime = start_runtime(service, settings)
    runtime.policies.in_force()
    for type_ in ("points.expiring.v1", "complaint.due_soon.v1"):
        contents(type_, {"type": type_})
    with runtime.sessions() as session:
        for key, channel in (("points_expiring", "sms"), ("complaint_due_soon", "inbox")):
            event = schemas.example(str(vocabulary_of(session, key).event))  # type: ignore[union-attr]
            render(Shelf(session), key, channel, None, event["data"], surroundings(runtime))
    runtime.engine.dispose()


def work(service: Service, settings: Settings, clock: Path) -> None:
    """One worker, until it is killed or told to stop."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # it must not outlive the test
    Worker(start_runtime(service, settings, ShiftedClock(clock)), ["consume", "send", "place"]).run()


def fork(service: Service, settings: Settings, clock: Path) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work(service, settings, clock)
        finally:
            os._exit(0)
    return pid


def wait_for_work(ledger: Path, calls: int, calm: threading.Event) -> None:
    """However slow the machine: strike those who get something done, so that the storm ends."""
    enough = ledger.stat().st_size + calls * 37  # a UUID and its line's end
    patience = time.monotonic() + 10
    while ledger.stat().st_size < enough and time.monotonic() < patience and not calm.is_set():
        time.sleep(0.02)


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text())
    service, settings = declared(given)
    warm_up(service, settings)
    calm = threading.Event()
    born = partial(fork, service, settings, Path(given["clock"]))
    chance = random.Random(given["seed"])
    workers = [born() for _ in range(given["workers"])]
    threading.Thread(target=lambda: (sys.stdin.read(), calm.set()), daemon=True).start()
    kills = 0
    while not calm.wait(chance.uniform(*given["every"])):
        wait_for_work(Path(given["ledger"]), given["calls"], calm)
        victim = workers.pop(chance.randrange(len(workers)))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        kills += 1
        Path(given["kills"]).write_text(str(kills))
        workers.append(born())
    signal.pause()


if __name__ == "__main__":
    main()
