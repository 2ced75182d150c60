"""One box: what each service finds for the caller, members beside customers, and the console's own pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..conftest import Company

ID = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"
WANG = {
    "id": ID, "kind": "individual", "name": "王芳", "code": "SH-000123", "unit": "SH001",
    "phones": [{"number": "+86138****8000"}],
}  # fmt: skip
FIRM = {"id": "f", "kind": "enterprise", "name": "王府饭店", "code": "SH-000124", "unit": None, "phones": []}
CASE = {"id": "c1", "number": "TS2026-000001", "subject": "瓶盖松动", "status": "received"}
MEMBER = {"customer_id": ID, "tier": "gold", "points": {"available": 12_345}}


def test_hits_name_themselves_and_lead_to_their_page(company: Company, connected: Callable[..., Any]) -> None:
    fakes = connected(
        customer={"customers": {"items": [WANG, FIRM]}},
        complaint={"complaints": {"items": [CASE]}},
        loyalty={f"members/{ID}": MEMBER},
    )

    found = company.get("search?q=%E7%8E%8B").json

    assert [(hit["kind"], hit["title"], hit["subtitle"], hit["url"]) for hit in found["items"]] == [
        ("customer", "王芳", "SH-000123 · +86138****8000 · SH001", f"/console/customers/{ID}"),
        ("customer", "王府饭店", "SH-000124", "/console/customers/f"),
        ("complaint", "TS2026-000001", "瓶盖松动 · received", "/console/complaints/c1"),
        ("member", "王芳", "gold · 12,345", f"/console/members/{ID}"),
    ]
    assert found["missing"] == []
    assert [request.target for request in fakes["loyalty"].seen] == [f"/api/v1/members/{ID}"], "people only"


def test_a_silent_service_is_named_and_pages_are_found_without_any(company: Company) -> None:
    found = company.get("search?q=dead").json

    assert [(hit["kind"], hit["url"]) for hit in found["items"]] == [("page", "/console/dead-letters/")]
    assert {one["part"] for one in found["missing"]} == {"customers", "complaints"}


def test_pages_that_one_may_not_read_are_not_offered(company: Company) -> None:
    company.post("staff", {
        "username": "li", "name": "Li", "unit": "root", "roles": ["handler"], "password": "nine-quiet-herons",
    })  # fmt: skip
    li = company.bearer("li", "nine-quiet-herons")

    assert company.http.get("/api/v1/search?q=dead", headers=li).json["items"] == []
    assert len(company.http.get("/api/v1/search?q=today", headers=li).json["items"]) == 1


def test_nothing_to_look_for_is_refused(company: Company) -> None:
    assert [company.get(f"search{query}").status_code for query in ("", "?q=", "?q=x&colour=red")] == [422, 422, 422]
