"""The customer and the loyalty service side by side on one clock, for journeys that no broker has to carry."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chassis.clock import FakeClock
from chassis.messaging.event import Event
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from chassis.timing.due import DuePoller
from chassis.worker import Worker


@dataclass
class Pair:
    """Two services; what a till says reaches both, and what one announces reaches the other."""

    customer: Runtime
    loyalty: Runtime
    clock: FakeClock
    client: Callable[..., Any]
    recorded: Callable[..., list[Event]]
    _handed: dict[str, int] = field(default_factory=dict)

    def post(self, runtime: Runtime, path: str, body: Any = None, username: str = "admin") -> dict[str, Any]:
        """An administrator's POST that must be granted."""
        answer = self.client(runtime, username=username).post(
            f"/api/v1/{path}", json=body or {}, headers={"Idempotency-Key": uuid.uuid4().hex}
        )
        assert answer.status_code < 300, (path, answer.status_code, answer.json)
        return dict(answer.json)

    def get(self, runtime: Runtime, path: str, **query: Any) -> dict[str, Any]:
        answer = self.client(runtime).get(f"/api/v1/{path}", query_string=query)
        assert answer.status_code == 200, (path, answer.status_code, answer.json)
        return dict(answer.json)

    def register(self, card: str, **more: Any) -> str:
        """A new customer with this card, known to both services; returns the id."""
        identities = [{"scheme": "card", "value": card}]
        body = {"kind": "individual", "name": f"客户 {card}", "identities": identities, **more}
        made: str = self.post(self.customer, "customers", body)["id"]
        self.pass_on()
        return made

    def tell(self, *events: Event) -> tuple[list[str], list[str]]:
        """Deliver to the purchases queue of both, in one batch each; what the customer service said, what loyalty."""
        said = deliver(self.customer, "purchases", events), deliver(self.loyalty, "purchases", events)
        self.pass_on()
        return said

    def pass_on(self) -> None:
        """Hand over what each has announced since the last time."""
        for giver, taker in ((self.customer, self.loyalty), (self.loyalty, self.customer)):
            subscription = next(s for s in taker.service.subscriptions if s.family == "events" and s.name != "staff")
            announced = self.recorded(giver)
            fresh = announced[self._handed.get(giver.service.name, 0) :]
            self._handed[giver.service.name] = len(announced)
            wanted = [event for event in fresh if event.type in subscription.accepts]
            words = deliver(taker, subscription.name, wanted)
            assert {word.split(":")[0] for word in words} <= {"accepted", "duplicate"}, words

    def run(self, runtime: Runtime, schedule: str) -> None:
        """Run a schedule until it has nothing more to do."""
        step = next(found.run for found in runtime.service.schedules if found.name == schedule)
        more = True
        while more:
            with runtime.context() as context:
                more = step(context)

    def settle(self, runtime: Runtime) -> None:
        """Do everything that is due now."""
        poller = DuePoller(runtime)
        while poller.tick():
            pass

    def purse(self, customer_id: str) -> dict[str, int]:
        """The member's points as the API tells them."""
        return dict(self.get(self.loyalty, f"members/{customer_id}")["points"])

    def entries(self, customer_id: str) -> dict[str, dict[str, Any]]:
        """The lines of the member's statement by the fact they rest on."""
        found = self.get(self.loyalty, f"members/{customer_id}/entries", limit=200)["items"]
        return {entry["key"]: entry for entry in found}

    def archived(self, customer_id: str, fact: str) -> list[dict[str, Any]]:
        """The lines of the customer's archive that tell such a fact."""
        found = self.get(self.customer, f"customers/{customer_id}/archive", limit=200)["items"]
        return [line for line in found if line["fact"] == fact]

    def in_balance(self) -> bool:
        return bool(self.post(self.loyalty, "reconciliations")["mismatches"] == 0)


@contextmanager
def at_work(*runtimes: Runtime, roles: Sequence[str] = ("consume", "relay", "dead")) -> Iterator[list[Worker]]:
    """The real workers of these services, as threads on the real broker, for the block."""
    workers = [Worker(runtime, roles) for runtime in runtimes]
    threads = [threading.Thread(target=worker.run, daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop.set()
        for thread in threads:
            thread.join(20)
