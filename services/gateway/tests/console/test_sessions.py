"""Browser sessions: who gets one, what the cookie is, when it ends, and whose form is believed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, text

from gateway.console.security import local
from gateway.console.tables import ConsoleSession
from gateway.people.tables import Staff
from gateway.signin.refresh import end_all_sign_ins


def test_a_stranger_is_sent_to_sign_in_and_back(browser: Any) -> None:
    stranger = browser(signed_in=False)
    sent = stranger.get("/console/customers/?q=wang")
    assert sent.status_code == 303
    assert sent.headers["Location"] == "/console/sign-in?next=/console/customers/%3Fq%3Dwang"
    assert stranger.sign_in(next="/console/customers/?q=wang").headers["Location"] == "/console/customers/?q=wang"
    assert stranger.get("/console/customers/").status_code == 200


def test_a_part_asked_by_a_stranger_leads_the_whole_page_to_sign_in(browser: Any) -> None:
    asked = browser(signed_in=False).get(
        "/console/rail", **{"HX-Request": "true", "HX-Current-URL": "http://localhost/console/customers/"}
    )
    assert asked.status_code == 401
    assert asked.headers["HX-Redirect"] == "/console/sign-in?next=/console/customers/"


def test_every_page_but_the_way_in_asks_for_a_session(browser: Any) -> None:
    """Nothing is open by forgetting: each GET of the console is tried without a cookie."""
    stranger = browser(signed_in=False)
    rules = stranger.http.application.extensions["kezhi_console"].url_map.iter_rules()
    open_to_all = {
        "/console/sign-in",
        "/console",
        "/console/today",
        "/console/language/<code>",
        "/console/static/<path:filename>",
    }
    tried = 0
    for rule in rules:
        if not rule.rule.startswith("/console") or rule.rule in open_to_all:
            continue
        path = re.sub(r"<[^>]*>", "0192f7a0-0000-7000-8000-000000000001", rule.rule)
        for method in sorted({"GET", "POST"} & set(rule.methods or ())):
            answer = stranger.http.open(path, method=method)
            assert answer.status_code in (303, 308), (method, path, answer.status_code)
            tried += 1
    assert tried > 8


def test_the_cookie_is_the_browsers_alone_and_kept_only_as_a_hash(browser: Any, company: Any) -> None:
    stranger = browser(signed_in=False)
    stranger.get("/console/sign-in")
    answer = stranger.post("/console/sign-in", {"username": "admin", "password": "correct-horse-battery"})
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("kezhi_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    value = cookie.split("=", 1)[1].split(";")[0]
    assert len(value) >= 43
    with company.runtime.context() as context:
        kept = context.session.scalars(select(ConsoleSession)).one()
        assert value.encode() not in kept.hash
        assert len(kept.hash) == 32


def test_over_https_the_cookie_is_bound_to_the_host(browser: Any) -> None:
    stranger = browser(signed_in=False)
    client = stranger.http
    told = client.get("/console/sign-in", base_url="https://kezhi.example")
    gate = re.search(r'name="csrf" value="([^"]+)"', told.text).group(1)  # type: ignore[union-attr]
    form = {"csrf": gate, "username": "admin", "password": "correct-horse-battery"}
    answer = client.post("/console/sign-in", data=form, base_url="https://kezhi.example")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if "__Host-kezhi=" in c)
    assert "Secure" in cookie
    assert "Path=/" in cookie


def test_signing_in_gives_a_new_session_whatever_cookie_came_along(browser: Any) -> None:
    planted = browser(signed_in=False)
    planted.http.set_cookie("kezhi_session", "planted-by-somebody-else")
    assert planted.sign_in().status_code == 303
    assert planted.http.get_cookie("kezhi_session").value != "planted-by-somebody-else"


def test_a_wrong_password_is_told_without_telling_which(browser: Any) -> None:
    stranger = browser(signed_in=False)
    for username in ("admin", "nobody"):
        told = stranger.sign_in(username, "wrong")
        assert told.status_code == 401
        assert "Username or password is wrong." in told.text
        assert "kezhi_session" not in str(told.headers.getlist("Set-Cookie"))


def test_guessing_is_slowed_down(browser: Any) -> None:
    stranger = browser(signed_in=False)
    for _ in range(5):
        stranger.sign_in(password="wrong")
    told = stranger.sign_in()
    assert told.status_code == 429
    assert told.headers["Retry-After"] == "30"
    assert "Wait 30 seconds" in told.text


def test_the_sign_in_form_is_believed_only_with_its_own_cookie(browser: Any) -> None:
    stranger = browser(signed_in=False)
    form = {"username": "admin", "password": "correct-horse-battery"}
    assert stranger.post("/console/sign-in", form, csrf="made-up").status_code == 403
    stranger.get("/console/sign-in")
    assert stranger.post("/console/sign-in", form, csrf="made-up").status_code == 403


def test_signing_out_ends_the_session_and_its_sign_in(browser: Any, company: Any) -> None:
    reader = browser()
    value = reader.http.get_cookie("kezhi_session").value
    assert reader.post("/console/sign-out").headers["Location"] == "/console/sign-in"
    assert reader.http.get_cookie("kezhi_session") is None
    reader.http.set_cookie("kezhi_session", value)
    assert reader.get("/console/").status_code == 303
    with company.runtime.context() as context:
        assert context.session.scalar(text("SELECT count(*) FROM sign_in_family WHERE revoked_at IS NULL")) == 0


def test_a_session_ends_when_it_lies_idle(browser: Any, clock: Any) -> None:
    reader = browser()
    clock.advance(hours=11)
    assert reader.get("/console/").status_code == 200
    clock.advance(hours=11)
    assert reader.get("/console/").status_code == 200
    clock.advance(hours=13)
    assert reader.get("/console/").status_code == 303


def test_nobody_stays_signed_in_for_ever(browser: Any, clock: Any) -> None:
    reader = browser()
    for _ in range(16):
        clock.advance(hours=10)
        assert reader.get("/console/").status_code == 200
    clock.advance(hours=10)
    assert reader.get("/console/").status_code == 303


@pytest.mark.parametrize("what", ["disabled", "password changed"])
def test_who_is_shut_out_is_out_at_the_next_click(browser: Any, company: Any, clock: Any, what: str) -> None:
    reader = browser()
    with company.runtime.context() as context:
        staff = context.session.scalars(select(Staff)).one()
        if what == "disabled":
            staff.enabled = False
        else:
            end_all_sign_ins(context.session, clock, staff.id, what)
    assert reader.get("/console/").status_code == 303


def test_services_get_a_short_token_and_the_browser_none(browser: Any, services: Any) -> None:
    reader = browser()
    services["customer"].answers["customers"] = {"items": [], "next": None}
    page = reader.get("/console/customers/")
    token = services["customer"].seen[-1][4]["Authorization"].removeprefix("Bearer ")
    assert token.count(".") == 2
    assert token not in page.text
    assert token not in str(page.headers)


def test_a_form_without_its_token_changes_nothing(browser: Any, services: Any) -> None:
    services["customer"].answers["POST customers"] = (201, {"id": "x", "name": "x"})
    reader = browser()
    for csrf in ("", "made-up"):
        answer = reader.post("/console/customers/new", {"name": "x", "kind": "individual"}, csrf=csrf)
        assert answer.status_code == 403
    assert not [seen for seen in services["customer"].seen if seen[0] == "POST"]


def test_another_ones_token_is_no_good(browser: Any, services: Any) -> None:
    mine, theirs = browser(), browser()
    assert mine.csrf != theirs.csrf
    assert mine.post("/console/customers/new", {"name": "x"}, csrf=theirs.csrf).status_code == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_sent_by_another_site_is_refused_even_with_its_token(
    browser: Any, services: Any, headers: dict[str, str]
) -> None:
    services["customer"].answers["POST customers"] = (201, {"id": "x", "name": "x"})
    answer = browser().post("/console/customers/new", {"name": "x", "kind": "individual"}, **headers)
    assert answer.status_code == 403
    assert not [seen for seen in services["customer"].seen if seen[0] == "POST"]


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/console/",
        "/\\evil.example",
        "/console/\\evil.example",
        "javascript:alert(1)",
        "/consolevil",
        "/console/../../evil",
        "/console/\r\nSet-Cookie: a=b",
        "/api/v1/auth/logout",
        "",
    ],
)
def test_nobody_is_led_elsewhere(browser: Any, target: str) -> None:
    assert local(target) == "/console/"
    assert browser(signed_in=False).sign_in(next=target).headers["Location"] == "/console/"


def test_pages_load_nothing_inline_and_nothing_from_elsewhere(browser: Any, services: Any) -> None:
    reader = browser()
    for path in ("/console/", "/console/customers/", "/console/customers/new", "/console/nowhere"):
        page = reader.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http:" not in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
        for address in re.findall(r'(?:src|href|action)="([^"]+)"', page.text):
            assert address.startswith(("/console", "/portal", "#", "tel:")), address


def test_what_is_shipped_of_others_carries_its_licence() -> None:
    import gateway.console.app as console

    for folder in (path for path in (console.STATIC / "vendor").iterdir() if path.is_dir()):
        assert list(folder.glob("LICENSE*")), folder
        for file in folder.glob("*.js"):
            assert "sourceMappingURL=http" not in file.read_text()


def test_static_files_are_kept_for_ever_under_their_hash(browser: Any) -> None:
    stranger = browser(signed_in=False)
    page = stranger.get("/console/sign-in").text
    address = re.search(r'href="(/console/static/console\.css\?v=\w{12})"', page).group(1)  # type: ignore[union-attr]
    assert "immutable" in stranger.get(address).headers["Cache-Control"]


def test_an_error_is_a_page_that_says_what_to_do(browser: Any, services: Any) -> None:
    reader = browser()
    lost = reader.get("/console/nowhere")
    assert lost.status_code == 404
    assert "There is nothing here" in lost.text
    services["customer"].away = True
    away = reader.get("/console/customers/0192f7a0-0000-7000-8000-000000000001/edit")
    assert away.status_code == 503
    assert "A part of Kezhi is away" in away.text
    assert "Nothing was changed" in away.text


def test_the_bare_address_leads_to_today(browser: Any) -> None:
    assert browser(signed_in=False).http.get("/").headers["Location"] == "/console/"
    assert browser().http.get("/").headers["Location"] == "/console/"


def test_the_api_is_where_it_was(company: Any) -> None:
    assert company.get("staff").status_code == 200
