"""Keys for machines: shown once, stored hashed, exchanged on the way, ended when they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import text

from gateway.api_keys import exchange as exchange_module
from gateway.api_keys.exchange import ExchangeDesk
from gateway.routing.proxy import Router
from gateway.routing.upstream import Upstream

from .conftest import Company, FakeService, ask

NEW = {"name": "till", "roles": ["integration"], "sources": ["/pos/shanghai-001"]}


def claims_of(company: Company, authorization: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(company.http.get("/.well-known/jwks.json").json)
    return dict(jwt.decode(authorization.removeprefix("Bearer "), keys, algorithms=["EdDSA"]).claims)


@pytest.fixture
def till(company: Company, fake_service: Callable[..., FakeService], served: Callable[[Any], int]) -> Any:
    """``till(authorization)`` → (status, what the customer service got as Authorization)."""
    customer = fake_service()
    seconds = [0.0]
    app = company.http.application
    desk = ExchangeDesk(company.runtime, lambda: seconds[0])
    app.extensions["kezhi_exchange"] = desk
    port = served(Router(app.wsgi_app.inner, {"customer": Upstream("customer", customer.url)}, desk))

    def call(secret: str, path: str = "/api/v1/purchases", later: float = 0.0) -> tuple[int, str | None]:
        seconds[0] += later
        before = len(customer.seen)
        status, _, _ = ask(port, "GET", path, headers={"Authorization": f"Bearer {secret}"})
        got = customer.seen[-1].headers["Authorization"] if len(customer.seen) > before else None
        return status, got

    return call


def test_a_key_is_shown_once(company: Company) -> None:
    made = company.post("api-keys", NEW)

    assert made.status_code == 201
    assert made.json["key"].startswith("kz_")
    assert made.json["hint"] == made.json["key"][:8]
    assert made.json["created_by"] == "admin"
    shown = json.dumps([company.get("api-keys").json, company.get(f"api-keys/{made.json['id']}").json])
    assert made.json["key"] not in shown


def test_the_secret_is_in_no_table_not_even_for_idempotency(company: Company) -> None:
    secret = company.post("api-keys", NEW, **{"Idempotency-Key": "once"}).json["key"]
    again = company.post("api-keys", NEW, **{"Idempotency-Key": "once"})

    assert again.status_code == 409, "done already, and the secret is not ours to repeat"
    with company.runtime.sessions() as session:
        for table in ("api_key", "chassis.idempotency", "chassis.audit", "chassis.outbox"):
            rows = "".join(str(row) for row in session.scalars(text(f"SELECT t::text FROM {table} t")))
            assert secret not in rows
            assert secret.encode().hex() not in rows


def test_a_key_goes_on_as_a_short_token_with_its_roles_and_sources(company: Company, till: Any) -> None:
    key = company.post("api-keys", NEW).json

    status, authorization = till(key["key"])

    claims = claims_of(company, authorization)
    assert status == 200
    assert (claims["sub"], claims["kind"], claims["roles"]) == (key["id"], "api_key", ["integration"])
    assert (claims["sources"], claims["unit"], claims["aud"]) == (["/pos/shanghai-001"], "/", "kezhi")
    assert claims["exp"] - claims["iat"] == 120


def test_a_key_works_at_the_gateway_itself_too(company: Company, till: Any) -> None:
    key = company.post("api-keys", NEW).json["key"]

    assert till(key, "/api/v1/units") == (200, None)
    assert till(key, "/api/v1/api-keys") == (403, None)


def test_a_token_is_remembered_and_asked_for_anew_after_seconds(company: Company, till: Any) -> None:
    key = company.post("api-keys", NEW).json["key"]

    first, second = till(key)[1], till(key)[1]
    third = till(key, later=exchange_module.REMEMBERED_SECONDS)[1]

    assert first == second != third


def test_a_token_that_has_run_out_is_not_handed_on_though_its_key_was_just_used(
    company: Company, till: Any, clock: Any
) -> None:
    key = company.post("api-keys", NEW).json["key"]
    first = till(key)[1]

    clock.advance(minutes=3)

    second = till(key)[1]
    assert second != first
    assert claims_of(company, second)["exp"] > clock.now().timestamp()


def test_a_revoked_key_ends_at_once_here_and_within_seconds_elsewhere(company: Company, till: Any) -> None:
    key = company.post("api-keys", NEW).json
    assert till(key["key"])[0] == 200
    with_other_worker = ExchangeDesk(company.runtime, clock := lambda: 0.0)
    assert with_other_worker.token_for(f"Bearer {key['key']}")

    revoked = company.http.delete(f"/api/v1/api-keys/{key['id']}", headers=company.admin)

    assert (revoked.status_code, till(key["key"])) == (204, (401, None))
    with_other_worker._monotonic = lambda: clock() + exchange_module.REMEMBERED_SECONDS
    assert with_other_worker.token_for(f"Bearer {key['key']}") is None


def test_an_expired_an_unknown_and_a_malformed_key_get_the_same_answer(company: Company, till: Any, clock: Any) -> None:
    expires = (clock.now() + timedelta(days=1)).isoformat()
    key = company.post("api-keys", NEW | {"expires_at": expires}).json["key"]
    clock.advance(days=1)

    assert [till(given) for given in (key, "kz_unknown", "kz_" + "x" * 5000, "kz_\xe9")] == [(401, None)] * 4


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"roles": ["king"]}, "roles"),
        ({"roles": []}, "roles"),
        ({"expires_at": "2026-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2036-01-01T00:00:00Z"}, "expires_at"),
        ({"unit": "nowhere"}, "unit"),
    ],
)
def test_a_key_that_does_not_fit_is_refused(company: Company, change: dict[str, Any], field: str) -> None:
    answer = company.post("api-keys", NEW | change)

    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_while_the_database_is_away_a_key_is_answered_503(company: Company) -> None:
    class Away(ExchangeDesk):
        def token_for(self, authorization: str) -> str | None:
            raise ConnectionError

    answered = []
    router = Router(lambda *_: [], {}, Away(company.runtime))

    router(
        {"PATH_INFO": "/api/v1/purchases", "HTTP_AUTHORIZATION": "Bearer kz_x"},
        lambda status, headers: answered.append(status),
    )

    assert answered == ["503 Service Unavailable"]
