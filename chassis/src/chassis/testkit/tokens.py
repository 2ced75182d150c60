"""Tokens as the gateway would issue them, signed by a key that lives as long as the test process.

``static_jwks()`` is the ``KEZHI_JWKS_URL`` under which a service trusts them; it also works in a child process.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from chassis.web.tokens import AUDIENCE, ISSUER

_FAR = datetime(2100, 1, 1, tzinfo=UTC)


@cache
def key() -> OKPKey:
    """The test gateway's signing key."""
    return OKPKey.generate_key("Ed25519", {"kid": "test", "use": "sig"}, private=True)


@cache
def static_jwks() -> str:
    """The setting that makes a service trust this process's tokens."""
    return "static:" + orjson.dumps(KeySet([key()]).as_dict(private=False)).decode()


def bearer(
    roles: Sequence[str] = ("administrator",),
    unit_path: str = "/",
    username: str = "admin",
    **claims: Any,
) -> str:
    """An ``Authorization`` header. ``claims`` overrides or adds (``exp=…``, ``kind="api_key"``, ``sources=[…]``)."""
    return "Bearer " + issue(roles, unit_path, username, **claims)


def issue(
    roles: Sequence[str] = ("administrator",),
    unit_path: str = "/",
    username: str = "admin",
    signed_by: OKPKey | None = None,
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """The token's text. The same username is the same person: the staff id derives from it."""
    content = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": staff_id(username),
        "username": username,
        "kind": "staff",
        "unit": unit_path,
        "roles": list(roles),
        "iat": 1_700_000_000,
        "exp": int(_FAR.timestamp()),
        "jti": uuid.uuid4().hex,
        **claims,
    }
    return jwt.encode(header or {"alg": "EdDSA", "kid": "test"}, content, signed_by or key(), algorithms=["EdDSA"])


def staff_id(username: str) -> str:
    """The staff id under which ``bearer`` signs a username in."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"staff:{username}"))
