"""Nobody gets in with a token that isn't the gateway's, ours, and of now (decision 12)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import orjson
import pytest
from joserfc.jwk import KeySet, OKPKey

from chassis.clock import FakeClock
from chassis.errors import Unavailable
from chassis.messaging.delivery import Delivery
from chassis.messaging.event import Event
from chassis.people.copy import apply
from chassis.runtime import Runtime
from chassis.testkit import tokens
from chassis.web.principal import Permissions
from chassis.web.tokens import Keys, NotAuthentic, Verifier

BOOKS = "/api/v1/books"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def _unsigned() -> str:
    _, payload, _ = tokens.issue().split(".")
    return f"{_part({'alg': 'none', 'kid': 'test'})}.{payload}."


def _hmac_by_public_key() -> str:
    import hmac

    _, payload, _ = tokens.issue().split(".")
    content = f"{_part({'alg': 'HS256', 'kid': 'test'})}.{payload}"
    secret = orjson.dumps(tokens.key().as_dict(private=False))
    signature = base64.urlsafe_b64encode(hmac.digest(secret, content.encode(), "sha256")).decode().rstrip("=")
    return f"{content}.{signature}"


FORGED = {
    "nothing": lambda: "",
    "no token": lambda: "Bearer ",
    "no JWT": lambda: "Bearer x.y.z",
    "an API key": lambda: "Bearer kz_0123456789",
    "basic": lambda: "Basic YWRtaW46YWRtaW4=",
    "alg none": lambda: f"Bearer {_unsigned()}",
    "alg HS256 with the public key as secret": lambda: f"Bearer {_hmac_by_public_key()}",
    "another key under our kid": lambda: f"Bearer {tokens.issue(signed_by=OKPKey.generate_key('Ed25519'))}",
    "an unknown kid": lambda: f"Bearer {tokens.issue(header={'alg': 'EdDSA', 'kid': 'other'})}",
    "no kid": lambda: f"Bearer {tokens.issue(header={'alg': 'EdDSA'})}",
    "another audience": lambda: tokens.bearer(aud="portal"),
    "another issuer": lambda: tokens.bearer(iss="someone"),
    "expired": lambda: tokens.bearer(exp=1_700_000_001),
    "no expiry": lambda: tokens.bearer(exp=None),
    "not yet valid": lambda: tokens.bearer(nbf=4_000_000_000),
    "a changed payload": lambda: (
        "Bearer "
        + ".".join([tokens.issue().split(".")[0], _part({"roles": ["administrator"]}), tokens.issue().split(".")[2]])
    ),
    "roles that are no list": lambda: tokens.bearer(roles=["reader"], sub=7),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_token_that_proves_nothing_is_401(shelf: Runtime, client: Callable[..., Any], kind: str) -> None:
    answer = client(shelf, roles=None).get(BOOKS, headers={"Authorization": FORGED[kind]()})

    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_roles_decide_and_the_refusal_changes_nothing(keeper: Any, reader: Any, a_book: Any) -> None:
    assert reader.get(BOOKS).status_code == 200
    assert reader.post(BOOKS, json=a_book()).status_code == 403
    assert keeper.get("/api/v1/services/shelf/audit").status_code == 403
    assert reader.get(BOOKS).json["items"] == []


def test_a_token_that_was_good_is_refused_once_it_expires(
    shelf: Runtime, client: Callable[..., Any], clock: FakeClock
) -> None:
    stranger = client(shelf, roles=None)
    header = {"Authorization": tokens.bearer(exp=int(clock.now().timestamp()) + 60)}
    assert stranger.get(BOOKS, headers=header).status_code == 200

    clock.advance(seconds=61)

    assert stranger.get(BOOKS, headers=header).status_code == 401


def test_staff_whom_the_local_copy_calls_disabled_are_refused(shelf: Runtime, client: Callable[..., Any]) -> None:
    data = {
        "staff_id": tokens.staff_id("gone"),
        "username": "gone",
        "enabled": False,
        "unit_path": "/",
        "roles": ["reader"],
    }
    event = Event("1", "/kezhi/gateway", "staff.changed.v1", "gone", shelf.clock.now(), data, sequence="000000000001")
    with shelf.context() as context:
        apply(context, Delivery(event, event.to_json()))

    assert client(shelf, roles=["reader"], username="gone").get(BOOKS).status_code == 401
    assert client(shelf, roles=["reader"], username="here").get(BOOKS).status_code == 200


class _Gateway:
    """A JWKS endpoint that counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: list[OKPKey] = []
        self.asked = 0
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gateway.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(orjson.dumps(KeySet(gateway.keys).as_dict(private=False)))

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/.well-known/jwks.json"
        Thread(target=self.server.serve_forever, daemon=True).start()


def test_keys_are_fetched_once_and_again_for_a_new_key_but_not_for_every_made_up_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway, now = _Gateway(), [1000.0]
    monkeypatch.setattr("chassis.web.tokens.time.monotonic", lambda: now[0])
    old, new = (OKPKey.generate_key("Ed25519", {"kid": kid}) for kid in ("old", "new"))
    gateway.keys = [old]
    verifier = Verifier(Keys(gateway.url), Permissions({}), FakeClock())

    def signed(key: OKPKey, kid: str) -> str:
        return tokens.issue(signed_by=key, header={"alg": "EdDSA", "kid": kid})

    for _ in range(5):
        assert verifier.verify(signed(old, "old")).username == "admin"
    assert gateway.asked == 1
    gateway.keys = [new]
    now[0] += 11
    assert verifier.verify(signed(new, "new")).username == "admin"
    for number in range(20):
        with pytest.raises(NotAuthentic):
            verifier.verify(signed(old, f"made-up-{number}"))
    assert gateway.asked == 2
    with pytest.raises(NotAuthentic):
        verifier.verify(signed(old, "old"))
    gateway.server.shutdown()
    gateway.server.server_close()
    now[0] += 700
    assert verifier.verify(signed(new, "new")).username == "admin", "the gateway's absence locks nobody out"


def test_keys_age_with_the_clock_that_they_are_changed_by() -> None:
    gateway, clock = _Gateway(), FakeClock()
    old, new = (OKPKey.generate_key("Ed25519", {"kid": kid}) for kid in ("old", "new"))
    gateway.keys = [old]
    verifier = Verifier(Keys(gateway.url), Permissions({}), clock)

    def signed(key: OKPKey, kid: str) -> str:
        return tokens.issue(signed_by=key, header={"alg": "EdDSA", "kid": kid})

    assert verifier.verify(signed(old, "old")).username == "admin"
    gateway.keys = [new]
    clock.advance(days=31)
    assert verifier.verify(signed(new, "new")).username == "admin", "a month has passed since they were fetched"
    gateway.server.shutdown()
    gateway.server.server_close()


def test_without_any_key_ever_the_answer_is_to_come_back() -> None:
    verifier = Verifier(Keys("http://127.0.0.1:9/jwks.json"), Permissions({}), FakeClock())

    with pytest.raises(Unavailable):
        verifier.verify(tokens.issue())
