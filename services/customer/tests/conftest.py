"""Builders of the customer service's tests: a running service, a signed-in caller, purchases as a till tells them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from chassis.clock import FakeClock
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from chassis.timing.due import DuePoller
from customer.bootstrap import build_service

_numbers = itertools.count(1)


@pytest.fixture
def runtime(make_runtime: Callable[..., Runtime]) -> Runtime:
    return make_runtime(build_service)


@pytest.fixture
def admin(runtime: Runtime, client: Callable[..., Any]) -> Any:
    """The first administrator."""
    return client(runtime)


@pytest.fixture
def second(runtime: Runtime, client: Callable[..., Any]) -> Any:
    """A second person, who may approve."""
    return client(runtime, roles=["director"], username="director")


@pytest.fixture
def registered(admin: Any) -> Callable[..., dict[str, Any]]:
    """``registered(name, card="8801", …)`` → the customer as the API answers it."""

    def register(name: str = "单小明", card: str | None = None, **facts: Any) -> dict[str, Any]:
        body: dict[str, Any] = {"kind": "individual", "name": name, **facts}
        if card is not None:
            body["identities"] = [{"scheme": "card", "value": card}]
        answer = admin.post("/api/v1/customers", json=body)
        assert answer.status_code == 201, answer.json
        return dict(answer.json)

    return register


@pytest.fixture
def sale(clock: FakeClock) -> Callable[..., dict[str, Any]]:
    """``sale("8801", "256.00", days_ago=3)`` → a whole ``purchase.completed.v1``; ``card=None`` is anonymous."""

    def tell(card: str | None = "8801", total: str = "100.00", days_ago: float = 1, **members: Any) -> dict[str, Any]:
        number = next(_numbers)
        at = clock.now().timestamp() - days_ago * 86400
        data: dict[str, Any] = {
            "purchase_id": members.pop("purchase_id", f"P-{number}"),
            "occurred_at": _instant(at),
            "store": "SH001",
            "channel": "store",
            "currency": "CNY",
            "total": total,
            "lines": [],
        }
        if card is not None:
            data["customer"] = {"identity": f"card:{card}"}
        return _event("purchase.completed.v1", number, card, {**data, **members}, _instant(clock.now().timestamp()))

    return tell


@pytest.fixture
def refund(clock: FakeClock) -> Callable[..., dict[str, Any]]:
    """``refund("P-1", total="10.00")`` → a whole ``purchase.refunded.v1``."""

    def tell(purchase_id: str, total: str, **members: Any) -> dict[str, Any]:
        number = next(_numbers)
        now = _instant(clock.now().timestamp())
        data = {"refund_id": f"R-{number}", "purchase_id": purchase_id, "occurred_at": now, "total": total, "lines": []}
        return _event("purchase.refunded.v1", number, "8801", {**data, **members}, now)

    return tell


@pytest.fixture
def told(runtime: Runtime) -> Callable[..., list[str]]:
    """Deliver purchases as the broker would; a word for each."""
    return lambda *events: deliver(runtime, "purchases", events)


@pytest.fixture
def settle(runtime: Runtime) -> Callable[[], None]:
    """Do everything that is due now."""

    def run() -> None:
        poller = DuePoller(runtime)
        while poller.tick():
            pass

    return run


def _event(type: str, number: int, card: str | None, data: dict[str, Any], time: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": type,
        "source": "/pos/shanghai-001",
        "id": f"E-{number}",
        "time": time,
        "subject": f"card:{card}" if card else "anonymous",
        "datacontenttype": "application/json",
        "data": data,
    }


def _instant(timestamp: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(timestamp, UTC).isoformat()
