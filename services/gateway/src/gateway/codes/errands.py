"""What codes need of the other services, asked with the gateway's own token: whose number, the message, the points."""

from __future__ import annotations

import os
import secrets
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from chassis.errors import Unavailable
from chassis.runtime import Context
from gateway.routing.addresses import upstreams_from_environment
from gateway.routing.switchboard import Missing, Reply, Switchboard
from gateway.signin.keys import signing_key
from gateway.signin.tokens import system_token

TEMPLATE = "one_time_code"
SECONDS = 5.0


@dataclass(frozen=True)
class Errands:
    """Everything is asked within one minute: the token lives no longer."""

    switchboard: Switchboard
    token: str
    request_id: str

    @classmethod
    def of(cls, context: Context, request_id: str | None = None) -> Errands:
        """For one occasion."""
        token = system_token(signing_key(context.session, context.clock), context.clock.now())
        return cls(_switchboard(os.getpid()), token, request_id or secrets.token_hex(12))

    def whose_number(self, phone: str) -> uuid.UUID | None:
        """The one customer who is reached under this number. Raises Unavailable while the registry is away."""
        answer = self._ask("GET", "customers/recognised?" + urlencode({"phone": phone}))
        found = answer.value.get("customer_id") if answer.granted else None
        return uuid.UUID(found) if found else None

    def send(
        self, code_id: uuid.UUID, customer_id: uuid.UUID, phone: str, code: str, minutes: int, locale: str | None
    ) -> None:
        """Have notify send the code, once however often this is repeated. Raises Unavailable."""
        body = {
            "template": TEMPLATE,
            "class": "service",
            "channel": "sms",
            "recipient": {"customer_id": str(customer_id), "phone": phone},
            "data": {"code": code, "minutes": minutes},
            "expires_in": minutes * 60,  # a code that comes late is worse than none
            **({"locale": locale} if locale else {}),
        }
        answer = self._ask("POST", "messages", body, f"one-time-code:{code_id}")
        if not answer.granted:
            raise Unavailable(f"notify did not take the message ({answer.status})")

    def points(self, customer_id: uuid.UUID) -> dict[str, Any] | None:
        """What a member has; None: takes no part. Raises Unavailable."""
        answer = self._ask("GET", f"members/{customer_id}")
        if answer.status == 404:
            return None
        if not answer.granted:
            raise Unavailable("The points can't be looked up now; the code stays good. Try again in a minute.")
        return dict(answer.value)

    def _ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Reply:
        try:
            return self.switchboard.send(
                method, path, token=self.token, request_id=self.request_id, body=body, key=key, seconds=SECONDS
            )
        except Missing as missing:
            raise Unavailable(f"The {missing.service} service can't be asked now. Try again in a minute.") from None


@cache
def _switchboard(_process: int) -> Switchboard:
    # By process: connections made before a fork must not be shared after it.
    return Switchboard(upstreams_from_environment())
