"""``portal/*``: anyone may complain, follow and answer; nobody learns whom we know (decisions 16, 35)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from gateway.signin.keys import published

from .conftest import ANSWER, FOLLOW, Portal

COMPLAINTS = "/api/v1/portal/complaints"
ANSWERS = "/api/v1/portal/answers"


@pytest.mark.rule("CG-12")
def test_a_complaint_is_taken_without_an_account(portal: Callable[..., Portal]) -> None:
    at = portal()

    answer = at.http.post(COMPLAINTS, json=at.form(complainant={"name": "张三", "phone": "13800008801"}, wanted="退货"))

    assert (answer.status_code, answer.json) == (
        201, {"number": "TS2026-000017", "link": f"/portal/complaints/{FOLLOW}"}
    )  # fmt: skip
    method, path, body, headers = at.complaints.asked[0]
    assert (method, path) == ("POST", "/api/v1/complaints")
    assert body == {
        "type": "complaint", "channel": "portal", "subject": "热水器漏水", "description": "昨天开始漏水",
        "complainant": {"name": "张三", "phone": "13800008801"}, "wanted": "退货",
    }  # fmt: skip
    assert headers["Idempotency-Key"].startswith("portal:")


def test_the_gateway_asks_in_its_own_name_with_the_portals_role_alone(portal: Callable[..., Portal]) -> None:
    at = portal()

    at.http.post(COMPLAINTS, json=at.form(), headers={"Authorization": "Bearer of.somebody.else"})

    token = at.complaints.asked[0][3]["Authorization"].removeprefix("Bearer ")
    with at.runtime.context() as context:
        keys = KeySet.import_key_set(published(context.session, context.clock))
    claims = jwt.decode(token, keys, algorithms=["EdDSA"]).claims
    assert (claims["kind"], claims["sub"], claims["roles"]) == ("system", "system:gateway", ["portal"])
    assert claims["exp"] - claims["iat"] == 60


def test_what_is_known_of_a_telephone_shows_in_no_answer(portal: Callable[..., Portal]) -> None:
    at = portal()
    known, unknown = (
        at.http.post(COMPLAINTS, json=at.form(complainant={"name": "张三", "phone": phone})).json
        for phone in ("13800008801", "13900009999")
    )

    assert known == unknown
    assert set(known) == {"number", "link"}


def test_without_the_work_nothing_is_taken(portal: Callable[..., Portal]) -> None:
    at = portal()
    form = at.form()

    answers = [at.http.post(COMPLAINTS, json={**form, "solution": tried}) for tried in ("x", "00000000000000000001")]
    missing = at.http.post(COMPLAINTS, json={"subject": "a", "description": "b"})

    assert [answer.status_code for answer in answers] == [422, 422]
    assert "solution" in answers[0].json["errors"]
    assert set(missing.json["errors"]) == {"challenge", "solution"}
    assert at.complaints.asked == []


def test_one_solved_challenge_is_one_idempotency_key(portal: Callable[..., Portal]) -> None:
    at = portal()
    form, other = at.form(), at.form()

    for sent in (form, form, other):
        at.http.post(COMPLAINTS, json=sent)

    keys = [headers["Idempotency-Key"] for _, path, _, headers in at.complaints.asked if path == "/api/v1/complaints"]
    assert keys[0] == keys[1] != keys[2]


def test_who_fills_in_the_hidden_field_is_told_and_nothing_is_taken(portal: Callable[..., Portal]) -> None:
    at = portal()

    answer = at.http.post(COMPLAINTS, json=at.form(website="https://spam.example"))

    assert (answer.status_code, list(answer.json["errors"])) == (422, ["website"])
    assert at.complaints.asked == []


def test_nobody_chooses_a_channel_a_customer_or_an_unknown_field(portal: Callable[..., Portal]) -> None:
    at = portal()

    for field, value in {"channel": "regulator", "customer_id": "x", "level": 3, "received_at": "2026-01-01"}.items():
        assert at.http.post(COMPLAINTS, json=at.form(**{field: value})).status_code == 422

    assert at.complaints.asked == []


def test_one_address_may_hand_in_ten_an_hour(portal: Callable[..., Portal]) -> None:
    at = portal(mode="production")
    form = at.form()

    def send(address: str) -> Any:
        return at.http.post(COMPLAINTS, json=form, environ_base={"REMOTE_ADDR": address})

    answers = [send("203.0.113.7") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [201] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert send("203.0.113.8").status_code == 201


def test_a_link_shows_the_course_and_nothing_of_the_inside(portal: Callable[..., Portal]) -> None:
    at = portal()

    answer = at.http.get(f"{COMPLAINTS}/{FOLLOW}")

    assert answer.status_code == 200
    assert (answer.json["number"], answer.json["may_answer"]) == ("TS2026-000017", False)
    assert "hidden_from" not in answer.json
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["wrong-" + "c" * 40, "..", "a%2Fb", "%E4%BD%A0", "x" * 300, "a.b"])
def test_every_link_that_is_no_good_is_the_same_404(portal: Callable[..., Portal], token: str) -> None:
    at = portal()

    answers = [at.http.get(f"{COMPLAINTS}/{token}"), at.http.get(f"{ANSWERS}/{token}"),
               at.http.post(f"{ANSWERS}/{token}", json={"satisfaction": 1})]  # fmt: skip

    assert {answer.status_code for answer in answers} <= {404}


@pytest.mark.rule("FR-08", "CG-16")
def test_reading_answers_nothing_and_an_answer_counts_once(portal: Callable[..., Portal]) -> None:
    at = portal()
    seen = [at.http.get(f"{ANSWERS}/{ANSWER}").json["may_answer"] for _ in range(3)]

    first = at.http.post(f"{ANSWERS}/{ANSWER}", json={"satisfaction": 4, "comment": "还在漏"})
    second = at.http.post(f"{ANSWERS}/{ANSWER}", json={"satisfaction": 1})

    assert seen == [True] * 3
    assert (first.status_code, first.json) == (200, {"status": "investigating", "round": 2})
    assert second.status_code == 404
    posted = [body for method, _, body, _ in at.complaints.asked if method == "POST"]
    assert posted[0] == {"satisfaction": 4, "comment": "还在漏"}


def test_errors_of_fields_come_through_and_nothing_else(portal: Callable[..., Portal]) -> None:
    at = portal()
    at.complaints.status, at.complaints.errors = 422, {"complainant.phone": ["is no telephone number"]}
    refused = at.http.post(COMPLAINTS, json=at.form())
    at.complaints.status = 403
    forbidden = at.http.post(COMPLAINTS, json=at.form())
    at.complaints.status = 500
    broken = at.http.post(COMPLAINTS, json=at.form())

    assert refused.json["errors"] == {"complainant.phone": ["is no telephone number"]}
    assert [answer.status_code for answer in (refused, forbidden, broken)] == [422, 503, 503]
    assert "refused" not in broken.get_data(as_text=True)


def test_a_link_is_neither_logged_nor_audited(portal: Callable[..., Portal], client: Callable[..., Any]) -> None:
    at = portal()
    at.http.get(f"{COMPLAINTS}/{FOLLOW}")
    at.http.post(f"{ANSWERS}/{ANSWER}", json={"satisfaction": 1})

    admin = at.http.post("/api/v1/auth/token", json={"username": "admin", "password": "correct-horse-battery"}).json[
        "access_token"
    ]
    audit = at.http.get("/api/v1/services/gateway/audit", headers={"Authorization": f"Bearer {admin}"})

    assert audit.status_code == 200
    assert ANSWER not in audit.get_data(as_text=True)
