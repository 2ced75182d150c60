"""Complaints in the console: what is urgent, what may be done, and why; the services decide, the page shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import CASE, CUSTOMER, a_case, a_clock, a_summary

QUEUE = "/console/complaints/"
PAGE = f"/console/complaints/{CASE}"


def asked(fake: Any, path: str) -> list[dict[str, str]]:
    """The queries a path was asked with."""
    return [query for method, seen, query, _, _ in fake.seen if (method, seen) == ("GET", path)]


def sent(fake: Any, path: str) -> list[Any]:
    """The bodies that were posted to a path."""
    return [body for method, seen, _, body, _ in fake.seen if (method, seen) == ("POST", path)]


def test_the_queue_stands_in_order_of_urgency_with_counts(browser: Callable[..., Any], complaints: Any) -> None:
    page = browser().get(QUEUE)

    assert page.status_code == 200
    assert asked(complaints, "complaints")[-1] == {"open": "true", "order": "queue", "limit": "50"}
    assert "TS2026-000017" in page.text
    assert "收银员&lt;b&gt;态度&lt;/b&gt;差" in page.text
    assert "40 min left" in page.text
    assert "received Thu 10:00" in page.text  # the calculation, on hover and focus
    assert 'Overdue <span class="n urgent">1</span>' in page.text


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("?view=mine", {"handler": "admin", "order": "queue", "open": "true"}),
        ("?view=late&level=3", {"breached": "true", "level": "3", "order": "queue"}),
        ("?view=callback", {"status": "calling_back", "order": "queue"}),
        ("?view=executive", {"executive": "true", "order": "newest"}),
        ("?q=8801", {"q": "8801", "order": "newest"}),
        ("?category=service.attitude&channel=hotline", {"category": "service.attitude", "channel": "hotline"}),
    ],
)
def test_filters_are_links(browser: Callable[..., Any], complaints: Any, query: str, filters: dict[str, str]) -> None:
    browser().get(QUEUE + query)

    assert filters.items() <= asked(complaints, "complaints")[-1].items()


def test_who_searches_means_closed_cases_too(browser: Callable[..., Any], complaints: Any) -> None:
    browser().get(QUEUE + "?view=mine&q=8801")

    assert asked(complaints, "complaints")[-1] == {"q": "8801", "order": "newest", "limit": "50"}


def test_a_column_for_each_state_with_the_number_there_really_are(browser: Callable[..., Any], complaints: Any) -> None:
    complaints.answers["complaints/counts"]["by_status"]["investigating"] = 12

    page = browser().get(QUEUE + "board")

    assert page.text.count('class="column"') == 9
    assert "11 more" in page.text


@pytest.mark.rule("TR-11")
def test_a_case_shows_facts_why_and_only_what_is_allowed(browser: Callable[..., Any], complaints: Any) -> None:
    page = browser().get(PAGE)

    for shown in ("category service.attitude", "CG-14", "已致电&lt;i&gt;", "13800008801", "Kept from", "热水器"):
        assert shown in page.text
    offered = {name for name in ("contact", "investigate", "propose", "resolve", "approve", "callback", "reopen")
               if f'hx-get="{PAGE}/{name}"' in page.text}  # fmt: skip
    assert offered == {"contact", "investigate", "propose"}


def test_what_the_guard_hides_does_not_exist(browser: Callable[..., Any], complaints: Any) -> None:
    complaints.answers[f"complaints/{CASE}"] = (404, {"title": "Not found", "status": 404, "detail": "no complaint"})

    hidden, unknown = browser().get(PAGE), browser().get(PAGE.replace("c002", "c009"))

    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert "TS2026-000017" not in hidden.text


def test_a_form_opens_in_place_with_and_without_scripts(browser: Callable[..., Any], complaints: Any) -> None:
    part, whole = browser().part(f"{PAGE}/contact"), browser().get(f"{PAGE}?do=contact")

    assert part.text.lstrip().startswith("<form")
    for form in (part.text, whole.text):
        assert f'action="{PAGE}/contact"' in form
        assert 'name="csrf"' in form
    assert 'class="acting"' not in browser().get(f"{PAGE}?do=approve").text  # not allowed now


def test_what_is_done_goes_to_the_service_with_the_forms_key(browser: Callable[..., Any], complaints: Any) -> None:
    form = {"kind": "first", "reached": "no", "note": "无人接听", "key": "k-1"}

    answer = browser().post(f"{PAGE}/contact", form)

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert sent(complaints, f"complaints/{CASE}/contact") == [{"kind": "first", "reached": False, "note": "无人接听"}]
    assert complaints.seen[-1][4]["Idempotency-Key"] == "k-1"


@pytest.mark.parametrize(
    ("action", "form", "body"),
    [
        ("triage", {"founded": "yes", "category": "other"}, {"founded": True, "category": "other"}),
        ("assign", {"handler": "wang.fang"}, {"handler": "wang.fang"}),
        ("investigate", {"cause": "a", "note": "b", "responsible": "x， y"},
         {"cause": "a", "note": "b", "responsible": ["x", "y"]}),
        ("propose", {"measures": "道歉", "points": "500"}, {"measures": "道歉", "compensation": {"points": 500}}),
        ("propose", {"measures": "退款", "amount": "1,200.00"},
         {"measures": "退款", "compensation": {"amount": "1200.00", "currency": "CNY"}}),
        ("propose", {"measures": "道歉"}, {"measures": "道歉"}),
        ("callback", {"satisfaction": "4", "comment": "还在漏"}, {"satisfaction": 4, "comment": "还在漏"}),
        ("promise", {"due_at": "2026-11-24T15:00", "reason": "到货"},
         {"due_at": "2026-11-24T15:00:00+08:00", "reason": "到货"}),
        ("wait", {"for": "小票"}, {"for": "小票"}),
        ("resolve", {"answer": "已更换"}, {"answer": "已更换"}),
        ("acknowledge", {}, {}),
    ],
)  # fmt: skip
def test_forms_become_the_bodies_of_the_contract(
    browser: Callable[..., Any], complaints: Any, action: str, form: dict[str, str], body: dict[str, Any]
) -> None:
    complaints.answers[f"POST complaints/{CASE}/{action}"] = a_case()

    assert browser().post(f"{PAGE}/{action}", form).status_code == 303
    assert sent(complaints, f"complaints/{CASE}/{action}") == [body]


def test_a_refusal_leaves_what_was_typed_and_says_why_beside_the_field(
    browser: Callable[..., Any], complaints: Any
) -> None:
    complaints.answers[f"POST complaints/{CASE}/propose"] = (
        422, {"title": "Invalid content", "status": 422, "detail": "Some fields are not valid",
              "errors": {"compensation.points": ["must be at least 1"]}},
    )  # fmt: skip

    answer = browser().post(f"{PAGE}/propose", {"measures": "道歉信", "points": "0"})

    assert answer.status_code == 422
    assert "道歉信" in answer.text
    assert "must be at least 1" in answer.text


def test_a_conflict_is_said_where_the_form_was(browser: Callable[..., Any], complaints: Any) -> None:
    refused = {
        "title": "Conflict with the current state",
        "status": 409,
        "detail": "a case that is closed can't contact",
    }
    complaints.answers[f"POST complaints/{CASE}/contact"] = (409, refused)

    answer = browser().post(f"{PAGE}/contact", {"note": "x"}, **{"HX-Request": "true"})

    assert answer.status_code == 409
    assert "can&#39;t contact" in answer.text


@pytest.mark.rule("FR-08")
def test_the_answer_of_a_call_back_is_one_click(browser: Callable[..., Any], complaints: Any) -> None:
    complaints.answers[f"complaints/{CASE}"] = a_case(status="calling_back", allowed=["attempt", "callback"])

    page = browser().get(f"{PAGE}?do=callback")

    assert [f'name="satisfaction" value="{value}"' in page.text for value in range(1, 6)] == [True] * 5
    assert "1, 2, 3 close the case" in page.text


@pytest.mark.rule("TR-19")
def test_who_handled_a_case_is_not_offered_its_call_back(browser: Callable[..., Any], complaints: Any) -> None:
    complaints.answers["complaints"] = {
        "items": [a_summary(status="calling_back", handler="admin"),
                  a_summary(id=CASE.replace("c002", "c003"), status="calling_back")], "next": None,
    }  # fmt: skip

    page = browser().get(QUEUE + "callbacks")

    assert f"{PAGE}/callback" not in page.text
    assert PAGE.replace("c002", "c003") + "/callback" in page.text


@pytest.mark.rule("CG-13")
def test_a_caller_is_found_by_the_end_of_their_number(
    browser: Callable[..., Any], complaints: Any, services: dict[str, Any]
) -> None:
    found = {"id": CUSTOMER, "code": "C000017", "name": "张三", "grade": "gold", "phones": [{"number": "13800008801"}]}
    services["customer"].answers["customers"] = {"items": [found], "next": None}

    part = browser().part("/console/complaints/callers?who=8801")

    assert asked(services["customer"], "customers")[-1]["q"] == "8801"
    assert f'value="{CUSTOMER}" checked' in part.text
    assert browser().part("/console/complaints/callers?who=8").text.count('name="customer_id"') == 1  # somebody new


def test_a_complaint_by_telephone_is_recorded(browser: Callable[..., Any], complaints: Any) -> None:
    complaints.answers["POST complaints"] = (201, a_case())
    known = {"who": "8801", "customer_id": CUSTOMER, "description": "热水器漏水\n昨天开始", "channel": "hotline",
             "type": "complaint"}  # fmt: skip
    new = {"who": "13900001111", "customer_id": "new", "name": "李四", "phone": "13900001111", "description": "态度差",
           "channel": "letter", "type": "complaint", "against": "staff", "ref": "li.lei", "insists": "true",
           "received_at": "2026-11-19T17:20"}  # fmt: skip

    answers = [browser().post("/console/complaints/new", form) for form in (known, new)]

    assert [answer.headers["Location"] for answer in answers] == [PAGE, PAGE]
    first, second = sent(complaints, "complaints")
    assert (first["customer_id"], first["subject"], "complainant" in first) == (CUSTOMER, "热水器漏水", False)
    assert second["complainant"] == {"name": "李四", "phone": "13900001111"}
    assert second["against"] == {"kind": "staff", "ref": "li.lei"}
    assert (second["received_at"], second["insists"]) == ("2026-11-19T17:20:00+08:00", True)
    assert "customer_id" not in second


def test_an_intake_that_is_refused_keeps_what_was_typed(browser: Callable[..., Any], complaints: Any) -> None:
    complaints.answers["POST complaints"] = (
        403, {"title": "Forbidden", "status": 403, "detail": "only front_desk may give a time in the past"}
    )  # fmt: skip

    answer = browser().post(
        "/console/complaints/new", {"description": "三天前的来信", "received_at": "2026-11-17T09:00"}
    )

    assert answer.status_code == 403
    assert "三天前的来信" in answer.text
    assert "only front_desk" in answer.text


def test_a_service_that_is_away_is_named_and_the_page_stands(browser: Callable[..., Any], complaints: Any) -> None:
    complaints.away = True

    page = browser().get(QUEUE)

    assert page.status_code == 200
    assert "can&#39;t be reached" in page.text


def test_clocks_are_chips_with_words_not_colour_alone(browser: Callable[..., Any], complaints: Any) -> None:
    late = a_clock(
        due_at="2026-11-20T00:30:00Z", status="breached", breached_at="2026-11-20T00:30:00Z", provisional=True
    )
    complaints.answers["complaints"]["items"] = [a_summary(clocks=[late], breached=True)]

    page = browser().get(QUEUE)

    assert "overdue by 1 h 30 min" in page.text
    assert "Provisional" in page.text


def test_people_and_units_are_called_by_their_names(company: Any, browser: Any, complaints: Any) -> None:
    company.post("units", {"code": "east", "name": "华东分公司"})
    company.post("staff", {"username": "wang.fang", "name": "王芳", "unit": "east", "roles": ["service_manager"]})

    queue, case = (browser("zh-CN").get(f"/console/complaints/{path}").text for path in ("", CASE))

    assert "王芳" in queue
    assert "华东分公司" in queue
    assert "由王芳" in case
    assert "wang.fang" not in queue


FIGURE = {
    "rate": None, "target": "0.95", "met": None, "due": 0, "waiting": 0, "on_time": 0, "attempted": 0, "reached": 0,
    "answered": 0, "satisfied": 0,
}  # fmt: skip


def test_a_breakdown_that_tells_nothing_takes_no_table(browser: Any, complaints: Any) -> None:
    week = {
        "total": 2, "period": {"first": "2026-11-16", "last": "2026-11-22"}, "clocks": [],
        "kpis": {"first_contact": FIGURE, "callback": FIGURE, "satisfaction": FIGURE},
        "trend": {"periods": [], "mean": None, "because": "0 of the 6 periods needed before this one"},
        "repeats": {"count": 0, "share": None}, "compensation": {"value": "0.00", "currency": "CNY", "cases": 0},
        "breakdowns": {
            "unit": {"buckets": [{"key": "east", "count": 2, "share": "1"}], "sum": 2},
            "product": {"buckets": [{"key": None, "count": 2, "share": "1"}], "sum": 2},
        },
    }  # fmt: skip
    complaints.answers["complaint-reports/weekly"] = week

    told = browser().get("/console/complaints/report").text

    assert "By Unit" in told
    assert "By Product" not in told
    assert "No case of this week names: Product." in told
