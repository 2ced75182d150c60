"""No token but one that the gateway signed, for us, not long ago: each forgery that is known by name is tried."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from gateway.bootstrap import build_service
from gateway.people.founding import found_company
from gateway.signin import keys

PASSWORD = "correct-horse-battery"


class Gateway:
    """A founded gateway whose JWKS lies in a file, as another service would have fetched it."""

    def __init__(self, runtime: Runtime, http: Any, jwks: Path) -> None:
        self.runtime, self.http, self.jwks = runtime, http, jwks
        with runtime.context() as at:
            found_company(at.session, PASSWORD)
        self.publish()
        self.token: str = self.sign_in().json["access_token"]

    def sign_in(self) -> Any:
        return self.http.post("/api/v1/auth/token", json={"username": "admin", "password": PASSWORD})

    def publish(self) -> dict[str, Any]:
        with self.runtime.context() as at:
            document = keys.published(at.session, at.clock)
        self.jwks.write_text(json.dumps(document))
        return document

    def key(self) -> OKPKey:
        with self.runtime.context() as at:
            return keys.signing_key(at.session, at.clock)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The administrator's real claims, with some of them changed or (None) taken away."""
        body = self.token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | changed
        return {name: value for name, value in claims.items() if value is not None}

    def accepts(self, token: str) -> int:
        status: int = self.http.get("/api/v1/api-keys", headers={"Authorization": f"Bearer {token}"}).status_code
        return status

    def changed(self, **changed: Any) -> str:
        """The same claims, changed, signed with the gateway's own key."""
        return sign(self.key(), self.claims(**changed))


def sign(key: Any, claims: dict[str, Any], **header: Any) -> str:
    given = {"alg": "EdDSA", "kid": key.kid} | header
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jwt.encode(given, claims, key, algorithms=[given["alg"]])


def kid_of(key: OKPKey) -> str:
    return str(key.kid)


def part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


@pytest.fixture
def gateway(make_runtime: Callable[..., Runtime], client: Callable[..., Any], tmp_path: Path) -> Gateway:
    jwks = tmp_path / "jwks.json"
    runtime = make_runtime(build_service, jwks_url=f"file:{jwks}")
    return Gateway(runtime, client(runtime, roles=None), jwks)


def test_the_real_token_is_accepted(gateway: Gateway) -> None:
    assert gateway.accepts(gateway.token) == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_a_token_without_signature_is_refused(gateway: Gateway, algorithm: str) -> None:
    header = part({"alg": algorithm, "kid": gateway.key().kid, "typ": "JWT"})

    for signature in ("", gateway.token.split(".")[2]):
        assert gateway.accepts(f"{header}.{part(gateway.claims())}.{signature}") == 401


def test_a_signature_by_another_key_is_refused(gateway: Gateway) -> None:
    kid = kid_of(gateway.key())
    stranger = OKPKey.generate_key("Ed25519", {"kid": kid})

    assert gateway.accepts(sign(stranger, gateway.claims())) == 401
    assert gateway.accepts(sign(stranger, gateway.claims(), kid="unheard-of")) == 401
    assert gateway.accepts(sign(stranger, gateway.claims(), jwk=stranger.as_dict(private=False))) == 401


def test_the_public_key_is_no_shared_secret(gateway: Gateway) -> None:
    kid, public = kid_of(gateway.key()), gateway.key().as_dict(private=False)
    x = str(public["x"])
    for secret in (x.encode(), json.dumps(public).encode(), base64.urlsafe_b64decode(x + "=")):
        key = OctKey.import_key(secret, {"kid": kid})
        assert gateway.accepts(sign(key, gateway.claims(), alg="HS256")) == 401


def test_another_algorithm_is_refused(gateway: Gateway) -> None:
    key = RSAKey.generate_key(2048, {"kid": kid_of(gateway.key())})

    assert gateway.accepts(sign(key, gateway.claims(), alg="RS256")) == 401


def test_changed_claims_break_the_signature(gateway: Gateway) -> None:
    header, _, signature = gateway.token.split(".")

    assert gateway.accepts(f"{header}.{part(gateway.claims(roles=['administrator', 'auditor']))}.{signature}") == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": 32503680000},
        {"sub": None},
        {"sub": 7},
        {"roles": "administrator"},
        {"kind": "god"},
    ],
)
def test_a_token_of_ours_that_says_something_else_is_refused(gateway: Gateway, changed: dict[str, Any]) -> None:
    assert gateway.accepts(gateway.changed(**changed)) == 401


def test_a_token_ends_after_ten_minutes(gateway: Gateway, clock: Any) -> None:
    clock.advance(minutes=9, seconds=59)
    assert gateway.accepts(gateway.token) == 200
    clock.advance(seconds=1)
    assert gateway.accepts(gateway.token) == 401


NO_TOKENS = ("", "Bearer", "Bearer ", "Bearer .", "Bearer ..", "Bearer a.b.c", "Basic YWRtaW46eA==", "Bearer kz_x")


@pytest.mark.parametrize("authorization", [*NO_TOKENS, "Bearer " + "x" * 8000])
def test_what_is_no_token_is_refused_without_a_word_too_much(gateway: Gateway, authorization: str) -> None:
    answer = gateway.http.get("/api/v1/api-keys", headers={"Authorization": authorization})

    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Traceback" not in answer.text


def test_the_jwks_shows_public_halves_alone(gateway: Gateway) -> None:
    for place in ("/.well-known/jwks.json", "/api/v1/.well-known/jwks.json"):
        answer = gateway.http.get(place)
        assert answer.status_code == 200
        assert [sorted(key) for key in answer.json["keys"]] == [["alg", "crv", "kid", "kty", "use", "x"]]


def test_private_keys_are_unreadable_in_the_database(gateway: Gateway) -> None:
    private = str(gateway.key().as_dict(private=True)["d"])
    with gateway.runtime.engine.connect() as connection:
        row = str(connection.exec_driver_sql("SELECT t::text FROM signing_key t").all())

    assert private not in row


def test_a_rotated_key_signs_only_after_everyone_can_know_it(gateway: Gateway, clock: Any) -> None:
    old = gateway.key().kid
    with gateway.runtime.context() as at:
        new = keys.rotate(at.session, at.clock)
    assert [key["kid"] for key in gateway.publish()["keys"]] == [new, old]

    assert gateway.key().kid == old
    clock.advance(minutes=10)
    assert gateway.key().kid == new
    assert gateway.accepts(gateway.sign_in().json["access_token"]) == 200

    clock.advance(minutes=19)
    assert {key["kid"] for key in gateway.publish()["keys"]} == {new, old}
    clock.advance(minutes=1)
    assert [key["kid"] for key in gateway.publish()["keys"]] == [new]


def test_no_token_is_cut_short_by_a_rotation(gateway: Gateway, clock: Any) -> None:
    with gateway.runtime.context() as at:
        keys.rotate(at.session, at.clock)
    clock.advance(minutes=9, seconds=59)
    last_of_the_old = gateway.sign_in().json["access_token"]
    clock.advance(minutes=9, seconds=59)
    gateway.publish()

    assert gateway.accepts(last_of_the_old) == 200


def test_a_leaked_key_is_withdrawn_at_once(
    gateway: Gateway, client: Callable[..., Any], make_runtime: Callable[..., Runtime]
) -> None:
    leaked = gateway.key()
    with gateway.runtime.context() as at:
        new = keys.rotate(at.session, at.clock, at_once=True)
    gateway.publish()

    restarted = make_runtime(
        build_service,
        jwks_url=f"file:{gateway.jwks}",
        database_url=gateway.runtime.settings.database_url,
        field_keys=gateway.runtime.settings.field_keys,
    )
    forged = sign(leaked, gateway.claims())
    answer = client(restarted, roles=None).get("/api/v1/api-keys", headers={"Authorization": f"Bearer {forged}"})

    assert answer.status_code == 401
    assert gateway.key().kid == new


def test_disabled_staff_are_refused_while_their_token_still_lives(
    gateway: Gateway, recorded: Callable[..., list[Any]]
) -> None:
    headers = {"Authorization": f"Bearer {gateway.token}"}
    made = gateway.http.post(
        "/api/v1/staff",
        headers=headers,
        json={"username": "li", "name": "Li", "unit": "root", "roles": ["auditor"], "password": "nine-quiet-herons"},
    )
    signed_in = gateway.http.post("/api/v1/auth/token", json={"username": "li", "password": "nine-quiet-herons"})
    path = f"/api/v1/staff/{made.json['id']}"
    gateway.http.patch(path, headers={**headers, "If-Match": made.headers["ETag"]}, json={"enabled": False})
    told = recorded(gateway.runtime, type="staff.changed.v1")
    assert set(deliver(gateway.runtime, "staff", told)) == {"accepted"}

    assert gateway.accepts(signed_in.json["access_token"]) == 401
