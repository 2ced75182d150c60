"""A founded company with its console, a browser-like client, and services that answer as a test tells them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateway.routing.upstream import Answer, Unreachable

ADMIN_PASSWORD = "correct-horse-battery"


class FakeUpstream:
    """A service behind the console: ``answers["customers/1"] = {…}``; what nobody set is a 404."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.away = False
        self.answers: dict[str, Any] = {}
        self.seen: list[tuple[str, str, dict[str, str], Any, dict[str, str]]] = []

    def carry(
        self, method: str, target: str, headers: list[tuple[str, str]], body: Any, seconds: float | None = None
    ) -> Answer:
        if self.away:
            raise Unreachable
        address = urlsplit(target)
        path, query = address.path.removeprefix("/api/v1/"), dict(parse_qsl(address.query))
        self.seen.append((method, path, query, json.loads(body) if body else None, dict(headers)))
        told = self.answers.get(f"{method} {path}", self.answers.get(path) if method == "GET" else None)
        if callable(told):
            told = told(query if method == "GET" else self.seen[-1][3])
        status, value, more = 200, told, {}
        if told is None:
            status, value = 404, {"title": "Not found", "status": 404, "detail": "nothing here"}
        elif isinstance(told, tuple):
            status, value = told[0], told[1]
            more = told[2] if len(told) > 2 else {}
        kind = "application/problem+json" if status >= 400 else "application/json"
        content = b"" if value is None else json.dumps(value).encode()
        return Answer(status, "", [("Content-Type", kind), *more.items()], (content,))


class Browser:
    """A test client that keeps cookies, speaks one language and finds the page's CSRF token."""

    def __init__(self, http: Any, language: str = "en") -> None:
        self.http = http
        self.headers = {"Accept-Language": language}
        self.csrf = ""

    def get(self, path: str, **headers: str) -> Any:
        answer = self.http.get(path, headers={**self.headers, **headers})
        self._note(answer)
        return answer

    def part(self, path: str) -> Any:
        return self.get(path, **{"HX-Request": "true"})

    def post(self, path: str, form: dict[str, Any] | None = None, csrf: str | None = None, **headers: str) -> Any:
        token = self.csrf if csrf is None else csrf
        answer = self.http.post(path, data={"csrf": token, **(form or {})}, headers={**self.headers, **headers})
        self._note(answer)
        return answer

    def sign_in(self, username: str = "admin", password: str = ADMIN_PASSWORD, next: str = "") -> Any:
        self.get("/console/sign-in")
        answer = self.post("/console/sign-in", {"username": username, "password": password, "next": next})
        if answer.status_code == 303:
            self.get("/console/language/" + self.headers["Accept-Language"])
            self.get("/console/")
        return answer

    def _note(self, answer: Any) -> None:
        if found := re.search(r'name="csrf" value="([^"]+)"', answer.text if "html" in answer.mimetype else ""):
            self.csrf = found.group(1)


@pytest.fixture
def services(company: Any) -> dict[str, FakeUpstream]:
    """The four services behind, each told by the test what to answer."""
    console = company.http.application.extensions["kezhi_console"]
    fakes = {name: FakeUpstream(name) for name in ("customer", "complaint", "loyalty", "notify")}
    console.upstreams = company.http.application.extensions["kezhi_upstreams"] = fakes
    return fakes


@pytest.fixture
def browser(company: Any, services: dict[str, FakeUpstream]) -> Callable[..., Browser]:
    """``browser(language="en")`` → a signed-in administrator's browser; ``signed_in=False`` for a stranger's."""

    def make(language: str = "en", signed_in: bool = True) -> Browser:
        made = Browser(company.http.application.test_client(), language)
        if signed_in:
            assert made.sign_in().status_code == 303
        return made

    return make


@pytest.fixture
def as_role(browser: Callable[..., Browser], company: Any) -> Callable[[str], Browser]:
    """``as_role("front_desk")`` → the browser of somebody who holds this role alone."""

    def sign_in(role: str) -> Browser:
        new = {"username": role, "name": "某人", "unit": "root", "roles": [role], "password": "nine-quiet-herons"}
        assert company.post("staff", new).status_code == 201
        reader = browser(signed_in=False)
        reader.sign_in(role, "nine-quiet-herons")
        return reader

    return sign_in
