"""The portal's pages: they say where one stands, lose nothing that was typed, and go without scripts where they can."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway.portal.challenge import Challenge, solve

from .conftest import ANSWER, FOLLOW, Portal


def the_form(at: Portal, language: str = "en") -> dict[str, str]:
    """What a browser sends back of the form as it was given, with the work done."""
    page = at.http.get("/portal/complaints/new", headers={"Accept-Language": language})
    challenge = re.search(r'name="challenge" value="([^"]+)"', page.text)
    bits = re.search(r'data-bits="(\d+)"', page.text)
    assert challenge
    assert bits
    made = Challenge(challenge[1], int(bits[1]), at.runtime.clock.now())
    return {"challenge": challenge[1], "solution": solve(made), "website": "", "type": "complaint"}


@pytest.mark.rule("CG-12")
@pytest.mark.parametrize(
    ("language", "title"), [("zh-CN", "您说，我们来解决"), ("en", "Tell us, and we will put it right")]
)
def test_the_first_page_in_the_readers_language(portal: Callable[..., Portal], language: str, title: str) -> None:
    page = portal().http.get("/portal/", headers={"Accept-Language": language})

    assert (page.status_code, title in page.text, f'lang="{language}"' in page.text) == (200, True, True)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_a_complaint_by_form_leads_to_its_personal_page(portal: Callable[..., Portal]) -> None:
    at = portal()

    answer = at.http.post("/portal/complaints/new", data=the_form(at, "zh-CN") | {
        "subject": "漏水", "description": "昨天", "name": "张三", "phone": "13800008801", "email": "", "batch": "B1",
        "amount": "1,256.00", "wanted": "",
    }, headers={"Accept-Language": "zh-CN"})  # fmt: skip

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/portal/complaints/{FOLLOW}?new=1")
    assert at.complaints.asked[0][2] == {
        "type": "complaint", "channel": "portal", "locale": "zh-CN", "subject": "漏水", "description": "昨天",
        "complainant": {"name": "张三", "phone": "13800008801"}, "details": {"batch": "B1"},
        "value": {"amount": "1256.00", "currency": "CNY"},
    }  # fmt: skip


def test_what_was_typed_survives_a_refusal_and_the_field_says_why(portal: Callable[..., Portal]) -> None:
    at = portal()
    at.complaints.status, at.complaints.errors = 422, {"complainant.phone": ["no telephone number"]}

    answer = at.http.post(
        "/portal/complaints/new",
        data=the_form(at) | {"subject": "<b>漏水", "description": "昨天", "phone": "abc"},
        headers={"Accept-Language": "en"},
    )

    assert answer.status_code == 422
    assert "This does not look like a telephone number." in answer.text
    assert 'value="&lt;b&gt;漏水"' in answer.text
    assert 'aria-invalid="true"' in answer.text


@pytest.mark.parametrize("spoiled", [{"solution": ""}, {"solution": "0"}, {"website": "x"}, {"challenge": "x"}])
def test_without_the_work_nothing_is_taken_and_nothing_is_lost(
    portal: Callable[..., Portal], spoiled: dict[str, str]
) -> None:
    at = portal()

    answer = at.http.post(
        "/portal/complaints/new", data=the_form(at) | {"subject": "漏水", "description": "昨天发现"} | spoiled
    )

    assert answer.status_code == 422
    assert "昨天发现" in answer.text
    assert at.complaints.asked == []


def test_when_the_service_is_away_the_form_waits(portal: Callable[..., Portal]) -> None:
    at = portal()
    at.complaints.status = 503

    answer = at.http.post("/portal/complaints/new", data=the_form(at) | {"subject": "漏水", "description": "昨天发现"})

    assert answer.status_code == 503
    assert "昨天发现" in answer.text


def test_the_personal_page_says_what_comes_next(portal: Callable[..., Portal]) -> None:
    page = portal().http.get(f"/portal/complaints/{FOLLOW}", headers={"Accept-Language": "en"})

    assert page.status_code == 200
    for shown in (
        "TS2026-000017",
        "We ask whether it is solved",
        "Looked after by 王芳",
        "&lt;b&gt;请放心使用&lt;/b&gt;",
    ):
        assert shown in page.text
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.rule("FR-08")
def test_the_answer_needs_no_script_and_looking_answers_nothing(portal: Callable[..., Portal]) -> None:
    at = portal()
    page = at.http.get(f"/portal/answers/{ANSWER}", headers={"Accept-Language": "en"})
    nothing = at.http.post(f"/portal/answers/{ANSWER}", data={"comment": "x"}, headers={"Accept-Language": "en"})

    answer = at.http.post(f"/portal/answers/{ANSWER}", data={"satisfaction": "5", "comment": "还在漏"})
    again = at.http.get(f"/portal/answers/{ANSWER}")

    assert page.text.count('name="satisfaction"') == 5
    assert "<script" not in page.text
    assert (nothing.status_code, "Please choose one" in nothing.text) == (422, True)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/portal/thanks?again=1")
    assert again.status_code == 404


def test_a_link_to_follow_by_does_not_answer(portal: Callable[..., Portal]) -> None:
    answer = portal().http.get(f"/portal/answers/{FOLLOW}")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/portal/complaints/{FOLLOW}")


@pytest.mark.parametrize("path", ["complaints/wrong", "answers/wrong", "nowhere", "language/fr"])
def test_what_is_not_there_is_a_page_of_its_own(portal: Callable[..., Portal], path: str) -> None:
    page = portal().http.get(f"/portal/{path}", headers={"Accept-Language": "en"})

    assert page.status_code == 404
    assert "There is nothing behind this link" in page.text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/portal/\\evil", "/console/"])
def test_choosing_a_language_leads_nowhere_else(portal: Callable[..., Portal], back: str) -> None:
    answer: Any = portal().http.get("/portal/language/en", query_string={"back": back})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/portal/")
