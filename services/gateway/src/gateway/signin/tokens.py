"""Access tokens: EdDSA JWTs of ten minutes that carry who someone is, never what they may (decision 12)."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey

from gateway.people.tables import Staff

ISSUER = "kezhi-gateway"
AUDIENCE = "kezhi"
STAFF_LIFE = timedelta(minutes=10)
KEY_LIFE = timedelta(minutes=2)  # a revoked API key's last token outlives it by no more than this
SYSTEM_LIFE = timedelta(minutes=1)
SYSTEM_ID = "system:gateway"
PORTAL = "portal"  # the role of the portal's calls: services list it with exactly what the portal needs


def staff_token(key: OKPKey, staff: Staff, now: datetime) -> str:
    """The token of a person who signed in."""
    claims: dict[str, Any] = {"username": staff.username, "kind": "staff"}
    return _signed(key, now, STAFF_LIFE, sub=str(staff.id), unit=staff.unit.path, roles=sorted(staff.roles), **claims)


def key_token(
    key: OKPKey,
    now: datetime,
    *,
    key_id: str,
    name: str,
    unit_path: str,
    roles: Collection[str],
    sources: Collection[str],
) -> str:
    """The token that a machine's API key is exchanged into; it never leaves the house."""
    claims: dict[str, Any] = {"username": f"key:{name}", "kind": "api_key", "sources": sorted(sources)}
    return _signed(key, now, KEY_LIFE, sub=key_id, unit=unit_path, roles=sorted(roles), **claims)


def system_token(key: OKPKey, now: datetime) -> str:
    """The gateway's own token, for what strangers ask of the portal: made for one call, never given away."""
    return _signed(key, now, SYSTEM_LIFE, sub=SYSTEM_ID, unit="/", roles=[PORTAL], username="gateway", kind="system")


def _signed(key: OKPKey, now: datetime, life: timedelta, **claims: Any) -> str:
    claims |= {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": int(now.timestamp()),
        "exp": int((now + life).timestamp()),
        "jti": secrets.token_urlsafe(12),
    }
    with warnings.catch_warnings():
        # RFC 9864 renames the algorithm to "Ed25519"; the contract says EdDSA, which every client library
        # knows.
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode({"alg": "EdDSA", "kid": key.kid}, claims, key, algorithms=["EdDSA"])
