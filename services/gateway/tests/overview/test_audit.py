"""The trails of all services as one: in order, page after page, each row once, silent services named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..conftest import Company


def trail(*minutes: int, per_page: int = 200) -> Callable[[dict[str, str]], Any]:
    """A service's audit with a row per minute, newest first; its own pages hold ``per_page`` rows at most."""
    rows = [{"id": m, "at": f"2026-11-20T01:{m:02d}:00Z", "action": f"a{m}"} for m in sorted(minutes, reverse=True)]

    def answer(query: dict[str, str]) -> Any:
        if query["limit"] == "13":
            return 422
        begin = int(query.get("cursor", 0))
        end = begin + min(int(query["limit"]), per_page)
        return {"items": rows[begin:end], "next": str(end) if end < len(rows) else None}

    return answer


def audit_of(name: str, *minutes: int, **more: int) -> dict[str, Any]:
    return {f"services/{name}/audit": trail(*minutes, **more)}


def read_all(company: Company, query: str) -> list[tuple[str, int]]:
    """Every page of the whole audit without the gateway's own rows."""
    shown, cursor = [], ""
    for _ in range(50):
        page = company.get(f"audit?{query}{cursor}").json
        shown += [(row["service"], row["id"]) for row in page["items"] if row["service"] != "gateway"]
        if page["next"] is None:
            return shown
        cursor = f"&cursor={page['next']}"
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
@pytest.mark.parametrize("per_page", [1, 3, 200])
def test_every_row_is_shown_once_and_newest_first(
    company: Company, connected: Callable[..., Any], limit: int, per_page: int
) -> None:
    connected(
        customer=audit_of("customer", *range(0, 20, 2), per_page=per_page),
        complaint=audit_of("complaint", 1, 3, 15, 17, per_page=per_page),
        loyalty=audit_of("loyalty"),
        notify=audit_of("notify", 40),
    )

    shown = read_all(company, f"limit={limit}")

    expected = (
        {("customer", m) for m in range(0, 20, 2)} | {("complaint", m) for m in (1, 3, 15, 17)} | {("notify", 40)}
    )
    assert sorted(shown) == sorted(expected)
    assert [minute for _, minute in shown] == sorted((minute for _, minute in shown), reverse=True)


def test_the_gateways_own_trail_is_among_them(company: Company) -> None:
    company.post("units", {"code": "SH", "name": "上海"})

    page = company.get("audit?service=gateway&subject=unit:SH").json

    assert [(row["service"], row["action"], row["username"]) for row in page["items"]] == [
        ("gateway", "people.open_unit", "admin")
    ]
    assert page["missing"] == []


def test_a_service_that_does_not_answer_is_named(company: Company, connected: Callable[..., Any]) -> None:
    connected(customer=audit_of("customer", 1), loyalty={"services/loyalty/audit": 500})

    page = company.get("audit?limit=200").json

    assert ("customer", 1) in [(row["service"], row["id"]) for row in page["items"]]
    assert {(one["service"], one["reason"]) for one in page["missing"]} == {
        ("loyalty", "failed"), ("complaint", "not_connected"), ("notify", "not_connected"),
    }  # fmt: skip


def test_filters_are_the_services_own_and_so_are_their_refusals(
    company: Company, connected: Callable[..., Any]
) -> None:
    fakes = connected(customer=audit_of("customer", 1))

    assert company.get("audit?service=customer&username=li&since=2026-11-01T00:00:00Z").status_code == 200
    assert "username=li" in fakes["customer"].seen[0].target
    assert "since=2026-11-01T00%3A00%3A00Z" in fakes["customer"].seen[0].target
    assert company.get("audit?service=customer&limit=13").status_code == 422
    assert [company.get(f"audit?{query}").status_code for query in ("service=x", "cursor=AAAA", "colour=1")] == [
        422
    ] * 3


def test_only_those_who_may_read_audits(company: Company) -> None:
    company.post("staff", {
        "username": "li", "name": "Li", "unit": "root", "roles": ["director"], "password": "nine-quiet-herons",
    })  # fmt: skip

    assert company.http.get("/api/v1/audit", headers=company.bearer("li", "nine-quiet-herons")).status_code == 403
