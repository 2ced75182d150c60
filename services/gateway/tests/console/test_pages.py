"""Today, customers, one customer: with everything there, with parts missing, refused or hidden."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from gateway.console.customers.overview import folded
from gateway.people.tables import Staff

ID = "0192f7a0-0000-7000-8000-000000000001"
CASE = "0192f7a0-0000-7000-8000-0000000000c1"


def a_customer(**more: Any) -> dict[str, Any]:
    return {
        "id": ID, "code": "C-000001", "kind": "individual", "name": "王小明", "pinyin": "wangxiaoming",
        "status": "active", "stage": "maintenance", "value_class": None, "unit": "SH001", "owner": "li",
        "birthday": "1990-05-01", "special_dates": [], "phones": [{"number": "+8613800138000", "label": "手机"}],
        "emails": [{"address": "wang@example.com"}], "addresses": [], "tags": ["团购"], "profile": {},
        "identities": [{"scheme": "card", "value": "8801"}], "grade": "gold", "classes": {},
        "grade_detail": {
            "value": "gold", "since": "2026-11-01T00:00:00Z", "score": 61.4, "run": None, "clause": "CG-09",
            "policyversion": "x", "inputs": {"amount": 1200.0, "recency": 20},
            "parts": {"amount": 41.25, "recency": 20.15},
            "window": {"from": "2025-11-01", "to": "2026-10-31"},
        },
        "standing": {"may_trade": True, "reasons": []}, "referred_by": None,
        "registered_at": "2025-03-01T02:00:00Z", "registered_by": "admin", "updated_at": "2026-11-01T00:00:00Z",
        "confirmed_at": "2026-11-01T00:00:00Z", "version": 3, **more,
    }  # fmt: skip


def a_clock(**more: Any) -> dict[str, Any]:
    return {
        "id": "0192f7a0-0000-7000-8000-0000000000d1", "kind": "resolution", "status": "running", "round": 1,
        "level": 2, "started_at": "2026-11-19T02:00:00Z", "due_at": "2026-11-20T04:10:00Z", "used": "0.80",
        "explanation": "starts Fri 2026-11-20; 7 working days", "provisional": False, "clause": "FR-07",
        "warned_at": None, "breached_at": None, "met_at": None, "late_seconds": None, **more,
    }  # fmt: skip


def a_case(**more: Any) -> dict[str, Any]:
    return {
        "id": CASE, "number": "TS2026-000012", "type": "complaint", "channel": "telephone",
        "status": "investigating", "level": 2, "round": 1, "category": None, "subject": "漏水的桶 <b>",
        "customer_id": ID, "customer_name": "王小明", "grade": "gold", "verified": True, "anonymous": False,
        "unit": "SH001", "handler": "admin", "handler_role": "handler", "received_at": "2026-11-19T02:00:00Z",
        "next_due_at": "2026-11-20T04:10:00Z", "breached": False, "executive": False, "closed_at": None,
        "outcome": None, "satisfaction": None, "clocks": [a_clock()], **more,
    }  # fmt: skip


def items(*found: Any, next: str | None = None) -> dict[str, Any]:
    return {"items": list(found), "next": next}


def everything(services: Any) -> None:
    """All four services know the customer."""
    customer, complaint, loyalty, notify = (services[name] for name in ("customer", "complaint", "loyalty", "notify"))
    customer.answers |= {
        f"customers/{ID}": (200, a_customer(), {"ETag": '"3"'}),
        "customers": items(a_customer()),
        f"customers/{ID}/archive": items(
            {"id": 2, "at": "2026-11-18T02:00:00Z", "kind": "purchase", "fact": "purchase.completed", "source": "/pos",
             "data": {"purchase_id": "SH1-1", "total": "256.00", "currency": "CNY", "store": "SH001"}},
            {"id": 1, "at": "2026-10-18T02:00:00Z", "kind": "tier", "fact": "tier.changed", "source": "/kezhi/loyalty",
             "data": {"previous": "basic", "tier": "silver"}},
            next="more",
        ),
        "purchases": items(
            {"purchase_id": "SH1-1", "occurred_at": "2026-11-18T02:00:00Z", "total": "256.00", "refunded": "6.00",
             "currency": "CNY"},
            {"purchase_id": "SH1-0", "occurred_at": "2026-08-18T02:00:00Z", "total": "100.00", "refunded": "0.00",
             "currency": "CNY"},
        ),
        "services/customer/approvals": items(
            {"id": "0192f7a0-0000-7000-8000-0000000000e1", "description": "Blacklist C-000009", "proposed_at":
             "2026-11-20T01:00:00Z", "proposed_by": {"id": "somebody", "username": "li"}},
        ),
    }  # fmt: skip
    complaint.answers |= {
        "complaints": lambda query: items(a_case(status=query["status"]) if "status" in query else a_case()),
        f"complaints/{CASE}": {**a_case(), "allowed": ["callback"]},
        "complaints/counts": {"open": 4, "breached": 1, "due_today": 1, "mine": 1,
                              "by_status": {"calling_back": 2}, "by_level": {}},
    }  # fmt: skip
    loyalty.answers |= {
        f"members/{ID}": {
            "customer_id": ID, "tier": "silver", "tier_kept_until": None, "growth": 1200, "expiring": [],
            "points": {"available": 12345, "pending": 20, "held": 0, "blocked": 0, "deficit": 0},
        },
        f"members/{ID}/entries": items(
            {"id": "e", "key": "purchase:SH1-1", "kind": "purchase", "occurred_at": "2026-11-18T02:00:00Z",
             "points": 256, "growth": 256, "reference": "SH1-1", "reason": None, "why": {"decision": "256 points",
             "clause": "MC-01", "inputs": {"total": "256.00", "currency": "CNY"},
             "breakdown": [{"rule": "base", "points": 256, "growth": 256, "clause": "MC-01", "detail": None}]}},
        ),
        "services/loyalty/approvals": items(),
    }  # fmt: skip
    notify.answers |= {
        "inbox": items({"id": "0192f7a0-0000-7000-8000-0000000000f1", "subject": "One of your cases is due soon",
                        "body": "TS2026-000012", "template": "due", "created_at": "2026-11-20T01:00:00Z",
                        "link": {"complaint_id": CASE}}),
        "messages": items(),
    }  # fmt: skip


def test_today_shows_what_waits_for_me(browser: Any, services: Any) -> None:
    everything(services)
    told = browser().get("/console/").text
    assert "1 due today · 1 call-back · 1 approval" in told
    assert re.findall(r'class="tile[^>]*><b>(\d+)</b><span>([\w ]+)', told)[:4] == [
        ("4", "open complaints"), ("1", "overdue"), ("1", "due today"), ("2", "to call back")]  # fmt: skip
    assert "TS2026-000012" in told
    assert "漏水的桶 &lt;b&gt;" in told
    assert "2 h 10 min left" in told
    assert "starts Fri 2026-11-20" in told
    assert "7 working days" in told
    assert "Blacklist C-000009" in told
    assert "One of your cases is due soon" in told


def test_today_names_what_is_missing_and_shows_the_rest(browser: Any, services: Any) -> None:
    everything(services)
    services["complaint"].away = True
    told = browser().get("/console/")
    assert told.status_code == 200
    assert "Your cases are missing" in told.text
    assert "The Complaint service can&#39;t be reached." in told.text
    assert "Blacklist C-000009" in told.text


def test_today_leaves_out_what_is_not_for_my_role(browser: Any, services: Any) -> None:
    everything(services)
    refused = {"title": "Forbidden", "status": 403, "detail": "this needs the permission complaints:read"}
    services["complaint"].answers["complaints"] = (403, refused)
    told = browser().get("/console/").text
    assert "My cases" not in told
    assert "permission" not in told


def test_messages_are_read_in_place(browser: Any, services: Any) -> None:
    everything(services)
    services["notify"].answers["POST inbox/read"] = (204, None)
    reader = browser()
    reader.get("/console/")
    services["notify"].answers["inbox"] = items()
    answer = reader.post("/console/inbox/read", {"id": "f1"}, **{"HX-Request": "true"})
    assert "Everything read" in answer.text
    method, path, _, body, headers = next(seen for seen in services["notify"].seen if seen[0] == "POST")
    assert (method, path, body) == ("POST", "inbox/read", {"ids": ["f1"]})
    assert headers["Idempotency-Key"]


def test_the_rail_counts_what_the_services_count(browser: Any, services: Any) -> None:
    everything(services)
    told = browser().part("/console/rail?at=/console/customers/").text
    assert 'href="/console/customers/" aria-current="page"' in told


def test_the_list_is_searched_as_one_types(browser: Any, services: Any) -> None:
    everything(services)
    part = browser().part("/console/customers/?q=8000&grade=gold")
    assert part.text.lstrip().startswith('<section id="list"')
    assert "王小明" in part.text
    assert part.headers["HX-Replace-Url"] == "/console/customers/?q=8000&grade=gold"
    assert services["customer"].seen[-1][2] == {"q": "8000", "grade": "gold", "limit": "50"}


def test_an_empty_list_says_what_to_do(browser: Any, services: Any) -> None:
    services["customer"].answers["customers"] = items()
    told = browser().get("/console/customers/?q=nobody").text
    assert "No customer found" in told
    assert "/console/customers/new?name=nobody" in told


def test_a_customer_is_registered_in_place(browser: Any, services: Any) -> None:
    services["customer"].answers["POST customers"] = (201, a_customer())
    desk = browser()
    assert desk.part("/console/customers/new?name=Wang").text.count('value="Wang"') == 1
    form = {"name": "王小明", "kind": "individual", "phone": "13800138000", "card": "8801", "key": "k-1"}
    done = desk.post("/console/customers/new", form, **{"HX-Request": "true"})
    assert done.headers["HX-Redirect"] == f"/console/customers/{ID}"
    _, _, _, body, headers = services["customer"].seen[-1]
    assert headers["Idempotency-Key"] == "k-1"
    assert body == {
        "kind": "individual", "name": "王小明", "phones": [{"number": "13800138000"}],
        "identities": [{"scheme": "card", "value": "8801"}],
    }  # fmt: skip


def test_somebody_very_like_them_is_shown_before(browser: Any, services: Any) -> None:
    problem = {"title": "Conflict", "status": 409, "detail": "very like", "candidates": [
        {"id": ID, "code": "C-000001", "name": "王小明", "score": 0.93, "matched": ["name"]}]}  # fmt: skip
    services["customer"].answers["POST customers"] = (409, problem)
    desk = browser()
    told = desk.post("/console/customers/new", {"name": "王晓明", "kind": "individual"}, **{"HX-Request": "true"})
    assert "Is it one of these?" in told.text
    assert f"/console/customers/{ID}" in told.text
    assert 'name="force"' in told.text
    assert 'value="王晓明"' in told.text


def test_what_is_wrong_stands_at_its_field(browser: Any, services: Any) -> None:
    problem = {"title": "Invalid content", "status": 422, "detail": "Some fields are not valid",
               "errors": {"phones.0.number": ["is no telephone number"]}}  # fmt: skip
    services["customer"].answers["POST customers"] = (422, problem)
    told = browser().post("/console/customers/new", {"name": "x", "kind": "individual", "phone": "12"})
    assert told.status_code == 422
    assert 'id="phone-error"' in told.text
    assert "is no telephone number" in told.text


def test_a_number_is_corrected_naming_the_version_that_was_read(browser: Any, services: Any) -> None:
    everything(services)
    services["customer"].answers[f"PATCH customers/{ID}"] = a_customer()
    desk = browser()
    assert 'name="etag" value="&#34;3&#34;"' in desk.part(f"/console/customers/{ID}/edit").text
    form = {"name": "王小明", "phones": "+8613800138000\n13900139000", "emails": "", "tags": "团购，VIP", "etag": '"3"'}
    assert desk.post(f"/console/customers/{ID}/edit", form).status_code == 303
    _, _, _, body, headers = services["customer"].seen[-1]
    assert headers["If-Match"] == '"3"'
    assert body["phones"] == [{"number": "+8613800138000", "label": "手机"}, {"number": "13900139000"}]
    assert body["tags"] == ["团购", "VIP"]


def test_one_customer_from_all_sides(browser: Any, services: Any) -> None:
    everything(services)
    told = browser().get(f"/console/customers/{ID}").text
    for fact in ("王小明", "+8613800138000", "card:8801", "TS2026-000012", "12,345", "20 pending"):
        assert fact in told
    assert "Score 61.4 of 100" in told
    assert "¥1,200.00" in told
    assert "41.2" in told
    assert "20 d ago" in told
    assert "Purchases from 1 Nov 2025 to 31 Oct 2026" in told
    assert "CG-09" in told
    assert "Base" in told
    assert "November 2026" in told
    assert "¥256.00" in told
    assert "Basic → Silver" in told
    assert "2 purchases · CN¥350.00" in told or "2 purchases · ¥350.00" in told
    assert "cursor=more" in told


def test_parts_that_did_not_answer_are_named(browser: Any, services: Any) -> None:
    everything(services)
    services["loyalty"].away = services["notify"].away = True
    told = browser().get(f"/console/customers/{ID}")
    assert told.status_code == 200
    assert "Some parts did not answer" in told.text
    assert "The points are missing" in told.text
    assert "TS2026-000012" in told.text


def test_a_customer_is_shown_without_the_registry_too(browser: Any, services: Any) -> None:
    everything(services)
    services["customer"].away = True
    told = browser().get(f"/console/customers/{ID}")
    assert told.status_code == 200
    assert "12,345" in told.text


def test_a_customer_of_elsewhere_is_not_found(browser: Any, services: Any) -> None:
    everything(services)
    del services["customer"].answers[f"customers/{ID}"]
    told = browser().get(f"/console/customers/{ID}")
    assert told.status_code == 404
    assert "There is nothing here" in told.text
    assert "TS2026-000012" not in told.text


def test_the_page_speaks_chinese(browser: Any, services: Any) -> None:
    everything(services)
    told = browser("zh-CN").get(f"/console/customers/{ID}").text
    assert '<html lang="zh-CN">' in told
    for word in ("客户档案", "为何是此等级", "黄金", "2026年11月", "待生效 20"):
        assert word in told


def test_the_language_is_switched_and_remembered(browser: Any) -> None:
    reader = browser("en")
    assert reader.get("/console/language/zh-CN?next=/console/customers/").headers["Location"] == "/console/customers/"
    assert '<html lang="zh-CN">' in reader.get("/console/customers/").text


def test_the_search_box_shows_what_every_service_found(browser: Any, services: Any) -> None:
    everything(services)
    told = browser().part("/console/search?q=wang").text
    assert f'href="/console/customers/{ID}"' in told
    assert f'href="/console/complaints/{CASE}"' in told
    assert "<html" not in told


def test_what_a_service_refuses_is_said_in_the_readers_language(browser: Any, services: Any) -> None:
    problem = {"title": "Invalid content", "status": 422, "detail": "Some fields are not valid",
               "errors": {"phones.0.number": ["is no phone number; write it with its area or country code, "
                                              "e.g. +86 138 0013 8000"]}}  # fmt: skip
    services["customer"].answers["POST customers"] = (422, problem)
    told = browser("zh-CN").post("/console/customers/new", {"name": "x", "kind": "individual", "phone": "12"}).text
    assert "内容有误" in told
    assert "不是有效的电话号码" in told


def test_the_reader_without_the_role_finds_no_button_for_it(browser: Any, services: Any, company: Any) -> None:
    everything(services)
    with company.runtime.context() as context:
        context.session.scalars(select(Staff)).one().roles = ["auditor"]
    told = browser().get("/console/customers/").text
    assert "王小明" in told
    assert "Register a customer" not in told


def test_the_time_line_goes_on_below(browser: Any, services: Any) -> None:
    everything(services)
    part = browser().part(f"/console/customers/{ID}/archive?cursor=more&kind=purchase").text
    assert "Bought" in part
    assert "<html" not in part
    assert services["customer"].seen[-1][2] == {"limit": "25", "kind": "purchase", "cursor": "more"}


def test_points_stand_beside_the_purchase_that_earned_them() -> None:
    bought = {"fact": "purchase.completed", "data": {"purchase_id": "p1"}}
    earned = {"fact": "points.earned", "data": {"purchase_id": "p1", "points": 37}}
    alone = {"fact": "points.earned", "data": {"purchase_id": "p0", "points": 5}}
    assert folded([earned, bought, alone]) == ([bought, alone], {"p1": 37})
