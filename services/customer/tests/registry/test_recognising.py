"""Whose number it is: told to the portal alone, and only where it is plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chassis.runtime import Runtime

NUMBER = "+8613800138000"


@pytest.fixture
def whose(runtime: Runtime, client: Callable[..., Any]) -> Callable[[str], str | None]:
    """``whose("138 0013 8000")`` as the portal asks it."""
    portal = client(runtime, roles=["portal"])

    def ask(phone: str) -> str | None:
        answer = portal.get("/api/v1/customers/recognised", query_string={"phone": phone})
        assert answer.status_code == 200, answer.json
        found: str | None = answer.json["customer_id"]
        return found

    return ask


def test_a_number_is_known_however_it_is_written(
    registered: Callable[..., dict[str, Any]], whose: Callable[[str], str | None]
) -> None:
    customer = registered(phones=[{"number": "010 6552 9988"}, {"number": NUMBER}])
    registered("别人", phones=[{"number": "+8613800138001"}])

    assert {whose(written) for written in (NUMBER, "138 0013 8000", "13800138000")} == {customer["id"]}
    assert [whose(other) for other in ("+8613800138002", "0013800", "nobody", "12")] == [None] * 4


def test_a_number_that_several_share_is_nobodys(
    registered: Callable[..., dict[str, Any]], whose: Callable[[str], str | None]
) -> None:
    registered("王芳", phones=[{"number": NUMBER}])
    registered("李强", phones=[{"number": NUMBER}], force=True)

    assert whose(NUMBER) is None


def test_nobody_but_the_portal_may_ask(runtime: Runtime, client: Callable[..., Any]) -> None:
    front_desk = client(runtime, roles=["front_desk"])
    portal = client(runtime, roles=["portal"])

    asked = "/api/v1/customers/recognised?phone=13800138000"
    assert front_desk.get(asked).status_code == 403
    assert portal.get("/api/v1/customers").status_code == 403


def test_a_list_of_ids_finds_these_and_no_others(registered: Callable[..., dict[str, Any]], admin: Any) -> None:
    first, second, _ = registered("王芳"), registered("李强"), registered("赵敏")

    found = admin.get(f"/api/v1/customers?ids={first['id']},{second['id']},0192d3c4-0000-7000-8000-000000000001").json

    assert {one["name"] for one in found["items"]} == {"王芳", "李强"}
    assert admin.get("/api/v1/customers?ids=x").status_code == 422
