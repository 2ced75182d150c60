"""The exchange desk: a request that carries an API key goes on with a short token in its place.

Outcomes are remembered for ``REMEMBERED_SECONDS`` by the secret's hash, refusals too, so that neither a
busy machine nor one with a wrong key costs a database query per request. A revoked key therefore lives that
much longer, plus the two minutes of a token that was already handed to a service.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from chassis.runtime import Runtime
from gateway.api_keys.use_cases import PREFIX, exchange
from gateway.signin.tokens import KEY_LIFE

REMEMBERED_SECONDS = 10.0
REMEMBERED_KEYS = 2048
_BEARER = "Bearer "


class _Outcome(NamedTuple):
    until: float  # on the monotonic clock
    good_until: datetime  # when the token ends: the service's clock may have leapt
    token: str | None


class ExchangeDesk:
    """One per worker process; its threads share it."""

    def __init__(self, runtime: Runtime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._monotonic = monotonic
        self._known: OrderedDict[bytes, _Outcome] = OrderedDict()

    @staticmethod
    def concerns(authorization: str) -> bool:
        """Whether the header carries an API key rather than a token."""
        return authorization.startswith(_BEARER + PREFIX)

    def token_for(self, authorization: str) -> str | None:
        """The ``Authorization`` to go on with; None when the key is good for nothing."""
        secret = authorization[len(_BEARER) :]
        fingerprint = hashlib.sha256(secret.encode("latin-1", "replace")).digest()
        known = self._known.get(fingerprint)
        now = self._runtime.clock.now()
        if known is None or self._monotonic() >= known.until or now >= known.good_until:
            with self._runtime.context() as context:
                token = exchange(context.session, context.clock, secret)
            known = _Outcome(self._monotonic() + REMEMBERED_SECONDS, now + KEY_LIFE, token)
            self._known[fingerprint] = known
            while len(self._known) > REMEMBERED_KEYS:
                self._known.popitem(last=False)
        return _BEARER + known.token if known.token else None

    def forget(self) -> None:
        """Ask anew for every key: called where one was revoked, so that this worker knows at once."""
        self._known.clear()
