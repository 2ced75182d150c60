"""One customer from all sides: every service is asked as the caller, and none of them is waited for too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway.console.backend import THREADS, Backend
from gateway.routing.addresses import upstreams_from_environment

from ..conftest import Company, reply

ID = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"
WANG = {"id": ID, "name": "王芳", "code": "C-1"}
CASE = {"id": "c1", "number": "TS2026-000001"}
LETTER = {"id": "m1", "channel": "sms"}
MEMBER = {"customer_id": ID, "tier": "gold"}


def everything(**changed: Any) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "customer": {f"customers/{ID}": WANG, f"customers/{ID}/archive": {"items": [{"kind": "purchase"}]}},
        "complaint": {"complaints": {"items": [CASE]}},
        "loyalty": {f"members/{ID}": MEMBER},
        "notify": {"messages": {"items": [LETTER]}},
    }
    return answers | changed


def test_all_services_tell_their_part_to_the_caller_as_themselves(
    company: Company, connected: Callable[..., Any]
) -> None:
    fakes = connected(**everything())
    token = company.admin

    seen = company.http.get(f"/api/v1/360/{ID}", headers=token)

    assert seen.status_code == 200
    assert seen.json == {
        "customer": WANG, "archive": [{"kind": "purchase"}], "complaints": [CASE], "loyalty": MEMBER,
        "messages": [LETTER], "missing": [],
    }  # fmt: skip
    assert f"customer_id={ID}" in fakes["complaint"].seen[0].target
    carried = {request.headers["Authorization"] for fake in fakes.values() for request in fake.seen}
    assert carried == {token["Authorization"]}
    ids = {request.headers["X-Request-Id"] for fake in fakes.values() for request in fake.seen}
    assert ids == {seen.headers["X-Request-ID"]}


def test_who_does_not_answer_is_named_and_the_rest_is_shown(company: Company, connected: Callable[..., Any]) -> None:
    fakes = connected(**everything(complaint=None, notify={"messages": 403}))
    connected_to = company.http.application.extensions["kezhi_upstreams"]
    fakes["loyalty"].answer = lambda handler: time.sleep(4)

    begun = time.monotonic()
    seen = company.get(f"360/{ID}").json

    assert time.monotonic() - begun < 3.5, "the slow one is left behind"
    assert "complaint" not in connected_to
    assert (seen["customer"], seen["complaints"], seen["loyalty"], seen["messages"]) == (WANG, None, None, None)
    assert {(one["part"], one["service"], one["reason"]) for one in seen["missing"]} == {
        ("complaints", "complaint", "not_connected"),
        ("loyalty", "loyalty", "slow"),
        ("messages", "notify", "not_permitted"),
    }


def test_a_customer_who_takes_no_part_lacks_nothing(company: Company, connected: Callable[..., Any]) -> None:
    connected(**everything(loyalty={}))

    seen = company.get(f"360/{ID}").json

    assert (seen["loyalty"], seen["missing"]) == (None, [])


def test_whom_the_registry_does_not_show_is_not_found(company: Company, connected: Callable[..., Any]) -> None:
    connected(**everything(customer={}))

    assert company.get(f"360/{ID}").status_code == 404


@pytest.mark.parametrize("path", [f"360/{ID}", "search?q=x", "audit"])
def test_a_stranger_sees_nothing(company: Company, path: str) -> None:
    assert company.http.get(f"/api/v1/{path}").status_code == 401


def test_a_page_may_ask_one_service_for_more_than_is_carried_at_once(
    company: Company, fake_service: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_service(lambda handler: (time.sleep(0.05), reply(handler, 200, b"{}")))
    monkeypatch.setenv("KEZHI_SERVICE_CUSTOMER_URL", fake.url)
    upstreams = upstreams_from_environment(places=THREADS)

    parts = Backend("t", upstreams, company.http.application, "r").fan_out(
        {str(n): f"customers/{n}" for n in range(24)}
    )

    assert [name for name, part in parts.items() if not part.ok] == []
