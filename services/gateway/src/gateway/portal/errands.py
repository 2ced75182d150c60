"""What the portal asks the complaint service for, on behalf of people who have no account.

The gateway's own token goes with every errand; the service allows it exactly what the portal needs. Answers are cut
down here to what a stranger may know: nothing tells whether a telephone number is a customer's.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chassis.errors import Conflict, Invalid, NotFound, Unavailable
from chassis.runtime import Runtime
from chassis.web.problems import TooMany
from gateway.console.words import N_
from gateway.portal.challenge import Challenge, Unsolved, issue, nonce_of
from gateway.routing.switchboard import Missing, Switchboard
from gateway.signin.keys import signing_key
from gateway.signin.tokens import SYSTEM_LIFE, system_token

CHANNEL = "portal"
SECONDS = 15.0
FOLLOW_PAGE = "/portal/complaints/"

# What strangers are told of a refusal; the pages say it in their language.
NO_LINK = N_("This link is not valid: it may have been used already, or its time is over.")
SENT_ALREADY = N_("This was sent already. Please wait a moment, then look at the link you were given.")
TOO_BUSY = N_("We are asked too much at the moment: please try again in a minute.")
NOT_NOW = N_("We can't take this in right now and nothing was lost: please try again in a few minutes.")

# Per address. A family behind one router is not turned away; a script is.
SUBMITTING = "10 per hour"
READING = "120 per 10 minutes"
ANSWERING = "20 per 10 minutes"


@dataclass(frozen=True)
class Taken:
    """A complaint that was taken: the number for the telephone, the link for following it."""

    number: str
    link: str | None


class PortalDesk:
    """One per process."""

    def __init__(self, runtime: Runtime, switchboard: Switchboard) -> None:
        self.runtime = runtime
        self.switchboard = switchboard
        self._key = hashlib.sha256(b"kezhi portal challenge\n" + runtime.settings.field_keys[0].encode()).digest()
        self._lock = threading.Lock()
        self._token = ("", datetime.min.replace(tzinfo=UTC))

    def challenge(self) -> Challenge:
        """What a form is given to compute on."""
        return issue(self._key, self.runtime.clock.now())

    def submit(self, complaint: Mapping[str, Any], challenge: str, solution: str, request_id: str) -> Taken:
        """Hand a complaint in. A challenge is good for one: sent again, it answers what it was answered.

        Raises Invalid for a challenge that was not solved or has run out, and for what the service finds wrong.
        """
        try:
            nonce = nonce_of(self._key, self.runtime.clock.now(), challenge, solution)
        except Unsolved:
            wrong = {"solution": ["solve a fresh challenge from portal/challenge"]}
            raise Invalid("The proof of work is missing, wrong or too old", wrong) from None
        key = f"portal:{nonce}"
        case = self._ask("POST", "complaints", request_id, {**complaint, "channel": CHANNEL}, key)
        made = self._ask("POST", "complaint-links", request_id, {"complaint_id": case["id"]}, spare=True)
        return Taken(case["number"], FOLLOW_PAGE + made["token"] if made else None)

    def follow(self, token: str, request_id: str) -> dict[str, Any]:
        """How it goes, as the complainant may know it. Raises NotFound for any link that is no good."""
        return dict(self._ask("GET", f"complaint-links/{_plain(token)}", request_id))

    def answer(self, token: str, satisfaction: int, comment: str | None, request_id: str) -> dict[str, Any]:
        """Answer the call-back, once; answers status and round. Raises NotFound as ``follow`` does."""
        body = {"satisfaction": satisfaction, **({"comment": comment} if comment else {})}
        return dict(self._ask("POST", f"complaint-links/{_plain(token)}/answer", request_id, body))

    def _ask(
        self, method: str, path: str, request_id: str, body: Any = None, key: str | None = None, spare: bool = False
    ) -> Any:
        """The JSON of a granted answer. ``spare``: None instead of a refusal."""
        try:
            reply = self.switchboard.send(
                method, path, token=self._token_of_ours(), request_id=request_id, body=body, key=key, seconds=SECONDS
            )
        except Missing:
            if spare:
                return None
            raise Unavailable(NOT_NOW) from None
        if reply.granted:
            return reply.value
        if spare:
            return None
        raise _refusal(reply.status, reply.problem)

    def _token_of_ours(self) -> str:
        now = self.runtime.clock.now()
        with self._lock:
            token, until = self._token
            if now >= until:
                with self.runtime.context() as context:
                    token = system_token(signing_key(context.session, context.clock), now)
                self._token = (token, now + SYSTEM_LIFE / 2)
        return token


def _refusal(status: int, problem: Mapping[str, Any]) -> Exception:
    """What a stranger is told of a refusal: the fields they can mend, and else only what to do."""
    if status == 404:
        return NotFound(NO_LINK)
    if status == 409:
        return Conflict(SENT_ALREADY)
    if status == 422:
        return Invalid("Some fields are not valid", dict(problem.get("errors") or {}))
    if status == 429:
        return TooMany(TOO_BUSY, 60)
    return Unavailable(NOT_NOW)


def _plain(token: str) -> str:
    """Links are letters, digits, ``-`` and ``_``; what is not, names nothing and goes nowhere."""
    if not token.replace("-", "").replace("_", "").isalnum() or not token.isascii() or len(token) > 128:
        raise NotFound(NO_LINK)
    return token
