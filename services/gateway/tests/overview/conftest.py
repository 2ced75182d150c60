"""Services that answer as a test tells them, behind a founded gateway."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.overview.asking import UPSTREAMS
from gateway.routing.upstream import Upstream

from ..conftest import Company, FakeService, reply

Answers = dict[str, Any]


@pytest.fixture
def connected(company: Company, fake_service: Callable[..., FakeService]) -> Callable[..., dict[str, FakeService]]:
    """``connected(customer={"customers": {…}}, …)``: each service answers below these paths; a number is a status,
    a function gets the query.
    """

    def connect(**services: Answers | None) -> dict[str, FakeService]:
        fakes = {name: fake_service(_telling(answers)) for name, answers in services.items() if answers is not None}
        company.http.application.extensions[UPSTREAMS] = {
            name: Upstream(name, fake.url) for name, fake in fakes.items()
        }
        return fakes

    return connect


def _telling(answers: Answers) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        handler.note()
        parts = urlsplit(handler.path)
        said = answers.get(parts.path.removeprefix("/api/v1/"), 404)
        if callable(said):
            said = said({name: values[0] for name, values in parse_qs(parts.query).items()})
        status, body = (said, {"title": "refused"}) if isinstance(said, int) else (200, said)
        reply(handler, status, json.dumps(body).encode(), Content_Type="application/json")

    return answer
