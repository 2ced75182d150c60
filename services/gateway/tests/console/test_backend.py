"""Asking the services: what came is shown, what did not is named, what was refused is said in their words."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gateway.console.backend import Backend, Missing, Refused
from gateway.routing.upstream import Answer


class Telling:
    def __init__(self, tell: Any) -> None:
        self.tell = tell

    def carry(self, method: str, target: str, headers: Any, body: Any, seconds: Any = None) -> Answer:
        return self.tell(method, target, dict(headers), body)


def answer(status: int, body: bytes, kind: str = "application/json") -> Answer:
    return Answer(status, "", [("Content-Type", kind), ("ETag", '"7"')], (body,))


def backend(**services: Any) -> Backend:
    def own(environ: dict[str, Any], start: Any) -> Any:
        start("200 OK", [("Content-Type", "application/json")])
        return [b'{"asked": "%s?%s"}' % (environ["PATH_INFO"].encode(), environ["QUERY_STRING"].encode())]

    return Backend("t-1", {name: Telling(tell) for name, tell in services.items()}, own, "r-1", "203.0.113.9")


def test_a_slow_service_is_missing_by_the_deadline_and_the_others_are_there() -> None:
    gate = threading.Event()

    def slow(*_: Any) -> Answer:
        gate.wait(20)
        return answer(200, b"{}")

    parts = backend(customer=lambda *_: answer(200, b'{"items": [1]}'), loyalty=slow).fan_out(
        {"customers": "customers", "members": "members"}, 0.3
    )
    gate.set()
    assert parts["customers"].entries == [1]
    assert (parts["members"].missing.service, parts["members"].missing.reason) == ("loyalty", "slow")
    assert not parts["members"].ok


def test_a_service_that_is_not_connected_is_missing() -> None:
    with pytest.raises(Missing) as told:
        backend().get("complaints")
    assert (told.value.service, told.value.reason) == ("complaint", "not_connected")


def test_a_service_that_is_down_behind_its_own_door_is_missing() -> None:
    down = backend(loyalty=lambda *_: answer(503, b'{"title": "Temporarily unavailable"}', "application/problem+json"))
    with pytest.raises(Missing):
        down.get("members/1")


def test_a_problem_is_told_in_the_services_words() -> None:
    body = b'{"title": "Invalid content", "status": 422, "detail": "no", "errors": {"name": ["too long"]}}'
    with pytest.raises(Refused) as told:
        backend(customer=lambda *_: answer(422, body, "application/problem+json")).post("customers", {"name": "x"})
    assert (told.value.status, told.value.title, told.value.detail) == (422, "Invalid content", "no")
    assert told.value.errors == {"name": ["too long"]}


def test_who_asks_and_for_what_is_carried_along() -> None:
    seen: list[Any] = []

    def tell(method: str, target: str, headers: dict[str, str], body: Any) -> Answer:
        seen.append((method, target, headers, body))
        return answer(200, b"{}")

    asked = backend(customer=tell)
    asked.get("customers", q="王 小", open=True, cursor="", from_=None)
    asked.post("customers", {"name": "x"}, key="k-1")
    assert asked.ask("GET", "customers/1").etag == '"7"'
    asked.patch("customers/1", {"name": "y"}, etag='"7"')
    assert seen[0][1] == "/api/v1/customers?q=%E7%8E%8B+%E5%B0%8F&open=true"
    assert seen[0][2]["Authorization"] == "Bearer t-1"
    assert seen[0][2]["X-Forwarded-For"] == "203.0.113.9"
    assert seen[1][2]["Idempotency-Key"] == "k-1"
    assert seen[3][2]["If-Match"] == '"7"'


def test_the_gateways_own_resources_are_asked_without_the_network() -> None:
    assert backend().get("staff", unit="SH/1") == {"asked": "/api/v1/staff?unit=SH%2F1"}
