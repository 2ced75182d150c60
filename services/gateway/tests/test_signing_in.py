"""Getting in, staying in, going out; and everyone who does not get in."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from gateway.people.staff import NewStaff, take_on
from gateway.people.units import NewUnit, open_unit
from gateway.signin import housekeeping
from gateway.signin.lockout import FREE_FAILURES, LONGEST_DELAY, delay_after
from gateway.signin.passwords import weakness
from gateway.signin.tables import FailedSignIns, SignInFamily

from .conftest import ADMIN_PASSWORD, Company

PASSWORD = "seven-small-swallows"


@pytest.fixture
def li(company: Company) -> str:
    """A handler named li in store SH001; answers the id."""
    with company.runtime.context() as at:
        open_unit(at.session, at.clock, NewUnit("SH001", "上海一店"))
        staff = take_on(
            at.session, at.clock, {"handler"}, NewStaff("Li", "李伟", "SH001", ["handler"], password=PASSWORD)
        )
        return str(staff.id)


def refresh(company: Company, token: str) -> Any:
    return company.http.post("/api/v1/auth/refresh", json={"refresh_token": token})


def test_signing_in_gives_a_token_of_ten_minutes_and_a_refresh_token(company: Company) -> None:
    answer = company.sign_in()

    assert answer.status_code == 200
    assert sorted(answer.json) == ["access_token", "expires_in", "refresh_token", "token_type"]
    assert (answer.json["expires_in"], answer.json["token_type"]) == (600, "Bearer")
    assert answer.headers["Cache-Control"] == "no-store"
    assert company.get("staff").status_code == 200


def test_case_and_width_of_the_username_do_not_matter(company: Company, li: str) -> None:
    assert company.sign_in("ＬＩ ", PASSWORD).status_code == 200


def test_a_wrong_password_an_unknown_name_and_a_disabled_account_get_the_same_answer(company: Company, li: str) -> None:
    company.patch(f"staff/{li}", {"enabled": False})

    answers = [company.sign_in("admin", "wrong-wrong"), company.sign_in("nobody", "x"), company.sign_in("li", PASSWORD)]

    bodies = [{k: v for k, v in answer.json.items() if k != "request_id"} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert bodies[0] == bodies[1] == bodies[2]


def test_an_unknown_name_costs_the_same_time(company: Company) -> None:
    def fastest(username: str) -> float:
        times = []
        for attempt in range(4):
            begun = time.perf_counter()
            company.sign_in(f"{username}{attempt}" if username != "admin" else username, "wrong-password")
            times.append(time.perf_counter() - begun)
        return min(times)

    known, unknown = fastest("admin"), fastest("nobody")

    assert 0.5 < known / unknown < 2


def test_after_five_failures_a_name_must_wait_even_with_the_right_password(company: Company, clock: Any) -> None:
    refused = [company.sign_in("admin", "wrong-wrong").status_code for _ in range(FREE_FAILURES)]
    locked = company.sign_in()
    clock.advance(seconds=31)
    open_again = company.sign_in()

    assert refused == [401] * FREE_FAILURES
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "30")
    assert open_again.status_code == 200


def test_waiting_tells_nothing_about_who_exists(company: Company) -> None:
    for _ in range(FREE_FAILURES):
        company.sign_in("nobody", "wrong-wrong")

    assert company.sign_in("nobody", "wrong-wrong").status_code == 429


def test_a_success_clears_the_count(company: Company) -> None:
    for _ in range(FREE_FAILURES - 1):
        company.sign_in("admin", "wrong-wrong")
    company.sign_in()
    for _ in range(FREE_FAILURES - 1):
        company.sign_in("admin", "wrong-wrong")

    assert company.sign_in().status_code == 200


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    waits = [delay_after(failures) for failures in (4, 5, 6, 7, 50)]

    assert waits == [timedelta(0), timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), LONGEST_DELAY]


def test_a_refresh_token_is_good_once_and_begets_the_next(company: Company) -> None:
    first = company.sign_in().json["refresh_token"]
    second = refresh(company, first)
    third = refresh(company, second.json["refresh_token"])

    assert (second.status_code, third.status_code) == (200, 200)
    assert len({first, second.json["refresh_token"], third.json["refresh_token"]}) == 3


def test_using_a_refresh_token_twice_ends_the_whole_family(company: Company) -> None:
    first = company.sign_in().json["refresh_token"]
    second = refresh(company, first).json["refresh_token"]

    stolen = refresh(company, first)
    victim = refresh(company, second)

    assert (stolen.status_code, victim.status_code) == (401, 401)
    assert refresh(company, company.sign_in().json["refresh_token"]).status_code == 200, "other sign-ins go on"


def test_a_refresh_token_ages_and_so_does_its_family(company: Company, clock: Any) -> None:
    idle = company.sign_in().json["refresh_token"]
    clock.advance(hours=12)
    assert refresh(company, idle).status_code == 401

    token = company.sign_in().json["refresh_token"]
    hours = 0
    while (answer := refresh(company, token)).status_code == 200:
        token = answer.json["refresh_token"]
        clock.advance(hours=11)
        hours += 11
    assert 7 * 24 <= hours < 8 * 24


def test_signing_out_ends_the_sign_in_and_an_unknown_token_is_no_news(company: Company) -> None:
    token = company.sign_in().json["refresh_token"]

    answers = [
        company.http.post("/api/v1/auth/logout", json={"refresh_token": given}).status_code for given in (token, "kr_x")
    ]

    assert answers == [204, 204]
    assert refresh(company, token).status_code == 401


def test_disabling_someone_ends_their_sign_ins(company: Company, li: str) -> None:
    token = company.sign_in("li", PASSWORD).json["refresh_token"]
    company.patch(f"staff/{li}", {"enabled": False})
    company.patch(f"staff/{li}", {"enabled": True})

    assert refresh(company, token).status_code == 401
    assert company.sign_in("li", PASSWORD).status_code == 200


def test_a_refreshed_token_carries_the_roles_of_now(company: Company, li: str) -> None:
    signed_in = company.sign_in("li", PASSWORD).json
    company.patch(f"staff/{li}", {"roles": ["administrator"]})
    token = refresh(company, signed_in["refresh_token"]).json["access_token"]

    before = company.http.get("/api/v1/api-keys", headers={"Authorization": f"Bearer {signed_in['access_token']}"})
    after = company.http.get("/api/v1/api-keys", headers={"Authorization": f"Bearer {token}"})

    assert (before.status_code, after.status_code) == (403, 200)


def test_changing_ones_password_needs_the_present_one_and_ends_every_sign_in(company: Company) -> None:
    token = company.sign_in().json["refresh_token"]

    wrong = company.post("auth/password", {"current_password": "wrong-wrong", "new_password": "a-new-and-long-one"})
    weak = company.post("auth/password", {"current_password": ADMIN_PASSWORD, "new_password": "password1"})
    right = company.post("auth/password", {"current_password": ADMIN_PASSWORD, "new_password": "a-new-and-long-one"})

    assert (wrong.status_code, weak.status_code, right.status_code) == (403, 422, 204)
    assert refresh(company, token).status_code == 401
    assert company.sign_in("admin", "a-new-and-long-one").status_code == 200


@pytest.mark.parametrize(
    ("password", "refused"),
    [("short", True), ("password123", True), ("PASSWORD123", True), ("zhang.san", True), ("aaaaaaaaaaaa", True),
     ("x" * 300, True), ("a quiet lake at noon", False), ("一二三四五六七八", False)],
)  # fmt: skip
def test_passwords_are_refused_for_length_and_for_being_common(password: str, refused: bool) -> None:
    assert (weakness(password, "zhang.san") is not None) == refused


def test_secrets_are_in_no_table(company: Company, li: str) -> None:
    signed_in = company.sign_in("li", PASSWORD).json
    company.post("auth/password", {"current_password": ADMIN_PASSWORD, "new_password": "a-new-and-long-one"})

    with company.runtime.sessions() as session:
        tables = (
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'chassis')"
        )
        names = session.scalars(text(tables)).all()
        rows = "".join(str(session.scalars(text(f"SELECT t::text FROM {name} t")).all()) for name in names)
    for secret in (
        PASSWORD,
        ADMIN_PASSWORD,
        "a-new-and-long-one",
        signed_in["refresh_token"],
        signed_in["access_token"],
    ):
        assert secret not in rows
        assert secret.encode().hex() not in rows, "nor inside a column of bytes"


def test_old_failures_and_ended_sign_ins_are_forgotten(company: Company, clock: Any) -> None:
    company.sign_in()
    company.sign_in("nobody", "x")
    clock.advance(days=60)
    with company.runtime.context() as at:
        housekeeping.forget(at)
        left = at.session.scalar(select(func.count()).select_from(FailedSignIns))
        families = at.session.scalar(select(func.count()).select_from(SignInFamily))

    assert (left, families) == (0, 0)
