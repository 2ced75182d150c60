"""A bearer token becomes a Principal, or 401: EdDSA alone, our audience and issuer, unexpired (decision 12).

The signature of one token text is checked once and remembered for at most five minutes; the keys are the gateway's
JWKS, fetched when first needed, kept while the gateway is away, and asked for again when a token names a key that
is not among them - at most every ten seconds, so that nobody makes us knock at the gateway's door with made-up keys.
"""

from __future__ import annotations

import threading
import time
import urllib.request
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.web.principal import Permissions, Principal, closed

ISSUER = "kezhi-gateway"
AUDIENCE = "kezhi"
# RFC 9864 renames EdDSA over Ed25519 to "Ed25519"; the contract says EdDSA, and we verify both names.
warnings.filterwarnings("ignore", category=SecurityWarning, message="EdDSA is deprecated")

_ALGORITHMS = ["EdDSA", "Ed25519"]
_REMEMBERED = 4096  # tokens
_TRUST = 300.0  # seconds a verified text is believed before its key is looked up again
_REFETCH = 10.0
_MAX_AGE = 600.0


class NotAuthentic(Exception):
    """No token, or one that proves nothing. The reason is for the caller, who can get a new one."""


class Keys:
    """The gateway's public keys: ``http(s):``, ``file:`` or ``static:`` followed by the JWKS itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._keys: dict[str, Any] = {}
        self._fetched = self._fetched_at = float("-inf")
        self._lock = threading.Lock()

    def get(self, kid: str, now: float) -> Any | None:
        """The key of this id, fetching anew when it is unknown or the set is old; None if there is none.

        ``now`` is the process's clock, by which keys are changed; where that clock leaps ahead of the machine's
        (decision 20), the set has aged with it.
        """
        with self._lock:
            age = max(time.monotonic() - self._fetched, now - self._fetched_at)
            if age > _MAX_AGE or (kid not in self._keys and age > _REFETCH):
                self._refetch(now)
            return self._keys.get(kid)

    def _refetch(self, now: float) -> None:
        self._fetched, self._fetched_at = time.monotonic(), now
        try:
            keys = KeySet.import_key_set(orjson.loads(self._read()))
        except (OSError, ValueError) as away:
            if not self._keys:
                self._fetched = float("-inf")
                raise Unavailable("tokens can't be checked now: the gateway's keys are out of reach") from away
            return
        # A private or symmetric key in the set must never verify anything.
        self._keys = {str(key.kid): key for key in keys.keys if key.key_type == "OKP"}

    def _read(self) -> bytes:
        if self.url.startswith("static:"):
            return self.url.removeprefix("static:").encode()
        if self.url.startswith("file:"):
            return Path(self.url.removeprefix("file:")).read_bytes()
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"KEZHI_JWKS_URL must be http(s):, file: or static:, not {self.url[:20]}")
        with urllib.request.urlopen(self.url, timeout=3) as answer:  # noqa: S310 - the scheme was checked above
            return bytes(answer.read(1 << 20))


class Verifier:
    """Turns the text of a token into a Principal."""

    def __init__(self, keys: Keys, permissions: Permissions, clock: Clock) -> None:
        self.keys = keys
        self.permissions = permissions
        self.clock = clock
        self._known: OrderedDict[str, tuple[Principal, float, float]] = OrderedDict()

    def verify(self, text: str) -> Principal:
        """Raises NotAuthentic; Unavailable while no key could ever be fetched."""
        now = self.clock.now().timestamp()
        known = self._known.get(text)
        if known is not None:
            principal, expires, believed_until = known
            if now < expires and time.monotonic() < believed_until:
                return principal
            self._known.pop(text, None)
        principal, expires = self._check(text, now)
        self._known[text] = (principal, expires, time.monotonic() + _TRUST)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return principal

    def _check(self, text: str, now: float) -> tuple[Principal, float]:
        claims = self._claims(text, now)
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or now >= expires:
            raise NotAuthentic("the token has expired: sign in again")
        if isinstance(claims.get("nbf"), int | float) and now < claims["nbf"]:
            raise NotAuthentic("the token is not valid yet")
        audience = claims.get("aud")
        if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
            raise NotAuthentic("the token is meant for another audience")
        if claims.get("iss") != ISSUER:
            raise NotAuthentic("the token comes from another issuer")
        return self._principal(claims), float(expires)

    def _claims(self, text: str, now: float) -> dict[str, Any]:
        try:
            header_part = text.split(".", 1)[0]
            kid = _header(header_part).get("kid")
            key = self.keys.get(kid, now) if isinstance(kid, str) else None
            if key is None:
                raise NotAuthentic("the token is signed by an unknown key")
            registry = JWSRegistry(algorithms=_ALGORITHMS)
            return dict(jwt.decode(text, key, algorithms=_ALGORITHMS, registry=registry).claims)
        except (JoseError, ValueError) as wrong:
            raise NotAuthentic("the token is not authentic") from wrong

    def _principal(self, claims: dict[str, Any]) -> Principal:
        subject, kind = claims.get("sub"), claims.get("kind", "staff")
        roles, sources = claims.get("roles", []), claims.get("sources", [])
        unit = claims.get("unit") or "/-/"
        well_formed = (
            isinstance(subject, str)
            and kind in ("staff", "api_key", "system")
            and isinstance(unit, str)
            and all(isinstance(names, list) and all(isinstance(n, str) for n in names) for names in (roles, sources))
        )
        if not well_formed or not isinstance(subject, str):
            raise NotAuthentic("the token lacks the claims of this installation")
        held = frozenset(roles)
        return Principal(
            id=subject,
            username=str(claims.get("username") or subject),
            kind=kind,
            unit_path=closed(unit),
            roles=held,
            sources=frozenset(sources),
            permissions=self.permissions.of(held),
        )


def _header(part: str) -> dict[str, Any]:
    from base64 import urlsafe_b64decode  # noqa: PLC0415 - met once per token, not per request

    header = orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(header, dict):
        raise NotAuthentic("the token is not authentic")
    return header
