"""Builders for the loyalty service's tests: told as histories, run on a real PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import text

from chassis.clock import FakeClock
from chassis.errors import Conflict
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from loyalty.bootstrap import build_service


class Programme:
    """A loyalty service of its own, and the sentences tests are told in."""

    def __init__(self, runtime: Runtime, clock: FakeClock) -> None:
        self.runtime = runtime
        self.clock = clock
        self._events = 0
        self._versions: dict[str, int] = {}

    def customer_event(self, type: str, customer_id: str, **state: Any) -> dict[str, Any]:
        version = self._versions[customer_id] = self._versions.get(customer_id, 0) + 1
        data = {
            "customer_id": customer_id, "code": "C-1", "kind": "individual", "name": "王芳", "status": "active",
            "unit": "SH001", "identities": [], "grade": None, "classes": {},
            "standing": {"may_trade": True, "reasons": []}, **state,
        }  # fmt: skip
        return self._event(f"customer.{type}.v1", "/kezhi/customer", data, customer_id, sequence=f"{version:020d}")

    def enrol(self, *names: str, customer_id: str | None = None, **state: Any) -> str:
        """A customer registers; returns the id."""
        customer_id = customer_id or str(uuid.uuid4())
        identities = [{"scheme": name.partition(":")[0], "value": name.partition(":")[2]} for name in names]
        self.tell("customers", self.customer_event("registered", customer_id, identities=identities, **state))
        return customer_id

    def purchase(
        self, total: str, purchase_id: str | None = None, *, by: str = "card:1", at: datetime | None = None, **data: Any
    ) -> dict[str, Any]:
        """A purchase event, untold."""
        purchase_id = purchase_id or f"P{self._events}"
        customer = {"id": by} if by.count("-") == 4 else {"identity": by}
        facts = {
            "purchase_id": purchase_id, "customer": customer, "occurred_at": (at or self.clock.now()).isoformat(),
            "store": "SH001", "channel": "store", "currency": "CNY", "total": total, "lines": [], **data,
        }  # fmt: skip
        return self._event("purchase.completed.v1", "/pos/1", facts, by)

    def refund(
        self, purchase_id: str, total: str, refund_id: str | None = None, lines: Any = (), at: datetime | None = None
    ) -> dict[str, Any]:
        """A refund event, untold."""
        facts = {
            "refund_id": refund_id or f"R{self._events}", "purchase_id": purchase_id,
            "occurred_at": (at or self.clock.now()).isoformat(), "total": total, "lines": list(lines),
        }  # fmt: skip
        return self._event("purchase.refunded.v1", "/pos/1", facts, purchase_id)

    def _event(self, type: str, source: str, data: dict[str, Any], subject: str, **more: Any) -> dict[str, Any]:
        self._events += 1
        return {
            "specversion": "1.0", "id": f"e{self._events}", "source": source, "type": type, "subject": subject,
            "time": self.clock.now().isoformat(), "data": data, **more,
        }  # fmt: skip

    def tell(self, subscription: str, *events: dict[str, Any]) -> list[str]:
        """Deliver events as the broker would, in one batch."""
        return deliver(self.runtime, subscription, events)

    def buys(self, total: str, purchase_id: str | None = None, **more: Any) -> list[str]:
        return self.tell("purchases", self.purchase(total, purchase_id, **more))

    def refunds(self, purchase_id: str, total: str, **more: Any) -> list[str]:
        return self.tell("purchases", self.refund(purchase_id, total, **more))

    def purse(self, customer_id: str) -> dict[str, int]:
        """The cached balances."""
        row = self.rows(
            "SELECT pending, available, held, blocked, deficit, growth FROM member WHERE customer_id = :id",
            id=customer_id,
        )[0]
        return dict(row)

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        with self.runtime.sessions() as session:
            return list(session.execute(text(sql), parameters).mappings())

    def run(self, schedule: str) -> None:
        """Run a schedule until it has nothing more to do."""
        run = next(found.run for found in self.runtime.service.schedules if found.name == schedule)
        more = True
        while more:
            with self.runtime.context() as context:
                more = run(context)


@pytest.fixture(scope="session")
def pack_saying(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Callable[..., Path]:
    """``pack_saying({"mode: unlimited": "mode: only_pending"})`` → the default pack with other words for points."""
    made: dict[tuple[tuple[str, str], ...], Path] = {}

    def pack(words: dict[str, str]) -> Path:
        known = tuple(words.items())
        if known not in made:
            made[known] = tmp_path_factory.mktemp("pack") / "consumer-goods"
            copytree(pytestconfig.rootpath / "policies" / "consumer-goods", made[known])
            file = made[known] / "loyalty.yaml"
            written = file.read_text()
            for before, after in words.items():
                assert written.count(before) == 1, f"the default pack says {before!r} {written.count(before)} times"
                written = written.replace(before, after)
            file.write_text(written)
        return made[known]

    return pack


@pytest.fixture
def rules() -> dict[str, str]:
    """What the test's pack says otherwise than the default one; tests give their own by ``parametrize``."""
    return {}


@pytest.fixture
def programme(
    make_runtime: Callable[..., Runtime], clock: FakeClock, rules: dict[str, str], pack_saying: Callable[..., Path]
) -> Programme:
    """A fresh loyalty service at 2026-11-20 10:00 in Shanghai with the default pack, or what ``rules`` make of it."""
    settings = {"pack": pack_saying(rules)} if rules else {}
    return Programme(make_runtime(build_service, **settings), clock)


@pytest.fixture
def api(programme: Programme, client: Callable[..., Any]) -> Any:
    """The service's HTTP API as an administrator; a POST gets an idempotency key of its own."""
    signed_in = client(programme.runtime)

    class Api:
        def get(self, path: str, **query: Any) -> Any:
            return signed_in.get(f"/api/v1/{path}", query_string=query)

        def post(self, path: str, body: Any = None, key: str | None = None) -> Any:
            headers = {"Idempotency-Key": key or str(uuid.uuid4())}
            return signed_in.post(f"/api/v1/{path}", json={} if body is None else body, headers=headers)

    return Api()


@pytest.fixture
def in_balance(programme: Programme, api: Any) -> Callable[[], None]:
    """``in_balance()`` fails unless every account's books agree."""

    def check() -> None:
        found = api.post("reconciliations").get_json()
        assert found["mismatches"] == 0, found["details"]

    return check


@pytest.fixture
def offer(api: Any) -> Callable[..., dict[str, Any]]:
    """``offer("TEA", "voucher", points=50)`` puts a reward into the catalogue."""

    def put(code: str, kind: str = "voucher", **terms: Any) -> dict[str, Any]:
        made = api.post("rewards", {"code": code, "kind": kind, "name": f"{code} 礼遇", "points": 50, **terms})
        assert made.status_code == 201, made.get_json()
        found: dict[str, Any] = made.get_json()
        return found

    return put


@pytest.fixture
def twenty_at_once() -> Callable[[Callable[[int], Any]], list[str]]:
    """``twenty_at_once(try_it)`` calls it with 0 to 19 at one moment: ``won`` or ``refused`` for each, sorted."""

    def run(try_it: Callable[[int], Any]) -> list[str]:
        outcomes: list[str] = []
        gate = threading.Barrier(20)

        def attempt(number: int) -> None:
            gate.wait()
            try:
                try_it(number)
                outcomes.append("won")
            except Conflict:
                outcomes.append("refused")

        threads = [threading.Thread(target=attempt, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(outcomes)

    return run
