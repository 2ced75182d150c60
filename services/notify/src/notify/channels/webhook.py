"""Webhooks: a signed POST of the message as JSON. The receiver tells repeated attempts by ``Idempotency-Key``."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import timedelta

import orjson

from notify.channels import answers, http, signing
from notify.channels.addresses import Reach, Refused, target
from notify.channels.domain import Outcome, Outgoing


class WebhookChannel:
    """Posts to the address of each recipient."""

    name = "webhook"
    idempotent = True

    def __init__(
        self, secrets: Sequence[str], reach: Reach, timeout: timedelta, tls: ssl.SSLContext | None = None
    ) -> None:
        self._secret = secrets[0]
        self._reach = reach
        self._timeout = timeout
        self._tls = tls

    def send(self, outgoing: Outgoing) -> Outcome:
        """Post one message. 2xx: the receiving system has it."""
        body = content(outgoing)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": outgoing.idempotency_key,
            **signing.signed(self._secret, outgoing.at, body),
        }
        try:
            where = target(outgoing.address)
            answer = http.post(where, body, headers, reach=self._reach, timeout=self._timeout, tls=self._tls)
        except Refused as refused:
            return Outcome("permanent", reason=f"the webhook's address {refused}")
        except http.NoAnswer as silent:
            # Not the channel's fault: each recipient is another server.
            return Outcome("temporary", reason=str(silent), uncertain=silent.asked)
        said = answers.verdict(answer.status, answer.headers.get("retry-after"), outgoing.at)
        if said is None:
            return Outcome("delivered", reference=f"HTTP {answer.status}")
        return Outcome(said.kind, reason=said.reason, retry_after=said.retry_after)


def content(outgoing: Outgoing) -> bytes:
    """What is posted: the same bytes at every attempt."""
    rendered = outgoing.rendered
    return orjson.dumps(
        {
            "message_id": outgoing.message_id,
            "template": rendered.key,
            "locale": rendered.locale,
            "subject": rendered.subject,
            "text": rendered.text,
        }
    )
